//! A body that is compressed while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;

use super::encoder::Encoder;
use super::encoding::{Encoding, Level};

/// How much is compressed before others have their turn.
const AT_ONCE: usize = 64 * 1024;

/// How much may come out before it is sent.
const ENOUGH: usize = 16 * 1024;

/// The body of an answer, compressed piece by piece. It asks for more only when it is asked itself, and lets
/// out everything that it has as soon as the app has no more for the moment: an event is sent when it happens.
pub(super) struct Compressed {
    inner: Body,
    state: State,
    encoding: Encoding,
    level: Level,
    /// What the app has given and was not compressed yet.
    rest: Bytes,
    /// Whether something was written since the encoder was flushed.
    unsent: bool,
}

enum State {
    /// Nothing has come.
    Fresh,
    Running(Encoder),
    /// All of it is sent, but this.
    Ended(Option<Frame<Bytes>>),
}

impl Compressed {
    pub(super) fn new(inner: Body, encoding: Encoding, level: Level) -> Self {
        Self { inner, state: State::Fresh, encoding, level, rest: Bytes::new(), unsent: false }
    }

    fn encoder(&mut self) -> Result<&mut Encoder, axum::Error> {
        if matches!(self.state, State::Fresh) {
            self.state =
                State::Running(Encoder::new(self.encoding, self.level).map_err(axum::Error::new)?);
        }
        match &mut self.state {
            State::Running(encoder) => Ok(encoder),
            State::Fresh | State::Ended(_) => Err(axum::Error::new("the answer has ended")),
        }
    }

    /// Compresses some of what is here. With what came out, if that is enough to be sent.
    fn write(&mut self) -> Result<Option<Bytes>, axum::Error> {
        let piece = self.rest.split_to(self.rest.len().min(AT_ONCE));
        let encoder = self.encoder()?;
        encoder.write(&piece).map_err(axum::Error::new)?;
        let out = (encoder.len() >= ENOUGH).then(|| encoder.take());
        self.unsent = true;
        Ok(out)
    }

    /// Lets out what was written.
    fn flush(&mut self) -> Result<Bytes, axum::Error> {
        self.unsent = false;
        let encoder = self.encoder()?;
        encoder.flush().map_err(axum::Error::new)?;
        Ok(encoder.take())
    }

    /// The end of it, behind which there may be trailers.
    fn finish(
        &mut self,
        trailers: Option<Frame<Bytes>>,
    ) -> Result<Option<Frame<Bytes>>, axum::Error> {
        match std::mem::replace(&mut self.state, State::Ended(None)) {
            // An answer without content stays without.
            State::Fresh => Ok(trailers),
            State::Running(encoder) => {
                let last = encoder.finish().map_err(axum::Error::new)?;
                self.state = State::Ended(trailers);
                Ok(Some(Frame::data(last)))
            }
            State::Ended(left) => Ok(left),
        }
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
        if let State::Ended(left) = &mut this.state {
            return Poll::Ready(left.take().map(Ok));
        }
        let mut done = 0;
        loop {
            if !this.rest.is_empty() {
                done += this.rest.len().min(AT_ONCE);
                match this.write() {
                    Ok(Some(out)) => return Poll::Ready(Some(Ok(Frame::data(out)))),
                    Ok(None) if done >= AT_ONCE => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Ok(None) => continue,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(this.finish(Some(trailers)).transpose()),
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(this.finish(None).transpose()),
                Poll::Pending if this.unsent => match this.flush() {
                    Ok(out) if out.is_empty() => return Poll::Pending,
                    Ok(out) => return Poll::Ready(Some(Ok(Frame::data(out)))),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
