//! An answer that was made without hyper and has to go on with it: its body comes in pieces, or its framing is hyper's
//! to decide.

use std::sync::{Arc, Mutex, PoisonError};

use http::Response;

use crate::server::error::BoxError;
use crate::server::response_body::ResponseBody;

/// A place for one answer, which a connection's gate puts there and its service takes.
#[derive(Default)]
pub(super) struct Handover(Mutex<Option<Answer>>);

/// An answer, or none.
pub(super) type Answer = Result<Response<ResponseBody>, BoxError>;

impl Handover {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn leave(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    pub(super) fn take(&self) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}
