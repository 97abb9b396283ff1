//! What a request asks for.

use std::borrow::Cow;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, Request, Uri, request::Parts};

use super::path::decoded_path;

/// What a request asks for, as it was sent and as it is meant.
///
/// The parts of the request tell it, so that it costs nothing until it is asked for. (What
/// `IHttpRequestFeature` has in ASP.NET Core.)
///
/// ```
/// use axum::extract::Request;
/// use kestrel::RequestTarget;
///
/// async fn tell(request: Request) -> String {
///     let target = RequestTarget::of(&request);
///     format!("{} is {} on {}", target.raw(), target.path(), target.host())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestTarget<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
    raw: Option<&'a str>,
    changed: Option<&'a ChangedTarget>,
}

/// The target as it was sent, where the request's URI cannot say it.
#[derive(Clone, Debug)]
pub(crate) struct RawTarget(pub(crate) Box<str>);

/// What is known of a target whose URI a stage has changed.
#[derive(Clone, Debug)]
struct ChangedTarget {
    /// As it was sent.
    sent: Box<str>,
    /// As it is meant, with its `?`.
    query: Box<str>,
    /// Whether nothing of the path is left, which a URI cannot say.
    is_empty: bool,
}

/// Lets a request mean another path and query, as they stand in a URI. The path may be empty, the query has
/// its `?` or is empty. What was sent is still told. Nothing happens if there can be no such URI.
pub(crate) fn change_target<B>(request: &mut Request<B>, path: &str, query: &str) {
    let before = RequestTarget::of(request);
    let sent = before.raw().into();
    let written = format!("{}{query}", if path.is_empty() { "/" } else { path });
    let mut parts = request.uri().clone().into_parts();
    let Ok(target) = written.parse::<PathAndQuery>() else { return };
    parts.path_and_query = Some(target);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    *request.uri_mut() = uri;
    let changed = ChangedTarget { sent, query: query.into(), is_empty: path.is_empty() };
    request.extensions_mut().insert(changed);
}

impl<'a> RequestTarget<'a> {
    /// The target of `request`.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers(), request.extensions())
    }

    /// The target of the request with these parts.
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self::new(&parts.uri, &parts.headers, &parts.extensions)
    }

    fn new(uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a Extensions) -> Self {
        let raw = extensions.get::<RawTarget>().map(|raw| &*raw.0);
        Self { uri, headers, raw, changed: extensions.get() }
    }

    /// The target as the client sent it. On HTTP/2 it is the `:path`, of a CONNECT without one the
    /// `:authority`.
    pub fn raw(&self) -> Cow<'a, str> {
        if let Some(sent) = self.changed.map(|changed| &*changed.sent).or(self.raw) {
            return sent.into();
        }
        match (self.uri.path_and_query(), self.uri.authority()) {
            (Some(path), _) => path.as_str().into(),
            (None, Some(authority)) => authority.as_str().into(),
            (None, None) => "".into(),
        }
    }

    /// The path with its percent-encoded characters decoded once, except `%2F`, and without `.`
    /// and `..` segments. Empty if the target is an authority or `*`, or if `PathBase` has all of it.
    pub fn path(&self) -> String {
        match self.uri.path() {
            _ if self.changed.is_some_and(|changed| changed.is_empty) => String::new(),
            path if path.starts_with('/') => decoded_path(path),
            _ => String::new(),
        }
    }

    /// The same, without a copy of a path that has nothing to decode.
    pub(crate) fn lent_path(&self) -> Cow<'a, str> {
        match self.uri.path() {
            _ if self.changed.is_some() => self.path().into(),
            path if path.starts_with('/') && is_decoded(path) => path.into(),
            _ => self.path().into(),
        }
    }

    /// The query as it was sent, with its `?`; empty if there is none.
    pub fn query(&self) -> &'a str {
        if let Some(changed) = self.changed {
            return &changed.query;
        }
        if let Some(raw) = self.raw {
            return raw.find('?').map_or("", |at| &raw[at..]);
        }
        let Some(target) = self.uri.path_and_query() else { return "" };
        // The URI knows where it begins.
        let length = target.query().map_or(0, |query| query.len() + 1);
        &target.as_str()[target.as_str().len() - length..]
    }

    /// The host the request is for, with its port if the client sent one: the `:authority` of
    /// HTTP/2, else the Host header. Empty if the client named none.
    pub fn host(&self) -> &'a str {
        match self.uri.authority().filter(|_| self.raw.is_none()) {
            Some(authority) => authority.as_str(),
            None => named_host(self.headers),
        }
    }
}

/// The same, without a look for what the target's host has nothing to do with.
pub(super) fn host_of<'a>(
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
) -> &'a str {
    match uri.authority().filter(|_| extensions.get::<RawTarget>().is_none()) {
        Some(authority) => authority.as_str(),
        None => named_host(headers),
    }
}

fn named_host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Whether there is nothing to decode in a path, and no segment that begins with a dot. One look at each byte: a
/// search for a text takes longer to begin with than most paths are long.
fn is_decoded(path: &str) -> bool {
    let mut before = 0;
    path.bytes().all(|byte| {
        let is_plain = byte != b'%' && (byte != b'.' || before != b'/');
        before = byte;
        is_plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_target_still_tells_what_was_sent() {
        for (uri, path, query, expected) in [
            ("/base/a%20b?x", "/a%20b", "?x", ("/a b", "?x", "/base/a%20b?x")),
            ("http://a.example/base", "", "", ("", "", "/base")),
            ("/base", "no path", "", ("/base", "", "/base")),
        ] {
            let mut request = Request::builder().uri(uri).body(()).unwrap();
            change_target(&mut request, path, query);
            let target = RequestTarget::of(&request);
            assert_eq!((&*target.path(), target.query(), &*target.raw()), expected, "{uri}");
            assert_eq!(request.uri().host().is_some(), uri.starts_with("http"), "{uri}");
        }
    }

    #[test]
    fn a_path_with_nothing_to_decode_is_lent() {
        for (path, is_lent) in [
            ("/", true),
            ("/a.b/c..d/", true),
            ("/a//b", true),
            ("/.a", false),
            ("/a/./b", false),
            ("/a/..", false),
            ("/a%20b", false),
        ] {
            assert_eq!(is_decoded(path), is_lent, "{path}");
            assert!(!is_lent || decoded_path(path) == path, "{path}");
        }
    }

    #[test]
    fn the_target_that_was_sent_outlives_several_changes() {
        let mut request = Request::builder().uri("/x").body(()).unwrap();
        request.extensions_mut().insert(RawTarget("/a/b?<".into()));
        change_target(&mut request, "/b", "?<");
        change_target(&mut request, "/c", "");
        let target = RequestTarget::of(&request);
        assert_eq!((&*target.path(), target.query(), &*target.raw()), ("/c", "", "/a/b?<"));
    }
}
