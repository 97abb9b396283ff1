//! Which encoded sibling of a file a client takes: `app.js.br` beside `app.js`. Pure.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// How a sibling is encoded, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Zstandard,
    Gzip,
}

impl Encoding {
    pub(super) const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    /// As it is called in headers (RFC 9110 section 8.4.1).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What the names of such files end in.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstandard => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// The encodings that a request takes, the best first: by the weight that the client gives, then the smallest.
/// What it likes less than the plain file is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted([Option<Encoding>; 3]);

impl Accepted {
    /// Those of a request (RFC 9110 section 12.5.3).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut weights: [Option<u16>; 3] = [None; 3];
        let mut others = None;
        let mut plain = None;
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
        for member in lines.flat_map(|line| line.split(',')) {
            let mut parts = member.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(weight).unwrap_or(1000);
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            let place = Encoding::ALL.iter().position(|known| is(known.name()));
            match place {
                Some(place) => weights[place] = weights[place].max(Some(weight)),
                None if is("x-gzip") => weights[2] = weights[2].max(Some(weight)),
                None if is("*") => others = Some(weight),
                None if is("identity") => plain = Some(weight),
                None => {}
            }
        }
        // Without a word the plain file is as good as the worst, and is there anyway.
        let plain = plain.unwrap_or(0);
        let mut wanted: Vec<_> = Encoding::ALL
            .into_iter()
            .zip(weights)
            .filter_map(|(it, weight)| {
                let weight = weight.or(others)?;
                (weight > 0 && weight >= plain).then_some((weight, it))
            })
            .collect();
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let mut sorted = wanted.into_iter().map(|(_, it)| it);
        Self(std::array::from_fn(|_| sorted.next()))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Encoding> {
        self.0.into_iter().flatten()
    }
}

/// The weight in thousandths that a parameter says, if it is one. What is none counts as nothing.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|it| it.is_ascii_digit());
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok().filter(|_| digits);
    match (whole, thousandths) {
        ("0", Some(thousandths)) => Some(thousandths),
        ("1", Some(0)) => Some(1000),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_says_which_and_how_much() {
        for (header, expected) in [
            ("", ""),
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("GZIP;q=0.5, br;q=0.1", "gzip br"),
            ("br;q=0, gzip", "gzip"),
            ("*", "br zstd gzip"),
            ("*;q=0.1, gzip", "gzip br zstd"),
            ("*;q=0", ""),
            ("identity, br;q=0.5", ""),
            ("identity;q=0.5, br;q=0.5", "br"),
            ("x-gzip", "gzip"),
            ("br;q=1.000;x=y", "br"),
            ("br;q=2, gzip;q=nonsense", ""),
            ("deflate", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, header.parse().unwrap());
            let names: Vec<_> = Accepted::of(&headers).iter().map(Encoding::name).collect();
            assert_eq!(names.join(" "), expected, "{header}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()), Accepted::default());
    }
}
