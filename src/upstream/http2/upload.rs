//! The body of a request on its way out, as the server lets it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use http_body::Body as _;
use tokio::time::{Sleep, sleep};

use super::failure::of_error;
use crate::upstream::activity::Activity;
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::outgoing::Content;

/// How long a server may let a client wait that asked for leave to send its body.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much is handed over at once.
const BATCH: usize = 64 * 1024;

/// The body of a request on its way out. Dropped before its end, it resets the stream.
#[derive(Debug)]
pub(super) struct Upload {
    stream: SendStream<Bytes>,
    content: Option<Content>,
    frame: Bytes,
    /// How much of the length is left, if it is known.
    left: Option<u64>,
    untouched: bool,
    leave: Option<Option<Pin<Box<Sleep>>>>,
    waits_for_body: bool,
    done: bool,
}

/// Why no more is sent.
pub(super) enum Stop {
    /// The body failed.
    Body(Failure),
    /// The server takes nothing more. It may have answered all the same, and says why where that is read.
    Stream,
}

impl Upload {
    /// Without content the request ended with its head.
    pub(super) fn new(stream: SendStream<Bytes>, content: Option<Content>) -> Self {
        let expects = content.as_ref().is_some_and(|content| content.expects_continue);
        Self {
            stream,
            left: content.as_ref().and_then(|content| content.length),
            done: content.is_none(),
            content,
            frame: Bytes::new(),
            untouched: true,
            leave: expects.then_some(None),
            waits_for_body: false,
        }
    }

    /// All is out, or the server takes no more.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn waits_for_body(&self) -> bool {
        self.waits_for_body
    }

    pub(super) fn give_leave(&mut self) {
        self.leave = None;
    }

    /// The body, if nothing of it was read, or there is none.
    pub(super) fn into_untouched(self) -> Option<Option<Content>> {
        self.untouched.then_some(self.content)
    }

    /// What is left to be sent with, if there was nothing to send.
    pub(super) fn into_stream(self) -> SendStream<Bytes> {
        self.stream
    }

    /// Ends a request that could have become a tunnel, and did not.
    pub(super) fn end_at_once(&mut self) {
        // The stream may be gone.
        let _ = self.stream.send_data(Bytes::new(), true);
    }

    /// Sends what there is of the body. Ready: it is out, or no more of it will be.
    pub(super) fn poll(
        &mut self,
        activity: &mut Activity,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stop>> {
        while !self.done {
            self.waits_for_body = false;
            if !self.frame.is_empty() {
                match ready!(self.poll_frame_out(cx)) {
                    Ok(()) => activity.touch(),
                    Err(_) => {
                        self.done = true;
                        return Poll::Ready(Err(Stop::Stream));
                    }
                }
                continue;
            }
            if let Some(timer) = &mut self.leave {
                let timer = timer.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
                ready!(timer.as_mut().poll(cx));
                self.leave = None;
            }
            match self.poll_next(activity, cx) {
                Poll::Ready(next) => next?,
                Poll::Pending => {
                    self.waits_for_body = true;
                    if self.stream.poll_reset(cx).is_ready() {
                        self.done = true;
                        return Poll::Ready(Err(Stop::Stream));
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Hands as much of the frame over as the server has a window for.
    fn poll_frame_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.stream.reserve_capacity(self.frame.len().min(BATCH));
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(of_error(&error))),
                None => {
                    let text = "the server closed the stream of HTTP/2";
                    return Poll::Ready(Err(Failure::new(FailureKind::Http2, text)));
                }
            }
        }
        let length = self.stream.capacity().min(self.frame.len());
        let piece = self.frame.split_to(length);
        let is_last = self.frame.is_empty() && self.content.is_none();
        let sent = self.stream.send_data(piece, is_last).map_err(|error| of_error(&error));
        self.done |= is_last;
        Poll::Ready(sent)
    }

    /// The next frame of the body, or its end.
    fn poll_next(
        &mut self,
        activity: &mut Activity,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stop>> {
        let next = match &mut self.content {
            Some(content) => ready!(Pin::new(&mut content.body).poll_frame(cx)),
            None => None,
        };
        let Some(frame) = next else {
            self.content = None;
            return Poll::Ready(self.end(None));
        };
        self.untouched = false;
        activity.touch();
        match frame.map_err(|error| Stop::Body(Failure::of_client(error)))?.into_data() {
            Ok(data) => {
                self.count(data.len()).map_err(Stop::Body)?;
                self.frame = data;
                if self.content.as_ref().is_some_and(|content| content.body.is_end_stream()) {
                    self.content = None;
                    if self.left.is_some_and(|left| left > 0) {
                        return Poll::Ready(Err(Stop::Body(too_short())));
                    }
                    if self.frame.is_empty() {
                        return Poll::Ready(self.end(None));
                    }
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.content = None;
                    return Poll::Ready(self.end(Some(trailers)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn end(&mut self, trailers: Option<http::HeaderMap>) -> Result<(), Stop> {
        self.done = true;
        if self.left.is_some_and(|left| left > 0) {
            return Err(Stop::Body(too_short()));
        }
        let ended = match trailers {
            Some(trailers) => self.stream.send_trailers(trailers),
            None => self.stream.send_data(Bytes::new(), true),
        };
        ended.map_err(|_| Stop::Stream)
    }

    fn count(&mut self, length: usize) -> Result<(), Failure> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(length as u64).ok_or_else(|| {
                let text = "the body of the request is longer than its Content-Length";
                Failure::new(FailureKind::ClientBody, text)
            })?;
        }
        Ok(())
    }
}

fn too_short() -> Failure {
    let text = "the body of the request is shorter than its Content-Length";
    Failure::new(FailureKind::ClientBody, text)
}
