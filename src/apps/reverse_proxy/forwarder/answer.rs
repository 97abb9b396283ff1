//! An answer on its way back.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::destination::UnderWay;
use super::forwarding::Forwarding;
use super::lookout::{UnderWatch, Watched};
use crate::diagnostics::events;
use crate::features::ResetStream;
use crate::upstream::{Failure, ReplyBody};

/// The body of an answer, as it comes. Whoever looks after it drops what is left of it if the client takes nothing
/// for too long: the destination is not to wait for that, and nobody polls what nobody takes.
pub(super) struct ForwardedBody {
    shared: Arc<Shared>,
    _watched: Watched,
}

struct Shared {
    state: Mutex<State>,
    /// How long the client may take nothing.
    timeout: Duration,
    /// When the time of the route is over.
    until: Option<Instant>,
}

struct State {
    /// `None` once it has ended, or was given up.
    running: Option<Running>,
    /// Since when it is the client's time that passes: it has not asked for more than was handed on.
    idle_since: Option<Instant>,
}

/// A body that has not ended.
struct Running {
    body: ReplyBody,
    /// What was read of it already.
    first: Option<Frame<Bytes>>,
    /// How long it is with that, if that is known.
    length: Option<u64>,
    forwarding: Forwarding,
    _under_way: UnderWay,
    /// When the time of the route is over.
    deadline: Option<Pin<Box<Sleep>>>,
    end: End,
}

/// How a body ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    Whole,
    Told,
}

impl ForwardedBody {
    /// A body, of which what is here already is looked at: what fails at once can still be told.
    ///
    /// # Errors
    ///
    /// It failed, and that was told in the log.
    pub(super) async fn begin(
        mut body: ReplyBody,
        (forwarding, under_way): (Forwarding, UnderWay),
        until: Option<Instant>,
    ) -> Result<Body, (Forwarding, Failure)> {
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await;
        let first = match first {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(frame))) => Some(frame),
            Poll::Ready(Some(Err(failure))) => {
                forwarding.cluster.watch(&forwarding.destination, failure.is_of_server());
                forwarding.tell_broken(&failure);
                return Err((forwarding, failure));
            }
            Poll::Ready(None) => {
                forwarding.cluster.watch(&forwarding.destination, false);
                return Ok(Body::empty());
            }
        };
        let deadline = until.map(|until| Box::pin(sleep_until(until)));
        let length = body.size_hint().exact();
        let here = first.as_ref().and_then(|frame| Some(frame.data_ref()?.len() as u64));
        let length = length.map(|left| left + here.unwrap_or_default());
        let end = End::NotYet;
        let timeout = forwarding.cluster.options.request.activity_timeout;
        let running =
            Running { body, first, length, forwarding, _under_way: under_way, deadline, end };
        let lookout = Arc::clone(&running.forwarding.cluster.lookout);
        let state = State { running: Some(running), idle_since: Some(Instant::now()) };
        let shared = Arc::new(Shared { state: Mutex::new(state), timeout, until });
        let weak = Arc::downgrade(&shared);
        Ok(Body::new(Self { shared, _watched: lookout.watch(weak) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic left half done is not asked any more.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWatch for Shared {
    /// Gives the body up if the client takes nothing of it for too long, or beyond the time of the route. (Whoever
    /// waits for more of it keeps that by himself.)
    fn look(&self, now: Instant) {
        let is_late = self.until.is_some_and(|until| now >= until);
        let given_up = {
            let mut state = self.state();
            let is_idle = |since: Instant| is_late || now >= since + self.timeout;
            let is_running = state.running.as_ref().is_some_and(|it| it.end == End::NotYet);
            match is_running && state.idle_since.is_some_and(is_idle) {
                true => state.running.take(),
                false => None,
            }
        };
        if let Some(running) = given_up {
            running.give_up(self.timeout, is_late);
        }
    }
}

impl Running {
    /// The client takes nothing.
    fn give_up(self, timeout: Duration, is_late: bool) {
        let forwarding = &self.forwarding;
        match is_late {
            true => events::proxy_answer_too_slow(&forwarding.route.options.id),
            false => {
                let failure = Failure::client_stalled(timeout);
                forwarding.cluster.watch(&forwarding.destination, failure.is_of_server());
                forwarding.tell_broken(&failure);
            }
        }
    }

    fn is_whole(&mut self) {
        if self.end == End::NotYet {
            self.end = End::Whole;
            self.forwarding.cluster.watch(&self.forwarding.destination, false);
        }
    }

    /// Cuts the client off, too, so that it does not take what it has for all.
    fn cut_off(&mut self) -> axum::Error {
        self.end = End::Told;
        cut_off()
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        let polled = match self.first.take() {
            Some(first) => {
                self.length = None;
                Poll::Ready(Some(Ok(first)))
            }
            None => Pin::new(&mut self.body).poll_frame(cx),
        };
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    self.forwarding.route.change_trailers(trailers);
                }
                if self.body.is_end_stream() {
                    self.is_whole();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(failure))) => {
                let forwarding = &self.forwarding;
                forwarding.cluster.watch(&forwarding.destination, failure.is_of_server());
                forwarding.tell_broken(&failure);
                Poll::Ready(Some(Err(self.cut_off())))
            }
            Poll::Ready(None) => {
                self.is_whole();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let is_over =
                    self.deadline.as_mut().is_some_and(|it| it.as_mut().poll(cx).is_ready());
                if !is_over {
                    return Poll::Pending;
                }
                events::proxy_answer_too_slow(&self.forwarding.route.options.id);
                Poll::Ready(Some(Err(self.cut_off())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// What ends the connection, or the stream (CANCEL on HTTP/2).
fn cut_off() -> axum::Error {
    axum::Error::new(ResetStream(8))
}

impl http_body::Body for ForwardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let mut state = self.state();
        let Some(running) = &mut state.running else {
            return Poll::Ready(Some(Err(cut_off())));
        };
        let polled = running.poll_frame(cx);
        state.idle_since = polled.is_ready().then(Instant::now);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.state().running.as_ref().is_some_and(Running::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state().running {
            None => SizeHint::default(),
            Some(Running { first: None, body, .. }) => body.size_hint(),
            Some(Running { length: Some(length), .. }) => SizeHint::with_exact(*length),
            Some(Running { length: None, .. }) => SizeHint::default(),
        }
    }
}
