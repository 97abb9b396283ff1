//! An answer on its way back.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::destination::UnderWay;
use super::forwarding::Forwarding;
use crate::diagnostics::events;
use crate::features::CutOff;
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
        forwarding: Forwarding,
        under_way: UnderWay,
        until: Option<Instant>,
    ) -> Self {
        let deadline = until.map(|until| Box::pin(sleep_until(until)));
        Self { body, forwarding, _under_way: under_way, deadline, end: End::NotYet }
    }

    pub(super) fn into_body(mut self) -> Body {
        if http_body::Body::is_end_stream(&self.body) {
            self.is_whole();
            return Body::empty();
        }
        Body::new(self)
    }

    fn is_whole(&mut self) {
        if self.end == End::NotYet {
            self.end = End::Whole;
            self.forwarding.cluster.watch(&self.forwarding.destination, false);
        }
    }

    fn cut_off(&mut self, why: String) -> axum::Error {
        self.end = End::Told;
        axum::Error::new(CutOff(std::io::Error::other(why)))
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
                Poll::Ready(Some(Err(this.cut_off(failure.to_string()))))
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
                let why = "the time of its route is over".to_owned();
                Poll::Ready(Some(Err(this.cut_off(why))))
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
