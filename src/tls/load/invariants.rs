//! What has to hold for any file, shared by tests and fuzz targets.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::content::{Content, text};
use super::pem::Pem;
use super::{certificate_and_key, key};
use crate::tls::certificate::{CertificateFacts, ServerCertificate};
use crate::tls::pfx;

/// A password that opens the files fuzzing begins with.
const PASSWORD: &str = "secret";

/// A file with certificates and keys: what is read of it can be told, and served.
pub(crate) fn pem(file: &[u8]) {
    let path = Path::new("file.pem");
    assert!(!Content::of(file).words().is_empty());

    let text = text(file);
    let pem = Pem::read(&text);
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(pem.broken.iter().all(|broken| (1..=lines).contains(&broken.line)));
    let shifted = [b"\n", text.as_ref()].concat();
    let again = Pem::read(&shifted);
    assert_eq!(again.sections, pem.sections, "text before the sections changes them");

    let chain = certificate_and_key::certificates(file, path);
    for password in [None, Some(PASSWORD), Some("")] {
        let key = key::read(file, password);
        if let (Ok(chain), Ok(key)) = (&chain, key) {
            let made = ServerCertificate::new(chain.certificates.clone(), key, Vec::new());
            if let Ok(made) = made {
                assert_eq!(made.certified.cert, chain.certificates);
                assert!(made.facts.usable_for_servers);
            }
        }
    }
    for certificate in chain.iter().flat_map(|chain| &chain.certificates) {
        if let Some(facts) = CertificateFacts::of(certificate) {
            assert_eq!(facts.thumbprint.len(), 40);
        }
    }
}

/// A PKCS#12 file: whatever is in it, it is read or refused.
pub(crate) fn pfx(file: &[u8]) {
    for password in [PASSWORD, ""] {
        if let Ok(identity) = pfx::read(file, password) {
            assert!(pfx::certificates(file, password).is_ok(), "there are certificates in it");
            let chain = identity.certificates.into_iter().map(CertificateDer::from).collect();
            let key = PrivatePkcs8KeyDer::from(identity.key).into();
            let _ = ServerCertificate::new(chain, key, Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// The files that fuzzing begins with, whole, cut short and with a byte changed.
    fn check(folder: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        // Neither fuzz nor tests are in the published package.
        let Ok(files) = fs::read_dir(&folder) else {
            return;
        };
        let mut files: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
        files.sort();
        assert!(!files.is_empty());
        for (index, file) in files.iter().enumerate() {
            let whole = fs::read(file).unwrap();
            check(&whole);
            for step in 1..8 {
                let place = (whole.len() * step / 8 + index).min(whole.len() - 1);
                check(&whole[..place]);
                let mut changed = whole.clone();
                changed[place] ^= 1;
                check(&changed);
            }
        }
    }

    #[test]
    fn the_seeds_of_the_pem_reader_hold() {
        check("fuzz/seeds/pem_reader", pem);
    }

    #[test]
    fn the_seeds_of_the_pfx_reader_hold() {
        check("tests/data/pfx", pfx);
    }
}
