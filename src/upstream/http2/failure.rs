//! What errors of HTTP/2 mean for a request.

use h2::{Error, Reason};

use crate::upstream::failure::{Failure, FailureKind};

/// When a request may be sent again that failed before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Again {
    Never,
    /// If its method may be repeated.
    IfIdempotent,
    /// The server said that it did nothing with it.
    Always,
}

/// What is told of an error.
pub(super) fn of_error(error: &Error) -> Failure {
    let reason = error.reason().unwrap_or(Reason::NO_ERROR);
    if let Some(error) = error.get_io() {
        return Failure::new(FailureKind::Reset, format!("the connection broke: {error}"));
    }
    let text = match (error.is_remote(), error.is_reset()) {
        (true, true) => format!("the server reset the stream of HTTP/2: {reason:?}"),
        (true, false) => format!("the server ended the connection of HTTP/2: {reason:?}"),
        (false, _) => format!("the server broke the rules of HTTP/2: {error}"),
    };
    Failure::new(FailureKind::Http2, text)
}

/// Whether the request may be sent again.
pub(super) fn again(error: &Error) -> Again {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    // Only streams that the last one of a GOAWAY leaves out hear of it.
    match error.is_remote() && (refused || error.is_go_away()) {
        true => Again::Always,
        false if error.is_io() => Again::IfIdempotent,
        false => Again::Never,
    }
}
