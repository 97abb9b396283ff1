//! The certificates of `tests/data/tls`, for tests; `make.sh` there makes them.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A file.
pub(super) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// The certificate of a name.
pub(super) fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(&format!("{name}.pem"))).unwrap()
}

/// Its key, in PKCS#8 DER form.
pub(super) fn key(name: &str) -> Vec<u8> {
    PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap().secret_der().to_vec()
}
