//! What an app failed with.

use std::any::Any;
use std::error::Error;
use std::sync::Arc;

use http::StatusCode;

use crate::diagnostics::panic_message;
use crate::features::{BadRequest, Outcome, Unhandled};
use crate::pipeline::{Responding, Response};

/// An app that has failed before it answered.
pub(super) struct Failure {
    pub(super) error: Arc<Unhandled>,
}

/// The answer of the rest of the way, unless it fails: with an error that nobody has handled, or a panic.
pub(super) async fn outcome(responding: Responding) -> Result<Response, Failure> {
    match responding.caught().await {
        Ok(response) => match response.extensions().get() {
            Some(Outcome::Failed(error)) => Err(Failure { error: Arc::clone(error) }),
            _ => Ok(response),
        },
        Err(panic) => Err(Failure::of_panic(&*panic)),
    }
}

impl Failure {
    fn of_panic(panic: &(dyn Any + Send)) -> Self {
        Self { error: Arc::new(Unhandled::from(panic_message(panic).to_owned())) }
    }

    /// The answer that the server makes of it.
    pub(super) fn left_to_the_server(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(Outcome::Failed(self.error));
        response
    }

    /// The status of what the client did wrong with the body of its request, which the server has told of.
    pub(super) fn of_request_body(&self) -> Option<StatusCode> {
        let error = self.error.error();
        let is_the_apps = error.is::<BadRequest>();
        BadRequest::of(error).filter(|_| !is_the_apps).map(BadRequest::status)
    }

    /// The status that the error itself asks for.
    pub(super) fn status(&self) -> StatusCode {
        BadRequest::of(self.error.error())
            .map_or(StatusCode::INTERNAL_SERVER_ERROR, BadRequest::status)
    }

    /// What it says, then what it says of each of its causes.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = Some(self.error.error());
        while let Some(error) = next {
            texts.push(error.to_string());
            next = error.source();
        }
        texts
    }

    /// All of it on a line, for the log.
    pub(super) fn line(&self) -> String {
        self.texts().join(" ---> ")
    }
}
