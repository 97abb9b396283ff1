//! What was begun of a request without hyper and has to go on with it: an answer that takes time, or one whose
//! framing is hyper's to decide.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use http::Response;

use crate::server::error::BoxError;
use crate::server::request::RequestFuture;
use crate::server::response_body::ResponseBody;

/// A place for one request, which a connection's gate puts there and its service takes.
#[derive(Debug, Default)]
pub(super) struct Handover(Mutex<Option<Begun>>);

/// Where an answer is made, so that it can move while it is.
pub(super) type Place = Pin<Box<Option<RequestFuture>>>;

/// How far a request is that hyper is given now.
#[allow(clippy::large_enum_variant, reason = "a connection has one of them, and rarely")]
pub(super) enum Begun {
    /// The app was asked for it, and takes time.
    Asked(Place),
    /// It is answered.
    Answered(Result<Response<ResponseBody>, BoxError>),
}

impl Handover {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn leave(&self, begun: Begun) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
    }

    pub(super) fn take(&self) -> Option<Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Asked(_) => "Asked",
            Self::Answered(_) => "Answered",
        })
    }
}
