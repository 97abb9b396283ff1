//! What happens to a connection, and where a limit is enforced.
//!
//! In goes an `EndpointPlan` and the app; [`KestrelServer`] binds the plan, accepts on every
//! socket and runs each connection through `connection`: the version of HTTP is told apart by its
//! first bytes, hyper speaks it, `request` hands each request to the app with its facts. Each
//! `endpoint` starts and stops on its own, which is what a `reload` does with some of them; its
//! stop is a phase that every connection watches, see `drain`.
//!
//! [`Server`] is the contract a server fulfils towards the host, so that another one can stand in.
//!
//! What it does not do: read configuration, decide what to bind, or answer requests.

mod accept;
mod activity;
mod clock;
mod completions;
mod connection;
mod context;
mod contract;
mod counters;
mod date;
mod drain;
mod endpoint;
mod error;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(not(feature = "tls"))]
#[path = "no_handshake.rs"]
mod handshake;
mod host_header;
mod http1;
mod http2;
mod http2_code;
mod incoming_body;
mod io;
mod kestrel_server;
mod leaving;
pub(crate) mod limit_rules;
mod limits;
mod log_scope;
mod open_requests;
mod options;
mod pace;
mod pieces;
mod promise;
mod protocol;
mod proxied;
mod proxy_protocol;
mod ready;
mod rejection;
mod reload;
mod request;
mod request_body;
mod request_log;
mod response;
mod response_body;
mod running;
mod running_server;
#[cfg(target_os = "linux")]
mod send_file;
#[cfg(not(target_os = "linux"))]
#[path = "no_send_file.rs"]
mod send_file;
mod sent_file;
mod serving;
mod slot;
mod task;
#[cfg(feature = "tls")]
mod tls_socket;
mod unsent;

#[cfg(feature = "proxy")]
pub(crate) use clock::Moment;
pub(crate) use clock::moment_after;
pub use contract::{BoxFuture, Server, ServerError, ServerReload, ServerStart};
pub use counters::Counters;
#[cfg(fuzzing)]
pub(crate) use http1::invariants;
#[cfg(feature = "proxy")]
pub(crate) use http1::{Chunks, is_token, plain_length, trimmed};
pub(crate) use kestrel_server::KestrelServer;
pub use limits::{Http2Limits, InvalidLimit, Limits};
pub use options::ServerOptions;
#[cfg(fuzzing)]
pub(crate) use proxy_protocol::check as check_proxy_header;
