//! What a program made with rustls itself, in the place of options.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::sign::CertifiedKey;

/// A chain with what signs for it, ready to be served.
#[derive(Clone)]
pub(super) struct ReadyKey(Arc<CertifiedKey>);

impl From<Arc<CertifiedKey>> for ReadyKey {
    fn from(certified: Arc<CertifiedKey>) -> Self {
        Self(certified)
    }
}

impl ReadyKey {
    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.0
    }
}

impl PartialEq for ReadyKey {
    /// What signs may be anything, such as a device.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A whole configuration of rustls' that a program made. Two are equal if they are one. Printed for
/// debugging, it shows nothing.
#[derive(Clone)]
pub struct ReadyConfig(Arc<ServerConfig>);

impl ReadyConfig {
    pub(super) fn config(&self) -> &ServerConfig {
        &self.0
    }
}

impl From<Arc<ServerConfig>> for ReadyConfig {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl PartialEq for ReadyConfig {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ReadyConfig {}

impl fmt::Debug for ReadyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a configuration of rustls)")
    }
}
