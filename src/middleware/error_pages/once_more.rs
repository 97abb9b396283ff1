//! A request that is asked once more, for a page.

use axum::body::Body;
use http::header::{
    CONTENT_LENGTH, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    RANGE, TRANSFER_ENCODING,
};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, Uri, Version};

use crate::features::{Reexecution, RequestTarget, change_target};
use crate::pipeline::Request;

/// What a request says of its body, which the app has had, and of what the client has already, which is no page
/// for what it came to: such a page is sent whole.
const NOT_OF_PAGE: [HeaderName; 8] = [
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
    IF_RANGE,
    RANGE,
];

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

    /// Lets the page be asked for as files and pages are: whatever was to be done is not to be done there.
    pub(super) fn by_get(mut self) -> Self {
        if self.method != Method::HEAD {
            self.method = Method::GET;
        }
        self
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
        for name in NOT_OF_PAGE {
            request.headers_mut().remove(name);
        }
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
