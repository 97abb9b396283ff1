//! What a route wants of headers and of the query.

use std::borrow::Cow;

use http::header::{COOKIE, HOST, HeaderMap};
use percent_encoding::percent_decode_str;

use super::options::{HeaderCondition, HeaderMode, QueryCondition, QueryMode};

/// Whether all of these hold. `host` stands for a `Host` header that HTTP/2 has elsewhere.
pub(super) fn headers_hold(
    conditions: &[HeaderCondition],
    headers: &HeaderMap,
    host: &str,
) -> bool {
    conditions.iter().all(|condition| {
        let lines = headers.get_all(&condition.name).iter().map(http::HeaderValue::as_bytes);
        let is_elsewhere =
            condition.name == HOST && !host.is_empty() && !headers.contains_key(HOST);
        header_holds(condition, lines.chain(is_elsewhere.then_some(host.as_bytes())))
    })
}

fn header_holds<'a>(condition: &HeaderCondition, lines: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut number = 0;
    let mut has_text = false;
    let mut is_found = false;
    for line in lines {
        number += 1;
        has_text |= !line.is_empty();
        is_found |= match condition.mode {
            HeaderMode::Contains | HeaderMode::NotContains => {
                let values = &condition.values;
                values.iter().any(|it| contains(line, it, condition.is_case_sensitive))
            }
            HeaderMode::Exact | HeaderMode::Prefix => has_value(condition, line),
            HeaderMode::Exists | HeaderMode::NotExists => false,
        };
    }
    // Several lines are not empty, even if each of them is.
    let is_empty = number < 2 && !has_text;
    match condition.mode {
        HeaderMode::Exists => !is_empty,
        HeaderMode::NotExists => number == 0,
        HeaderMode::NotContains => is_empty || !is_found,
        HeaderMode::Contains | HeaderMode::Exact | HeaderMode::Prefix => !is_empty && is_found,
    }
}

/// Whether one of the values in a line is wanted.
fn has_value(condition: &HeaderCondition, line: &[u8]) -> bool {
    let separator = if condition.name == COOKIE { b';' } else { b',' };
    let mut rest = line;
    while !rest.is_empty() {
        let end = end_of_value(rest, separator);
        let value = without_quotes(rest[..end].trim_ascii());
        rest = rest.get(end + 1..).unwrap_or_default();
        let is_wanted = |wanted: &String| match condition.mode {
            HeaderMode::Prefix => starts_with(value, wanted, condition.is_case_sensitive),
            _ => is_same(value, wanted, condition.is_case_sensitive),
        };
        if condition.values.iter().any(is_wanted) {
            return true;
        }
    }
    false
}

/// Where the first value of a line ends: at a separator that stands in no quotes.
fn end_of_value(line: &[u8], separator: u8) -> usize {
    let mut is_quoted = false;
    for (at, byte) in line.iter().enumerate() {
        match *byte {
            b'"' => is_quoted = !is_quoted,
            byte if byte == separator && !is_quoted => return at,
            _ => {}
        }
    }
    line.len()
}

fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] => inside,
        value => value,
    }
}

/// Whether all of these hold for a query, which may have its `?`.
pub(super) fn query_holds(conditions: &[QueryCondition], query: &str) -> bool {
    let query = query.strip_prefix('?').unwrap_or(query);
    conditions.iter().all(|condition| parameter_holds(condition, query))
}

fn parameter_holds(condition: &QueryCondition, query: &str) -> bool {
    let mut number = 0;
    let mut has_text = false;
    let mut is_found = false;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if !is_same(decoded(name).as_bytes(), &condition.name, false) {
            continue;
        }
        number += 1;
        has_text |= !value.is_empty();
        let value = decoded(value);
        let is_wanted = |wanted: &String| {
            let compare = match condition.mode {
                QueryMode::Prefix => starts_with,
                QueryMode::Contains | QueryMode::NotContains => contains,
                QueryMode::Exact | QueryMode::Exists => is_same,
            };
            compare(value.as_bytes(), wanted, condition.is_case_sensitive)
        };
        is_found |= condition.values.iter().any(is_wanted);
    }
    let is_empty = number < 2 && !has_text;
    match condition.mode {
        QueryMode::Exists => !is_empty,
        QueryMode::NotContains => is_empty || !is_found,
        QueryMode::Exact | QueryMode::Prefix | QueryMode::Contains => !is_empty && is_found,
    }
}

/// A name or a value as it is meant.
fn decoded(text: &str) -> Cow<'_, str> {
    let text = match text.contains('+') {
        true => Cow::Owned(text.replace('+', " ")),
        false => Cow::Borrowed(text),
    };
    match text.contains('%') {
        true => Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned()),
        false => text,
    }
}

fn is_same(value: &[u8], wanted: &str, is_case_sensitive: bool) -> bool {
    match is_case_sensitive {
        true => value == wanted.as_bytes(),
        false => value.eq_ignore_ascii_case(wanted.as_bytes()),
    }
}

fn starts_with(value: &[u8], wanted: &str, is_case_sensitive: bool) -> bool {
    value.get(..wanted.len()).is_some_and(|start| is_same(start, wanted, is_case_sensitive))
}

