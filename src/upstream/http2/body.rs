//! The body of an answer of HTTP/2, read as it is asked for.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Frame, SizeHint};

use super::connections::Place;
use super::failure::of_error;
use super::head;
use super::upload::{Stop, Upload};
use crate::server::Moment;
use crate::upstream::activity::Activity;
use crate::upstream::failure::{Failure, FailureKind};

/// A request on its stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) upload: Upload,
    pub(super) activity: Activity,
    pub(super) timeout: Duration,
    pub(super) place: Place,
}

impl Stream {
    /// Nothing happens; ready with the failure that this is after the activity timeout.
    pub(super) fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.activity.poll_quiet(self.timeout, cx).map(|()| {
            let (kind, text) = match self.upload.waits_for_body() {
                true => (FailureKind::ClientTimedOut, "the client sent nothing of its body"),
                false => (FailureKind::TimedOut, "the server did nothing"),
            };
            let seconds = self.timeout.as_secs_f64();
            Failure::new(kind, format!("{text} for the activity timeout of {seconds} s"))
        })
    }

    /// Sends the rest of a request whose answer is complete: the server did not say that it does not want
    /// it, and its stream is nobody else's.
    async fn finish(mut self) {
        poll_fn(|cx| match self.upload.poll(&mut self.activity, cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => self.poll_quiet(cx).map(drop),
        })
        .await;
        drop(self.place);
    }
}

/// The rest of an answer, and of its request if that is not all out yet. Dropped before its end, it resets
/// the stream.
#[derive(Debug)]
pub(in crate::upstream) struct Http2Body {
    stream: Option<Stream>,
    answer: RecvStream,
    /// How much of the length is left, if it is known.
    left: Option<u64>,
    /// What was handed on, and is the server's to send again once more is asked for.
    handed_on: usize,
    data_ended: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, Failure>>>;

impl Http2Body {
    pub(super) fn new(stream: Stream, answer: RecvStream, left: Option<u64>) -> Self {
        Self { stream: Some(stream), answer, left, handed_on: 0, data_ended: false }
    }

    pub(in crate::upstream) fn is_end_stream(&self) -> bool {
        self.stream.is_none()
    }

    pub(in crate::upstream) fn size_hint(&self) -> SizeHint {
        match self.left {
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }

    pub(in crate::upstream) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        let polled = self.poll(cx);
        match &polled {
            Poll::Ready(None) => {
                if let Some(stream) = self.stream.take()
                    && !stream.upload.is_done()
                {
                    tokio::spawn(stream.finish());
                }
            }
            Poll::Ready(Some(Err(_))) => self.stream = None,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        if self.handed_on > 0 {
            if stream.activity.last().until(Moment::now()) > stream.timeout {
                return failed(Failure::client_stalled(stream.timeout));
            }
            stream.activity.touch();
            // The stream may be gone, and what it may send with it.
            let _ = self.answer.flow_control().release_capacity(self.handed_on);
            self.handed_on = 0;
        }
        if let Poll::Ready(Err(Stop::Body(failure))) = stream.upload.poll(&mut stream.activity, cx)
        {
            return failed(failure);
        }
        while !self.data_ended {
            match self.answer.poll_data(cx) {
                Poll::Pending => return stream.poll_quiet(cx).map(|failure| Some(Err(failure))),
                Poll::Ready(Some(Ok(data))) => {
                    stream.activity.touch();
                    self.handed_on += data.len();
                    self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Poll::Ready(None) => self.data_ended = true,
                // That of a server that has answered and wants no more of the request.
                Poll::Ready(Some(Err(error)))
                    if error.reason() == Some(Reason::NO_ERROR)
                        && error.is_reset()
                        && !stream.upload.is_done()
                        && self.left.is_none_or(|left| left == 0) =>
                {
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => return cut_off(&error),
            }
        }
        match ready!(self.answer.poll_trailers(cx)) {
            Ok(Some(mut trailers)) => {
                head::clean_trailers(&mut trailers);
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Ok(None) => Poll::Ready(None),
            Err(error) if error.reason() == Some(Reason::NO_ERROR) => Poll::Ready(None),
            Err(error) => cut_off(&error),
        }
    }
}

fn failed(failure: Failure) -> Polled {
    Poll::Ready(Some(Err(failure)))
}

fn cut_off(error: &h2::Error) -> Polled {
    failed(Failure::new(FailureKind::BodyCutOff, of_error(error).to_string()))
}
