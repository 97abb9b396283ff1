//! What is told of a request.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HOST};

use super::fields::HttpLoggingFields as Fields;
use super::header_names::usual;
use super::options::HttpLoggingOptions;
use crate::diagnostics::{Listed, events};
use crate::features::without_secrets;
use crate::features::{EffectiveRequest, RequestTarget, escaped_path};
use crate::pipeline::Request;

pub(super) fn listed(options: &HttpLoggingOptions, request: &Request) -> Listed {
    let (mut listed, fields) = (Listed::default(), options.fields);
    let (target, meant) = (RequestTarget::of(request), EffectiveRequest::of(request));
    if fields.has(Fields::REQUEST_PROTOCOL) {
        listed.text("Protocol", events::protocol_name(request.version()));
    }
    if fields.has(Fields::REQUEST_METHOD) {
        listed.text("Method", request.method().as_str());
    }
    if fields.has(Fields::REQUEST_SCHEME) {
        listed.text("Scheme", meant.scheme());
    }
    if fields.has(Fields::REQUEST_PATH) {
        listed.text("PathBase", meant.escaped_path_base());
        listed.text("Path", escaped_path(&target.lent_path()));
    }
    if fields.has(Fields::REQUEST_QUERY) {
        listed.text("QueryString", without_secrets(target.query()));
    }
    if fields.has(Fields::REQUEST_HEADERS) {
        let headers = request.headers();
        // On HTTP/2 it is no header.
        if !headers.contains_key(HOST) && !target.host().is_empty() {
            listed.text("Host", target.host());
        }
        for name in headers.keys() {
            listed.text(usual(name), options.request_headers.value(headers, name));
        }
    }
    listed
}

/// The type of a body, unless it is no text.
pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}
