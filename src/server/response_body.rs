//! The body of an answer on its way out: whether it keeps what its head promised
//! (RFC 9110 section 8.6), and what becomes of one that fails.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use super::activity::{Activity, Cut};
use super::error::{BoxError, StreamError};
use super::incoming_body::BrokenOff;
use super::promise::{too_few, too_many};
use super::request_log::RequestLog;
use super::running::Running;
use crate::diagnostics::events;
use crate::features::{Abort, BadRequest, CutOff, ResetStream};
use crate::pipeline::PreparedHead;

pin_project! {
    /// The body of an answer; when hyper drops it, the answer is out.
    pub(super) struct ResponseBody {
        #[pin]
        body: Body,
        // Only where there is something to watch.
        guard: Option<Box<Guard>>,
        // Only where somebody asked before, and gave up.
        asked: Option<Box<Asked>>,
        left: Left,
        // Before the other: the connection's line stands before the request's, as on Kestrel.
        running: Running,
        log: Option<Box<RequestLog>>,
    }

    impl PinnedDrop for ResponseBody {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (Some(log), Some(sent)) = (this.log, this.running.cut_off_after()) {
                log.cut_off_after(sent);
            }
        }
    }
}

/// What whoever writes the head of an answer has to add to its headers.
#[derive(Clone, Debug, Default)]
pub(super) enum Left {
    #[default]
    Nothing,
    /// What every answer has.
    OfEvery,
    /// The same, behind headers that were made before.
    All(Arc<PreparedHead>),
}

/// What a body gives when it is asked.
pub(super) type Came = Option<Result<Frame<Bytes>, BoxError>>;

/// What a body was before somebody asked it who could not go on.
struct Asked {
    length: u64,
    /// What it gave, which is to come once more.
    came: Option<Came>,
}

/// What is watched of a body on its way out.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// What was read of it to see how it begins.
    first: Option<Frame<Bytes>>,
    /// What the head promised, and what is left of that.
    length: Option<u64>,
    left: Option<u64>,
    /// What the body ends with, once what came before is out.
    failure: Option<BoxError>,
}

impl ResponseBody {
    pub(super) fn new(
        body: Body,
        guard: Option<Box<Guard>>,
        log: Option<Box<RequestLog>>,
        mut running: Running,
    ) -> Self {
        let ended = guard.is_none() && http_body::Body::is_end_stream(&body);
        if ended {
            running.end();
        }
        Self { body, guard, asked: None, left: Left::Nothing, log, running }
    }

    /// Lets whoever writes the head add this.
    pub(super) fn leave(&mut self, left: Left) {
        self.left = left;
    }

    /// What that is.
    pub(super) fn left(&self) -> &Left {
        &self.left
    }

    /// The same; from now on it is nothing.
    pub(super) fn take_left(&mut self) -> Left {
        std::mem::take(&mut self.left)
    }

