//! Requests that go past hyper. One that has no body and says nothing of its connection needs of hyper nothing but
//! its reading and the framing of its answer; if that is there at once, both are done here in a fraction of the
//! time. Whatever takes time, or is hyper's to decide, goes on with hyper, which is given the head then.

use std::cell::Cell;
use std::io;
use std::task::Context;

use axum::body::Body;
use http::Request;

use super::state::Gate;
use crate::diagnostics::events;
use crate::server::activity::Note;
use crate::server::io::Socket;

thread_local! {
    /// Room for the head of an answer.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How much room is kept.
const MOST_ROOM: usize = 16 * 1024;

/// How many requests that came together are answered before other connections get their turn.
pub(super) const MOST_IN_A_ROW: usize = 64;

impl<S: Socket> Gate<S> {
    /// Whether the request whose head was accepted may be answered without hyper.
    pub(super) fn may_answer(&mut self) -> bool {
        self.plain && self.answerer.as_mut().is_some_and(|answerer| answerer.is_worth_asking())
    }

    /// Answers a request of which hyper has seen nothing, if the answer is there at once. Whether it is: if not,
    /// hyper has to be given the head, and finds what was begun.
    pub(super) fn answers(
        &mut self,
        request: Request<Body>,
        cx: &mut Context<'_>,
    ) -> io::Result<bool> {
        let Some(answerer) = &mut self.answerer else { return Ok(false) };
        let mut head = HEAD.take();
        let answered = match answerer.ask(request, &mut head, cx) {
            Some(body) => match self.send(cx, &head, body) {
                Ok(()) => Ok(true),
                Err(error) => {
                    // hyper takes it for the end of a connection that waits.
                    events::request_processing_ended(&self.activity.id(), &error);
                    Err(error)
                }
            },
            None => {
                self.activity.note(Note::Begun);
                Ok(false)
            }
        };
        if head.capacity() <= MOST_ROOM {
            HEAD.set(head);
        }
        answered
    }
}
