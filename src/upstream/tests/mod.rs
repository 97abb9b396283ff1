//! Over real sockets, with servers that do what a test says.

mod faults;
mod http2;
mod kit;
mod messages;
mod properties;
mod reuse;
#[cfg(feature = "tls")]
mod secured;
