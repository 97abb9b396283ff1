//! A certificate store of .NET on Unix: a folder with one PKCS#12 file for each certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::certificate::DevelopmentCertificate;
use super::file;
use crate::tls::pfx::{self, Iterations, ReadError};
use crate::tls::places::Places;

/// The files of a store have no password.
const PASSWORD: &str = "";

/// One store.
pub(super) struct Store {
    folder: PathBuf,
}

/// A development certificate in a store.
pub(super) struct Entry {
    pub(super) certificate: DevelopmentCertificate,
    /// The certificate and its issuers, in DER form.
    pub(super) chain: Vec<Vec<u8>>,
    /// The private key, in PKCS#8 DER form.
    pub(super) key: Option<Vec<u8>>,
    /// The file it was read from; its name says nothing.
    path: PathBuf,
}

impl Entry {
    /// One that is in no store yet.
    pub(super) fn new(certificate: DevelopmentCertificate, key: Vec<u8>) -> Self {
        let chain = vec![certificate.der.clone()];
        Self { certificate, chain, key: Some(key), path: PathBuf::new() }
    }
}

impl Store {
    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's own certificates.
    pub(super) fn personal(places: &Places) -> Self {
        Self { folder: places.store("My") }
    }

    /// The certificates that the user's .NET programs trust.
    pub(super) fn trusted(places: &Places) -> Self {
        Self { folder: places.store("Root") }
    }

    /// Its development certificates, in the order in which the folder lists them, which is that of
    /// .NET. What cannot be read is left out, as .NET does.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for entry in self.files() {
            // Two files may hold the same certificate.
            if !entries.iter().any(|known| known.certificate.der == entry.certificate.der) {
                entries.push(entry);
            }
        }
        entries
    }

    fn files(&self) -> impl Iterator<Item = Entry> + use<> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        files.filter_map(|file| read(&file.path()))
    }

    /// Whether it has this very certificate.
    pub(super) fn contains(&self, certificate: &DevelopmentCertificate) -> bool {
        self.files().any(|entry| entry.certificate.der == certificate.der)
    }

    /// Adds a certificate, with its key if there is one.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be written.
    pub(super) fn save(&self, chain: &[Vec<u8>], key: Option<&[u8]>) -> io::Result<()> {
        let Some(certificate) = chain.first() else { return Ok(()) };
        let bytes = pfx::write(chain, key, PASSWORD, Iterations::One).map_err(io::Error::other)?;
        fs::create_dir_all(&self.folder)?;
        let name = format!("{}.pfx", super::thumbprint(certificate));
        file::write(&self.folder.join(name), &bytes)
    }

    /// Removes a certificate, whatever its files are called.
    ///
    /// # Errors
    ///
    /// A file cannot be removed.
    pub(super) fn remove(&self, certificate: &DevelopmentCertificate) -> io::Result<()> {
        for entry in self.files() {
            if entry.certificate.der == certificate.der {
                fs::remove_file(&entry.path)?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Option<Entry> {
    if path.extension().is_none_or(|extension| extension != "pfx") {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (chain, key) = match pfx::read(&bytes, PASSWORD) {
        Ok(identity) => (identity.certificates, Some(identity.key)),
        // What is trusted has no key.
        Err(ReadError::NoKey) => (pfx::certificates(&bytes, PASSWORD).ok()?, None),
        Err(_) => return None,
    };
    let certificate = DevelopmentCertificate::read(chain.first()?)?;
    Some(Entry { certificate, chain, key, path: path.to_owned() })
}
