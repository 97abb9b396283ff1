//! The forms in which a certificate leaves the store.

use std::io;
use std::path::{Path, PathBuf};

use der::pem::{LineEnding, encode_string};

use super::file;
use super::report::Report;
use crate::tls::Secret;
use crate::tls::pfx::{self, Iterations};

/// Why a certificate was not exported.
#[derive(Debug)]
pub(super) enum Failure {
    /// The key cannot be encrypted.
    NotEncrypted,
    /// A file cannot be written.
    NotWritten(PathBuf, io::Error),
}

/// PEM form (RFC 7468) as .NET writes it: lines of 64 columns, no line end after the last one.
pub(super) fn pem(label: &'static str, der: &[u8]) -> String {
    // It fails only for labels that no label of ours is.
    let text = encode_string(label, LineEnding::LF, der).unwrap_or_default();
    text.trim_end().to_owned()
}

/// A key in PEM form behind a password.
pub(super) fn encrypted_pem(key: &[u8], password: &Secret) -> Result<String, Failure> {
    let key = pfx::encrypted_key(key, password.reveal()).map_err(|_| Failure::NotEncrypted)?;
    Ok(pem("ENCRYPTED PRIVATE KEY", &key))
}

/// A certificate and its key behind a password. .NET's tool encrypts with 3DES, whose keys are
/// guessed sooner; what reads that reads this.
pub(super) fn pfx(chain: &[Vec<u8>], key: &[u8], password: &Secret) -> Result<Vec<u8>, Failure> {
    pfx::write(chain, Some(key), password.reveal(), Iterations::Many)
        .map_err(|_| Failure::NotEncrypted)
}

/// Writes the files of one certificate into a folder.
pub(super) fn write(
    folder: &Path,
    files: Vec<(PathBuf, Vec<u8>)>,
    report: &mut Report,
) -> Result<(), Failure> {
    file::tell_if_open(folder, report);
    for (path, bytes) in files {
        report.step(27, format!("Writing the certificate to: {}.", path.display()));
        file::write(&path, &bytes).map_err(|error| Failure::NotWritten(path, error))?;
    }
    Ok(())
}
