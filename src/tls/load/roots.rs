//! `ClientCertificateRoots`: files and folders with certificates of authorities.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::certificate_and_key::{Chain, certificates};
use super::file;
use super::told::Told;
use crate::configuration::Problem;
use crate::tls::RootsSource;

/// Roots that were read, and what is to be watched.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// The files, and the folders: another file may come.
    pub(crate) files: Vec<PathBuf>,
    /// What is wrong, each with `key`.
    pub(crate) problems: Vec<Problem>,
}

/// Reads the certificates of files, of all files right in folders, and of memory. What is no certificate in a
/// folder is passed over; a file that is named has to have one, and so has a folder.
/// A file without any is told with its cause and its fix.
pub(crate) fn read(sources: &[RootsSource], key: &str, (cause, fix): (&str, &str)) -> Roots {
    let mut roots = Roots::default();
    for source in sources {
        let before = roots.certificates.len();
        let told = match source {
            RootsSource::Path(path) => {
                roots.files.push(path.clone());
                match path.is_dir() {
                    true => roots.folder(path),
                    false => roots.file(path),
                }
            }
            RootsSource::Memory(bytes) => roots.bytes(bytes, Path::new("the roots in memory")),
        };
        let is_empty = roots.certificates.len() == before;
        let problem = match told {
            Err(told) => Some(told.problem(key)),
            Ok(()) if is_empty => Some(
                Told::new(format!("There is no certificate in '{source}'."))
                    .cause(cause)
                    .fix(fix)
                    .problem(key),
            ),
            Ok(()) => None,
        };
        roots.problems.extend(problem);
    }
    for problem in &mut roots.problems {
        problem.key = Some(key.to_owned());
    }
    roots
}

impl Roots {
    fn file(&mut self, path: &Path) -> Result<(), Told> {
        self.bytes(&file::read(path)?, path)
    }

    fn bytes(&mut self, bytes: &[u8], path: &Path) -> Result<(), Told> {
        let chain = certificates(bytes, path).map_err(|(told, _)| told)?;
        self.take(chain, path);
        Ok(())
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Told> {
        let entries = fs::read_dir(folder).map_err(|error| {
            Told::new(format!("The folder '{}' cannot be read.", folder.display()))
                .cause(format!("The system says: {error}."))
                .fix("let the user that runs the server read it")
        })?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            self.files.push(path.clone());
            match file::read(&path) {
                // A note, a key or a list of what is revoked may lie there, too.
                Ok(bytes) => {
                    if let Ok(chain) = certificates(&bytes, &path) {
                        self.take(chain, &path);
                    }
                }
                // One authority less is trusted, not one more.
                Err(told) => self.problems.push(told.warning()),
            }
        }
        Ok(())
    }

    fn take(&mut self, chain: Chain, path: &Path) {
        let skipped = chain.skipped.map(|skipped| format!("{skipped}."));
        let unusable = |certificate: &CertificateDer<'static>| {
            let error = RootCertStore::empty().add(certificate.clone()).err()?;
            Some(format!("A certificate in it cannot be an authority's: {error}."))
        };
        let causes = chain.certificates.iter().filter_map(unusable).chain(skipped);
        for cause in causes {
            let message = format!("The file '{}' was read in part.", path.display());
            let told = Told::new(message).cause(cause);
            self.problems.push(told.fix("put a whole certificate there").warning());
        }
        // A folder has most of them twice: under their names, and under their numbers.
        for certificate in chain.certificates {
            if !self.certificates.contains(&certificate) {
                self.certificates.push(certificate);
            }
        }
    }
}
