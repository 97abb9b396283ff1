//! Where a rule leads: a text with captures in it, and what becomes of it for a request. Pure.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::features::{decoded_path, escaped_path};

/// A path, perhaps of another origin, with places for what was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Scheme, host and port, as written.
    origin: Option<String>,
    path: Vec<Piece>,
    /// Without its `?`.
    query: Option<Vec<Piece>>,
    /// Without its `#`.
    fragment: Option<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// As it stands in a URL.
    Text(String),
    /// What this group has captured.
    Capture(usize),
}

/// Why a text is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// It begins with neither `/` nor `https://` or `http://`.
    Beginning,
    /// It begins with `//` or the like, which is another host to a browser.
    OtherHost,
    /// Its host is empty, or no host.
    Host,
    /// Something captured would become a part of its host.
    CaptureInHost,
    /// A `$` without a number.
    LoneDollar,
}

/// A target for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled<'a> {
    pub(super) origin: Option<&'a str>,
    /// As it stands in a URL; it begins with a slash.
    pub(super) path: String,
    /// With its `?`, or empty.
    pub(super) query: String,
    /// With its `#`, or empty.
    pub(super) fragment: String,
}

impl Target {
    /// Of a text: `/new/$1?a=$2`, `https://example.com/$1`.
    pub(crate) fn parse(text: &str) -> Result<Self, NoTarget> {
        let (origin, rest) = origin_of(text)?;
        let (rest, fragment) = split_at(rest, '#');
        let (path, query) = split_at(rest, '?');
        let fragment = fragment.map(|text| pieces(text, OF_QUERIES)).transpose()?;
        let query = query.map(|text| pieces(text, OF_QUERIES)).transpose()?;
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { origin, path: pieces(path, OF_PATHS)?, query, fragment })
    }

    /// Whether it is a path on the host that is asked.
    pub(crate) fn is_here(&self) -> bool {
        self.origin.is_none() && self.fragment.is_none()
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The highest number of what it takes.
    pub(crate) fn highest_capture(&self) -> Option<usize> {
        let all = [Some(&self.path), self.query.as_ref(), self.fragment.as_ref()];
        let pieces = all.into_iter().flatten().flatten();
        let captures = pieces.filter_map(|piece| match piece {
            Piece::Capture(number) => Some(*number),
            Piece::Text(_) => None,
        });
        captures.max()
    }

    /// With what was captured of a decoded path, and the query of a request.
    pub(super) fn filled<'a>(&self, capture: impl Fn(usize) -> &'a str, asked: &str) -> Filled<'_> {
        let mut path = String::new();
        for piece in &self.path {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Capture(number) => path.push_str(&escaped_path(capture(*number))),
            }
        }
        let of_query = |pieces: &[Piece]| {
            let mut out = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Capture(number) => {
                        out.extend(utf8_percent_encode(capture(*number), IN_VALUES));
                    }
                }
            }
            out
        };
        let query = self.query.as_deref().map(of_query);
        let mut fragment = String::new();
        if let Some(pieces) = &self.fragment {
            let _ = write!(fragment, "#{}", of_query(pieces));
        }
        let path = plain(path);
        Filled { origin: self.origin.as_deref(), path, query: joined(asked, query), fragment }
    }
}

/// What is asked for keeps its query; one of the target's own comes behind it.
fn joined(asked: &str, own: Option<String>) -> String {
    let asked = escaped_query(asked);
    match own.filter(|own| !own.is_empty()) {
        None => asked.into_owned(),
        Some(own) if asked.len() > 1 => format!("{asked}&{own}"),
        Some(own) => format!("?{own}"),
    }
}

/// A query as it may stand in a header: what would begin a fragment, or end a line, is escaped.
pub(super) fn escaped_query(query: &str) -> Cow<'_, str> {
    utf8_percent_encode(query, OF_QUERIES).into()
}

/// A path without segments of dots, that begins with one slash: a browser takes the text behind two for a host.
fn plain(path: String) -> String {
    let path = match path.contains("/.") || path.contains("/%2") {
        true => escaped_path(&decoded_path(&path)).into_owned(),
        false => path,
    };
    match path.trim_start_matches(['/', '\\']) {
        rest if rest.len() + 1 == path.len() && path.starts_with('/') => path,
        rest => format!("/{rest}"),
    }
}

/// Scheme, host and port, and what stands behind them.
fn origin_of(text: &str) -> Result<(Option<String>, &str), NoTarget> {
    let is_slash = |character: char| matches!(character, '/' | '\\');
    if let Some(behind) = text.strip_prefix('/') {
        return match behind.starts_with(is_slash) {
            true => Err(NoTarget::OtherHost),
            false => Ok((None, text)),
        };
    }
    let lower = text.to_ascii_lowercase();
    let scheme = ["https://", "http://"].into_iter().find(|scheme| lower.starts_with(scheme));
    let scheme = scheme.ok_or(NoTarget::Beginning)?;
    let rest = &text[scheme.len()..];
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (host, behind) = rest.split_at(end);
    if host.contains('$') {
        return Err(NoTarget::CaptureInHost);
    }
    let is_host = format!("{scheme}{host}/")
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()) && !host.contains('@'));
    match is_host && !behind.starts_with('\\') {
        true => Ok((Some(format!("{scheme}{}", host.to_ascii_lowercase())), behind)),
        false => Err(NoTarget::Host),
    }
}

