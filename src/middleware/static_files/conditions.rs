//! Whether a file is sent, by the conditions of a request (RFC 9110 section 13.2.2). Pure.

use std::time::SystemTime;

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::validators::Validators;

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Send,
    /// The client has it already.
    NotModified,
    /// It is not in the state that the client expects.
    PreconditionFailed,
}

/// Judges the conditions, in the order of the RFC. A date is not looked at beside a list of tags; a list
/// without a single tag, and a date that is none, are not there.
pub(super) fn judge(headers: &HeaderMap, file: &Validators) -> Verdict {
    if !has_any(headers) {
        return Verdict::Send;
    }
    let failed = match matches(headers, IF_MATCH, &file.etag, Comparison::Strong) {
        Some(matches) => !matches,
        None => date(headers, IF_UNMODIFIED_SINCE).is_some_and(|date| file.modified > date),
    };
    if failed {
        return Verdict::PreconditionFailed;
    }
    let unchanged = match matches(headers, IF_NONE_MATCH, &file.etag, Comparison::Weak) {
        Some(matches) => matches,
        None => date(headers, IF_MODIFIED_SINCE).is_some_and(|date| file.modified <= date),
    };
    if unchanged { Verdict::NotModified } else { Verdict::Send }
}

/// Whether a request has conditions: most have none, and to look each of them up takes longer.
fn has_any(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("if-"))
}

/// Whether a range may be sent: without `If-Range`, or if its validator is that of the file (RFC 9110 section
/// 13.1.5). A date has to be the very one.
pub(super) fn range_counts(headers: &HeaderMap, file: &Validators) -> bool {
    let mut values = headers.get_all(IF_RANGE).iter();
    match (values.next(), values.next()) {
        (None, _) => true,
        (Some(value), None) => {
            let text = value.to_str().unwrap_or_default().trim();
            match httpdate::parse_http_date(text) {
                Ok(date) => date == file.modified,
                Err(_) => text.as_bytes() == file.etag.as_bytes(),
            }
        }
        (Some(_), Some(_)) => false,
    }
}

/// How two entity tags are compared (RFC 9110 section 8.8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of entity tags has the file's, which is a strong one. `None`, if there is no list, or no
/// tag in it.
fn matches(
    headers: &HeaderMap,
    name: HeaderName,
    etag: &HeaderValue,
    comparison: Comparison,
) -> Option<bool> {
    let mut any = false;
    for value in headers.get_all(name) {
        let mut rest = value.as_bytes().trim_ascii();
        if rest == b"*" {
            return Some(true);
        }
        while let Some((tag, weak, behind)) = next_tag(rest) {
            any = true;
            if tag == etag.as_bytes() && (!weak || comparison == Comparison::Weak) {
                return Some(true);
            }
            rest = behind;
        }
    }
    any.then_some(false)
}

/// The first tag of a list with its quotes, whether it is weak, and what is behind it. What is no tag ends
/// the list.
fn next_tag(list: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let is_between = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
    let start = list.iter().position(|byte| !is_between(byte))?;
    let list = &list[start..];
    let (weak, quoted) = match list.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, list),
    };
    let inside = quoted.strip_prefix(b"\"")?;
    let end = inside.iter().position(|byte| *byte == b'"')?;
    let (tag, behind) = quoted.split_at(end + 2);
    Some((tag, weak, behind))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::Verdict::{NotModified, PreconditionFailed, Send};
    use super::*;

    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
    const AFTER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
    const TAG: &str = "\"1da1747c66d0011\"";

    fn file() -> Validators {
        Validators::of(httpdate::parse_http_date(DATE).unwrap(), 17, None)
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        all.iter().map(pair).collect()
    }

    #[test]
    fn conditions_are_judged_in_the_order_of_the_rfc() {
        assert_eq!(file().etag, TAG);
        let weak = format!("W/{TAG}");
        let list = format!("\"a, b\",, W/\"c\" , {TAG}");
        for (conditions, verdict) in [
            (&[][..], Send),
            (&[("if-none-match", TAG)], NotModified),
            (&[("if-none-match", &weak)], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", &list)], NotModified),
            (&[("if-none-match", "\"other\"")], Send),
            (&[("if-none-match", "\"other\""), ("if-none-match", TAG)], NotModified),
            (&[("if-none-match", "nonsense")], Send),
            (&[("if-none-match", "")], Send),
            (&[("if-match", TAG)], Send),
            (&[("if-match", &list)], Send),
            (&[("if-match", &weak)], PreconditionFailed),
            (&[("if-match", "*")], Send),
            (&[("if-match", "nonsense")], Send),
            (&[("if-match", "\"other\""), ("if-none-match", TAG)], PreconditionFailed),
            (&[("if-modified-since", DATE)], NotModified),
            (&[("if-modified-since", AFTER)], NotModified),
            (&[("if-modified-since", BEFORE)], Send),
            (&[("if-modified-since", "nonsense")], Send),
            (&[("if-modified-since", "Tuesday, 14-Nov-23 22:13:20 GMT")], NotModified),
            (&[("if-modified-since", "Tue Nov 14 22:13:20 2023")], NotModified),
            (&[("if-unmodified-since", DATE)], Send),
            (&[("if-unmodified-since", BEFORE)], PreconditionFailed),
            (&[("if-unmodified-since", BEFORE), ("if-match", TAG)], Send),
            (&[("if-none-match", TAG), ("if-modified-since", BEFORE)], NotModified),
            (&[("if-none-match", "\"other\""), ("if-modified-since", DATE)], Send),
        ] {
            assert_eq!(judge(&headers(conditions), &file()), verdict, "{conditions:?}");
        }
    }

    #[test]
    fn a_range_counts_for_the_very_state_of_the_file() {
        let weak = format!("W/{TAG}");
        for (if_range, counts) in [
            (&[][..], true),
            (&[("if-range", TAG)], true),
            (&[("if-range", DATE)], true),
            (&[("if-range", &weak)], false),
            (&[("if-range", "\"other\"")], false),
            (&[("if-range", BEFORE)], false),
            (&[("if-range", AFTER)], false),
            (&[("if-range", "nonsense")], false),
            (&[("if-range", TAG), ("if-range", TAG)], false),
        ] {
            assert_eq!(range_counts(&headers(if_range), &file()), counts, "{if_range:?}");
        }
    }
}
