//! What answers a request, once the connection and everything on the way are dealt with.
//!
//! An app is an `axum::Router`: a request with its facts (the `Connection` in its extensions) goes
//! in, a response comes out. The host runs the app its caller gave it; `kestrel run` without one
//! runs [`welcome_page`].
//!
//! An app takes typed options and never reads a configuration key, opens a socket or knows how it
//! is reached: limits, TLS and the stop are the server's part.

#[cfg_attr(
    not(feature = "child-process"),
    allow(dead_code, reason = "read and judged, but not gone by")
)]
pub(crate) mod child_process;
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "read and judged, but not gone by"))]
pub(crate) mod reverse_proxy;
pub(crate) mod welcome_page;
