//! The body of a request as its version of HTTP hands it on.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::rejection::Reason;

/// What comes of a body.
pub(super) struct IncomingBody {
    hyper: Incoming,
    /// What is wrong with trailers, as far as the version has not seen to that before.
    judge: fn(&HeaderMap) -> Option<Reason>,
}

/// Why no more comes of a body.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The client, or the end of its connection, broke it off, or broke its framing.
    Broken(BrokenOff),
    /// Its trailers are refused.
    Refused(Reason),
}

/// The client, or the end of its connection, broke the body off: nothing that the app, or we, did
/// wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BrokenOff(#[source] hyper::Error);

impl IncomingBody {
    /// A body whose trailers are judged like this.
    pub(super) fn new(hyper: Incoming, judge: fn(&HeaderMap) -> Option<Reason>) -> Self {
        Self { hyper, judge }
    }
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hyper.fmt(f)
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        let judge = self.judge;
        let came = Pin::new(&mut self.hyper).poll_frame(cx);
        came.map(|came| {
            came.map(|frame| {
                let frame = frame.map_err(|error| Stopped::Broken(BrokenOff(error)))?;
                match frame.trailers_ref().and_then(judge) {
                    Some(reason) => Err(Stopped::Refused(reason)),
                    None => Ok(frame),
                }
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.hyper.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.hyper.size_hint()
    }
}
