//! What happens to a request on its way to the app.
//!
//! Each piece is a [tower layer](tower_layer::Layer) for an axum `Router` or a part of one; it knows
//! the facts of `features` and nothing of the server. What it does not do: answer requests, read
//! configuration.

mod forwarded_headers;
mod host_filtering;
mod hsts;
mod request_size_limit;

pub(crate) use forwarded_headers::{Believed, ForwardedHeaders, Names, Network, Proxies};
pub(crate) use host_filtering::AllowedHosts;
pub(crate) use hsts::Hsts;
pub use request_size_limit::{RequestSizeLimit, RequestSizeLimitService};
