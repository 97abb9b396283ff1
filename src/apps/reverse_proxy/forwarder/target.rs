//! The path and the query of a request as the destination gets them.

use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};

use crate::apps::reverse_proxy::transform_options::Change;

/// A path and a query, percent-encoded: what nobody changes stays as the client wrote it, but for
/// characters that do not belong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Begins with a slash.
    path: Cow<'a, str>,
    /// With its question mark; empty without one.
    query: Cow<'a, str>,
}

impl<'a> Target<'a> {
    /// Of a request's target, without a base path.
    pub(super) fn of(sent: &'a str) -> Self {
        let (path, query) = sent.split_at(sent.find('?').unwrap_or(sent.len()));
        if is_plain(sent) {
            return Self { path: path.into(), query: query.into() };
        }
        let path = match path.starts_with('/') {
            true => without_dot_segments(path),
            // `*`, and nothing at all.
            false => "/".into(),
        };
        let path = match path {
            Cow::Borrowed(path) => encoded(path, NOT_SENT),
            Cow::Owned(path) => Cow::Owned(encoded(&path, NOT_SENT).into_owned()),
        };
        Self { path, query: encoded_query(query) }
    }

    /// Writes both behind what every path of a destination begins with.
    pub(super) fn write(&self, base_path: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(base_path.as_bytes());
        out.extend_from_slice(self.path.as_bytes());
        out.extend_from_slice(self.query.as_bytes());
    }

    /// Puts `prefix` before the path.
    pub(super) fn add_prefix(&mut self, prefix: &str) {
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() {
            self.path = format!("{}{}", escaped(prefix), self.path).into();
        }
    }

    /// Takes `prefix` from the path, if it stands there as whole segments; case does not matter.
    pub(super) fn remove_prefix(&mut self, prefix: &str) {
        if prefix.ends_with('/') || prefix.is_empty() {
            // It would end within a segment.
            return;
        }
        let segments = prefix.strip_prefix('/').unwrap_or(prefix).split('/');
        let mut rest: &str = &self.path;
        for segment in segments {
            let Some(behind) = rest.strip_prefix('/') else { return };
            let (first, behind) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
            if !decoded(first).to_lowercase().eq(&segment.to_lowercase()) {
                return;
            }
            rest = behind;
        }
        let rest = if rest.is_empty() { "/" } else { rest };
        self.path = rest.to_owned().into();
    }

    /// Gives it the path `path`, which is not encoded.
    pub(super) fn set_path(&mut self, path: &str) {
        let path = with_slash(escaped(path).into_owned());
        // Values of parameters can make dots, too.
        self.path = without_dot_segments(&path).into_owned().into();
    }

    /// Sets a parameter of the query, or adds a value to it. Names that differ in case only are one.
    pub(super) fn set_parameter(&mut self, name: &str, value: &str, how: Change) {
        let mut parameters = parameters(&self.query);
        let is_same = |(known, _): &(String, String)| known.to_lowercase() == name.to_lowercase();
        let value = value.to_owned();
        match (how, parameters.iter().position(is_same), parameters.iter().rposition(is_same)) {
            (Change::Set, Some(first), _) => {
                let mut place = 0;
                parameters[first].1 = value;
                parameters.retain(|it| {
                    place += 1;
                    place - 1 <= first || !is_same(it)
                });
            }
            (Change::Append, _, Some(last)) => {
                let name = parameters[last].0.clone();
                parameters.insert(last + 1, (name, value));
            }
            _ => parameters.push((name.to_owned(), value)),
        }
        self.query = written(&parameters).into();
    }

    /// Takes a parameter from the query.
    pub(super) fn remove_parameter(&mut self, name: &str) {
        let mut parameters = parameters(&self.query);
        parameters.retain(|(known, _)| known.to_lowercase() != name.to_lowercase());
        self.query = written(&parameters).into();
    }
}

/// What a path does not have as it is. Escapes stay.
const NOT_SENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a query does not have as it is.
const NOT_IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What stands for something else in a path, or is nothing of a path's (RFC 3986 section 3.3).
const NOT_OF_PATHS: &AsciiSet = &NOT_SENT.add(b'%');

/// What stands for something else in a name or a value of a query.
const NOT_OF_VALUES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What paths and queries have as it is, and which is no part of anything else.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
                    | b':'
                    | b'@'
                    | b'/'
                    | b'?'
            );
        byte += 1;
    }
    plain
};

/// Whether a target has nothing to encode, and no segment that begins with a dot, as most have: that takes one look at
/// each byte.
pub(super) fn is_plain(sent: &str) -> bool {
    let mut before = 0;
    sent.starts_with('/')
        && sent.bytes().all(|byte| {
            let is_plain = PLAIN[usize::from(byte)] && (byte != b'.' || before != b'/');
            before = byte;
            is_plain
        })
}

fn encoded<'a>(text: &'a str, set: &'static AsciiSet) -> Cow<'a, str> {
    utf8_percent_encode(text, set).into()
}

/// A query, in which a percent sign is always one of an escape then.
fn encoded_query(query: &str) -> Cow<'_, str> {
    let broken = |(at, _): (usize, &str)| {
        let digits = query.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match query.match_indices('%').any(broken) {
        false => encoded(query, NOT_IN_QUERY),
        true => {
            let mut whole = String::with_capacity(query.len() + 8);
            for (place, part) in query.split('%').enumerate() {
                if place > 0 {
                    let is_one =
                        part.len() >= 2 && part.bytes().take(2).all(|it| it.is_ascii_hexdigit());
                    whole.push_str(if is_one { "%" } else { "%25" });
                }
                whole.extend(utf8_percent_encode(part, NOT_IN_QUERY));
            }
            whole.into()
        }
    }
}

