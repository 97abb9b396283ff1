//! Which types of answers are compressed. Pure.

use http::HeaderValue;

/// Types that are compressed, and types that are not: `text/css`, `text/*` or `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaTypes {
    included: Vec<String>,
    excluded: Vec<String>,
}

impl MediaTypes {
    /// What is compressed unless something else is said.
    pub(crate) const DEFAULT: [&str; 10] = [
        "text/plain",
        "text/css",
        "application/javascript",
        "text/javascript",
        "text/html",
        "application/xml",
        "text/xml",
        "application/json",
        "text/json",
        "application/wasm",
    ];

    pub(crate) fn new(included: Vec<String>, excluded: Vec<String>) -> Self {
        let lower = |types: Vec<String>| types.iter().map(|it| it.to_ascii_lowercase()).collect();
        Self { included: lower(included), excluded: lower(excluded) }
    }

    pub(crate) fn included(&self) -> impl Iterator<Item = &str> {
        self.included.iter().map(String::as_str)
    }

    /// Whether an answer of this type is compressed: what names it most closely counts.
    pub(super) fn have(&self, content_type: &HeaderValue) -> bool {
        let Ok(text) = content_type.to_str() else { return false };
        let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if name.is_empty() {
            return false;
        }
        let group = name.split_once('/').map(|(group, _)| format!("{group}/*"));
        let names = [Some(name), group, Some("*/*".to_owned())];
        for name in names.into_iter().flatten() {
            if self.excluded.contains(&name) {
                return false;
            }
            if self.included.contains(&name) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_type_most_closely_counts() {
        let default = &MediaTypes::DEFAULT[..];
        for (included, excluded, name, expected) in [
            (default, &[][..], "text/plain; charset=utf-8", true),
            (default, &[], " TEXT/Plain ", true),
            (default, &[], "image/svg+xml", false),
            (default, &[], "", false),
            (&["text/*"], &["text/css"], "text/css", false),
            (&["text/*"], &["text/css"], "text/x", true),
            (&["text/css"], &["text/*"], "text/css", true),
            (&["text/css"], &["text/*"], "text/plain", false),
            (&["*/*"], &["image/*"], "image/png", false),
            (&["*/*"], &[], "x", true),
            (&["image/*"], &["*/*"], "image/png", true),
            (&["*"], &[], "text/plain", false),
        ] {
            let owned = |types: &[&str]| types.iter().map(|it| (*it).to_owned()).collect();
            let types = MediaTypes::new(owned(included), owned(excluded));
            assert_eq!(types.have(&name.parse().unwrap()), expected, "{name} of {types:?}");
        }
    }
}
