//! Requests and their bodies.

use std::borrow::Cow;
use std::time::Duration;

use tracing::{Level, event};

use super::categories::{BAD_REQUESTS, CONNECTIONS, HOSTING, KESTREL, OUR_SERVER};
use crate::diagnostics::message::OwnMessage;
use crate::diagnostics::repeated::Telling;

/// Whether the lines of requests are wanted at all; costs one atomic load.
pub(crate) fn requests_are_logged() -> bool {
    tracing::enabled!(target: HOSTING, Level::INFO)
}

/// The parts of a request that its log lines tell.
#[derive(Debug)]
pub(crate) struct RequestFacts {
    pub(crate) protocol: &'static str,
    pub(crate) method: String,
    pub(crate) scheme: Cow<'static, str>,
    pub(crate) host: String,
    /// Decoded.
    pub(crate) path: String,
    /// With its `?`, as it was sent.
    pub(crate) query: String,
}

impl std::fmt::Display for RequestFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { protocol, method, scheme, host, path, query } = self;
        write!(f, "{protocol} {method} {scheme}://{host}{path}{query}")
    }
}

/// Missing values are `-`, and a blank in a content type is `+`, so that the line splits at blanks.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.replace(' ', "+"))
}

pub(crate) fn request_starting(
    request: &RequestFacts,
    content_type: Option<&str>,
    content_length: Option<u64>,
) {
    let length = content_length.map(|length| length.to_string());
    event!(target: HOSTING, Level::INFO,
        message = tracing::field::display(OwnMessage(format_args!("Request starting {request} - {} {}",
            shown(content_type), shown(length.as_deref())))),
        event.id = 1u64,
        event.template = "Request starting {Protocol} {Method} {Scheme}://{Host}{PathBase}{Path}{QueryString} - {ContentType} {ContentLength}",
        Protocol = request.protocol, Method = request.method, ContentType = content_type,
        ContentLength = content_length, Scheme = &*request.scheme, Host = request.host, PathBase = "",
        Path = request.path, QueryString = request.query);
}

pub(crate) fn request_finished(
    request: &RequestFacts,
    status: u16,
    content_type: Option<&str>,
    content_length: Option<u64>,
    elapsed: Duration,
) {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    let length = content_length.map(|length| length.to_string());
    event!(target: HOSTING, Level::INFO,
        message = tracing::field::display(OwnMessage(format_args!("Request finished {request} - {status} {} {} {milliseconds:.4}ms",
            shown(length.as_deref()), shown(content_type)))),
        event.id = 2u64,
        event.template = "Request finished {Protocol} {Method} {Scheme}://{Host}{PathBase}{Path}{QueryString} - {StatusCode} {ContentLength} {ContentType} {ElapsedMilliseconds}ms",
        ElapsedMilliseconds = milliseconds, StatusCode = u64::from(status), ContentType = content_type,
        ContentLength = content_length, Protocol = request.protocol, Method = request.method,
        Scheme = &*request.scheme, Host = request.host, PathBase = "", Path = request.path,
        QueryString = request.query);
}

/// The app failed, or panicked, while it answered.
pub(crate) fn application_failed(id: &dyn std::fmt::Display, request: u32, error: &str) {
    emit_request!(KESTREL, ERROR, 13, "An unhandled exception was thrown by the application.",
        id, request, detail: error);
}

pub(crate) fn application_aborted(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(CONNECTIONS, INFO, 34, "the application aborted the connection.", id, request);
}

/// The app wanted to change the protocol of one connection more than
/// `MaxConcurrentUpgradedConnections`.
pub(crate) fn upgrade_refused(
    id: &dyn std::fmt::Display,
    request: u32,
    limit: Option<u64>,
    telling: Telling,
) {
    match telling {
        Telling::Now { more } => emit_request!(OUR_SERVER, WARN, 10,
            "an upgrade was refused with 503 because of MaxConcurrentUpgradedConnections ({limit}). Refused since this was told last: {more}.",
            id, request; more = more, limit = limit),
        Telling::Counted => emit_request!(OUR_SERVER, DEBUG, 10,
            "an upgrade was refused with 503 because of MaxConcurrentUpgradedConnections ({limit}).",
            id, request; limit = limit),
    }
}

/// The client is gone, or the stop took its connection.
pub(crate) fn request_aborted(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 66, "The request was aborted by the client.", id, request);
}

pub(crate) fn request_body_start(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 25, "started reading request body.", id, request);
}

pub(crate) fn request_body_done(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 26, "done reading request body.", id, request);
}

pub(crate) fn request_body_too_slow(id: &dyn std::fmt::Display, request: u32, rate: f64) {
    emit_request!(BAD_REQUESTS, DEBUG, 27,
        "the request timed out because it was not sent by the client at a minimum of {Rate} bytes/second.",
        id, request; Rate = rate);
}

pub(crate) fn response_too_slow(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        BAD_REQUESTS,
        DEBUG,
        28,
        "the connection was closed because the response was not read by the client at the specified minimum data rate.",
        id,
        request
    );
}

pub(crate) fn request_body_not_read(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        KESTREL,
        INFO,
        32,
        "the application completed without reading the entire request body.",
        id,
        request
    );
}

pub(crate) fn request_body_drain_timed_out(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        KESTREL,
        INFO,
        33,
        "automatic draining of the request body timed out after taking over 5 seconds.",
        id,
        request
    );
}

/// An app sets what only HTTP/1 has.
pub(crate) fn response_headers_removed(telling: Telling) {
    match telling {
        Telling::Now { .. } => emit!(
            KESTREL,
            WARN,
            41,
            "One or more of the following response headers have been removed because they are invalid for HTTP/2 and HTTP/3 responses: 'Connection', 'Transfer-Encoding', 'Keep-Alive', 'Upgrade' and 'Proxy-Connection'."
        ),
        Telling::Counted => emit!(
            KESTREL,
            DEBUG,
            41,
            "One or more of the following response headers have been removed because they are invalid for HTTP/2 and HTTP/3 responses: 'Connection', 'Transfer-Encoding', 'Keep-Alive', 'Upgrade' and 'Proxy-Connection'."
        ),
    }
}
