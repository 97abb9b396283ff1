//! Facts about a request besides its head and body.
//!
//! The server attaches one [`Connection`] to every request; an app reads it as an extractor or
//! from the request's extensions. [`ServerAddresses`] tells which addresses the server really
//! bound. This folder imports nothing of ours, so that an app, a middleware and the server can
//! all speak of the same facts without knowing each other.

mod connection;
mod path;
mod server_addresses;

pub use connection::{Connection, ConnectionId, Local, Remote, Scheme};
pub(crate) use path::decoded_path;
pub use server_addresses::ServerAddresses;
