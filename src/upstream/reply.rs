//! What a server answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::failure::Failure;
use super::field_lines::FieldLines;
use super::http1::{self, Http1Body};
use super::http2::{self, Http2Body};
use super::upgraded::UpgradedStream;

/// What a server answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An answer. Its extensions have the reason phrase if it is another than the usual one, its version is
    /// the one that was spoken.
    Response(Response<ReplyBody>),
    /// The same without its fields, whose lines are as the server wrote them: an answer of HTTP/1.1 to whoever asked for
    /// that, if all of it was here at once, and nothing in its head needed a second look.
    Lines(Response<Bytes>, FieldLines),
    /// The protocol is changed (101, or a tunnel of HTTP/2): head and stream.
    Upgraded(Response<()>, UpgradedStream),
}

impl From<http1::Outcome> for Answer {
    fn from(outcome: http1::Outcome) -> Self {
        use http1::Outcome;

        match outcome {
            Outcome::Whole(response) => {
                Self::Response(response.map(|bytes| ReplyBody(Inner::Whole(bytes))))
            }
            Outcome::Streamed(response) => {
                Self::Response(response.map(|body| ReplyBody(Inner::Http1(body))))
            }
            Outcome::Lines(response, lines) => Self::Lines(response, lines),
            Outcome::Upgraded(head, stream) => Self::Upgraded(head, stream),
        }
    }
}

impl From<http2::Outcome> for Answer {
    fn from(outcome: http2::Outcome) -> Self {
        match outcome {
            http2::Outcome::Empty(response) => {
                Self::Response(response.map(|bytes| ReplyBody(Inner::Whole(bytes))))
            }
            http2::Outcome::Streamed(response) => {
                Self::Response(response.map(|body| ReplyBody(Inner::Http2(Box::new(body)))))
            }
            http2::Outcome::Upgraded(head, tunnel) => {
                Self::Upgraded(head, UpgradedStream::of_http2(tunnel))
            }
        }
    }
}

/// The body of an answer, read as it comes. A failure of it has to cut the client off, too.
#[derive(Debug)]
pub(crate) struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    /// All of it came with the head, or there is none.
    Whole(Bytes),
    Http1(Box<Http1Body>),
    Http2(Box<Http2Body>),
}

impl ReplyBody {
    /// One of an answer that has none.
    pub(crate) fn empty() -> Self {
        Self(Inner::Whole(Bytes::new()))
    }

    /// All of it, if it came with the head.
    pub(crate) fn into_whole(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Whole(bytes) => Ok(bytes),
            streamed => Err(Self(streamed)),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Http1(body) => body.poll_frame(cx),
            Inner::Http2(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_empty(),
            Inner::Http1(body) => body.is_end_stream(),
            Inner::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Http1(body) => body.size_hint(),
            Inner::Http2(body) => body.size_hint(),
        }
    }
}
