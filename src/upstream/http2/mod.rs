//! HTTP/2 to a server: h2 speaks it, on connections that requests share.
//!
//! A connection is a task of its own, because it belongs to no request; the body of a request is sent by
//! the request's future, then by the [`body`] of its answer, as with HTTP/1.1.

mod accept_key;
mod body;
mod connections;
mod failure;
mod head;
mod tunnel;
mod upload;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::time::timeout;

pub(super) use body::Http2Body;
pub(super) use connections::{Connections, Place};
pub(super) use failure::Again;
pub(super) use tunnel::Tunnel;

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
    Upgraded(Response<()>, Tunnel),
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
    let accept = match outgoing.upgrade.map(|protocol| accept_of(outgoing, protocol)).transpose() {
        Ok(accept) => accept.flatten(),
        Err(failure) => return Err(broken(failure.unsent(None), Again::Never, None)),
    };
    let limit = outgoing.activity_timeout;
    if outgoing.upgrade.is_some()
        && let Err(failure) = may_upgrade(&place, limit).await
    {
        return Err(broken(failure.unsent(None), Again::Never, None));
    }
    let Some(request) = head::of_request(outgoing, secure) else {
        let text = "the target or the host of the request cannot be said in HTTP/2";
        let failure = Failure::new(FailureKind::Request, text);
        return Err(broken(failure, Again::Never, None));
    };
    let mut activity = Activity::new();
    let is_whole = outgoing.content.is_none() && outgoing.upgrade.is_none();
    let (mut response, stream) = match open(&place, (request, is_whole), &mut activity, limit).await
    {
        Ok(opened) => opened,
        Err((failure, again)) => {
            return Err(broken(failure, again, Some(outgoing.content.take())));
        }
    };
    let upload = Upload::new(stream, outgoing.content.take());
    let mut stream = Stream { upload, activity, timeout: limit, place };
    let (mut heard, takes) = (0, outgoing.takes);
    let answered =
        poll_fn(|cx| poll_head(&mut stream, &mut response, &mut heard, (&mut *interim, takes), cx));
    match answered.await {
        Ok(response) if outgoing.upgrade.is_some() && response.status().is_success() => {
            Ok(upgraded(response, stream, accept, outgoing.takes))
        }
        Ok(response) => {
            if outgoing.upgrade.is_some() {
                stream.upload.end_at_once();
            }
            Ok(outcome(response, stream, *outgoing.method == Method::HEAD, outgoing.takes))
        }
        Err((failure, again)) => {
            let untouched = if heard > 0 { None } else { stream.upload.into_untouched() };
            Err(broken(failure, again, untouched))
        }
    }
}

/// Opens a stream, once there may be one more.
async fn open(
    place: &Place,
    (request, is_whole): (Request<()>, bool),
    activity: &mut Activity,
    limit: Duration,
) -> Result<(ResponseFuture, SendStream<Bytes>), (Failure, Again)> {
    let mut requests = place.requests();
    let ready = poll_fn(|cx| match requests.poll_ready(cx) {
        Poll::Ready(ready) => Poll::Ready(ready.map_err(|error| (of_error(&error), again(&error)))),
        Poll::Pending => activity.poll_quiet(limit, cx).map(|()| {
            let text = "no stream of HTTP/2 became free for the activity timeout";
            Err((Failure::new(FailureKind::TimedOut, text), Again::Never))
        }),
    });
    ready.await?;
    let opened = requests.send_request(request, is_whole);
    opened.map_err(|error| (of_error(&error), Again::Always))
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
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // HTTP/2 has none (RFC 9113 section 8.6), and a client of HTTP/1.1 would take it for the answer.
            let text = "the server changes the protocol (101), which HTTP/2 cannot";
            let failure = Failure::new(FailureKind::MalformedHead, text);
            return Poll::Ready(Err((failure, Again::Never)));
        }
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

/// What a client of HTTP/1.1 is answered to its key, if it has one.
fn accept_of(outgoing: &Outgoing<'_>, protocol: &[u8]) -> Result<Option<HeaderValue>, Failure> {
    match head::key(outgoing) {
        Some(key) if protocol.eq_ignore_ascii_case(b"websocket") => {
            let accept = accept_key::of(&key).ok_or_else(|| {
                let text = "the client's Sec-WebSocket-Key is not 16 bytes in base64";
                Failure::new(FailureKind::WebSocketKey, text)
            })?;
            Ok(HeaderValue::from_str(&accept).ok())
        }
        _ => Ok(None),
    }
}

/// Waits until the server has said whether it takes requests that change the protocol.
async fn may_upgrade(place: &Place, patience: Duration) -> Result<(), Failure> {
    match timeout(patience, place.takes_tunnels()).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let text = "the server takes no other protocols over HTTP/2 (SETTINGS_ENABLE_CONNECT_PROTOCOL); set HttpRequest:Version to 1.1";
            Err(Failure::new(FailureKind::Version, text))
        }
        Err(_) => {
            let text = "the server did not say which requests it takes over HTTP/2";
            Err(Failure::new(FailureKind::TimedOut, text))
        }
    }
}

/// The head of an answer that changes the protocol, as one of HTTP/1.1 would have it, and the stream.
fn upgraded(
    response: Response<RecvStream>,
    stream: Stream,
    accept: Option<HeaderValue>,
    takes: Takes<'_>,
) -> Outcome {
    let (mut parts, body) = response.into_parts();
    head::clean(&mut parts.headers, parts.status, takes);
    if let Some(accept) = accept {
        parts.headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let tunnel = Tunnel::new(stream.upload.into_stream(), body, stream.place);
    Outcome::Upgraded(Response::from_parts(parts, ()), tunnel)
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
    // What comes behind a head that ends its answer is none of it.
    if (body.is_end_stream() || is_bare) && stream.upload.is_done() {
        return Outcome::Empty(Response::from_parts(parts, Bytes::new()));
    }
    Outcome::Streamed(Response::from_parts(parts, Http2Body::new(stream, body, left)))
}
