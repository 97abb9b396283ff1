//! Which certificate is served, and how a handshake is done.
//!
//! In goes [`TlsOptions`]: what configuration or code says of an https endpoint, as plain values.
//!
//! What it does not do: read configuration keys (`hosting/settings` does), accept connections
//! (`server` does), or decide which endpoints there are (`addresses` does).
//!
//! Without the feature `tls` there is what settings and code say of https, and nothing that does it: the start
//! of a host with an https endpoint is refused, which names the feature.
//!
//! The rules are Kestrel's, from "Configure endpoints for the ASP.NET Core Kestrel web server" and
//! "Enforce HTTPS in ASP.NET Core"; where ours are stricter, `docs/deviations.md` says so.

#[cfg(feature = "tls")]
mod accepted;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "pkcs12")]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line writes DER"))]
pub(crate) mod asn1;
#[cfg(feature = "tls")]
#[cfg_attr(
    not(feature = "dev-certs"),
    allow(dead_code, unused_imports, reason = "the development certificate takes the rest")
)]
pub(crate) mod certificate;
#[cfg(all(feature = "proxy", feature = "tls"))]
pub(crate) mod client;
#[cfg(all(feature = "proxy", not(feature = "tls")))]
#[path = "no_client.rs"]
pub(crate) mod client;
#[cfg(feature = "tls")]
pub(crate) mod client_certificates;
#[cfg(all(feature = "proxy", feature = "tls"))]
mod connector;
#[cfg(all(feature = "proxy", not(feature = "tls")))]
#[path = "no_connector.rs"]
mod connector;
#[cfg(feature = "tls")]
mod distinguished_name;
#[cfg(feature = "tls")]
pub(crate) mod endpoint;
#[cfg(not(feature = "tls"))]
#[path = "no_endpoint.rs"]
pub(crate) mod endpoint;
#[cfg(feature = "tls")]
mod first_message;
#[cfg(feature = "tls")]
mod hexadecimal;
#[cfg_attr(
    not(feature = "tls"),
    allow(dead_code, reason = "only what serves certificates reads it")
)]
mod in_memory;
#[cfg(feature = "tls")]
pub(crate) mod load;
#[cfg(feature = "tls")]
mod odd_certificates;
#[cfg(feature = "tls")]
mod of_rustls;
mod options;
#[cfg(feature = "pkcs12")]
pub(crate) mod pfx;
#[cfg_attr(
    not(feature = "dev-certs"),
    allow(dead_code, reason = "the development certificate takes the rest")
)]
pub(crate) mod places;
#[cfg(feature = "tls")]
mod public_key;
#[cfg(feature = "tls")]
mod ready;
#[cfg(not(feature = "tls"))]
#[path = "no_ready.rs"]
mod ready;
#[cfg_attr(
    not(feature = "tls"),
    allow(dead_code, reason = "only what serves certificates reads it")
)]
mod secret;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod sni;
#[cfg(feature = "tls")]
mod stream;
#[cfg(all(test, feature = "tls"))]
pub(crate) mod test_data;
#[cfg(all(test, feature = "proxy", feature = "tls"))]
pub(crate) mod test_sides;
pub(crate) mod user;

#[cfg(feature = "tls")]
pub(crate) use acceptor::Failure;
#[cfg(feature = "proxy")]
pub(crate) use client::{ClientMaterial, ClientTls};
#[cfg(feature = "proxy")]
pub(crate) use connector::{Alpn, ClientStream, NoHandshake};
pub(crate) use endpoint::EndpointTls;
pub use in_memory::CertificateInMemory;
pub use options::{
    CertificateLocation, CertificateSource, ClientCertificateMode, RootsSource, SniOptions,
    SslProtocols, StoreLocation, TlsOptions,
};
pub use ready::ReadyConfig;
pub use secret::Secret;
#[cfg(feature = "tls")]
pub(crate) use stream::TlsStream;
