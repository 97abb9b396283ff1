//! The certificates of this folder, as all tests read them: those of the library and of the binary,
//! the recordings, and those beside the code. `make.sh` makes the files.

#![allow(dead_code, reason = "whoever includes this file needs a part of it")]

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// The certificate of a name, the first of its file.
pub(crate) fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(&format!("{name}.pem"))).expect("a certificate")
}

/// All certificates of its file.
pub(crate) fn chain(name: &str) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_file_iter(file(&format!("{name}.pem")));
    certificates.expect("a file").collect::<Result<_, _>>().expect("certificates")
}

/// The key of a name.
pub(crate) fn key(name: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).expect("a key")
}
