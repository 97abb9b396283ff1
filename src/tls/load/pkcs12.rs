//! `Path` alone: a PKCS#12 file.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::certificate_and_key::{Make, put_together};
use super::content::Content;
use super::file;
use super::not_pkcs12::{NO_KEY_WITH_IT, not_pkcs12};
use super::told::{Mistake, Told};
use crate::tls::CertificateSource;
use crate::tls::certificate::ServerCertificate;
use crate::tls::pfx;

/// What code is told to give in the place of one that cannot be read.
pub(super) const FIX_IN_MEMORY: &str = "give the content of a PKCS#12 file that has the certificate and its private key, and its password";

/// Reads the certificate of a PKCS#12 file.
pub(super) fn read(
    source: &CertificateSource,
    path: &Path,
    password: Option<&str>,
    make: Make,
) -> Result<ServerCertificate, Mistake> {
    let bytes = file::read(path).map_err(|told| told.of(source, "Path"))?;
    let mut read = of_bytes(source, &bytes, path, password, make)?;
    read.files = vec![path.to_owned()];
    Ok(read)
}

/// The same of the content of such a file, which messages call `path`.
pub(super) fn of_bytes(
    source: &CertificateSource,
    bytes: &[u8],
    path: &Path,
    password: Option<&str>,
    make: Make,
) -> Result<ServerCertificate, Mistake> {
    let identity = pfx::read(bytes, password.unwrap_or_default()).map_err(|error| {
        let (told, setting) = self::told(&error, bytes, path, password);
        told.of(source, setting)
    })?;
    let certificates = identity.certificates.into_iter().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key).into();
    put_together(source, (certificates, key), (path, path), Vec::new(), make)
}

/// Why a file that should be PKCS#12 gives no certificate, in words, and by which setting.
fn told(
    error: &pfx::ReadError,
    bytes: &[u8],
    path: &Path,
    password: Option<&str>,
) -> (Told, &'static str) {
    let shown = path.display();
    match error {
        pfx::ReadError::WrongPassword => (wrong_password(password, &shown.to_string()), "Password"),
        pfx::ReadError::NoKey => (
            Told::new(NO_KEY_WITH_IT)
                .only_when_served()
                .cause(format!("{shown} has certificates, but no private key."))
                .fix(
                    "export it with its private key: openssl pkcs12 -export -inkey key.pem -in \
                     certificate.pem -out certificate.pfx",
                ),
            "Path",
        ),
        pfx::ReadError::KeyOfNoCertificate => (
            Told::new(NO_KEY_WITH_IT)
                .only_when_served()
                .cause(format!(
                    "The private key in {shown} belongs to none of the certificates in it."
                ))
                .fix("export the certificate with its own private key"),
            "Path",
        ),
        pfx::ReadError::NoCertificate => (
            Told::new(NO_KEY_WITH_IT)
                .only_when_served()
                .cause(format!("{shown} has no certificate."))
                .fix(
                    "export it with the certificate: openssl pkcs12 -export -inkey key.pem -in \
                     certificate.pem -out certificate.pfx",
                ),
            "Path",
        ),
        pfx::ReadError::Unsupported(what) => (
            Told::new(format!("The PKCS#12 file '{shown}' is of a form that is not read."))
                .cause(format!("{what}."))
                .fix(
                    "write it anew with OpenSSL 3: openssl pkcs12 -in old.pfx -nodes -out \
                     all.pem, then openssl pkcs12 -export -in all.pem -out new.pfx",
                ),
            "Path",
        ),
        pfx::ReadError::NotPkcs12 => (not_pkcs12(Content::of(bytes), &shown.to_string()), "Path"),
    }
}

fn wrong_password(given: Option<&str>, shown: &str) -> Told {
    let told = Told::new(
        "The certificate data cannot be read with the provided password, the password may be \
         incorrect.",
    );
    match given {
        Some(_) => told.cause(format!("The password does not open {shown}.")).fix(format!(
            "correct Password; openssl pkcs12 -in '{shown}' -noout asks for it and tells whether \
             it is right"
        )),
        None => told
            .cause(format!("{shown} has a password, and none is set."))
            .fix("set Password beside Path, best as a user secret or an environment variable"),
    }
}
