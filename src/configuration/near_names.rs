//! The name that was probably meant.

/// The name among `known` that `text` was probably meant to be.
pub(crate) fn did_you_mean<'a>(
    text: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let length = lower.chars().count();
    let allowed = match length {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .into_iter()
        // The distance is at least the difference of the lengths.
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The name among `known` that a value was probably meant to be: near, or begun (`Warn`).
pub(crate) fn meant_value<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.trim();
    let begun = |name: &&&str| {
        text.len() >= 3
            && name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    known.iter().find(begun).copied().or_else(|| did_you_mean(text, known.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["urls", "Endpoints", "Kestrel", "Http1AndHttp2"];
        for (text, meant) in [
            ("url", Some("urls")),
            ("EndPoint", Some("Endpoints")),
            ("Kestrl", Some("Kestrel")),
            ("http1andhttp", Some("Http1AndHttp2")),
            ("L", None),
            ("Foo", None),
            ("Items", None),
        ] {
            assert_eq!(did_you_mean(text, known), meant, "{text}");
        }
    }

    #[test]
    fn a_value_may_be_begun() {
        let levels = ["Information", "Warning", "Error"];
        for (text, meant) in [
            ("Warn", Some("Warning")),
            ("info", Some("Information")),
            ("Errror", Some("Error")),
            ("Loud", None),
        ] {
            assert_eq!(meant_value(text, &levels), meant, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC*") {
            let _ = (did_you_mean(&text, ["urls"]), meant_value(&text, &["urls"]));
        }
    }
}
