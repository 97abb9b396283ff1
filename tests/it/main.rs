//! The library over real sockets: one file per behaviour, test names are sentences.
//!
//! Every host here is started on port 0 (or on a port that [`support::ReservedPort`] keeps free
//! for it), sees no variable and no file of this machine, and writes no log. Nothing waits for a
//! guessed time: a test waits for an event, and [`support::soon`] only turns an event that never
//! comes into a failure.

mod addresses;
mod binding_errors;
mod custom_server;
mod graceful_stop;
mod http2_frames;
mod http2_limits;
mod http2_rfc9113;
mod layers;
mod limits;
mod logging;
mod panics;
mod protocols;
mod request_facts;
mod support;
#[cfg(unix)]
mod unix_socket;
