//! Handshakes.

use super::categories::{HTTPS, KESTREL};

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
