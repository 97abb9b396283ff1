//! Headers that files get by what they are called. Pure.

use http::header::VARY;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers for the files whose path is like a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    /// `*` stands for any text, also with slashes in it. With a slash in it, it is compared with the path from
    /// the web root on, else with the name of the file. Case does not count.
    pub(crate) pattern: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Puts the headers of all rules for a file in place: of several rules, those of the longer pattern count.
pub(super) fn apply(rules: &[HeaderRule], relative: &str, headers: &mut HeaderMap) {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    let mut fitting: Vec<_> = rules
        .iter()
        .filter(|rule| match rule.pattern.contains('/') {
            true => is_like(relative, rule.pattern.trim_start_matches('/')),
            false => is_like(name, &rule.pattern),
        })
        .collect();
    fitting.sort_by_key(|rule| rule.pattern.len());
    // What the answer depends on besides: a rule adds to it, or a cache would give it to whoever asks otherwise.
    let varies: Vec<_> = headers.get_all(VARY).iter().cloned().collect();
    for (name, value) in fitting.into_iter().flat_map(|rule| &rule.headers) {
        headers.insert(name, value.clone());
    }
    let told = headers.get(VARY).cloned();
    for own in varies.into_iter().filter(|own| told.as_ref() != Some(own)) {
        headers.append(VARY, own);
    }
}

/// Whether a text is like a pattern. Takes at most the product of their lengths.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut of) = (0, 0);
    // Where the last star stands, and how much it stands for.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        if pattern.get(of) == Some(&b'*') {
            star = Some((of, at));
            of += 1;
        } else if pattern.get(of).is_some_and(|it| it.eq_ignore_ascii_case(&text[at])) {
            at += 1;
            of += 1;
        } else if let Some((place, end)) = star {
            star = Some((place, end + 1));
            at = end + 1;
            of = place + 1;
        } else {
            return false;
        }
    }
    pattern[of..].iter().all(|it| *it == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_adds_to_what_an_answer_depends_on() {
        let rule = |value| HeaderRule {
            pattern: "*.txt".to_owned(),
            headers: vec![(VARY, HeaderValue::from_static(value))],
        };
        for (value, told) in [
            ("Origin", &["Origin", "Accept-Encoding"][..]),
            ("Accept-Encoding", &["Accept-Encoding"]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
            apply(&[rule(value)], "a.txt", &mut headers);
            assert_eq!(headers.get_all(VARY).iter().collect::<Vec<_>>(), told);
            let mut headers = HeaderMap::new();
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
            apply(&[rule(value)], "a.html", &mut headers);
            assert_eq!(headers.get_all(VARY).iter().count(), 1);
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (text, pattern) in [
            ("a.js", "*.js"),
            ("A.JS", "*.js"),
            ("assets/deep/a.js", "assets/*"),
            ("assets/deep/a.js", "*/a.*"),
            ("a", "*"),
            ("", "*"),
            ("ab", "a**b"),
            ("aXbXb", "a*b"),
        ] {
            assert!(is_like(text, pattern), "{text} is like {pattern}");
        }
        for (text, pattern) in
            [("a.jsx", "*.js"), ("b/a", "a"), ("a", ""), ("", "a"), ("abc", "a*b")]
        {
            assert!(!is_like(text, pattern), "{text} is not like {pattern}");
        }
    }

    #[test]
    fn the_longer_pattern_counts() {
        let rule = |pattern: &str, name: &'static str, value: &'static str| HeaderRule {
            pattern: pattern.to_owned(),
            headers: vec![(HeaderName::from_static(name), HeaderValue::from_static(value))],
        };
        let rules = [
            rule("/assets/*", "cache-control", "immutable"),
            rule("*", "cache-control", "no-cache"),
            rule("*.html", "x-page", "yes"),
        ];
        for (file, cache, page) in [
            ("assets/a.js", "immutable", None),
            ("index.html", "no-cache", Some("yes")),
            ("other/assets/a.js", "no-cache", None),
        ] {
            let mut headers = HeaderMap::new();
            apply(&rules, file, &mut headers);
            assert_eq!(headers["cache-control"], cache, "{file}");
            assert_eq!(headers.get("x-page").map(|it| it.to_str().unwrap()), page, "{file}");
        }
    }
}
