//! What code says with the types of rustls, in the place of options.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::sign::CertifiedKey;

use super::options::{CertificateSource, TlsOptions};
use super::ready::ReadyKey;

impl CertificateSource {
    /// A chain with what signs for it, as rustls has them: the key may be in a device, and never be
    /// seen.
    ///
    /// Takes the feature `tls`.
    pub fn certified_key(certified: Arc<CertifiedKey>) -> Self {
        Self::in_memory(ReadyKey::from(certified).into())
    }
}

impl TlsOptions {
    /// All of TLS as a configuration of rustls' says it, which may choose certificates and judge clients
    /// in ways of its own. It stands in the place of all other options.
    ///
    /// Two things of it are set by the endpoint: the protocols that can be agreed on (ALPN) follow from
    /// the endpoint's versions of HTTP, and data that comes before the end of the handshake (0-RTT),
    /// which can be sent a second time by somebody else, is not taken. All else is as it was made: what
    /// this host does for other endpoints, such as keys for session tickets of its own and one ticket
    /// for each connection, is for the program to do, and a reload changes nothing of it.
    ///
    /// Takes the feature `tls`.
    #[must_use]
    pub fn with_config(config: Arc<ServerConfig>) -> Self {
        Self { server_config: Some(config.into()), ..Self::default() }
    }
}
