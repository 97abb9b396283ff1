//! Bodies of answers, written step by step.
//!
//! What an app on the reference does with `WriteAsync` and `FlushAsync` is a matter of polls here:
//! a body whose first frame is ready at once goes out with the head, a body that is pending first
//! has its head sent before it.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use http_body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

type Failure = Box<dyn Error + Send + Sync>;

/// One thing an app does with the body of its answer.
pub(crate) enum Step {
    Write(Bytes),
    /// What was written is sent, and the head with it.
    Flush,
    Pause(Duration),
    Trailers(HeaderMap),
    Fail(Failure),
}

impl Step {
    pub(crate) fn write(text: &'static str) -> Self {
        Self::Write(Bytes::from_static(text.as_bytes()))
    }
}

/// A body that takes these steps. It tells no length, so it is chunked unless a header says one.
pub(crate) fn steps(steps: impl IntoIterator<Item = Step>) -> Body {
    Body::new(Steps { left: steps.into_iter().collect(), flushed: false, pause: None })
}

/// A body of one piece that is ready at once, without a length.
pub(crate) fn piece(bytes: impl Into<Bytes>) -> Body {
    steps([Step::Write(bytes.into())])
}

/// Nothing is written. (An empty body of a known length would be one that the app has said.)
pub(crate) fn nothing() -> Body {
    steps([])
}

struct Steps {
    left: VecDeque<Step>,
    flushed: bool,
    pause: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Steps {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        loop {
            match self.left.front() {
                // Being asked a second time means that the first answer had its effect.
                Some(Step::Flush) if !self.flushed => {
                    self.flushed = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(&Step::Pause(time)) => {
                    ready!(
                        self.pause.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx)
                    );
                    self.pause = None;
                }
                _ => {}
            }
            match self.left.pop_front() {
                Some(Step::Flush) => self.flushed = false,
                Some(Step::Pause(_)) => {}
                Some(Step::Write(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Trailers(fields)) => {
                    return Poll::Ready(Some(Ok(Frame::trailers(fields))));
                }
                Some(Step::Fail(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }
}

/// Where another task writes a body.
pub(crate) type Writer = mpsc::Sender<Result<Bytes, Failure>>;

/// A body that another task writes.
pub(crate) fn written() -> (Writer, Body) {
    let (sender, receiver) = mpsc::channel(2);
    (sender, Body::new(Written(receiver)))
}

struct Written(mpsc::Receiver<Result<Bytes, Failure>>);

impl http_body::Body for Written {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        Poll::Ready(ready!(self.0.poll_recv(cx)).map(|bytes| bytes.map(Frame::data)))
    }
}
