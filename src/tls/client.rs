//! How connections to other servers are secured, with the certificates they are believed by.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::load;
use super::options::{CertificateSource, SslProtocols};
use super::places::Places;
use crate::configuration::Problem;

/// How connections to other servers are secured: made once for all of a cluster.
pub(crate) struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
    made_of: MadeOf,
}

/// What tells one from another: connections of the same are secured in the same way.
#[derive(PartialEq)]
struct MadeOf {
    versions: SslProtocols,
    accept_any: bool,
    /// In an order that does not depend on the files.
    trusted: Arc<[CertificateDer<'static>]>,
    /// Its key is the only one that fits.
    certificate: Option<Vec<CertificateDer<'static>>>,
}

/// Certificates of authorities, as they were read.
pub(crate) type Authorities = Vec<CertificateDer<'static>>;

/// A certificate of our own with its key, as it was read.
pub(crate) type OwnCertificate = Arc<CertifiedKey>;

/// Reads whose certificates are taken. What is wrong is told, with the key.
pub(crate) fn authorities(
    path: &Path,
    key: &str,
    files: &mut Vec<PathBuf>,
    problems: &mut Vec<Problem>,
) -> Authorities {
    const NONE: (&str, &str) = (
        "No server could be believed.",
        "put the certificates of the servers' authorities there, in PEM form",
    );
    let read = load::roots::read(&[path.into()], key, NONE);
    files.extend(read.files);
    problems.extend(read.problems);
    read.certificates
}

/// Reads the certificate that servers are shown. What is wrong is told.
pub(crate) fn own_certificate(
    source: &CertificateSource,
    places: &Places,
    problems: &mut Vec<Problem>,
) -> Option<OwnCertificate> {
    let read = load::load_for_client(source, places, SystemTime::now());
    read.map(|read| read.certified).map_err(|problem| problems.push(problem)).ok()
}

/// What is said of them, with what was read from files.
#[derive(Debug)]
pub(crate) struct ClientMaterial<'a> {
    /// The versions of TLS.
    pub(crate) versions: SslProtocols,
    /// Whether every certificate is taken, whoever made it and for whatever name: nothing is known of who
    /// answers then. Whoever asks for it is warned.
    pub(crate) accept_any: bool,
    /// Whose certificates are taken, in the place of what the machine trusts.
    pub(crate) roots: Option<Authorities>,
    /// Where what the machine trusts is.
    pub(crate) places: &'a Places,
    /// Our own certificate, for servers that ask for one.
    pub(crate) certificate: Option<OwnCertificate>,
}

impl ClientTls {
    /// What stands in the way of TLS in this build.
    pub(crate) const MISSING: &'static str = "the connections of the cluster are not secured";

    /// Prepares the connections. What the machine trusts is read from its files if it is needed.
    ///
    /// # Errors
    ///
    /// No version of TLS is left, or the cryptography of this machine does not work.
    pub(crate) fn new(material: ClientMaterial<'_>) -> Result<Self, Problem> {
        let failed = |error: Error| {
            Problem::error(format!("TLS cannot be spoken on this machine: {error}."))
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let SslProtocols { tls12, tls13 } = material.versions;
        let versions = match (tls12, tls13) {
            (true, true) => &[&TLS13, &TLS12][..],
            (true, false) => &[&TLS12],
            (false, true) => &[&TLS13],
            (false, false) => {
                return Err(Problem::error("No version of TLS is left to be spoken."));
            }
        };
        let mut own = match (material.accept_any, material.roots) {
            (true, _) => Vec::new(),
            (false, Some(roots)) => roots,
            (false, None) => load::trusted(material.places),
        };
        own.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
        let made_of = MadeOf {
            versions: material.versions,
            accept_any: material.accept_any,
            trusted: own.into(),
            certificate: material.certificate.as_ref().map(|own| own.cert.clone()),
        };
        let verifier = Verifier::new(Arc::clone(&made_of.trusted), material.accept_any, &provider);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match material.certificate {
            Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
            None => builder.with_no_client_auth(),
        };
        Ok(Self { config: Arc::new(config), made_of })
    }

    /// Whether both believe the same servers.
    pub(crate) fn believes_like(&self, other: &Self) -> bool {
        let (one, other) = (&self.made_of, &other.made_of);
        one.accept_any == other.accept_any && one.trusted == other.trusted
    }

    /// Whether both show servers the same certificate, or none.
    pub(crate) fn shows_like(&self, other: &Self) -> bool {
        self.made_of.certificate == other.made_of.certificate
    }
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        self.made_of == other.made_of
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}

/// webpki, and beside it what .NET takes: a certificate that is itself one of the trusted, as that of a
/// development machine is.
struct Verifier {
    /// It refuses to be made without a root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    own: Arc<[CertificateDer<'static>]>,
    accept_any: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        own: Arc<[CertificateDer<'static>]>,
        accept_any: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(own.iter().cloned());
        let webpki =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        Self { webpki: webpki.build().ok(), own, accept_any, provider: Arc::clone(provider) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("accept_any", &self.accept_any).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.accept_any {
            return Ok(ServerCertVerified::assertion());
        }
        if self.own.contains(end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return is_usable(end_entity, now).map(|()| ServerCertVerified::assertion());
        }
        match &self.webpki {
            Some(webpki) => webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
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

/// Whether a certificate that is trusted itself is valid now, and meant for servers.
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
        Ok(Some(usage)) if usage.value.server_auth || usage.value.any => Ok(()),
        _ => Err(CertificateError::InvalidPurpose.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::CertificateLocation;
    use crate::tls::test_data::file;

    #[test]
    fn files_are_read_and_what_is_wrong_is_told() {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        let found = authorities(&file("ca.pem"), "K", &mut files, &mut problems);
        assert_eq!((found.len(), files.len(), problems.len()), (1, 1, 0));
        for name in ["no-such.pem", "server.key"] {
            let mut problems = Vec::new();
            assert!(authorities(&file(name), "K", &mut files, &mut problems).is_empty());
            assert_eq!(problems[0].key.as_deref(), Some("K"), "{name}");
        }
        // One for clients only, one for servers, one for anything; and a key of another one.
        for (path, key, is_read) in [
            ("client.pem", "client.key", true),
            ("server.pem", "server.key", true),
            ("own.pem", "own.key", true),
            ("client.pem", "server.key", false),
        ] {
            let location = CertificateLocation::File {
                path: file(path),
                key_path: Some(file(key)),
                password: None,
            };
            let source = CertificateSource::new("c1", "K", location);
            let mut problems = Vec::new();
            let read = own_certificate(&source, &Places::default(), &mut problems);
            assert_eq!((read.is_some(), problems.is_empty()), (is_read, is_read), "{path} {key}");
        }
    }
}
