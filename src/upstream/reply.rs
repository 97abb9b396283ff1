//! What a server answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::failure::Failure;
use super::stream::UpgradedStream;

/// What a server answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An answer. Its extensions have the reason phrase if it is another than the usual one, its version is
    /// the one that was spoken.
    Response(Response<ReplyBody>),
    /// The protocol is changed (101, or a tunnel of HTTP/2): head and stream.
    Upgraded(Response<()>, UpgradedStream),
}

/// The body of an answer, read as it comes. A failure of it has to cut the client off, too.
#[derive(Debug)]
pub(crate) struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    /// All of it came with the head, or there is none.
    Whole(Bytes),
}

impl ReplyBody {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Inner::Whole(bytes))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
