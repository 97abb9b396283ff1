//! The path below which clients see the app (`PathBase`).

use super::path_rules::length_in;
use crate::features::{
    EffectiveRequest, Overlay, RequestTarget, change_target, decoded_path, escaped_path,
    path_of_escapes,
};
use crate::pipeline::{Enter, Request, Stage};

/// Moves a path that requests begin with out of their path: the app finds it in
/// [`EffectiveRequest::escaped_path_base`], and is asked for what is below it. A request that does not begin
/// with it passes as it is. (What `UsePathBaseMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathBase(String);

impl PathBase {
    /// Of a path as it stands in a URL; `None` if that is no more than the root.
    pub(crate) fn new(path: &str) -> Option<Self> {
        Self::of_text(&path_of_escapes(path))
    }

    /// Of a path without escapes.
    pub(crate) fn of_text(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        (!path.is_empty()).then(|| Self(path.to_owned()))
    }

    /// As it is compared, without escapes.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// What is left of a path as it was written, behind so many of its slashes; `None` if it has segments of
/// dots, whose slashes do not count.
fn behind(raw: &str, slashes: usize) -> Option<&str> {
    if path_of_escapes(raw) != decoded_path(raw) {
        return None;
    }
    let place = raw.match_indices('/').nth(slashes).map(|(place, _)| place);
    Some(place.map_or("", |place| &raw[place..]))
}

impl Stage for PathBase {
    fn enter(&self, request: &mut Request) -> Enter {
        let target = RequestTarget::of(request);
        let path = target.path();
        let Some(length) = length_in(&path, &self.0) else { return Enter::Next };
        let (base, rest) = path.split_at(length);
        let slashes = base.matches('/').count();
        let rest = match behind(request.uri().path(), slashes) {
            Some(rest) => rest.to_owned(),
            None => escaped_path(rest).into_owned(),
        };
        let query = target.query().to_owned();
        let whole = format!("{}{base}", EffectiveRequest::of(request).path_base());
        Overlay::change(request, |overlay| overlay.path_base = Some(whole.into()));
        change_target(request, &rest, &query);
        Enter::Next
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn what_a_request_begins_with_moves_into_its_base() {
        for (base, target, expected) in [
            ("/base", "/base/echo?x=1", ("/base", "/echo", "?x=1", "/echo?x=1")),
            ("/base/", "/BASE/echo", ("/BASE", "/echo", "", "/echo")),
            ("/base", "/base", ("/base", "", "", "/")),
            ("/base", "/base/", ("/base", "/", "", "/")),
            ("/base", "/base//a", ("/base", "//a", "", "//a")),
            ("/base", "/based", ("", "/based", "", "/based")),
            ("/base", "/other/base", ("", "/other/base", "", "/other/base")),
            ("/a%20b", "/a%20b/c%20d", ("/a b", "/c d", "", "/c%20d")),
            ("/a b", "/%61%20B/%2f", ("/a B", "/%2f", "", "/%2f")),
            ("/\u{fc}", "/%C3%9C/x", ("/\u{dc}", "/x", "", "/x")),
            ("/a/b", "/x/../a/./b/c d/../%65", ("/a/b", "/e", "", "/e")),
            ("/ss", "/\u{df}/x", ("", "/\u{df}/x", "", "/%C3%9F/x")),
        ] {
            let target = target.replace(' ', "%20").replace('\u{df}', "%C3%9F");
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = target.parse().unwrap();
            let stage = PathBase::new(base).expect("a base");
            assert!(matches!(stage.enter(&mut request), Enter::Next));
            let (found, meant) = (RequestTarget::of(&request), EffectiveRequest::of(&request));
            let path_and_query = request.uri().path_and_query().unwrap().as_str();
            let seen = (meant.path_base(), &*found.path(), found.query(), path_and_query);
            assert_eq!(seen, expected, "{target} below {base}");
            assert_eq!(found.raw(), target);
        }
    }

    #[test]
    fn it_goes_behind_the_base_that_a_proxy_tells() {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/app/x".parse().unwrap();
        Overlay::change(&mut request, |overlay| overlay.path_base = Some("/proxy".into()));
        PathBase::new("/app").expect("a base").enter(&mut request);
        assert_eq!(EffectiveRequest::of(&request).path_base(), "/proxy/app");
    }

    #[test]
    fn what_is_no_path_passes() {
        assert_eq!(PathBase::new("/"), None);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "*".parse().unwrap();
        PathBase::new("/a").expect("a base").enter(&mut request);
        assert_eq!(request.uri(), "*");
    }
}
