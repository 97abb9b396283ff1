//! Scopes: only made where the console wants them (`IncludeScopes`).

use tracing::Level;

use super::categories::SCOPE;

pub(crate) fn connection_scope(id: &dyn std::fmt::Display) -> tracing::Span {
    tracing::info_span!(target: SCOPE, "connection", ConnectionId = tracing::field::display(id))
}

/// Whether scopes are wanted; costs one atomic load.
pub(crate) fn scopes_are_logged() -> bool {
    tracing::span_enabled!(target: SCOPE, Level::INFO)
}

pub(crate) fn request_scope(
    connection: &tracing::Span,
    [trace_id, span_id, parent_id]: [&str; 3],
    path: &str,
    request_id: &str,
) -> tracing::Span {
    tracing::info_span!(target: SCOPE, parent: connection, "request", SpanId = span_id, TraceId = trace_id,
        ParentId = parent_id, RequestPath = path, RequestId = request_id)
}
