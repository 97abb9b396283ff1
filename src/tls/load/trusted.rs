//! Which authorities are trusted: the system's, and the user's own.

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;

use super::user_store;
use crate::tls::places::Places;

/// Reads what OpenSSL trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR`, else the system's), and the
/// user's store `Root`, as .NET does. What cannot be read is not trusted.
pub(super) fn certificates(places: &Places) -> Vec<CertificateDer<'static>> {
    let mut certificates = Vec::new();
    if places.ssl_cert_file.is_none() && places.ssl_cert_dir.is_none() {
        certificates.extend(rustls_native_certs::load_native_certs().certs);
    }
    let mut add = |file: Option<PathBuf>, folder: Option<PathBuf>| {
        let found = rustls_native_certs::load_certs_from_paths(file.as_deref(), folder.as_deref());
        certificates.extend(found.certs);
    };
    if let Some(file) = &places.ssl_cert_file {
        add(Some(file.into()), None);
    }
    for folder in places.ssl_cert_dir.iter().flat_map(|folders| folders.split(':')) {
        if !folder.is_empty() {
            add(None, Some(folder.into()));
        }
    }
    certificates.extend(user_store::certificates(places));
    certificates
}
