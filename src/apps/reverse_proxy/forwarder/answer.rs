//! An answer on its way back.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::destination::UnderWay;
use super::forwarding::Forwarding;
use crate::diagnostics::events;
use crate::features::ResetStream;
use crate::upstream::ReplyBody;

/// The body of an answer, as it comes.
pub(super) struct ForwardedBody {
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
    ) -> Result<Body, Forwarding> {
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await;
        let first = match first {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(frame))) => Some(frame),
            Poll::Ready(Some(Err(failure))) => {
                forwarding.cluster.watch(&forwarding.destination, failure.is_of_server());
                forwarding.tell_broken(&failure);
                return Err(forwarding);
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
        Ok(Body::new(Self {
            body,
            first,
            length,
            forwarding,
            _under_way: under_way,
            deadline,
            end,
        }))
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
        let polled = match this.first.take() {
            Some(first) => {
                this.length = None;
                Poll::Ready(Some(Ok(first)))
            }
            None => Pin::new(&mut this.body).poll_frame(cx),
        };
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    this.forwarding.route.change_trailers(trailers);
                }
                if this.body.is_end_stream() {
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
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.first, self.length) {
            (None, _) => self.body.size_hint(),
            (Some(_), Some(length)) => SizeHint::with_exact(length),
            (Some(_), None) => SizeHint::default(),
        }
    }
}