fn contains(value: &[u8], wanted: &str, is_case_sensitive: bool) -> bool {
    wanted.is_empty()
        || value.windows(wanted.len()).any(|part| is_same(part, wanted, is_case_sensitive))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn header(name: &'static str, mode: HeaderMode, values: &[&str]) -> HeaderCondition {
        HeaderCondition {
            name: HeaderName::from_static(name),
            mode,
            values: values.iter().map(|it| (*it).to_owned()).collect(),
            is_case_sensitive: false,
        }
    }

    #[test]
    fn headers_are_compared_by_value_or_by_line() {
        use HeaderMode::{Contains, Exact, Exists, NotContains, NotExists, Prefix};
        let cases: &[(HeaderMode, &[&str], &[&str], bool)] = &[
            (Exact, &["one"], &["One"], true),
            (Exact, &["one"], &["ones"], false),
            (Exact, &["one", "two"], &["x, two"], true),
            (Exact, &["one"], &["x", "one"], true),
            (Exact, &["one"], &["\"one\""], true),
            (Exact, &["a,b"], &["x,\"a,b\""], true),
            (Exact, &["one"], &[], false),
            (Exact, &["one"], &[""], false),
            (Prefix, &["ab", "x"], &["ABC"], true),
            (Prefix, &["ab"], &["a"], false),
            (Prefix, &["ab"], &["zab"], false),
            (Prefix, &["x"], &["q,xy"], true),
            (Contains, &["a,b,c"], &["A,B,C"], true),
            (Contains, &["a,b,c"], &["a,b, c"], false),
            (Contains, &["a,b,c"], &["a,b", "c"], false),
            (NotContains, &["bad"], &["good"], true),
            (NotContains, &["bad"], &["good", "abad"], false),
            (NotContains, &["bad"], &[], true),
            (NotContains, &["bad"], &[""], true),
            (Exists, &[], &["x"], true),
            (Exists, &[], &[""], false),
            (Exists, &[], &[], false),
            (NotExists, &[], &[], true),
            (NotExists, &[], &[""], false),
            (NotExists, &[], &["x"], false),
        ];
        for (mode, values, lines, holds) in cases {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append("x-k", HeaderValue::from_static(line));
            }
            let condition = [header("x-k", *mode, values)];
            assert_eq!(
                headers_hold(&condition, &headers, ""),
                *holds,
                "{mode:?} {values:?} {lines:?}"
            );
        }
    }

    #[test]
    fn cookies_end_at_semicolons_and_hosts_may_stand_elsewhere() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("x=y; k=v"));
        let cookie = |value| [header("cookie", HeaderMode::Exact, &[value])];
        assert!(headers_hold(&cookie("k=v"), &headers, ""));
        assert!(!headers_hold(&cookie("k=v2"), &headers, ""));
        let host = [header("host", HeaderMode::Exact, &["a.test"])];
        assert!(headers_hold(&host, &headers, "a.test"));
        assert!(!headers_hold(&host, &headers, "b.test"));
        headers.insert(HOST, HeaderValue::from_static("a.test"));
        assert!(headers_hold(&host, &headers, "b.test"));
        let exactly = HeaderCondition { is_case_sensitive: true, ..cookie("K=v")[0].clone() };
        assert!(!headers_hold(&[exactly], &headers, ""));
    }

    #[test]
    fn parameters_of_the_query_are_compared_decoded() {
        use QueryMode::{Contains, Exact, Exists, NotContains, Prefix};
        let cases: &[(QueryMode, &[&str], &str, bool)] = &[
            (Exact, &["One", "two words"], "?k=one", true),
            (Exact, &["One"], "?K=ONE", true),
            (Exact, &["two words"], "?k=two%20words", true),
            (Exact, &["two words"], "?k=two+words", true),
            (Exact, &["a+b"], "?%6B=a%2Bb", true),
            (Exact, &["One"], "?k=ones", false),
            (Exact, &["One"], "?k=", false),
            (Exact, &["One"], "?k", false),
            (Exact, &["One"], "", false),
            (Exact, &["One"], "?k=z&k=one", true),
            (Exact, &["One"], "?k=one,z", false),
            (Prefix, &["ab"], "?k=ABC", true),
            (Prefix, &["ab"], "?k=zab", false),
            (Contains, &["b"], "?k=abc", true),
            (Contains, &["b"], "?b=b", false),
            (NotContains, &["bad"], "?k=good", true),
            (NotContains, &["bad"], "?k=abad", false),
            (NotContains, &["bad"], "?k=good&k=bad", false),
            (NotContains, &["bad"], "?k=", true),
            (NotContains, &["bad"], "", true),
            (Exists, &[], "?k=1", true),
            (Exists, &[], "?k=", false),
            (Exists, &[], "?k=&k=", true),
            (Exists, &[], "?&&=k", false),
        ];
        for (mode, values, query, holds) in cases {
            let values = values.iter().map(|it| (*it).to_owned()).collect();
            let condition = QueryCondition {
                name: "k".to_owned(),
                mode: *mode,
                values,
                is_case_sensitive: false,
            };
            assert_eq!(query_holds(&[condition], query), *holds, "{mode:?} {query}");
        }
    }
}
