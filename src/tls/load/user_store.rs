//! The authorities that a user trusts: the store `Root` of .NET.

use std::fs;

use rustls::pki_types::CertificateDer;

use super::file;
use crate::tls::pfx;
use crate::tls::places::Places;

/// Reads them. What cannot be read is not trusted.
pub(super) fn certificates(places: &Places) -> Vec<CertificateDer<'static>> {
    let mut certificates = Vec::new();
    let entries = fs::read_dir(places.store("Root")).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension == "pfx")
            && let Ok(bytes) = file::read(&path)
            && let Ok(found) = pfx::certificates(&bytes, "")
        {
            certificates.extend(found.into_iter().map(CertificateDer::from));
        }
    }
    certificates
}
