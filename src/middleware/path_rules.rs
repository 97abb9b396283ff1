//! What counts for requests by what their paths begin with.

use std::borrow::Cow;

use crate::features::{RequestTarget, decoded_path};
use crate::pipeline::Request;

/// What counts for paths. They begin with whole segments, in any case; the longest one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathRules<T>(Vec<(String, T)>);

impl<T> Default for PathRules<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PathRules<T> {
    /// Of paths as they stand in URLs; the empty one is every path.
    pub(crate) fn new(rules: impl IntoIterator<Item = (String, T)>) -> Self {
        let decoded = |path: String| match path.is_empty() {
            true => path,
            false => decoded_path(&path),
        };
        let mut rules: Vec<_> = rules.into_iter().map(|(path, it)| (decoded(path), it)).collect();
        rules.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(rules)
    }

    /// What counts for a request, by its path below the path base.
    pub(super) fn of(&self, request: &Request) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        let path = RequestTarget::of(request).lent_path();
        let path = with_single_slashes(&path);
        let rule = self.0.iter().find(|(start, _)| length_in(&path, start).is_some());
        rule.map(|(_, it)| it)
    }
}

/// Several slashes count as one: files, and some apps, are found by such paths as well, and no rule is got round by
/// them.
pub(super) fn with_single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return path.into();
    }
    let mut before = None;
    let is_one = |it: &char| before.replace(*it) != Some('/') || *it != '/';
    path.chars().filter(is_one).collect()
}

/// How much of a decoded path another one is: whole segments, in any case.
pub(super) fn length_in(path: &str, start: &str) -> Option<usize> {
    let mut rest = path.char_indices();
    for expected in start.chars() {
        let (_, found) = rest.next()?;
        if !is_same(expected, found) {
            return None;
        }
    }
    let length = rest.offset();
    (length == path.len() || path[length..].starts_with('/')).then_some(length)
}

/// Whether two characters differ at most in their case.
fn is_same(one: char, other: char) -> bool {
    let upper = |character: char| {
        let mut upper = character.to_uppercase();
        // What becomes several characters stays as it is.
        upper.next().filter(|_| upper.next().is_none()).unwrap_or(character)
    };
    one == other || upper(one) == upper(other)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_longest_start_of_whole_segments_counts_however_it_is_written() {
        let rules = [("/api", 1), ("/api/slow%20ones", 2), ("/caf%C3%A9", 3)];
        let rules = PathRules::new(rules.map(|(path, it)| (path.to_owned(), it)));
        for (target, expected) in [
            ("/api", Some(1)),
            ("/API/", Some(1)),
            ("/api/a?b=/other", Some(1)),
            ("/%61pi/a", Some(1)),
            ("/other/../api/a", Some(1)),
            ("/api/%2e%2e/other", None),
            ("/api/slow%20ones/1", Some(2)),
            ("/api/slow%20onesies", Some(1)),
            ("//api", Some(1)),
            ("/api///slow%20ones//1", Some(2)),
            ("/apis", None),
            ("/a", None),
            ("/", None),
            ("*", None),
            ("http://a.example/api", Some(1)),
            ("/CAF%C3%89/x", Some(3)),
        ] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = target.parse().unwrap();
            assert_eq!(rules.of(&request).copied(), expected, "{target}");
        }
    }

    #[test]
    fn the_root_is_every_path() {
        let rules = PathRules::new([(String::new(), 1), ("/a".to_owned(), 2)]);
        for (target, expected) in [("/", 1), ("/b", 1), ("*", 1), ("/a", 2)] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = target.parse().unwrap();
            assert_eq!(rules.of(&request), Some(&expected), "{target}");
        }
    }
}
