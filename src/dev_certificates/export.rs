//! The forms in which a certificate leaves the store.

use der::pem::{LineEnding, encode_string};

use crate::tls::Secret;
use crate::tls::pfx::{self, Iterations};

/// The key cannot be encrypted.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot be encrypted")]
pub(super) struct NotEncrypted;

/// PEM form (RFC 7468) as .NET writes it: lines of 64 columns, no line end after the last one.
pub(super) fn pem(label: &'static str, der: &[u8]) -> String {
    // It fails only for labels that no label of ours is.
    let text = encode_string(label, LineEnding::LF, der).unwrap_or_default();
    text.trim_end().to_owned()
}

/// A key in PEM form behind a password.
pub(super) fn encrypted_pem(key: &[u8], password: &Secret) -> Result<String, NotEncrypted> {
    let key = pfx::encrypted_key(key, password.reveal()).map_err(|_| NotEncrypted)?;
    Ok(pem("ENCRYPTED PRIVATE KEY", &key))
}

/// A certificate and its key behind a password. .NET's tool encrypts with 3DES, whose keys are
/// guessed sooner; what reads that reads this.
pub(super) fn pfx(
    chain: &[Vec<u8>],
    key: &[u8],
    password: &Secret,
) -> Result<Vec<u8>, NotEncrypted> {
    pfx::write(chain, Some(key), password.reveal(), Iterations::Many).map_err(|_| NotEncrypted)
}
