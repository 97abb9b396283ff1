//! A body that is compressed while it is sent.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame};

use super::coder::{Coder, Step};
use super::encoding::{Encoding, Level};
use super::workers;

/// How much is compressed before others have their turn.
const AT_ONCE: usize = 64 * 1024;

/// The body of an answer, compressed piece by piece. It asks for more only when it is asked itself, and lets
/// out everything that it has as soon as the app has no more for the moment: an event is sent when it happens.
/// What takes long happens on another thread.
pub(super) struct Compressed {
    inner: Body,
    encoding: Encoding,
    level: Level,
    state: State,
    /// What the app has given and was not compressed yet.
    rest: Bytes,
    /// Whether something was written since the encoder was flushed.
    unsent: bool,
}

enum State {
    /// Nothing has come.
    Fresh,
    Here(Coder),
    /// On another thread.
    Away(Job, Expected),
    /// All of it is sent, but this.
    Ended(Option<Frame<Bytes>>),
}

type Job = Pin<Box<dyn Future<Output = Option<(Coder, io::Result<Bytes>)>> + Send>>;

/// What is to become of what a step lets out.
enum Expected {
    More,
    /// It was the last, but for trailers.
    End(Option<Frame<Bytes>>),
}

impl Compressed {
    pub(super) fn new(inner: Body, encoding: Encoding, level: Level) -> Self {
        Self { inner, encoding, level, state: State::Fresh, rest: Bytes::new(), unsent: false }
    }

    /// Does a step, here or on another thread. With what came out, if there is any.
    fn begin(
        &mut self,
        step: Step,
        expected: Expected,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        let mut coder = match std::mem::replace(&mut self.state, State::Ended(None)) {
            State::Fresh => Coder::new(self.encoding, self.level),
            State::Here(coder) => coder,
            State::Away(..) | State::Ended(_) => return Poll::Ready(Ok(None)),
        };
        if coder.takes_long() {
            let work = move || {
                let out = coder.take(step);
                (coder, out)
            };
            self.state = State::Away(Box::pin(workers::run(work)), expected);
            return self.poll_away(cx);
        }
        let out = coder.take(step);
        Poll::Ready(self.settle(coder, out, expected))
    }

    /// Waits for what happens on another thread.
    fn poll_away(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let State::Away(job, _) = &mut self.state else { return Poll::Ready(Ok(None)) };
        let done = ready!(job.as_mut().poll(cx));
        let before = std::mem::replace(&mut self.state, State::Ended(None));
        let (Some((coder, out)), State::Away(_, expected)) = (done, before) else {
            return Poll::Ready(Err(io::Error::other("the encoder has failed")));
        };
        Poll::Ready(self.settle(coder, out, expected))
    }

    fn settle(
        &mut self,
        coder: Coder,
        out: io::Result<Bytes>,
        expected: Expected,
    ) -> io::Result<Option<Bytes>> {
        // Behind an error there is nothing.
        let out = out?;
        self.state = match expected {
            Expected::More => State::Here(coder),
            Expected::End(trailers) => State::Ended(trailers),
        };
        Ok(Some(out).filter(|out| !out.is_empty()))
    }

    /// What is to be done next, by what the app has given; `None`, if that was nothing to be compressed.
    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<(Step, Expected)>, axum::Error>> {
        if !self.rest.is_empty() {
            let piece = self.rest.split_to(self.rest.len().min(AT_ONCE));
            self.unsent = true;
            return Poll::Ready(Ok(Some((Step::Write(piece), Expected::More))));
        }
        let trailers = match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    self.rest = data;
                    return Poll::Ready(Ok(None));
                }
                Err(trailers) => Some(trailers),
            },
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => None,
            Poll::Pending if std::mem::take(&mut self.unsent) => {
                return Poll::Ready(Ok(Some((Step::Flush, Expected::More))));
            }
            Poll::Pending => return Poll::Pending,
        };
        if matches!(self.state, State::Fresh) {
            // An answer without content stays without.
            self.state = State::Ended(trailers);
            return Poll::Ready(Ok(None));
        }
        Poll::Ready(Ok(Some((Step::Finish, Expected::End(trailers)))))
    }
}

impl http_body::Body for Compressed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let mut done = 0;
        let mut out = match this.state {
            State::Away(..) => ready!(this.poll_away(cx)),
            State::Fresh | State::Here(_) | State::Ended(_) => Ok(None),
        };
        loop {
            match out {
                Ok(Some(out)) => return Poll::Ready(Some(Ok(Frame::data(out)))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(axum::Error::new(error)))),
            }
            if let State::Ended(left) = &mut this.state {
                return Poll::Ready(left.take().map(Ok));
            }
            if done >= AT_ONCE {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            out = match ready!(this.poll_step(cx)) {
                Ok(Some((step, expected))) => {
                    done += if let Step::Write(piece) = &step { piece.len() } else { 0 };
                    ready!(this.begin(step, expected, cx))
                }
                Ok(None) => Ok(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
        }
    }
}
