//! The head of an answer that is given often: made once, and written once.

use std::sync::OnceLock;

use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRAILER, TRANSFER_ENCODING};

/// The headers of an answer, and the same as lines, once a server has written them.
///
/// An answer that has one comes as far as the server only past stages that do not look at answers: for all others
/// the pipeline puts copies of the headers into the answer ([`Responding`](super::Responding)).
#[derive(Debug)]
pub(crate) struct PreparedHead {
    headers: HeaderMap,
    length: Option<u64>,
    lines: OnceLock<Box<[u8]>>,
}

impl PreparedHead {
    /// A head with these headers. `None` if one of them says something of the connection or the framing besides the
    /// length, or is one that servers add: those are for a server to see.
    pub(crate) fn new(headers: HeaderMap) -> Option<Self> {
        let of_servers = [CONNECTION, DATE, SERVER, TRAILER, TRANSFER_ENCODING];
        if of_servers.iter().any(|name| headers.contains_key(name)) {
            return None;
        }
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let length = match lengths.next() {
            None => None,
            Some(told) => {
                let length: u64 = told.to_str().ok()?.parse().ok()?;
                Some(length).filter(|length| *told == length.to_string())?.into()
            }
        };
        let is_alone = lengths.next().is_none();
        is_alone.then(|| Self { headers, length, lines: OnceLock::new() })
    }

    /// The length that the headers tell.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The headers as a server writes them, which is asked to the first time.
    pub(crate) fn lines(&self, write: impl FnOnce(&HeaderMap) -> Vec<u8>) -> &[u8] {
        self.lines.get_or_init(|| write(&self.headers).into())
    }

    /// Puts the headers into an answer that has none of them.
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        let others = std::mem::replace(headers, self.headers.clone());
        headers.extend(others);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<PreparedHead> {
        let headers = headers.iter();
        PreparedHead::new(
            headers
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .fold(HeaderMap::new(), |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                }),
        )
    }

    #[test]
    fn what_servers_have_to_see_is_not_prepared() {
        assert_eq!(of(&[("a", "b")]).unwrap().length(), None);
        assert_eq!(of(&[("a", "b"), ("content-length", "12")]).unwrap().length(), Some(12));
        for headers in [
            &[("connection", "close")][..],
            &[("date", "now")],
            &[("server", "b")],
            &[("trailer", "a")],
            &[("transfer-encoding", "chunked")],
            &[("content-length", "012")],
            &[("content-length", "+1")],
            &[("content-length", "many")],
            &[("content-length", "1"), ("content-length", "1")],
        ] {
            assert!(of(headers).is_none(), "{headers:?}");
        }
    }

    #[test]
    fn lines_are_written_once_and_headers_stand_before_others() {
        let head = of(&[("a", "b")]).unwrap();
        assert_eq!(head.lines(|headers| vec![b'x'; headers.len()]), b"x");
        assert_eq!(head.lines(|_| panic!("once is enough")), b"x");
        let mut headers = HeaderMap::new();
        headers.insert("c", HeaderValue::from_static("d"));
        head.put_into(&mut headers);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["a", "c"]);
    }
}
