//! One stage of the pipeline, and the rest of the way behind it.

use std::fmt;
use std::sync::Arc;

use super::responder::{Request, Responding, Response};

/// Something that happens to requests on their way to the app, and to answers on the way back.
///
/// It is made with its settings; a reload makes another one. What it changes of a request's facts
/// goes into an overlay (`features::Overlay`), never into the facts of the connection.
pub(crate) trait Stage: Send + Sync + 'static {
    /// What happens on the way in.
    fn enter(&self, request: &mut Request) -> Enter;

    /// Whether it answers a request that the log is better off without: one that comes every few seconds,
    /// and is nobody's. Only asked if requests are logged.
    fn is_noise(&self, request: &Request) -> bool {
        let _ = request;
        false
    }

    /// Whether it takes the [`FilePart`](super::FilePart) out of each answer whose body it reads or changes,
    /// and only of those: one that changes headers alone lets the system send files. The pipeline takes it
    /// out of all that a stage sees which does not know of it.
    fn knows_files(&self) -> bool {
        false
    }
}

/// What becomes of a request behind a stage.
pub(crate) enum Enter {
    /// It goes on to the next stage, and the answer goes back without this one.
    Next,
    /// It goes on, and this happens to the answer on the way out. (A function that holds nothing is
    /// boxed without an allocation.)
    Then(Leave),
    /// This is the answer: neither later stages nor the app see the request.
    Answer(Response),
    /// The stage has the request now, and goes the rest of the way itself: later, again, or not at all.
    /// Stages before this one see its answer as any other.
    Around(Around),
    /// The stage has taken the request, and goes no further: this is the way to the answer.
    Taken(Responding),
}

/// What a stage does with the answer on the way out.
pub(crate) type Leave = Box<dyn FnOnce(Response) -> Response + Send>;

/// What a stage does that goes the rest of the way itself. It may wait: a panic in it, or in what it waits
/// for, is one of the request.
pub(crate) type Around = Box<dyn FnOnce(Request, Next) -> Responding + Send>;

/// The rest of the way: the stages behind the one that holds it, then the app, as they were when the
/// request came. A clone is the same way, to be gone once more.
#[derive(Clone)]
pub(crate) struct Next {
    way: Arc<dyn Way>,
    first: usize,
    /// Whether a stage that does not know of files sees the answer.
    files_are_read: bool,
}

impl Next {
    /// The way of all stages from this place on.
    pub(super) fn new(way: Arc<dyn Way>, first: usize, files_are_read: bool) -> Self {
        Self { way, first, files_are_read }
    }

    /// Goes it with a request. A panic on the way comes with the first poll.
    pub(crate) fn call(&self, request: Request) -> Responding {
        Arc::clone(&self.way).go(self.first, self.files_are_read, request)
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("first", &self.first).finish_non_exhaustive()
    }
}

/// Stages in their order, and the app behind them.
pub(super) trait Way: Send + Sync {
    /// Sends a request through the stages from `first` on, then to the app.
    fn go(self: Arc<Self>, first: usize, files_are_read: bool, request: Request) -> Responding;
}
