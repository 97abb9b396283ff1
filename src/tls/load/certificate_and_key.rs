//! `Path` with `KeyPath`: a certificate in PEM or DER form, and its private key.

use std::path::{Path, PathBuf};

use der::{AnyRef, Encode, Reader, SliceReader};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::content::{Content, is_certificate, text};
use super::key;
use super::pem::Pem;
use super::told::{Mistake, Told};
use super::{file, unfit};
use crate::tls::CertificateSource;
use crate::tls::certificate::{ServerCertificate, Unfit};

/// Makes a certificate of a chain, a key and the files that they were read from, for what it is needed for.
pub(super) type Make = fn(
    Vec<CertificateDer<'static>>,
    PrivateKeyDer<'static>,
    Vec<PathBuf>,
) -> Result<ServerCertificate, Unfit>;

/// `Path` with `KeyPath`.
pub(super) fn read(
    source: &CertificateSource,
    path: &Path,
    key_path: &Path,
    password: Option<&str>,
    make: Make,
) -> Result<ServerCertificate, Mistake> {
    let bytes = file::read(path).map_err(|told| told.of(source, "Path"))?;
    let Chain { certificates, skipped } =
        certificates(&bytes, path).map_err(|(told, setting)| told.of(source, setting))?;

    let key = key(source, key_path, password)?;
    let mut files = vec![path.to_owned()];
    if key_path != path {
        files.push(key_path.to_owned());
    }
    let mut loaded = put_together(source, (certificates, key), (path, key_path), files, make)?;
    loaded.skipped = skipped;
    Ok(loaded)
}

/// `KeyPath`.
pub(super) fn key(
    source: &CertificateSource,
    key_path: &Path,
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, Mistake> {
    let bytes = file::read(key_path).map_err(|told| told.of(source, "KeyPath"))?;
    key::read(&bytes, password).map_err(|fault| {
        let setting = fault.setting();
        fault.told(key_path).of(source, setting)
    })
}

pub(super) fn put_together(
    source: &CertificateSource,
    (certificates, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    (path, key_path): (&Path, &Path),
    files: Vec<PathBuf>,
    make: Make,
) -> Result<ServerCertificate, Mistake> {
    make(certificates, key, files).map_err(|reason| {
        let setting = match reason {
            Unfit::OtherKey { .. } | Unfit::KeyKind(_) | Unfit::BrokenKey if key_path != path => {
                "KeyPath"
            }
            _ => "Path",
        };
        let (path, key_path) = (path.display().to_string(), key_path.display().to_string());
        unfit::told(reason, &path, &key_path).of(source, setting)
    })
}

/// The certificates of a file, and what of it was skipped.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) skipped: Option<String>,
}

pub(super) fn certificates(bytes: &[u8], path: &Path) -> Result<Chain, (Told, &'static str)> {
    let content = Content::of(bytes);
    if content == Content::DerCertificate {
        return Ok(Chain { certificates: vec![bytes.to_vec().into()], skipped: None });
    }
    let text = text(bytes);
    let pem = Pem::read(&text);
    let broken = pem.broken.iter().find(|broken| is_certificate(broken.label)).map(|broken| {
        format!("the section {} on line {} {}", broken.label, broken.line, broken.fault.words())
    });
    let certificates: Vec<_> = pem
        .sections
        .into_iter()
        .filter(|section| is_certificate(section.label))
        .map(|section| match section.label {
            "TRUSTED CERTIFICATE" => first_element(&section.der).unwrap_or(section.der),
            _ => section.der,
        })
        .map(CertificateDer::from)
        .collect();
    if !certificates.is_empty() {
        return Ok(Chain { certificates, skipped: broken });
    }
    Err(no_certificate(content, broken, path))
}

/// Why a file has no certificate, and by which setting; one in it may be `broken`.
fn no_certificate(content: Content, broken: Option<String>, path: &Path) -> (Told, &'static str) {
    let shown = path.display();
    let expected = "name the PEM or DER file of the certificate";
    match (content, broken) {
        (_, Some(broken)) => (
            Told::new("ASN1 corrupted data.")
                .cause(format!("{shown} has a certificate that is not complete: {broken}."))
                .fix(
                    "copy the file anew, from the line -----BEGIN CERTIFICATE----- to the line \
                     -----END CERTIFICATE-----",
                ),
            "Path",
        ),
        (Content::Pfx, None) => (
            Told::new("The provided key file is missing or invalid.")
                .cause(format!("{shown} {}.", content.words()))
                .fix("remove KeyPath, and set Password if the file has one"),
            "KeyPath",
        ),
        (Content::DerPkcs7 | Content::Pem { pkcs7: true, .. }, None) => (
            Told::new("The provided key file is missing or invalid.")
                .cause(format!("{shown} {}.", content.words()))
                .fix(format!(
                    "convert it: openssl pkcs7 -in '{shown}' -print_certs -out certificate.pem \
                     (for DER with -inform DER)"
                )),
            "Path",
        ),
        (Content::Empty, None) => (
            Told::new("Error occurred during a cryptographic operation.")
                .cause(format!("{shown} is empty."))
                .fix(expected),
            "Path",
        ),
        (_, None) => (
            Told::new("ASN1 corrupted data.")
                .cause(format!("{shown} {}.", content.words()))
                .fix(expected),
            "Path",
        ),
    }
}

/// The first element of several in a row: behind a certificate that OpenSSL calls trusted, stands
/// what it is trusted for.
fn first_element(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    reader.decode::<AnyRef<'_>>().ok()?.to_der().ok()
}