fn split_at(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// A text in pieces; what cannot stand in a URL is escaped.
fn pieces(text: &str, escaped: &'static AsciiSet) -> Result<Vec<Piece>, NoTarget> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        literal.extend(utf8_percent_encode(&rest[..at], escaped));
        let behind = &rest[at + 1..];
        let (number, length) = match behind.as_bytes() {
            [b'$', ..] => (None, 1),
            [digit @ b'0'..=b'9', ..] => (Some(usize::from(digit - b'0')), 1),
            [b'{', ..] => {
                let end = behind.find('}').ok_or(NoTarget::LoneDollar)?;
                let number = behind[1..end].parse().map_err(|_| NoTarget::LoneDollar)?;
                (Some(number), end + 1)
            }
            _ => return Err(NoTarget::LoneDollar),
        };
        match number {
            None => literal.push('$'),
            Some(number) => {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
                pieces.push(Piece::Capture(number));
            }
        }
        rest = &behind[length..];
    }
    literal.extend(utf8_percent_encode(rest, escaped));
    pieces.push(Piece::Text(literal));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    Ok(pieces)
}

/// What cannot stand in a path as it is written; an escape that is there stays one.
const OF_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What cannot stand in a query as it is written.
const OF_QUERIES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\\');

/// What cannot stand in a value of a query: whatever may have a meaning there.
const IN_VALUES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, captures: &[&str], asked: &str) -> String {
        let target = Target::parse(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        let it = target.filled(|at| captures.get(at).copied().unwrap_or_default(), asked);
        format!("{}{}{}{}", it.origin.unwrap_or_default(), it.path, it.query, it.fragment)
    }

    #[test]
    fn what_was_captured_stands_in_its_place() {
        for (text, captures, asked, expected) in [
            ("/new", &[][..], "", "/new"),
            ("/new", &[], "?a=1", "/new?a=1"),
            ("/new?b=2", &[], "?a=1", "/new?a=1&b=2"),
            ("/new?b=2", &[], "?", "/new?b=2"),
            ("/new?", &[], "?a=1", "/new?a=1"),
            ("/$2/$1", &["", "a", "b c"], "", "/b%20c/a"),
            ("/${2}0", &["", "a", "b"], "", "/b0"),
            ("/$20", &["", "a", "b"], "", "/b0"),
            ("/$$1", &["", "a"], "", "/$1"),
            ("/p?q=$1", &["", "a&b=c/d#e"], "", "/p?q=a%26b%3Dc/d%23e"),
            ("/p#$1", &["", "x y"], "?a", "/p?a#x%20y"),
            ("https://Example.com:8443/$1", &["", "a"], "?b", "https://example.com:8443/a?b"),
            ("https://example.com", &[], "", "https://example.com/"),
            ("https://example.com?x=$1", &["", "a"], "", "https://example.com/?x=a"),
            ("/a b", &[], "", "/a%20b"),
            ("/a%20b", &[], "", "/a%20b"),
            ("/new", &[], "?a#b c", "/new?a%23b%20c"),
        ] {
            assert_eq!(filled(text, captures, asked), expected, "{text} {captures:?} {asked}");
        }
    }

    #[test]
    fn nothing_that_was_captured_leads_to_another_host() {
        for (text, capture, expected) in [
            ("/$1", "/evil.example", "/evil.example"),
            ("/$1", "///evil.example/x", "/evil.example/x"),
            ("/$1", "\\evil.example", "/%5Cevil.example"),
            ("/$1/x", "", "/x"),
            ("/$1", "a/../../b", "/b"),
            ("/x.$1", "./y", "/x../y"),
            ("/$1./y", ".", "/y"),
            ("/$1", "x\r\nSet-Cookie: a=b", "/x%0D%0ASet-Cookie:%20a=b"),
            ("https://example.com/$1", "@evil.example", "https://example.com/@evil.example"),
            ("https://example.com/$1", "/evil.example", "https://example.com/evil.example"),
        ] {
            assert_eq!(filled(text, &["", capture], ""), expected, "{text} {capture}");
        }
    }

    #[test]
    fn what_is_no_target_is_told() {
        for (text, why) in [
            ("", NoTarget::Beginning),
            ("new", NoTarget::Beginning),
            ("ftp://example.com/", NoTarget::Beginning),
            ("$1", NoTarget::Beginning),
            ("//example.com/", NoTarget::OtherHost),
            ("/\\example.com/", NoTarget::OtherHost),
            ("https://", NoTarget::Host),
            ("https:///a", NoTarget::Host),
            ("https://a b/", NoTarget::Host),
            ("https://user@example.com/", NoTarget::Host),
            ("https://example.com\\a", NoTarget::Host),
            ("https://$1.example.com/", NoTarget::CaptureInHost),
            ("https://example.com$1", NoTarget::CaptureInHost),
            ("/a$", NoTarget::LoneDollar),
            ("/a$x", NoTarget::LoneDollar),
            ("/a${1", NoTarget::LoneDollar),
            ("/a${x}", NoTarget::LoneDollar),
        ] {
            assert_eq!(Target::parse(text), Err(why), "{text}");
        }
    }
}