    /// The request that is answered.
    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    /// Makes it what it was before it was asked for the first time: of this length. Takes back what it gave,
    /// unless it had nothing yet.
    pub(super) fn take_back(&mut self, length: u64, came: Option<Came>) {
        self.asked = Some(Box::new(Asked { length, came }));
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Some(asked) = this.asked.take()
            && let Some(came) = asked.came
        {
            return Poll::Ready(came);
        }
        if this.running.awaits_piece() {
            return Poll::Pending;
        }
        this.running.go_on();
        if let Some(failure) = this.guard.as_mut().and_then(|guard| guard.failure.take()) {
            cut_if_asked(&failure, this.running);
            return Poll::Ready(Some(Err(failure)));
        }
        let frame = match this.guard.as_mut().and_then(|guard| guard.first.take()) {
            Some(first) => Some(Ok(first)),
            None => match this.body.as_mut().poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    this.running.asked();
                    return Poll::Pending;
                }
            },
        };
        let failure = match frame {
            Some(Ok(frame)) => {
                let promise = this.guard.as_mut();
                match promise.and_then(|guard| guard.take_from_promise(&frame)) {
                    None => {
                        this.running.hand_on(frame.data_ref().map_or(0, Bytes::len));
                        this.running.hand_over();
                        let kept = this.guard.as_ref().is_some_and(|guard| guard.left == Some(0));
                        if kept || this.body.is_end_stream() {
                            this.running.end();
                        } else {
                            this.running.sends_piece(frame.data_ref().map_or(0, Bytes::len));
                        }
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    Some(mismatch) => fail(mismatch, this.running),
                }
            }
            Some(Err(error)) => failed(error, this.running),
            None => match this.guard.as_mut().and_then(|guard| guard.missing()) {
                // Said here, not left to hyper: it goes for HTTP/2 as well.
                Some(mismatch) => fail(mismatch, this.running),
                None => {
                    this.running.end();
                    return Poll::Ready(None);
                }
            },
        };
        // hyper drops what it has not written when a body fails, so it is given time to write.
        this.guard.get_or_insert_default().failure = Some(failure);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.asked.is_none()
            && self.guard.as_ref().is_none_or(|guard| {
                guard.first.is_none()
                    && guard.failure.is_none()
                    && guard.left.is_none_or(|left| left == 0)
            })
            && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if let Some(asked) = &self.asked {
            return SizeHint::with_exact(asked.length);
        }
        match &self.guard {
            None => self.body.size_hint(),
            // What is here already is not in the body any more; and what the head promised is not
            // what the body knows.
            Some(_) => SizeHint::default(),
        }
    }
}

impl Guard {
    pub(super) fn new(first: Option<Frame<Bytes>>, left: Option<u64>) -> Box<Self> {
        Box::new(Self { first, length: left, left, failure: None })
    }

    /// Takes a frame from what is left of the promise; what is wrong if it is too much.
    fn take_from_promise(&mut self, frame: &Frame<Bytes>) -> Option<String> {
        let (left, length) = (self.left?, self.length?);
        let bytes = frame.data_ref()?.len() as u64;
        match left.checked_sub(bytes) {
            Some(rest) => {
                self.left = Some(rest);
                None
            }
            None => Some(too_many(length - left + bytes, length)),
        }
    }

    /// What is wrong if the body ends here.
    fn missing(&mut self) -> Option<String> {
        match (self.left.take(), self.length) {
            (Some(left @ 1..), Some(length)) => Some(too_few(length - left, length)),
            _ => None,
        }
    }
}

fn fail(mismatch: String, running: &mut Running) -> BoxError {
    running.breaks_off(&mismatch);
    cut_short(mismatch, running)
}

/// Ends an answer that cannot be sent whole.
fn cut_short(mismatch: String, running: &mut Running) -> BoxError {
    running.reset(StreamError::Internal, &mismatch);
    mismatch.into()
}

/// What the body of an answer failed with, told to the log, and in a way that says how to end it.
pub(super) fn failed(error: axum::Error, running: &mut Running) -> BoxError {
    let error = error.into_inner();
    let mut source: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(current) = source {
        if let Some(ResetStream(code)) = current.downcast_ref() {
            let error = StreamError::App(*code);
            running.reset(error, "The application reset the stream.");
            return error.into();
        }
        if current.is::<Abort>() {
            events::application_aborted(&running.id(), running.request());
            running.reset(StreamError::Internal, "The application aborted the stream.");
            return Abort.into();
        }
        if current.is::<CutOff>() {
            // Whoever gave the body told of it.
            running.fails();
            return cut_short(error.to_string(), running);
        }
        if current.is::<BadRequest>() || current.is::<BrokenOff>() {
            // The body of the request, which the app hands on, told of it itself.
            return cut_short(error.to_string(), running);
        }
        source = current.source();
    }
    fail(error.to_string(), running)
}

/// Cuts a connection that the request has for itself, if the app asked for that; a stream is reset.
pub(super) fn cut_if_asked(failure: &BoxError, running: &Running) {
    if failure.is::<Abort>() || failure.is::<StreamError>() {
        match running.activity() {
            Activity::Http1(http1) => http1.cut(Cut::Aborted),
            Activity::Http2(_) => {}
        }
    }
}
