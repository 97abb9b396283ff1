//! A certificate that can be served.

use std::sync::Arc;

use rustls::sign::CertifiedKey;

/// A certificate with its chain and its private key.
#[derive(Clone, Debug)]
pub(crate) struct ServerCertificate {
    /// The chain, the certificate itself first, and the key.
    pub(crate) certified: Arc<CertifiedKey>,
}