/// Text as it stands in a path.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    encoded(text, NOT_OF_PATHS)
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn with_slash(path: String) -> String {
    match path.starts_with('/') {
        true => path,
        false => format!("/{path}"),
    }
}

/// The path that the route was found by, were it decoded: a destination must not see another one
/// behind `..`, however it is written.
fn without_dot_segments(path: &str) -> Cow<'_, str> {
    let is_dot = |segment: &str| {
        segment.len() <= 6 && segment.starts_with(['.', '%']) && {
            let plain = segment.replace("%2e", ".").replace("%2E", ".");
            plain == "." || plain == ".."
        }
    };
    if !path.contains("/.") && !path.contains("/%2") || !path.split('/').any(is_dot) {
        return path.into();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match is_dot(segment) {
            false => kept.push(segment),
            true => {
                if segment.replace("%2e", ".").replace("%2E", ".") == ".." {
                    kept.pop();
                }
                if segments.peek().is_none() {
                    kept.push("");
                }
            }
        }
    }
    format!("/{}", kept.join("/")).into()
}

/// Names and values of a query, decoded.
fn parameters(query: &str) -> Vec<(String, String)> {
    let parts = query.trim_start_matches('?').split('&').filter(|part| !part.is_empty());
    let decode = |text: &str| decoded(&text.replace('+', " ")).into_owned();
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    };
    parts.map(parameter).collect()
}

fn written(parameters: &[(String, String)]) -> String {
    let mut query = String::new();
    for (name, value) in parameters {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.extend(utf8_percent_encode(name, NOT_OF_VALUES));
        query.push('=');
        query.extend(utf8_percent_encode(value, NOT_OF_VALUES));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(target: &Target<'_>) -> String {
        format!("{}{}", target.path, target.query)
    }

    #[test]
    fn what_nobody_changes_stays_as_it_was_written() {
        for (sent, expected) in [
            ("/x?a=1&b=2", None),
            ("/x?", None),
            ("/a%2Fb%20c/%C3%A9;v=1,2?&&=", None),
            ("/.well-known/x/..a/b..", None),
            ("//x//", None),
            ("*", Some("/")),
            ("", Some("/")),
            ("?x", Some("/?x")),
            ("/b/../a/1", Some("/a/1")),
            ("/b/%2e%2E/a/.%2e/c/.", Some("/c/")),
            ("/../../x", Some("/x")),
            ("/..%2fa/1", None),
            ("/a\"{|}^`?\"<>|^`{}\\#", Some("/a%22%7B%7C%7D%5E%60?%22%3C%3E%7C%5E%60%7B%7D%5C%23")),
            ("/x?a=%zz&b=%4", Some("/x?a=%25zz&b=%254")),
            ("/x?a[1]='/:@?", None),
        ] {
            assert_eq!(text(&Target::of(sent)), expected.unwrap_or(sent), "{sent}");
        }
    }

    #[test]
    fn a_base_path_stands_before_it() {
        let mut out = b"GET ".to_vec();
        Target::of("/x?y").write("/base", &mut out);
        assert_eq!(out, b"GET /base/x?y");
    }

    #[test]
    fn prefixes_are_whole_segments() {
        for (sent, prefix, expected) in [
            ("/api/x", "/api", "/x"),
            ("/API/x", "/api", "/x"),
            ("/api", "/api", "/"),
            ("/api/", "/api", "/"),
            ("/apix", "/api", "/apix"),
            ("/api/x", "/api/", "/api/x"),
            ("/api/x", "api", "/x"),
            ("/a%20b/c/d%2Fe?q", "/a b/c", "/d%2Fe?q"),
            ("/a", "/a/b", "/a"),
            ("/c/x", "/", "/c/x"),
            ("/c/x", "", "/c/x"),
        ] {
            let mut target = Target::of(sent);
            target.remove_prefix(prefix);
            assert_eq!(text(&target), expected, "{sent} without {prefix}");
        }
        for (prefix, expected) in [
            ("/p", "/p/a"),
            ("/p/", "/p/a"),
            ("", "/a"),
            ("/", "/a"),
            ("/p q/%20", "/p%20q/%2520/a"),
        ] {
            let mut target = Target::of("/a");
            target.add_prefix(prefix);
            assert_eq!(text(&target), expected, "{prefix}");
        }
    }

    #[test]
    fn a_path_is_set_with_its_slash_and_its_escapes() {
        let mut target = Target::of("/a?q");
        target.set_path("b c?");
        assert_eq!(text(&target), "/b%20c%3F?q");
        target.set_path("/v2/../tail");
        assert_eq!(text(&target), "/tail?q");
    }

    #[test]
    fn parameters_are_set_added_and_removed() {
        use Change::{Append, Set};
        for (sent, name, value, how, expected) in [
            ("/", "k", "v 1&", Set, "/?k=v%201%26"),
            ("/?k=0&z=1", "k", "v", Set, "/?k=v&z=1"),
            ("/?z=%2F&K=0", "k", "v", Set, "/?z=%2F&K=v"),
            ("/?k=1&z&k=2", "k", "v", Set, "/?k=v&z="),
            ("/?k=0&z=a%20b", "k", "v", Append, "/?k=0&k=v&z=a%20b"),
            ("/?z=a+b", "k", "v", Append, "/?z=a%20b&k=v"),
        ] {
            let mut target = Target::of(sent);
            target.set_parameter(name, value, how);
            assert_eq!(text(&target), expected, "{sent} {how:?}");
        }
        let mut target = Target::of("/?k=0&z=a%20b&K=1");
        target.remove_parameter("k");
        assert_eq!(text(&target), "/?z=a%20b");
        target.remove_parameter("z");
        assert_eq!(text(&target), "/");
    }
}
