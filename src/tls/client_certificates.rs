//! Which certificates of clients are taken.
//!
//! As on Kestrel with its defaults: those that lead to a root the system trusts, or one in the
//! user's `Root` store of .NET, are meant for clients if they say what for, and are valid now. No
//! revocation is looked up. `ClientCertificateRoots` names others in the place of those roots.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificate::timestamp;
use super::load;
use super::odd_certificates::{self, Oddity, Refused};
use super::options::{ClientCertificateMode, TlsOptions};
use super::{distinguished_name, places::Places};
use crate::diagnostics::events;

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

    /// Whether both are the same value, not only the same certificates.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store)
    }

    /// An authority among them whose certificates anybody can have, if there is one: then to have a
    /// certificate says nothing of who a client is.
    pub(crate) fn public_authority(&self) -> Option<&'static str> {
        let names = |certificate: &CertificateDer<'_>| -> Vec<String> {
            let parsed = X509Certificate::from_der(certificate);
            let subject = parsed.as_ref().map(|(_, certificate)| certificate.subject());
            let names = subject.into_iter().flat_map(|subject| subject.iter_common_name());
            names.filter_map(|name| name.as_str().ok()).map(str::to_owned).collect()
        };
        let is_public = |name: &String| PUBLIC.iter().find(|public| *public == name).copied();
        self.certificates.iter().flat_map(names).find_map(|name| is_public(&name))
    }

    /// Whether endpoints with these options look at certificates of clients at all.
    pub(crate) fn are_needed(options: &TlsOptions) -> bool {
        let of_sections = options.sni.iter().filter_map(|section| section.client_certificate_mode);
        of_sections.chain([options.client_certificate_mode]).any(asks)
    }

    /// What judges the certificates of clients of the endpoint that is called `of`, or `None` if they are not asked for one.
    pub(super) fn verifier(
        &self,
        mode: ClientCertificateMode,
        provider: &Arc<CryptoProvider>,
        of: &str,
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
            of: of.to_owned(),
            told: Mutex::default(),
        }))
    }
}

/// Names of roots whose authorities are public, and that every collection of roots has.
const PUBLIC: [&str; 6] = [
    "ISRG Root X1",
    "DigiCert Global Root G2",
    "GTS Root R1",
    "GlobalSign",
    "Amazon Root CA 1",
    "USERTrust RSA Certification Authority",
];

/// Of so many refused certificates is told: who makes up new ones must not fill the log.
const MOST_TOLD: usize = 100;

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
    /// The endpoint's name.
    of: String,
    /// The refused certificates that were told of.
    told: Mutex<HashSet<Vec<u8>>>,
}

impl Verifier {
    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.own.contains(end_entity) {
            return is_usable(end_entity, now).map(|()| ClientCertVerified::assertion());
        }
        if let Some(oddity) = Oddity::of(end_entity) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            if !odd_certificates::is_issued_by_one_of(&self.own, end_entity, algorithms) {
                return Err(CertificateError::Other(OtherError(Arc::new(Refused(oddity)))).into());
            }
            return is_usable(end_entity, now).map(|()| ClientCertVerified::assertion());
        }
        match &self.webpki {
            Some(webpki) => webpki.verify_client_cert(end_entity, intermediates, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    /// Tells why a certificate is refused, once.
    fn tell(&self, certificate: &CertificateDer<'_>, error: &Error) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < MOST_TOLD && told.insert(digest(certificate)) {
            drop(told);
            let subject = subject(certificate);
            let (why, fix) = words(certificate, error);
            events::client_certificate_refused(&self.of, &subject, &why, &format!("fix: {fix}"));
        }
    }
}

fn digest(certificate: &CertificateDer<'_>) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate).as_ref().to_vec()
}

fn subject(certificate: &CertificateDer<'_>) -> String {
    match X509Certificate::from_der(certificate) {
        Ok((_, certificate)) => distinguished_name::text(certificate.subject()),
        Err(_) => "unreadable".to_owned(),
    }
}

/// How to make a certificate that every verifier takes.
const MAKE: &str = "make a certificate for a client: printf \
    'basicConstraints=CA:FALSE\\nextendedKeyUsage=clientAuth\\n' > client.ext; openssl x509 -req -in \
    client.csr -CA ca.pem -CAkey ca.key -days 365 -extfile client.ext -out client.pem";

