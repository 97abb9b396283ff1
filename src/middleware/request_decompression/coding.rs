//! Which coding the body of a request has. Pure.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// A content coding of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Brotli,
    /// In the form of zlib (RFC 9110 section 8.4.1.2).
    Deflate,
    Gzip,
    Zstd,
}

impl Coding {
    pub(crate) const NAMES: [(&'static str, Self); 4] = [
        ("br", Self::Brotli),
        ("deflate", Self::Deflate),
        ("gzip", Self::Gzip),
        ("zstd", Self::Zstd),
    ];

    /// As it is called in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What a request says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coded {
    /// Nothing.
    No,
    /// It has several lines, and perhaps several codings.
    Several,
    /// By something that is not undone here, or by several codings in one line.
    Otherwise,
    By(Coding),
}

/// Which of the `known` codings the body of a request with these headers has.
pub(super) fn coded(headers: &HeaderMap, known: &[Coding]) -> Coded {
    let mut lines = headers.get_all(CONTENT_ENCODING).iter();
    let Some(line) = lines.next() else { return Coded::No };
    if lines.next().is_some() {
        return Coded::Several;
    }
    let name = line.as_bytes().trim_ascii();
    if name.is_empty() {
        return Coded::No;
    }
    let is_it = |coding: &&Coding| name.eq_ignore_ascii_case(coding.name().as_bytes());
    known.iter().find(is_it).map_or(Coded::Otherwise, |coding| Coded::By(*coding))
}

#[cfg(test)]
mod tests {
    use super::Coding::{Brotli, Deflate, Gzip, Zstd};
    use super::*;

    #[test]
    fn one_coding_by_its_name_is_undone() {
        for (lines, expected) in [
            (&[][..], Coded::No),
            (&[""], Coded::No),
            (&[" "], Coded::No),
            (&["gzip"], Coded::By(Gzip)),
            (&["GZip"], Coded::By(Gzip)),
            (&["br"], Coded::By(Brotli)),
            (&["deflate"], Coded::By(Deflate)),
            (&["zstd"], Coded::Otherwise),
            (&["x-gzip"], Coded::Otherwise),
            (&["identity"], Coded::Otherwise),
            (&["gzip, br"], Coded::Otherwise),
            (&["gzip,"], Coded::Otherwise),
            (&["gzip", "gzip"], Coded::Several),
            (&["gzip", ""], Coded::Several),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, line.parse().unwrap());
            }
            assert_eq!(coded(&headers, &[Brotli, Deflate, Gzip]), expected, "{lines:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, "zstd".parse().unwrap());
        assert_eq!(coded(&headers, &[Zstd]), Coded::By(Zstd));
    }
}
