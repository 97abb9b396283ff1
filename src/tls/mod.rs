//! Which certificate is served, and how a handshake is done.
//!
//! In goes [`TlsOptions`]: what configuration or code says of an https endpoint, as plain values.
//!
//! What it does not do: read configuration keys (`hosting/settings` does), accept connections
//! (`server` does), or decide which endpoints there are (`addresses` does).
//!
//! The rules are Kestrel's, from "Configure endpoints for the ASP.NET Core Kestrel web server" and
//! "Enforce HTTPS in ASP.NET Core"; where ours are stricter, `docs/deviations.md` says so.

mod accepted;
mod acceptor;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line writes DER"))]
pub(crate) mod asn1;
pub(crate) mod certificate;
pub(crate) mod client_certificates;
mod distinguished_name;
pub(crate) mod endpoint;
mod first_message;
mod hexadecimal;
mod in_memory;
pub(crate) mod load;
mod odd_certificates;
mod options;
pub(crate) mod pfx;
pub(crate) mod places;
mod public_key;
mod secret;
mod sni;
mod stream;
#[cfg(test)]
mod test_data;
pub(crate) mod user;

pub(crate) use acceptor::Failure;
pub(crate) use endpoint::EndpointTls;
pub use in_memory::{CertificateInMemory, ReadyConfig};
pub use options::{
    CertificateLocation, CertificateSource, ClientCertificateMode, RootsSource, SniOptions,
    SslProtocols, StoreLocation, TlsOptions,
};
pub use secret::Secret;
pub(crate) use stream::TlsStream;