/// Why a certificate is refused, and how to put it right.
fn words(certificate: &CertificateDer<'_>, error: &Error) -> (String, String) {
    let parsed = X509Certificate::from_der(certificate);
    let date = |of: fn(&X509Certificate<'_>) -> i64| {
        let seconds = parsed.as_ref().ok().and_then(|(_, it)| u64::try_from(of(it)).ok());
        let time = std::time::Duration::from_secs(seconds.unwrap_or_default());
        timestamp(std::time::SystemTime::UNIX_EPOCH + time)
    };
    let Error::InvalidCertificate(error) = error else {
        return (error.to_string(), MAKE.to_owned());
    };
    match error {
        CertificateError::Other(error) => (error.to_string(), MAKE.to_owned()),
        CertificateError::UnknownIssuer => (
            "it does not lead to a root that is trusted here".to_owned(),
            "name the root of its authority in ClientCertificateRoots, and let the client send the authorities in between".to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("it, or one that it leads to, has expired (it ends on {})", date(|it| it.validity().not_after.timestamp())),
            "renew it".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("it is not valid before {}", date(|it| it.validity().not_before.timestamp())),
            "wait until then; is the clock right?".to_owned(),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("it is not meant for clients (extendedKeyUsage)".to_owned(), MAKE.to_owned())
        }
        other => (other.to_string(), MAKE.to_owned()),
    }
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
        let verdict = self.judge(end_entity, intermediates, now);
        verdict.inspect_err(|error| self.tell(end_entity, error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        if Oddity::of(certificate) == Some(Oddity::OldVersion) {
            return odd_certificates::verify_tls12(message, certificate, signed, algorithms);
        }
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        if Oddity::of(certificate) == Some(Oddity::OldVersion) {
            return odd_certificates::verify_tls13(message, certificate, signed, algorithms);
        }
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

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;
    use crate::tls::test_data::certificate;

    const SECONDS_A_YEAR: u64 = 31_557_600;

    /// What is said of a chain in the middle of a year by a server that trusts these.
    fn verdict(trusted: &[&str], chain: &[&str], year: u64) -> Result<(), Error> {
        let roots = ClientRoots::new(trusted.iter().map(|name| certificate(name)).collect());
        let mode = ClientCertificateMode::RequireCertificate;
        let verifier = roots.verifier(mode, &Arc::new(default_provider()), "A").unwrap();
        let chain: Vec<_> = chain.iter().map(|name| certificate(name)).collect();
        let seconds = (year - 1970) * SECONDS_A_YEAR + SECONDS_A_YEAR / 2;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier.verify_client_cert(&chain[0], &chain[1..], now).map(drop)
    }

    /// All of these certificates are valid from 2020 to 2119.
    #[test]
    fn a_certificate_is_judged_the_same_whoever_vouches_for_it() {
        use CertificateError::{Expired, InvalidPurpose, NotValidYet, UnknownIssuer};

        for (trusted, chain, year, expected) in [
            (&["own"][..], &["own"][..], 2026, None),
            (&["own"], &["own"], 2019, Some(NotValidYet)),
            (&["own"], &["own"], 2120, Some(Expired)),
            // Trusted itself, but meant for other things.
            (&["server"], &["server"], 2026, Some(InvalidPurpose)),
            (&["other-use"], &["other-use"], 2026, Some(InvalidPurpose)),
            (&["client"], &["client"], 2026, None),
            (&["client"], &["client"], 2120, Some(Expired)),
            (&["ca"], &["client"], 2026, None),
            (&["ca"], &["stranger"], 2026, Some(UnknownIssuer)),
            (&["own"], &["stranger", "own"], 2026, Some(UnknownIssuer)),
            (&["ca", "own"], &["stranger", "ca", "own"], 2026, Some(UnknownIssuer)),
            (&[], &["client"], 2026, Some(UnknownIssuer)),
        ] {
            let found = verdict(trusted, chain, year);
            let expected = expected.map_or(Ok(()), |error| Err(Error::from(error)));
            assert_eq!(found, expected, "{chain:?} by {trusted:?} in {year}");
        }
        // What webpki takes from nobody, if a root signed it itself.
        for (trusted, chain, year, expected) in [
            (&["members-ca"][..], &["old"][..], 2026, None),
            (&["members-ca"], &["old"], 2019, Some(NotValidYet)),
            (&["members-ca"], &["old"], 2120, Some(Expired)),
            (&["members-ca"], &["old-expired"], 2026, Some(Expired)),
            (&["members-ca"], &["authority"], 2026, None),
            (&["members-ca"], &["authority"], 2120, Some(Expired)),
            (&["members-ca"], &["authority-server"], 2026, Some(InvalidPurpose)),
            (&["old-own"], &["old-own"], 2026, None),
        ] {
            let found = verdict(trusted, chain, year);
            let expected = expected.map_or(Ok(()), |error| Err(Error::from(error)));
            assert_eq!(found, expected, "{chain:?} by {trusted:?} in {year}");
        }
        for (trusted, chain) in [
            (&["ca"][..], &["old"][..]),
            (&["ca"], &["authority"]),
            (&["members-ca"], &["old-forged"]),
            (&["members-ca"], &["old-deep"]),
            (&["members-ca"], &["old-deep", "members-ca"]),
            (&["members-ca"], &["authority-odd"]),
            (&["members-ca"], &["old-own"]),
            (&["narrow-ca"], &["old-narrow"]),
            (&["no-ca"], &["old-by-no-ca"]),
            (&[], &["old"]),
        ] {
            let refused = verdict(trusted, chain, 2026).unwrap_err();
            let Error::InvalidCertificate(CertificateError::Other(why)) = refused else {
                panic!("{chain:?} by {trusted:?}: {refused:?}");
            };
            assert!(why.to_string().contains("no root that is trusted here issued it itself"));
        }
        for (year, is_taken) in [(2019, false), (2026, true), (2120, false)] {
            assert_eq!(verdict(&["ca"], &["client"], year).is_ok(), is_taken, "{year}");
        }
        assert!(verdict(&["ca"], &["other-use"], 2026).is_err());
    }
}
