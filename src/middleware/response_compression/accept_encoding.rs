//! Which encoding a client prefers (RFC 9110 section 12.5.3). Pure.

use http::HeaderValue;

use super::encoding::Encoding;

/// Thousandths, as weights have three digits.
type Weight = u16;

/// The encoding of `offered`, the preferred one first, that the client likes best; `None` if it likes none of
/// them better than none at all. What cannot be read is passed over.
pub(super) fn choose<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
    offered: &[Encoding],
) -> Option<Encoding> {
    let lines = lines.into_iter().filter_map(|line| line.to_str().ok());
    let members: Vec<_> = lines.flat_map(|line| line.split(',')).filter_map(member).collect();
    let named = |name: &str| {
        members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight)
    };
    let any = named("*");
    let mut best: Option<(Encoding, Weight)> = None;
    for encoding in offered {
        let weight = named(encoding.name()).or(any).unwrap_or(0);
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((*encoding, weight));
        }
    }
    let plain = named("identity").unwrap_or(0);
    best.filter(|(_, weight)| *weight >= plain).map(|(encoding, _)| encoding)
}

/// A name with its weight.
fn member(text: &str) -> Option<(&str, Weight)> {
    let mut parts = text.split(';').map(str::trim);
    let name =
        parts.next().filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))?;
    let mut weight = 1000;
    for parameter in parts {
        let (key, value) = parameter.split_once('=')?;
        if !key.trim().eq_ignore_ascii_case("q") {
            return None;
        }
        weight = weight_of(value.trim())?;
    }
    Some((name, weight))
}

/// `0` to `1` with at most three digits behind the point.
fn weight_of(text: &str) -> Option<Weight> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let thousandths: Weight = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Checks what any lines come to: nothing is chosen that is neither named nor one of all.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(input: &[u8]) {
    let lines =
        input.split(|byte| *byte == b'\n').filter_map(|it| HeaderValue::from_bytes(it).ok());
    let lines: Vec<_> = lines.collect();
    let offered = Encoding::NAMES.map(|(_, encoding)| encoding);
    let Some(chosen) = choose(&lines, &offered) else { return };
    let text = String::from_utf8_lossy(input).to_ascii_lowercase();
    assert!(text.contains(chosen.name()) || text.contains('*'), "{chosen:?} for {text:?}");
    // What is offered alone is chosen again.
    assert_eq!(choose(&lines, &[chosen]), Some(chosen), "{text:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Encoding::{Brotli, Gzip, Zstd};
    use super::*;

    proptest! {
        #[test]
        fn what_is_chosen_was_asked_for(text in "((br|gzip|zstd|identity|\\*|[a-z]{1,3})(;q=[01]\\.?[0-9]{0,4})?[, \n]{0,2}){0,6}") {
            check(text.as_bytes());
        }
    }

    #[test]
    fn what_a_client_likes_best_is_taken() {
        for (lines, expected) in [
            (&["gzip"][..], Some(Gzip)),
            (&["gzip, br"], Some(Brotli)),
            (&["GZIP;q=0.5", "zstd;q=0.4"], Some(Gzip)),
            (&["*"], Some(Brotli)),
            (&["br;q=0, *"], Some(Gzip)),
            (&["*;q=0.5, br;q=0.1"], Some(Gzip)),
            (&["br;q=0, gzip;q=0, zstd;q=0, *"], None),
            (&["zstd"], Some(Zstd)),
            (&["identity;q=0.5, gzip;q=0.5"], Some(Gzip)),
            (&["gzip;q=0.5, identity"], None),
            (&["identity;q=1, *;q=0"], None),
            (&["gzip;q=0"], None),
            (&["gzip;q=0.0"], None),
            (&["gzip;q=0.001"], Some(Gzip)),
            (&["gzip;Q=1.000 , @, ,"], Some(Gzip)),
            (&["gzip ; q = 1"], Some(Gzip)),
            (&["gzip;q=1.5"], None),
            (&["gzip;q=0.0001"], None),
            (&["gzip;q"], None),
            (&["gzip;x=1"], None),
            (&["gzip br"], None),
            (&["unknown, deflate"], None),
            (&[""], None),
            (&[], None),
        ] {
            let lines: Vec<HeaderValue> = lines.iter().map(|it| it.parse().unwrap()).collect();
            let seen = choose(&lines, &[Brotli, Gzip, Zstd]);
            assert_eq!(seen, expected, "{lines:?}");
        }
    }
}
