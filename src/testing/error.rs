//! What can go wrong with a request of a test.

use std::error::Error;
use std::io;

/// Why there is no response, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The request is none: nothing was sent.
    #[error("this cannot be sent: {0}")]
    Request(String),
    /// There is no connection.
    #[error("there is no connection to the server: {0}")]
    Connect(#[source] io::Error),
    /// The connection, or the stream of HTTP/2, ended without a whole response.
    #[error("there is no whole response: {}", causes(&**.0))]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The body is something else than what it was read as.
    #[error("the body cannot be read: {0}")]
    Body(#[source] Box<dyn Error + Send + Sync>),
}

impl TestError {
    pub(super) fn broken(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken(error.into())
    }
}

/// The error with what caused it, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
