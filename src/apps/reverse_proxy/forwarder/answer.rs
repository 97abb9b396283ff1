//! An answer on its way back.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::destination::UnderWay;
use super::forwarding::Forwarding;
use crate::diagnostics::events;
use crate::features::ResetStream;
use crate::upstream::ReplyBody;

/// The body of an answer, as it comes.
pub(super) struct ForwardedBody {
    body: ReplyBody,
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
    pub(super) fn new(
        body: ReplyBody,
        (forwarding, under_way): (Forwarding, UnderWay),
        until: Option<Instant>,
    ) -> Self {
        let deadline = until.map(|until| Box::pin(sleep_until(until)));
        Self { body, forwarding, _under_way: under_way, deadline, end: End::NotYet }
    }

    fn is_whole(&mut self) {
        if self.end == End::NotYet {
            self.end = End::Whole;
            self.forwarding.cluster.watch(&self.forwarding.destination, false);
        }
    }

    /// Cuts the client off, too, so that it does not take what it has for all (CANCEL on HTTP/2).
    fn cut_off(&mut self) -> axum::Error {
        self.end = End::Told;
        axum::Error::new(ResetStream(8))
    }
}

impl http_body::Body for ForwardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    this.forwarding.route.change_trailers(trailers);
                }
                if http_body::Body::is_end_stream(&this.body) {
                    this.is_whole();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(failure))) => {
                let forwarding = &this.forwarding;
                forwarding.cluster.watch(&forwarding.destination, failure.is_of_server());
                forwarding.tell_broken(&failure);
                Poll::Ready(Some(Err(this.cut_off())))
            }
            Poll::Ready(None) => {
                this.is_whole();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let is_over =
                    this.deadline.as_mut().is_some_and(|it| it.as_mut().poll(cx).is_ready());
                if !is_over {
                    return Poll::Pending;
                }
                events::proxy_answer_too_slow(&this.forwarding.route.options.id);
                Poll::Ready(Some(Err(this.cut_off())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
