//! A request that is asked once more, for a page.

use axum::body::Body;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri, Version};

use crate::features::{Reexecution, RequestTarget, change_target};
use crate::pipeline::Request;

/// What is kept of a request while the app has it.
pub(super) struct Kept {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    extensions: Extensions,
}

impl Kept {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            extensions: request.extensions().clone(),
        }
    }

    /// The same request for another path, as it stands in a URL, without its body, which the app has had.
    pub(super) fn once_more(
        self,
        path: &str,
        query: Option<&str>,
        status: StatusCode,
        error: Option<std::sync::Arc<crate::features::Unhandled>>,
    ) -> Request {
        let mut request = Request::new(Body::empty());
        let parts = self.into_parts(&mut request);
        let mut request = Request::from_parts(parts, Body::empty());
        let target = RequestTarget::of(&request);
        let before =
            Reexecution { status, path: target.path().into(), query: target.query().into(), error };
        let query = query.unwrap_or(target.query()).to_owned();
        request.headers_mut().remove(CONTENT_LENGTH);
        request.headers_mut().remove(TRANSFER_ENCODING);
        change_target(&mut request, path, &query);
        request.extensions_mut().insert(before);
        request
    }

    fn into_parts(self, new: &mut Request) -> Parts {
        let (mut parts, _) = std::mem::take(new).into_parts();
        parts.method = self.method;
        parts.uri = self.uri;
        parts.version = self.version;
        parts.headers = self.headers;
        parts.extensions = self.extensions;
        parts
    }
}
