//! How a request ends other than with an answer.

use std::error::Error;

/// Any error.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request ends without an answer, or without the rest of it, while its connection goes on.
/// Each version that has streams has a number of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamError {
    /// It is malformed (RFC 9113 section 8.1.1).
    #[error("the request is malformed")]
    Malformed,
    /// It cannot be answered, or not to the end.
    #[error("the answer cannot be sent")]
    Internal,
    /// The app chose this number.
    #[error("the application reset the stream with {0}")]
    App(u32),
}
