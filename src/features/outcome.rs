//! How a request can end other than with an answer.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

/// The client sent something that cannot be served, and this is the answer it gets.
///
/// The body of a request fails with it (as the source of the error) when it is too large, too
/// slow or badly framed. Handed on inside [`Unhandled`] it becomes the answer. (What
/// `BadHttpRequestException` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRequest {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl BadRequest {
    /// A request that is answered with `status`; `message` goes to the log.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The one in `error` or its sources.
    pub fn of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut current = Some(error);
        while let Some(error) = current {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            current = error.source();
        }
        None
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for BadRequest {}

/// An error the app does not handle: the server logs it and answers with 500, or with the status
/// of the [`BadRequest`] in it. The client learns nothing of the error itself.
///
/// Every error becomes one with `?`.
///
/// ```
/// async fn handler() -> Result<String, kestrel::Unhandled> {
///     Ok(std::fs::read_to_string("greeting.txt")?)
/// }
/// ```
#[derive(Debug)]
pub struct Unhandled(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Unhandled {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Unhandled {
    fn into_response(self) -> Response {
        let status =
            BadRequest::of(&*self.0).map_or(StatusCode::INTERNAL_SERVER_ERROR, |bad| bad.status);
        let mut response = status.into_response();
        response.extensions_mut().insert(Outcome::Failed(std::sync::Arc::new(self)));
        response
    }
}

impl Unhandled {
    /// What went wrong, with its sources.
    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

/// Cuts the connection without an answer; on HTTP/2 it resets the stream.
///
/// As an answer it does so at once, as the error of an answer's body when it is reached. (What
/// `HttpContext.Abort` does in ASP.NET Core.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The application aborted the connection.")]
pub struct Abort;

impl IntoResponse for Abort {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Outcome::Aborted);
        response
    }
}

/// Resets an HTTP/2 stream with an error code (RFC 9113 section 7); on HTTP/1.1 it is [`Abort`].
///
/// As an answer it does so at once, as the error of an answer's body when it is reached. (What
/// `IHttpResetFeature` does in ASP.NET Core.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The application reset the stream with error code {0}.")]
pub struct ResetStream(pub u32);

impl IntoResponse for ResetStream {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Outcome::Reset(self));
        response
    }
}

/// What the body of an answer of ours ends with that cannot be sent whole. Whoever gave it has told the log why,
/// and the app has nothing to do with it.
#[derive(Debug, thiserror::Error)]
#[error("The answer is cut off: {0}")]
pub(crate) struct CutOff(#[from] pub(crate) std::io::Error);

/// Headers that are to stand in the answer that the server makes of a failure, too.
#[derive(Clone, Debug)]
pub(crate) struct HeadersOfFailure(pub(crate) HeaderMap);

/// What the server finds in the extensions of such an answer.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Failed(std::sync::Arc<Unhandled>),
    Aborted,
    Reset(ResetStream),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unhandled_error_answers_with_the_status_of_the_bad_request_in_it() {
        let too_large = BadRequest::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large.");
        for (error, status) in [
            (Unhandled::from(axum::Error::new(too_large)), 413),
            (Unhandled::from(std::io::Error::other("disk")), 500),
            (Unhandled::from("text"), 500),
        ] {
            assert_eq!(error.into_response().status(), status);
        }
    }
}
