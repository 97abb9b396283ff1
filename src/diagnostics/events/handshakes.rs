//! Handshakes.

use super::categories::{HTTPS, KESTREL, OUR_SERVER};
use crate::diagnostics::repeated::Telling;

/// There was no handshake: the client is gone, does not speak TLS, or cannot agree with us.
pub(crate) fn tls_authentication_failed(reason: &dyn std::fmt::Display) {
    emit!(HTTPS, DEBUG, 1, "Failed to authenticate HTTPS connection.",
        detail: tracing::field::display(reason));
}

pub(crate) fn tls_authentication_timed_out() {
    emit!(HTTPS, DEBUG, 2, "Authentication of the HTTPS connection timed out.");
}

pub(crate) fn tls_established(id: &dyn std::fmt::Display, protocol: &dyn std::fmt::Display) {
    emit!(HTTPS, DEBUG, 3,
        "Connection {ConnectionId} established using the following protocol: {Protocol}";
        ConnectionId = tracing::field::display(id), Protocol = tracing::field::display(protocol));
}

/// A client of an endpoint that only speaks HTTP/2 did not offer it.
pub(crate) fn http2_not_negotiated() {
    emit!(KESTREL, ERROR, 0, "HTTP/2 over TLS was not negotiated on an HTTP/2-only endpoint.");
}

/// Somebody connects to an endpoint of the PROXY protocol who is none of its proxies.
pub(crate) fn unknown_proxy_refused(peer: &dyn std::fmt::Display, address: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(OUR_SERVER, WARN, 11,
            "A connection from {peer} to {address} was refused: only known proxies may begin with a PROXY header there. If it is one, add it to KnownProxies of the endpoint. Refused since this was told last: {more}.";
            more = more, peer = tracing::field::display(peer), address = address),
        Telling::Counted => emit!(OUR_SERVER, DEBUG, 11,
            "A connection from {peer} to {address} was refused: it is none of the known proxies.";
            peer = tracing::field::display(peer), address = address),
    }
}

/// A proxy does not begin a connection as the PROXY protocol wants it.
pub(crate) fn proxy_header_refused(
    id: &dyn std::fmt::Display,
    address: &str,
    why: &str,
    telling: Telling,
) {
    match telling {
        Telling::Now { more } => emit!(OUR_SERVER, WARN, 12,
            "Connection id \"{ConnectionId}\" to {address} was closed: {why}. Refused since this was told last: {more}.";
            more = more, ConnectionId = tracing::field::display(id), address = address, why = why),
        Telling::Counted => emit!(OUR_SERVER, DEBUG, 12,
            "Connection id \"{ConnectionId}\" to {address} was closed: {why}.";
            ConnectionId = tracing::field::display(id), address = address, why = why),
    }
}
