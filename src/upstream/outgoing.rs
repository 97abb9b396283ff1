//! A request as it is to be sent.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::versions::VersionPolicy;
use crate::server::plain_length;

/// The fields of a request. They are told while the head is written, so that nothing is copied twice; a
/// request that is sent a second time asks for them once more.
///
/// What says how a message is framed, or is of the connection (`Host`, `Content-Length`,
/// `Transfer-Encoding`, `Connection`, `Upgrade`), is the codec's: it is passed over here. `TE: trailers`
/// goes out if it is told.
pub(crate) trait Fields: Send + Sync {
    /// Tells each field, in order.
    fn each(&self, field: &mut dyn FnMut(&HeaderName, Value<'_>));
}

impl Fields for HeaderMap {
    fn each(&self, field: &mut dyn FnMut(&HeaderName, Value<'_>)) {
        for (name, value) in self {
            field(name, Value::Kept(value));
        }
    }
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// As it is.
    Kept(&'a HeaderValue),
    /// These one behind the other. A field whose value has characters that no value may have is not sent.
    Made(&'a [&'a [u8]]),
}

impl Value<'_> {
    /// Writes the value, if it is one.
    pub(super) fn write(&self, out: &mut impl bytes::BufMut) -> bool {
        match self {
            Value::Kept(value) => out.put_slice(value.as_bytes()),
            Value::Made(parts) => {
                if !parts.iter().all(|part| is_value(part)) {
                    return false;
                }
                parts.iter().for_each(|part| out.put_slice(part));
            }
        }
        true
    }
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) body: Body,
    /// How long it is. Without a length it is sent in chunks. One that turns out to have another length
    /// fails.
    pub(crate) length: Option<u64>,
    /// Whether the client waits for leave to send it (`Expect: 100-continue`, which is among the fields):
    /// it is not read before the server gives it, or a second has passed.
    pub(crate) expects_continue: bool,
}

/// A request as it is to be sent.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    /// Path and query as they go out, or `*`.
    pub(crate) target: &'a [u8],
    /// The Host field, or `:authority`. The name in it is the one that TLS asks for and that the
    /// certificate has to have.
    pub(crate) host: &'a [u8],
    pub(crate) fields: &'a dyn Fields,
    /// `None` for a request that has none. One of the methods that mostly have one gets `Content-Length: 0`.
    pub(crate) content: Option<Content>,
    /// The protocol to change to (the value of `Upgrade`). Without it no answer may change to one.
    pub(crate) upgrade: Option<&'a [u8]>,
    /// Which version of HTTP is asked for, and what else will do.
    pub(crate) version: (Version, VersionPolicy),
    /// How long nothing may happen, in either direction. What comes of a head does not count before it is
    /// complete.
    pub(crate) activity_timeout: Duration,
    /// Which fields of the answer are taken. What is of the connection, by name or by `Connection`, is not
    /// asked for and is never taken (but for `Upgrade` of an answer that changes the protocol).
    pub(crate) takes: &'a (dyn Fn(&HeaderName) -> bool + Sync),
    /// Which of them, by their names in small letters, are not taken where the lines of an answer are all that is
    /// asked for: see [`Answer::Lines`](super::Answer::Lines). `None` where that is never so.
    pub(crate) leaves_lines: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
}

/// What hears of interim answers (100, 102, 103), before there is the answer.
pub(crate) type Interim<'a> = &'a mut (dyn FnMut(StatusCode, HeaderMap) + Send);

/// Whether the bytes may stand in the value of a field.
pub(super) fn is_value(bytes: &[u8]) -> bool {
    bytes[plain_length(bytes)..].iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7E | 0x80..))
}
