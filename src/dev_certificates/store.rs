//! A certificate store of .NET on Unix: a folder with one PKCS#12 file for each certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::certificate::DevelopmentCertificate;
use super::file;
use crate::configuration::regular_file;
use crate::tls::certificate::thumbprint;
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
    pub(super) path: PathBuf,
}

/// What a store has.
#[derive(Default)]
pub(super) struct Contents {
    /// Its development certificates, in the order in which the folder lists them, which is that of
    /// .NET.
    pub(super) entries: Vec<Entry>,
    /// The files that the system did not let us read.
    pub(super) unread: Vec<(PathBuf, io::Error)>,
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

    /// What it has. What is no certificate is left out, as .NET does; a store that is not there has
    /// nothing.
    ///
    /// # Errors
    ///
    /// Its folder cannot be read.
    pub(super) fn contents(&self) -> io::Result<Contents> {
        let files = match fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::default()),
            Err(error) => return Err(error),
        };
        let mut contents = Contents::default();
        for file in files {
            let path = file?.path();
            match read(&path) {
                Ok(entry) => contents.entries.extend(entry),
                Err(error) => contents.unread.push((path, error)),
            }
        }
        Ok(contents)
    }

    /// Its development certificates, each of them once: two files may hold the same one.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let contents = self.contents().unwrap_or_default();
        contents.each_once().entries
    }

    /// Whether it has this very certificate.
    pub(super) fn contains(&self, certificate: &DevelopmentCertificate) -> bool {
        self.entries().iter().any(|entry| entry.certificate.der == certificate.der)
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
        let name = format!("{}.pfx", thumbprint(certificate));
        file::write(&self.folder.join(name), &bytes)
    }

    /// Removes a certificate, whatever its files are called.
    ///
    /// # Errors
    ///
    /// The folder cannot be read, or a file cannot be removed.
    pub(super) fn remove(&self, certificate: &DevelopmentCertificate) -> io::Result<()> {
        for entry in self.contents()?.entries {
            if entry.certificate.der == certificate.der {
                remove(&entry.path)?;
            }
        }
        Ok(())
    }
}

impl Contents {
    /// Leaves out what other files hold, too.
    pub(super) fn each_once(mut self) -> Self {
        let mut known: Vec<Vec<u8>> = Vec::new();
        self.entries.retain(|entry| {
            let new = !known.contains(&entry.certificate.der);
            known.push(entry.certificate.der.clone());
            new
        });
        self
    }
}

/// Removes a file, unless another process was faster.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Reads a file of a store; `None` if it is not one with a development certificate.
fn read(path: &Path) -> io::Result<Option<Entry>> {
    let named = path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(b".pfx"));
    if !named || path.is_dir() {
        return Ok(None);
    }
    let bytes = match regular_file::read(path) {
        Ok(bytes) => bytes,
        // Another process removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(entry(path, &bytes))
}

fn entry(path: &Path, file: &[u8]) -> Option<Entry> {
    let (chain, key) = match pfx::read(file, PASSWORD) {
        Ok(identity) => (identity.certificates, Some(identity.key)),
        // What is trusted has no key.
        Err(ReadError::NoKey | ReadError::KeyOfNoCertificate) => {
            (pfx::certificates(file, PASSWORD).ok()?, None)
        }
        Err(_) => return None,
    };
    let certificate = DevelopmentCertificate::read(chain.first()?)?;
    Some(Entry { certificate, chain, key, path: path.to_owned() })
}
