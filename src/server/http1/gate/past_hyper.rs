//! Requests that go past hyper. One that has no body and says nothing of its connection needs of hyper nothing but
//! its reading and the framing of its answer; if that is all here once it has a head, both are done here in a fraction
//! of the time. An answer that comes in pieces, or whose framing is hyper's to decide, goes on with hyper, which is
//! given a head like the request's then.

use std::cell::Cell;
use std::io;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use http::Request;

use super::state::Gate;
use crate::diagnostics::events;
use crate::server::activity::Note;
use crate::server::http1::answerer::Came;
use crate::server::io::Socket;
use crate::server::pieces::is_stand_in;

thread_local! {
    /// Room for the head of an answer.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How much room is kept.
const MOST_ROOM: usize = 16 * 1024;

/// So long a body goes with its head in one piece: to copy it takes less than a second piece for the system.
const MOST_COPIED: usize = 1024;

/// How many requests that came together are answered before other connections get their turn.
pub(super) const MOST_IN_A_ROW: usize = 64;

impl<S: Socket> Gate<S> {
    /// Whether the request whose head was accepted may be answered without hyper.
    pub(super) fn may_answer(&mut self) -> bool {
        self.plain && self.answerer.as_mut().is_some_and(|answerer| answerer.is_worth_asking())
    }

    /// Whether the answer to a request of which hyper has seen nothing is under way.
    pub(super) fn answers(&self) -> bool {
        self.answerer.as_ref().is_some_and(|answerer| answerer.is_asked())
    }

    /// Asks for an answer.
    pub(super) fn ask(&mut self, request: Request<Body>) {
        if let Some(answerer) = &mut self.answerer {
            answerer.ask(request);
        }
    }

    /// Answers what was asked for. Whether it is answered: if not, hyper has to be given what is handed on, and finds
    /// the answer.
    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Some(answerer) = &mut self.answerer else { return Poll::Pending };
        let mut head = HEAD.take();
        let answered = match answerer.poll(&mut head, cx) {
            Came::NotYet => Poll::Pending,
            Came::Answer(mut body) => {
                if body.len() <= MOST_COPIED && !is_stand_in(&body) {
                    head.extend_from_slice(&std::mem::take(&mut body));
                }
                Poll::Ready(self.send(cx, &head, body).map(|()| true))
            }
            Came::Handover => {
                self.activity.note(Note::Answered);
                self.hand_on_harmless();
                Poll::Ready(Ok(false))
            }
        };
        if head.capacity() <= MOST_ROOM {
            HEAD.set(head);
        }
        let answered = ready!(answered);
        if let Err(error) = &answered {
            // hyper takes it for the end of a connection that waits.
            events::request_processing_ended(&self.activity.id(), error);
        }
        Poll::Ready(answered)
    }
}
