//! Whether a certificate of a store is trusted: by the system's authorities, or by the user's own.

use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;

use super::trusted::certificates;
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
