//! One stage of the pipeline.

use super::responder::{Request, Response};

/// Something that happens to requests on their way to the app, and to answers on the way back.
///
/// It is made with its settings; a reload makes another one. What it changes of a request's facts
/// goes into an overlay (`features::Overlay`), never into the facts of the connection.
pub(crate) trait Stage: Send + Sync + 'static {
    /// What happens on the way in.
    fn enter(&self, request: &mut Request) -> Enter;
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
}

/// What a stage does with the answer on the way out.
pub(crate) type Leave = Box<dyn FnOnce(Response) -> Response + Send>;
