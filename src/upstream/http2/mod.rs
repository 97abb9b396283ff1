//! HTTP/2 to a server: h2 speaks it, on connections that requests share.
//!
//! A connection is a task of its own, because it belongs to no request; the body of a request is sent by
//! the request's future, then by the [`body`] of its answer, as with HTTP/1.1.

mod body;
mod connections;
mod failure;
mod head;
mod upload;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::{HeaderName, Method, Response, StatusCode, header};

pub(super) use body::Http2Body;
pub(super) use connections::{Connections, Place};
pub(super) use failure::Again;

use self::failure::{again, of_error};
use super::activity::Activity;
use super::failure::{Failure, FailureKind};
use super::outgoing::{Content, Interim, Outgoing};
use body::Stream;
use upload::{Stop, Upload};

/// A request that failed before there was a head.
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) again: Again,
    /// The body, if nothing of it was read.
    pub(super) untouched: Option<Option<Content>>,
}

/// An answer that came with all that it has, or whose body comes.
pub(super) enum Outcome {
    Empty(Response<Bytes>),
    Streamed(Response<Http2Body>),
}

/// Sends a request, and waits for the head of its answer. The body is taken out of the request.
///
/// # Errors
///
/// There is none.
pub(super) async fn send(
    place: Place,
    outgoing: &mut Outgoing<'_>,
    secure: bool,
    interim: &mut Interim<'_>,
) -> Result<Outcome, Box<Broken>> {
    let broken = |failure, again, untouched| Box::new(Broken { failure, again, untouched });
    let Some(request) = head::of_request(outgoing, secure) else {
        let text = "the target or the host of the request cannot be said in HTTP/2";
        let failure = Failure::new(FailureKind::Request, text);
        return Err(broken(failure, Again::Never, None));
    };
    let (mut activity, timeout) = (Activity::new(), outgoing.activity_timeout);
    let mut requests = place.requests();
    let ready = poll_fn(|cx| match requests.poll_ready(cx) {
        Poll::Ready(ready) => Poll::Ready(ready.map_err(|error| (of_error(&error), again(&error)))),
        Poll::Pending => activity.poll_quiet(timeout, cx).map(|()| {
            let text = "no stream of HTTP/2 became free for the activity timeout";
            Err((Failure::new(FailureKind::TimedOut, text), Again::Never))
        }),
    });
    let opened = match ready.await {
        Ok(()) => {
            let opened = requests.send_request(request, outgoing.content.is_none());
            opened.map_err(|error| (of_error(&error), Again::Always))
        }
        Err(failed) => Err(failed),
    };
    let (mut response, stream) = match opened {
        Ok(opened) => opened,
        Err((failure, again)) => {
            return Err(broken(failure, again, Some(outgoing.content.take())));
        }
    };
    let upload = Upload::new(stream, outgoing.content.take());
    let mut stream = Stream { upload, activity, timeout, place };
    let (mut heard, takes) = (0, outgoing.takes);
    let answered =
        poll_fn(|cx| poll_head(&mut stream, &mut response, &mut heard, (&mut *interim, takes), cx));
    match answered.await {
        Ok(response) => {
            Ok(outcome(response, stream, *outgoing.method == Method::HEAD, outgoing.takes))
        }
        Err((failure, again)) => {
            let untouched = if heard > 0 { None } else { stream.upload.into_untouched() };
            Err(broken(failure, again, untouched))
        }
    }
}

/// More interim answers than this are no answer.
const MOST_INTERIM: u8 = 32;

type Takes<'a> = &'a (dyn Fn(&HeaderName) -> bool + Sync);

type Headed = Result<Response<RecvStream>, (Failure, Again)>;

/// Sends what there is of the request, and waits for the head of its answer.
fn poll_head(
    stream: &mut Stream,
    response: &mut ResponseFuture,
    heard: &mut u8,
    (interim, takes): (&mut Interim<'_>, Takes<'_>),
    cx: &mut Context<'_>,
) -> Poll<Headed> {
    loop {
        if let Poll::Ready(Err(Stop::Body(failure))) = stream.upload.poll(&mut stream.activity, cx)
        {
            return Poll::Ready(Err((failure, Again::Never)));
        }
        let Poll::Ready(Some(early)) = response.poll_informational(cx) else {
            break;
        };
        let (mut parts, ()) = match early {
            Ok(early) => early.into_parts(),
            Err(error) => return Poll::Ready(Err((of_error(&error), again(&error)))),
        };
        *heard += 1;
        if *heard == MOST_INTERIM {
            let text = "the server sends interim answers (1xx) and no other";
            let failure = Failure::new(FailureKind::MalformedHead, text);
            return Poll::Ready(Err((failure, Again::Never)));
        }
        if parts.status == StatusCode::CONTINUE {
            stream.upload.give_leave();
        }
        head::clean(&mut parts.headers, parts.status, takes);
        interim(parts.status, parts.headers);
    }
    match Pin::new(response).poll(cx) {
        Poll::Ready(Ok(response)) => {
            stream.activity.touch();
            Poll::Ready(Ok(response))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err((of_error(&error), again(&error)))),
        Poll::Pending => stream.poll_quiet(cx).map(|failure| Err((failure, Again::Never))),
    }
}

/// The answer behind its head.
fn outcome(
    response: Response<RecvStream>,
    stream: Stream,
    head_only: bool,
    takes: Takes<'_>,
) -> Outcome {
    let (mut parts, body) = response.into_parts();
    head::clean(&mut parts.headers, parts.status, takes);
    let is_bare = head_only
        || parts.status == StatusCode::NO_CONTENT
        || parts.status == StatusCode::NOT_MODIFIED;
    let length = parts.headers.get(header::CONTENT_LENGTH).filter(|_| !is_bare);
    let left = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if body.is_end_stream() && stream.upload.is_done() {
        return Outcome::Empty(Response::from_parts(parts, Bytes::new()));
    }
    Outcome::Streamed(Response::from_parts(parts, Http2Body::new(stream, body, left)))
}
