//! HTTP/1.1 to a server, by a codec of our own.
//!
//! The head goes straight into the connection's buffer (`write_head`), body and head out with as few
//! system calls as there can be (`sender`); values of the answer's head are slices of what was read
//! (`read_head`). An [`exchange`] is polled by the future of its request, then by the [`body`] of its
//! answer; idle connections are in the [`pool`].

mod body;
mod connection;
mod exchange;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod pool;
mod read_head;
mod sender;
mod write_head;

use std::future::poll_fn;

use bytes::Bytes;
use http::{Method, Response, StatusCode, Version};

pub(super) use body::Http1Body;
pub(super) use connection::Connection;
pub(super) use exchange::{Broken, Home};
pub(super) use pool::Pool;

use super::failure::{Failure, FailureKind};
use super::field_lines::FieldLines;
use super::outgoing::{Interim, Outgoing};
use super::upgraded::UpgradedStream;
use exchange::Exchange;
use read_head::Asked;
use sender::Sender;

/// What came of a request.
pub(super) enum Outcome {
    Whole(Response<Bytes>),
    Lines(Response<Bytes>, FieldLines),
    Streamed(Response<Box<Http1Body>>),
    Upgraded(Response<()>, UpgradedStream),
}

/// Sends a request on a connection, and waits for the head of its answer. The body is taken out of the
/// request.
///
/// # Errors
///
/// There is none; what is left of the request says whether it can be sent again.
pub(super) async fn send(
    mut connection: Box<Connection>,
    home: Home,
    outgoing: &mut Outgoing<'_>,
    interim: &mut Interim<'_>,
) -> Result<Outcome, Box<Broken>> {
    let framing = write_head::Body::of(outgoing);
    if !write_head::write(&mut connection.write, outgoing, framing) {
        let text = "the request cannot be said: its target or its host has characters that they may not have, or it is one of HTTP/1.0 whose body has no length";
        let failure = Failure::new(FailureKind::Request, text);
        return Err(Box::new(Broken { failure, rest: None }));
    }
    connection.activity.touch();
    connection.has_written = false;
    let sender = Sender::new(outgoing.content.take(), framing);
    let head_only = *outgoing.method == Method::HEAD;
    let leaves_lines = outgoing.leaves_lines.filter(|_| !head_only && outgoing.upgrade.is_none());
    let asked = Asked { head_only, takes: outgoing.takes, leaves_lines };
    let may_upgrade = outgoing.upgrade.is_some();
    let mut exchange = Exchange::new(connection, sender, home, outgoing.activity_timeout);
    let head = poll_fn(|cx| exchange.poll_head(asked, may_upgrade, interim, cx)).await;
    let head = match head {
        Ok(head) => head,
        Err(failure) => return Err(exchange.into_broken(failure)),
    };
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    *response.version_mut() = if head.old { Version::HTTP_10 } else { Version::HTTP_11 };
    *response.headers_mut() = head.fields;
    if let Some(reason) = head.reason {
        response.extensions_mut().insert(reason);
    }
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Outcome::Upgraded(response, exchange.into_upgraded()));
    }
    Ok(match exchange.whole(head.framing) {
        Some(bytes) => {
            exchange.finish();
            let response = response.map(|()| bytes);
            match head.lines {
                Some(lines) => Outcome::Lines(response, lines),
                None => Outcome::Whole(response),
            }
        }
        None => {
            let body = Box::new(Http1Body::new(exchange, head.framing));
            Outcome::Streamed(response.map(|()| body))
        }
    })
}
