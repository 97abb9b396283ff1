//! What stands for PKCS#12 files in a build without the feature `pkcs12`: none is read.

use std::path::Path;

use super::certificate_and_key::Make;
use super::content::Content;
use super::file;
use super::not_pkcs12::not_pkcs12;
use super::told::{Mistake, Told};
use crate::tls::CertificateSource;
use crate::tls::certificate::ServerCertificate;

/// What code is told to give instead.
pub(super) const FIX_IN_MEMORY: &str = "build the program with the feature 'pkcs12' of the crate kestrel, or give the certificate and its \
     private key as pem_text or der";

/// Says that the file is not read, or what it is if it is another one.
pub(super) fn read(
    source: &CertificateSource,
    path: &Path,
    password: Option<&str>,
    make: Make,
) -> Result<ServerCertificate, Mistake> {
    let bytes = file::read(path).map_err(|told| told.of(source, "Path"))?;
    of_bytes(source, &bytes, path, password, make)
}

/// The same of the content of such a file, which messages call `path`.
pub(super) fn of_bytes(
    source: &CertificateSource,
    bytes: &[u8],
    path: &Path,
    _: Option<&str>,
    _: Make,
) -> Result<ServerCertificate, Mistake> {
    let shown = path.display().to_string();
    let told = match Content::of(bytes) {
        Content::Pfx => not_built(&shown),
        content => not_pkcs12(content, &shown),
    };
    Err(told.of(source, "Path"))
}

fn not_built(shown: &str) -> Told {
    Told::new(format!("The PKCS#12 (PFX) file '{shown}' cannot be read."))
        .cause("This program was built without the feature 'pkcs12'.")
        .fix(format!(
            "build it with the feature 'pkcs12' of the crate kestrel, or convert the file: openssl pkcs12 \
             -in '{shown}' -nodes -out certificate.pem, and set Path and KeyPath to that"
        ))
}
