//! The members of a header that is a list, from the last to the first.

use http::header::ValueIter;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The members of a list (RFC 9110 section 5.6.1) in all lines of a header, the last one first: what the
/// nearest proxy wrote is at the end, and what the client wrote at the beginning.
///
/// Quotes are looked for from the end as well. So a quote that a client leaves open cannot take in what
/// proxies have written behind it.
pub(super) struct Members<'a> {
    /// The lines that are not begun, to be taken from the end.
    lines: Option<ValueIter<'a, HeaderValue>>,
    /// What is left of the line that is.
    rest: Option<&'a [u8]>,
}

impl<'a> Members<'a> {
    pub(super) fn of(headers: &'a HeaderMap, name: Option<&HeaderName>) -> Self {
        Self { lines: name.map(|name| headers.get_all(name).iter()), rest: None }
    }

    /// The lines without the members that were taken; empty if no member is left.
    pub(super) fn left(self) -> Vec<HeaderValue> {
        let begun = self.rest.map(without_end);
        let begun = begun.filter(|rest| has_members(rest));
        let begun = begun.and_then(|rest| HeaderValue::from_bytes(rest).ok());
        let lines = self.lines.into_iter().flatten().filter(|line| has_members(line.as_bytes()));
        lines.cloned().chain(begun).collect()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let line = match self.rest.take() {
                Some(rest) => rest,
                None => self.lines.as_mut()?.next_back()?.as_bytes(),
            };
            let (rest, member) = split_last(line);
            self.rest = rest;
            let member = unquoted(member.trim_ascii());
            if !member.is_empty() {
                return Some(member);
            }
        }
    }
}

fn has_members(line: &[u8]) -> bool {
    Members { lines: None, rest: Some(line) }.next().is_some()
}

/// What stands behind the last comma outside quotes, and what stands before it.
fn split_last(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut in_quotes = false;
    let comma = line.iter().rposition(|byte| {
        in_quotes ^= *byte == b'"';
        *byte == b',' && !in_quotes
    });
    match comma.and_then(|at| line.split_at_checked(at)) {
        Some((rest, [_, member @ ..])) => (Some(rest), member),
        _ => (None, line),
    }
}

/// A member without the quotes around it.
fn unquoted(member: &[u8]) -> &[u8] {
    match member {
        [b'"', inside @ .., b'"'] => inside,
        member => member,
    }
}

/// A line without the commas and blanks at its end.
fn without_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b','] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");

    fn headers(lines: &[impl AsRef<str>]) -> HeaderMap {
        let value = |line: &str| HeaderValue::from_str(line).expect("a value");
        lines.iter().map(|line| (NAME, value(line.as_ref()))).collect()
    }

    fn members(headers: &HeaderMap) -> Vec<&str> {
        let members = Members::of(headers, Some(&NAME));
        members.map(|member| std::str::from_utf8(member).expect("text")).collect()
    }

    fn left(lines: &[&str], taken: usize) -> Vec<String> {
        let headers = headers(lines);
        let mut members = Members::of(&headers, Some(&NAME));
        members.by_ref().take(taken).for_each(drop);
        let text = |line: HeaderValue| line.to_str().expect("text").to_owned();
        members.left().into_iter().map(text).collect()
    }

    #[test]
    fn members_come_from_the_end() {
        for (lines, expected) in [
            (&["a, b ,c"][..], &["c", "b", "a"][..]),
            (&["a,b", "c"], &["c", "b", "a"]),
            (&[", ,a,", "", " , "], &["a"]),
            (&["\"a, b\", \"c\""], &["c", "a, b"]),
            (&["\"\", \" \""], &[" "]),
            (&["a\"b, c"], &["c", "a\"b"]),
            (&[], &[]),
        ] {
            assert_eq!(members(&headers(lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_quote_that_is_left_open_takes_in_nothing_behind_it() {
        for client in ["\"", "\"a", "a, \"b, c", "\"a\", \""] {
            for proxy in ["192.0.2.1", "\"[2001:db8::1]:80\""] {
                let headers = headers(&[format!("{client}, {proxy}")]);
                assert_eq!(members(&headers)[0], proxy.trim_matches('"'), "{client}");
            }
        }
    }

    #[test]
    fn what_is_not_taken_is_left_as_it_was() {
        for (lines, taken, expected) in [
            (&["a, \"b, c\" , d"][..], 1, &["a, \"b, c\""][..]),
            (&["a, b", "c ,, d, ,"], 1, &["a, b", "c"]),
            (&["a, b", "c, d"], 2, &["a, b"]),
            (&["a, b", "c, d"], 3, &["a"]),
            (&["a, b", "c, d"], 9, &[]),
            (&[", ,a,"], 1, &[]),
            (&["a", " , "], 0, &["a"]),
        ] {
            assert_eq!(left(lines, taken), expected, "{lines:?} without {taken}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_writes_hides_what_the_proxies_wrote(
            client in proptest::collection::vec("[ -~]{0,20}", 0..3),
            proxies in proptest::collection::vec("[a-z]{1,3}|\"[a-z,]{1,3}\"", 1..4),
        ) {
            let mut lines = client;
            match lines.last_mut() {
                Some(last) => *last = format!("{last}, {}", proxies.join(", ")),
                None => lines.push(proxies.join(", ")),
            }
            let headers = headers(&lines);
            let members = members(&headers);
            let expected: Vec<_> = proxies.iter().rev().map(|it| it.trim_matches('"')).collect();
            prop_assert_eq!(&members[..proxies.len()], &expected[..]);
            // What is left has the members that were not taken.
            for taken in 0..=members.len() {
                let mut begun = Members::of(&headers, Some(&NAME));
                begun.by_ref().take(taken).for_each(drop);
                let left: HeaderMap = begun.left().into_iter().map(|line| (NAME, line)).collect();
                let left: Vec<_> = Members::of(&left, Some(&NAME)).collect();
                let rest: Vec<_> = members[taken..].iter().map(|member| member.as_bytes()).collect();
                prop_assert_eq!(left, rest);
            }
        }
    }
}
