//! Which section of `Sni` is meant by the name a client asks for (RFC 6066 section 3).

/// The names of an endpoint's sections, by their places.
#[derive(Debug)]
pub(super) struct SniTable {
    exact: Vec<(String, usize)>,
    /// `.example.com` of `*.example.com`, the longest first.
    suffixes: Vec<(String, usize)>,
    /// The place of `*`.
    any: Option<usize>,
}

impl SniTable {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut exact, mut any) = (Vec::new(), None);
        let mut suffixes: Vec<(String, usize)> = Vec::new();
        for (place, name) in names.into_iter().enumerate() {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix('*') {
                Some("") => any = Some(place),
                Some(suffix) if suffix.starts_with('.') => suffixes.push((suffix.into(), place)),
                // As on Kestrel, a star that is not a whole label is none.
                _ => exact.push((name, place)),
            }
        }
        exact.sort();
        suffixes.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
        Self { exact, suffixes, any }
    }

    /// The place of the section for a client that asks for `name`, in Kestrel's order: the very
    /// name, the longest `*.` name that it lies below, `*`.
    pub(super) fn find(&self, name: Option<&str>) -> Option<usize> {
        let Some(name) = name else {
            return self.any;
        };
        let name = name.to_ascii_lowercase();
        if let Ok(found) = self.exact.binary_search_by(|(known, _)| known.as_str().cmp(&name)) {
            return self.exact.get(found).map(|(_, place)| *place);
        }
        let suffix = self.suffixes.iter().find(|(suffix, _)| name.ends_with(suffix.as_str()));
        suffix.map(|(_, place)| *place).or(self.any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_section_is_meant() {
        let names = ["one.example", "*.example", "*.Sub.example", "*foo.org", "Two.example", "*"];
        for (asked, found) in [
            (Some("one.example"), "one.example"),
            (Some("ONE.example"), "one.example"),
            (Some("two.EXAMPLE"), "Two.example"),
            (Some("three.example"), "*.example"),
            (Some("a.b.example"), "*.example"),
            (Some("a.sub.example"), "*.Sub.example"),
            (Some("a.b.sub.example"), "*.Sub.example"),
            (Some("sub.example"), "*.example"),
            (Some("example"), "*"),
            (Some("xsub.other"), "*"),
            (Some("barfoo.org"), "*"),
            (Some("foo.org"), "*"),
            (None, "*"),
        ] {
            let place = SniTable::new(names).find(asked);
            assert_eq!(place.map(|place| names[place]), Some(found), "{asked:?}");
        }
    }

    #[test]
    fn without_a_star_an_unknown_name_and_none_are_nobodys() {
        let table = SniTable::new(["one.example", "*.two.example"]);
        for asked in [None, Some("two.example"), Some("xtwo.example"), Some("x.one.example")] {
            assert_eq!(table.find(asked), None, "{asked:?}");
        }
        assert_eq!(table.find(Some("x.two.example")), Some(1));
    }
}
