//! Facts about a request besides its head and body.
//!
//! The server attaches one [`Connection`] to every request; an app reads it as an extractor or
//! from the request's extensions. [`RequestTarget`] tells what a request asks for,
//! [`RequestBodyLimits`] how large and how slow its body may be, [`Unhandled`], [`Abort`] and
//! [`ResetStream`] end it. [`TlsHandshake`] tells how its connection is secured, [`ServerAddresses`]
//! which addresses the server really bound, [`Lifetime`] whether it is about to stop. This folder imports nothing of ours, so that an app, a
//! middleware and the server can all speak of the same facts without knowing each other.

mod as_it_is;
mod body_limits;
mod completion;
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "a handshake uses the rest"))]
mod connection;
mod data_rate;
mod effective_request;
mod http_protocols;
mod https_compression;
mod ip_network;
mod late_facts;
mod lifetime;
mod outcome;
mod path;
mod reexecution;
mod request_target;
mod route_policies;
mod secret_query;
mod server_addresses;
mod stand_in;
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "a handshake uses the rest"))]
mod tls_handshake;

pub(crate) use as_it_is::AsItIs;
pub use body_limits::{BodyLimitReadOnly, RequestBodyLimits};
pub use completion::{Completed, Completion};
pub(crate) use completion::{CompletionSource, SentHead, Watch};
pub use connection::{Connection, ConnectionId, Local, Remote, Scheme};
pub use data_rate::{MinDataRate, MinDataRateError};
pub use effective_request::EffectiveRequest;
pub(crate) use effective_request::{Overlay, without_port};
pub use http_protocols::HttpProtocols;
pub(crate) use https_compression::HttpsCompression;
pub(crate) use ip_network::Proxies;
pub use ip_network::{IpNetwork, IpNetworkError};
pub(crate) use late_facts::LateFacts;
pub(crate) use lifetime::Living;
pub use lifetime::{Lifetime, UntilStopping};
pub use outcome::{Abort, BadRequest, ResetStream, Unhandled};
pub(crate) use outcome::{CutOff, HeadersOfFailure, Outcome};
pub(crate) use path::{decoded_path, escaped_path, path_of_escapes};
pub use reexecution::Reexecution;
pub use request_target::RequestTarget;
pub(crate) use request_target::{RawTarget, change_target};
pub(crate) use route_policies::{RoutePolicies, RoutePolicy};
pub(crate) use secret_query::without_secrets;
pub use server_addresses::ServerAddresses;
pub(crate) use stand_in::StandIn;
#[cfg(feature = "tls")]
pub(crate) use tls_handshake::Session;
pub use tls_handshake::{TlsHandshake, TlsProtocol};
