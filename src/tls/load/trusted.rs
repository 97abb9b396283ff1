//! Whether a certificate of a store is trusted: by the system's authorities, or by the user's own.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;

use super::file;
use crate::tls::pfx;
use crate::tls::places::Places;

/// The certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    anchors: RootCertStore,
}

impl Roots {
    /// See [`certificates`].
    pub(super) fn read(places: &Places) -> Self {
        let certificates = certificates(places);
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(certificates.iter().cloned());
        Self { certificates, anchors }
    }

    /// Whether the first certificate of a chain is trusted itself, or by its issuers.
    pub(super) fn vouch_for(&self, chain: &[CertificateDer<'static>], now: SystemTime) -> bool {
        let Some((leaf, issuers)) = chain.split_first() else {
            return false;
        };
        // A certificate that is trusted itself needs no issuer, whatever its extensions say.
        if self.certificates.contains(leaf) {
            return true;
        }
        let (Ok(parsed), Ok(now)) =
            (ParsedCertificate::try_from(leaf), now.duration_since(SystemTime::UNIX_EPOCH))
        else {
            return false;
        };
        let algorithms = default_provider().signature_verification_algorithms.all;
        let now = UnixTime::since_unix_epoch(now);
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.anchors, issuers, now, algorithms)
            .is_ok()
    }
}

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
