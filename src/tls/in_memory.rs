//! Certificates and keys that a program hands over, in the place of files.

use std::fmt;
use std::sync::Arc;

use super::ready::ReadyKey;
use super::secret::Secret;

/// A certificate and its private key that a program has in memory. Printed for debugging, it shows
/// neither.
#[derive(Clone)]
pub struct CertificateInMemory(pub(super) Held);

/// In which form it has them.
#[derive(Clone)]
pub(super) enum Held {
    /// Both in PEM form.
    Pem { certificate: Arc<[u8]>, key: SecretBytes, password: Option<Secret> },
    /// Both in DER form, the chain in its order.
    Der { chain: Arc<[Vec<u8>]>, key: SecretBytes },
    /// As a PKCS#12 file has them.
    Pfx { bytes: SecretBytes, password: Secret },
    /// Ready to sign.
    Ready(ReadyKey),
}

impl From<ReadyKey> for Held {
    fn from(ready: ReadyKey) -> Self {
        Self::Ready(ready)
    }
}

/// Bytes that are shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SecretBytes(Arc<[u8]>);

impl SecretBytes {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    pub(super) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Pem { certificate, key, password },
                Self::Pem { certificate: other, key: other_key, password: other_password },
            ) => certificate == other && key == other_key && password == other_password,
            (Self::Der { chain, key }, Self::Der { chain: other, key: other_key }) => {
                chain == other && key == other_key
            }
            (
                Self::Pfx { bytes, password },
                Self::Pfx { bytes: other, password: other_password },
            ) => bytes == other && password == other_password,
            (Self::Ready(ready), Self::Ready(other)) => ready == other,
            _ => false,
        }
    }
}

impl PartialEq for CertificateInMemory {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for CertificateInMemory {}

impl fmt::Debug for CertificateInMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(in memory)")
    }
}

impl fmt::Display for CertificateInMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Held::Pem { .. } => "PEM in memory",
            Held::Der { .. } => "DER in memory",
            Held::Pfx { .. } => "PKCS#12 in memory",
            Held::Ready(_) => "a CertifiedKey in memory",
        })
    }
}
