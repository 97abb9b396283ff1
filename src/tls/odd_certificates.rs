//! Certificates of clients that webpki does not take, whoever issued them: those of X.509 version 1,
//! which `openssl x509 -req` makes where nobody names extensions, and those of authorities
//! (`CA:TRUE`), which `openssl req -x509` makes. .NET takes both.
//!
//! They are taken here if one of the trusted roots itself signed them: then there is no path to be
//! built, and what a path asks of its links (lengths, names, uses) is nobody's question. Behind an
//! authority in between, and under a root that may not vouch for every name, they are refused.

use std::fmt;

use der::{AnyRef, Decode, Encode};
use rustls::DigitallySignedStruct;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, Error};
use x509_parser::oid_registry::{
    OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_NAME_CONSTRAINTS, OID_X509_EXT_SUBJECT_ALT_NAME,
};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

/// What webpki does not take about a client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// It is of X.509 version 1 or 2, and so has no extensions.
    OldVersion,
    /// It is an authority's.
    Authority,
}

/// A refused certificate that is odd.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Oddity);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0 {
            Oddity::OldVersion => "it is of X.509 version 1",
            Oddity::Authority => "it is an authority's (CA:TRUE)",
        };
        write!(f, "{what}, and no root that is trusted here issued it itself")
    }
}

impl std::error::Error for Refused {}

impl Oddity {
    /// What is odd about a certificate, if anything is.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        if certificate.version() != X509Version::V3 {
            return Some(Self::OldVersion);
        }
        certificate.is_ca().then_some(Self::Authority)
    }
}

/// Whether one of `roots` signed this certificate itself, and nothing in it is meant for somebody who
/// knows more than we do. Dates and uses are for the caller to look at.
pub(super) fn is_issued_by_one_of(
    roots: &[CertificateDer<'static>],
    certificate: &CertificateDer<'_>,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Some(signed) = Signed::read(certificate) else {
        return false;
    };
    // Both places have to name the algorithm, and alike (RFC 5280 section 4.1.1.2).
    let is_plain = parsed.signature_algorithm == parsed.tbs_certificate.signature
        && has_no_secrets(&parsed)
        && parsed.key_usage().is_ok_and(|usage| {
            usage.is_none_or(|usage| usage.value.digital_signature() || usage.value.key_agreement())
        });
    is_plain
        && roots.iter().any(|root| {
            X509Certificate::from_der(root).is_ok_and(|(_, root)| {
                root.subject().as_raw() == parsed.issuer().as_raw()
                    && may_issue(&root)
                    && signed.is_signed_by(root.public_key().raw, algorithms)
            })
        })
}

/// Whether it has no extension that has to be understood and is not (RFC 5280 section 4.2).
fn has_no_secrets(certificate: &X509Certificate<'_>) -> bool {
    let known = [
        OID_X509_EXT_BASIC_CONSTRAINTS,
        OID_X509_EXT_KEY_USAGE,
        OID_X509_EXT_EXTENDED_KEY_USAGE,
        OID_X509_EXT_SUBJECT_ALT_NAME,
    ];
    certificate.extensions().iter().all(|found| !found.critical || known.contains(&found.oid))
}

/// Whether a trusted certificate is an authority's that may vouch for any name. One of version 1
/// cannot say so: it is if it signed itself.
fn may_issue(root: &X509Certificate<'_>) -> bool {
    let limits_names =
        root.extensions().iter().any(|found| found.oid == OID_X509_EXT_NAME_CONSTRAINTS);
    let signs =
        root.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    let is_authority = match root.version() {
        X509Version::V3 => root.is_ca(),
        _ => root.subject().as_raw() == root.issuer().as_raw(),
    };
    is_authority && signs && !limits_names
}

/// The parts of a certificate that a signature is about (RFC 5280 section 4.1).
struct Signed {
    content: Vec<u8>,
    /// The algorithm, without its tag and length.
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    fn read(certificate: &[u8]) -> Option<Self> {
        let parts = <Vec<AnyRef<'_>>>::from_der(certificate).ok()?;
        let [content, algorithm, signature] = parts[..] else {
            return None;
        };
        Some(Self {
            content: content.to_der().ok()?,
            algorithm: algorithm.value().to_vec(),
            signature: whole_bytes(signature)?,
        })
    }

    /// Whether the key, as a certificate holds it, made the signature.
    fn is_signed_by(&self, key: &[u8], known: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        let Some((kind, key)) = parts_of_key(key) else {
            return false;
        };
        known.iter().any(|algorithm| {
            algorithm.signature_alg_id().as_ref() == self.algorithm
                && algorithm.public_key_alg_id().as_ref() == kind
                && algorithm.verify_signature(&key, &self.content, &self.signature).is_ok()
        })
    }
}

/// The algorithm of a public key, without its tag and length, and the key itself.
fn parts_of_key(key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts = <Vec<AnyRef<'_>>>::from_der(key).ok()?;
    let [algorithm, bits] = parts[..] else {
        return None;
    };
    Some((algorithm.value().to_vec(), whole_bytes(bits)?))
}

/// What a BIT STRING holds that has no unused bits.
fn whole_bytes(bits: AnyRef<'_>) -> Option<Vec<u8>> {
    match bits.value().split_first() {
        Some((0, bytes)) => Some(bytes.to_vec()),
        _ => None,
    }
}

/// Whether the owner of a certificate of an old version signed a handshake of TLS 1.2. rustls reads
/// certificates of version 3 only.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let public = public_key(certificate)?;
    let (kind, key) = parts_of_key(&public).ok_or(CertificateError::BadEncoding)?;
    let schemes = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
    let fitting = schemes.into_iter().flat_map(|(_, known)| known.iter());
    let is_valid = fitting
        .filter(|known| known.public_key_alg_id().as_ref() == kind)
        .any(|known| known.verify_signature(&key, message, signed.signature()).is_ok());
    match is_valid {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(CertificateError::BadSignature.into()),
    }
}

/// The same for TLS 1.3.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = SubjectPublicKeyInfoDer::from(public_key(certificate)?);
    rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    Ok(parsed.public_key().raw.to_vec())
}
