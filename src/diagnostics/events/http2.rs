//! Connections and streams of HTTP/2.

use super::categories::{BAD_REQUESTS, HTTP2};
use super::request_id::RequestId;

/// The client broke the rules of the connection, and it ends.
pub(crate) fn http2_connection_error(id: &dyn std::fmt::Display, error: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 29, "Connection id \"{ConnectionId}\": HTTP/2 connection error.",
        detail: tracing::field::display(error); ConnectionId = tracing::field::display(id));
}

/// The headers of a client cannot be decompressed, and the connection ends.
pub(crate) fn http2_compression_error(
    id: &dyn std::fmt::Display,
    stream: u32,
    error: &dyn std::fmt::Display,
) {
    emit!(HTTP2, DEBUG, 31,
        "Connection id \"{ConnectionId}\": HPACK decoding error while decoding headers for stream ID {StreamId}.",
        detail: tracing::field::display(error);
        ConnectionId = tracing::field::display(id), StreamId = u64::from(stream));
}

/// The client broke the rules of one stream, or opened one too many, and it is reset.
pub(crate) fn http2_stream_error(id: &dyn std::fmt::Display, stream: u32, error: &str) {
    emit!(HTTP2, DEBUG, 30, "Connection id \"{ConnectionId}\": HTTP/2 stream error.",
        detail: tracing::field::display(format_args!("HTTP/2 stream ID {stream} error ({error})"));
        ConnectionId = tracing::field::display(id));
}

/// A request is malformed, or the app wants its end, and its stream is reset. `number` is that of
/// the request on its connection, or of the stream where there is no request.
pub(crate) fn http2_stream_reset(id: &dyn std::fmt::Display, number: u32, error: &str, why: &str) {
    emit!(HTTP2, DEBUG, 35,
        "Trace id \"{TraceIdentifier}\": HTTP/2 stream error \"{error}\". A Reset is being sent to the stream.",
        detail: why;
        TraceIdentifier = tracing::field::display(RequestId(id, number)), error = error);
}

/// The server stops, and the client has been told.
pub(crate) fn http2_connection_closing(id: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 36, "Connection id \"{ConnectionId}\" is closing.";
        ConnectionId = tracing::field::display(id));
}

pub(crate) fn http2_connection_closed(id: &dyn std::fmt::Display, highest_stream: u32) {
    emit!(HTTP2, DEBUG, 48,
        "Connection id \"{ConnectionId}\" is closed. The last processed stream ID was {HighestOpenedStreamId}.";
        ConnectionId = tracing::field::display(id), HighestOpenedStreamId = u64::from(highest_stream));
}

pub(crate) fn http2_frame_received(
    id: &dyn std::fmt::Display,
    kind: &dyn std::fmt::Display,
    stream: u32,
    length: u32,
    flags: &dyn std::fmt::Display,
) {
    emit!(HTTP2, TRACE, 37,
        "Connection id \"{ConnectionId}\" received {type} frame for stream ID {id} with length {length} and flags {flags}.";
        ConnectionId = tracing::field::display(id), r#type = tracing::field::display(kind),
        id = u64::from(stream), length = u64::from(length), flags = tracing::field::display(flags));
}

pub(crate) fn http2_frame_sending(
    id: &dyn std::fmt::Display,
    kind: &dyn std::fmt::Display,
    stream: u32,
    length: u32,
    flags: &dyn std::fmt::Display,
) {
    emit!(HTTP2, TRACE, 49,
        "Connection id \"{ConnectionId}\" sending {type} frame for stream ID {id} with length {length} and flags {flags}.";
        ConnectionId = tracing::field::display(id), r#type = tracing::field::display(kind),
        id = u64::from(stream), length = u64::from(length), flags = tracing::field::display(flags));
}

pub(crate) fn http2_max_streams_reached(id: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 40,
        "Connection id \"{ConnectionId}\" reached the maximum number of concurrent HTTP/2 streams allowed.";
        ConnectionId = tracing::field::display(id));
}

/// The client takes what we send too slowly, and the connection is reset.
pub(crate) fn http2_response_too_slow(id: &dyn std::fmt::Display) {
    emit!(BAD_REQUESTS, DEBUG, 28,
        "Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": the connection was closed because the response was not read by the client at the specified minimum data rate.";
        ConnectionId = tracing::field::display(id), TraceIdentifier = "(null)");
}
