//! Which certificates of clients are taken.
//!
//! As on Kestrel with its defaults: those that lead to a root the system trusts, or one in the
//! user's `Root` store of .NET, are meant for clients if they say what for, and are valid now. No
//! revocation is looked up.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::load;
use super::options::{ClientCertificateMode, TlsOptions};
use super::places::Places;

/// Whom certificates of clients may come from. Empty, nobody's is taken.
#[derive(Clone, Debug)]
pub(crate) struct ClientRoots {
    store: Arc<RootCertStore>,
    /// The certificates themselves: a client may have one of them.
    certificates: Arc<[CertificateDer<'static>]>,
}

/// The same certificates, in whatever order the system has them.
impl PartialEq for ClientRoots {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |roots: &Self| {
            let mut certificates: Vec<_> = roots.certificates.to_vec();
            certificates.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
            certificates
        };
        self.certificates == other.certificates || sorted(self) == sorted(other)
    }
}

impl Default for ClientRoots {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl ClientRoots {
    /// Trusts these certificates. What is no certificate is left out: a system's folder may hold
    /// anything.
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Self { store: Arc::new(store), certificates: certificates.into() }
    }

    /// What the system trusts, and the user's store `Root` of .NET. What cannot be read is not
    /// trusted.
    pub(crate) fn of_system(places: &Places) -> Self {
        Self::new(load::trusted(places))
    }

    /// Whether endpoints with these options look at certificates of clients at all.
    pub(crate) fn are_needed(options: &TlsOptions) -> bool {
        let of_sections = options.sni.iter().filter_map(|section| section.client_certificate_mode);
        of_sections.chain([options.client_certificate_mode]).any(asks)
    }

    /// What judges the certificates of clients, or `None` if they are not asked for one.
    pub(super) fn verifier(
        &self,
        mode: ClientCertificateMode,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Arc<dyn ClientCertVerifier>> {
        if !asks(mode) {
            return None;
        }
        let webpki = WebPkiClientVerifier::builder_with_provider(
            Arc::clone(&self.store),
            Arc::clone(provider),
        );
        Some(Arc::new(Verifier {
            // It refuses to be made without a root.
            webpki: webpki.build().ok(),
            own: Arc::clone(&self.certificates),
            provider: Arc::clone(provider),
            is_mandatory: mode == ClientCertificateMode::RequireCertificate,
        }))
    }
}

/// Whether clients are asked for a certificate in the handshake. `DelayCertificate` asks later,
/// which rustls cannot.
fn asks(mode: ClientCertificateMode) -> bool {
    use ClientCertificateMode::{AllowCertificate, RequireCertificate};

    matches!(mode, AllowCertificate | RequireCertificate)
}

/// webpki, and beside it what .NET takes: a certificate that is itself one of the trusted.
struct Verifier {
    webpki: Option<Arc<dyn ClientCertVerifier>>,
    own: Arc<[CertificateDer<'static>]>,
    provider: Arc<CryptoProvider>,
    is_mandatory: bool,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("is_mandatory", &self.is_mandatory).finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    /// None: a list of all that the system trusts is long, and nobody's business.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.own.contains(end_entity) {
            return is_usable(end_entity, now).map(|()| ClientCertVerified::assertion());
        }
        match &self.webpki {
            Some(webpki) => webpki.verify_client_cert(end_entity, intermediates, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate that is trusted itself is valid now, and meant for clients.
fn is_usable(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let validity = certificate.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    match certificate.extended_key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.client_auth || usage.value.any => Ok(()),
        _ => Err(CertificateError::InvalidPurpose.into()),
    }
}
