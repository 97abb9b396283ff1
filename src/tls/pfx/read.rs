//! Reading PKCS#12 files.

use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::mac::Envelope;

/// A private key and the certificates that belong to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The key's certificate, then its issuers as far as the file has them, in DER form. What else
    /// is in the file is left out.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The private key, in PKCS#8 DER form.
    pub(crate) key: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.certificates.len()).finish()
    }
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// Not PKCS#12 at all.
    #[error("it is not a PKCS#12 (PFX) file")]
    NotPkcs12,
    /// The file is PKCS#12, and this password does not open it.
    #[error("the password is not that of the file")]
    WrongPassword,
    /// The file is PKCS#12 of a kind that is not read.
    #[error("it is PKCS#12 of a kind that is not supported: {0}")]
    Unsupported(String),
    /// There is no certificate in it.
    #[error("it has no certificate")]
    NoCertificate,
    /// There are certificates, but no private key.
    #[error("it has no private key")]
    NoKey,
    /// There is a private key, but no certificate that belongs to it.
    #[error("its private key belongs to none of its certificates")]
    KeyOfNoCertificate,
}

/// Reads the first private key of a file for which it has the certificate.
///
/// # Errors
///
/// See [`ReadError`].
pub(crate) fn read(file: &[u8], password: &str) -> Result<Identity, ReadError> {
    let archive = open(file, password)?;
    if archive.certs.is_empty() {
        return Err(ReadError::NoCertificate);
    }
    if archive.keys.is_empty() {
        return Err(ReadError::NoKey);
    }
    archive
        .keys
        .iter()
        .find_map(|key| {
            let leaf = certificate_of(key, &archive.certs)?;
            let certificates = chain(leaf.cert.as_der(), &archive.certs);
            Some(Identity { certificates, key: key.key.as_der().to_vec() })
        })
        .ok_or(ReadError::KeyOfNoCertificate)
}

/// Reads all certificates of a file, whether there are keys or not, in the order of the file.
///
/// # Errors
///
/// See [`ReadError`].
pub(crate) fn certificates(file: &[u8], password: &str) -> Result<Vec<Vec<u8>>, ReadError> {
    let archive = open(file, password)?;
    if archive.certs.is_empty() {
        return Err(ReadError::NoCertificate);
    }
    Ok(archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect())
}

fn open(file: &[u8], password: &str) -> Result<Pkcs12Archive, ReadError> {
    let envelope = Envelope::open(file).ok_or(ReadError::NotPkcs12)?;
    let told = |error: Error| match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => ReadError::WrongPassword,
        // Nothing vouches for a file without a seal, so what a wrong password makes of it is noise.
        Error::DerError(_) | Error::InvalidPrivateKey if !envelope.is_sealed() => {
            ReadError::WrongPassword
        }
        Error::DerError(_) | Error::X509Error(_) if password.chars().all(|c| c <= '\u{ffff}') => {
            ReadError::NotPkcs12
        }
        Error::DerError(_) => {
            ReadError::Unsupported("a password with characters above U+FFFF".to_owned())
        }
        other => ReadError::Unsupported(other.to_string()),
    };
    match Pkcs12Archive::from_pkcs12(file, password) {
        // The crate knows the empty password only as an empty text.
        Err(Error::MacError(_)) if password.is_empty() && envelope.is_sealed_without_password() => {
            let file = envelope.without_seal().ok_or(ReadError::NotPkcs12)?;
            Pkcs12Archive::from_pkcs12(&file, password).map_err(told)
        }
        result => result.map_err(told),
    }
}

/// The certificate with the key's public half; for a key we cannot look into, the one that the
/// file says belongs to it.
fn certificate_of<'a>(
    key: &PrivateKeyBag,
    certificates: &'a [CertificateBag],
) -> Option<&'a CertificateBag> {
    match public_half(key.key.as_der()) {
        Some(public) => certificates.iter().find(|bag| {
            X509Certificate::from_der(bag.cert.as_der())
                .is_ok_and(|(_, certificate)| certificate.public_key().raw == public)
        }),
        None => {
            let identifier = key.local_key_id.as_ref().map(AsRef::as_ref);
            certificates
                .iter()
                .find(|bag| identifier.is_some() && bag.local_key_id.as_deref() == identifier)
        }
    }
}

/// The public half of a private key, as a certificate has it.
fn public_half(key: &[u8]) -> Option<Vec<u8>> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    Some(any_supported_type(&key).ok()?.public_key()?.as_ref().to_vec())
}

/// A certificate and its issuers, by name; a file may have them in any order.
fn chain(leaf: &[u8], certificates: &[CertificateBag]) -> Vec<Vec<u8>> {
    let mut chain = vec![leaf.to_vec()];
    let mut last = leaf;
    loop {
        let Ok((_, certificate)) = X509Certificate::from_der(last) else { return chain };
        let issuer = certificates.iter().map(|bag| bag.cert.as_der()).find(|der| {
            let subject = X509Certificate::from_der(der);
            subject.is_ok_and(|(_, c)| c.subject().as_raw() == certificate.issuer().as_raw())
                // One that issued itself ends the chain, and a circle must, too.
                && !chain.iter().any(|known| known == der)
        });
        let Some(issuer) = issuer else { return chain };
        if certificate.subject().as_raw() == certificate.issuer().as_raw() {
            return chain;
        }
        chain.push(issuer.to_vec());
        last = issuer;
    }
}

#[cfg(test)]
mod tests;
