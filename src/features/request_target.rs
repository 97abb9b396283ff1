//! What a request asks for.

use std::borrow::Cow;

use http::header::HOST;
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
}

/// The target as it was sent, where the request's URI cannot say it.
#[derive(Clone, Debug)]
pub(crate) struct RawTarget(pub(crate) Box<str>);

impl<'a> RequestTarget<'a> {
    /// The target of `request`.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers(), request.extensions())
    }

    /// The target of the request with these parts.
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self::new(&parts.uri, &parts.headers, &parts.extensions)
    }

    pub(super) fn new(uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a Extensions) -> Self {
        let raw = extensions.get::<RawTarget>().map(|raw| &*raw.0);
        Self { uri, headers, raw }
    }

    /// The target as the client sent it. On HTTP/2 it is the `:path`, of a CONNECT without one the
    /// `:authority`.
    pub fn raw(&self) -> Cow<'a, str> {
        if let Some(raw) = self.raw {
            return raw.into();
        }
        match (self.uri.path_and_query(), self.uri.authority()) {
            (Some(path), _) => path.as_str().into(),
            (None, Some(authority)) => authority.as_str().into(),
            (None, None) => "".into(),
        }
    }

    /// The path with its percent-encoded characters decoded once, except `%2F`, and without `.`
    /// and `..` segments. Empty if the target is an authority or `*`.
    pub fn path(&self) -> String {
        match self.uri.path() {
            path if path.starts_with('/') => decoded_path(path),
            _ => String::new(),
        }
    }

    /// The query as it was sent, with its `?`; empty if there is none.
    pub fn query(&self) -> &'a str {
        if let Some(raw) = self.raw {
            return raw.find('?').map_or("", |at| &raw[at..]);
        }
        let Some(target) = self.uri.path_and_query().map(http::uri::PathAndQuery::as_str) else {
            return "";
        };
        target.find('?').map_or("", |at| &target[at..])
    }

    /// The host the request is for, with its port if the client sent one: the `:authority` of
    /// HTTP/2, else the Host header. Empty if the client named none.
    pub fn host(&self) -> &'a str {
        if self.raw.is_none()
            && let Some(authority) = self.uri.authority()
        {
            return authority.as_str();
        }
        self.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
    }
}
