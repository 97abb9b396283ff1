//! What a path asks for: a file, a folder, or nothing of ours. Looks at the disk as far as it may wait.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use super::cache::{self, Cache};
use super::content_types::content_type;
use super::encodings::{Accepted, Encoding};
use super::options::{FileOptions, StaticFilesOptions};
use super::read;
use super::refusals::Refusals;
use super::representation::{Content, Named, Representation};
use super::root::{Found, MustWait, OpenFile, Root, Wait};
use super::site_path::{Names, SitePath, below};
use crate::diagnostics::events;

/// How many pages of folders are made at the same time: each may open ten thousand files, on threads that files from
/// a disk need, too.
const MOST_PAGES: usize = 4;

/// A web root with what is known of it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) options: StaticFilesOptions,
    pub(super) root: Root,
    /// Small files.
    in_memory: Cache,
    /// Large ones.
    pub(super) open: Cache,
    /// Held while the page of a folder is made.
    pub(super) pages: Arc<Semaphore>,
    refused: Refusals,
    /// What counts for pages that are served whatever is said of files.
    of_pages: FileOptions,
}

/// What a path comes to.
#[derive(Debug)]
pub(super) enum Outcome {
    File(Arc<Representation>),
    /// A folder that has to be asked for with a slash at the end.
    Slash,
    /// A folder to be shown: its path from the root on.
    Folder(String),
    /// A name that says no type that is served.
    UnknownType,
    Nothing,
    /// It is there, and cannot be read.
    Failed,
}

impl Site {
    pub(super) fn new(options: StaticFilesOptions) -> Self {
        let of_pages =
            FileOptions { unknown_types: true, ..options.files.clone().unwrap_or_default() };
        Self {
            root: Root::new(options.root.clone()),
            in_memory: Cache::of_bytes(),
            open: Cache::of_open_files(),
            pages: Arc::new(Semaphore::new(MOST_PAGES)),
            refused: Refusals::default(),
            of_pages,
            options,
        }
    }

    /// Finds what a decoded path asks for, for who takes these encodings.
    pub(super) fn find(
        &self,
        path: &str,
        accepted: Accepted,
        wait: Wait,
    ) -> Result<Outcome, MustWait> {
        let before = match self.kept(path, accepted) {
            Some((kept, true)) => return Ok(Outcome::File(kept)),
            Some((kept, false)) => Some(kept),
            None => None,
        };
        let look = Look { site: self, accepted, wait, before };
        let outcome = self.look(path, &look)?;
        match &outcome {
            Outcome::File(found) => self.offer(path, &look, found),
            _ if look.before.is_some() => self.forget(path),
            _ => {}
        }
        Ok(outcome)
    }

    /// What is kept for a path, and whether it is still so.
    fn kept(&self, path: &str, accepted: Accepted) -> Option<(Arc<Representation>, bool)> {
        let in_memory = self.in_memory.get(path, accepted);
        in_memory.or_else(|| {
            let (open, fresh) = self.open.get(path, accepted)?;
            // What is read while it is sent must not be shorter than its headers say.
            let fresh = fresh && open.is_as_it_was();
            Some((open, fresh))
        })
    }

    /// Keeps what was found at a path, if it is worth that.
    fn offer(&self, path: &str, look: &Look<'_>, found: &Arc<Representation>) {
        let changed = |before: &Arc<Representation>| !Arc::ptr_eq(before, found);
        if look.before.as_ref().is_some_and(changed) {
            // It may have become a large one, or a small one.
            self.forget(path);
        }
        match found.content {
            Content::Bytes(_) => self.in_memory.offer(path, look.accepted, found),
            Content::File(_) => self.open.offer(path, look.accepted, found),
        }
    }

    fn forget(&self, path: &str) {
        for cache in [&self.in_memory, &self.open] {
            cache.forget(path);
        }
    }

    /// Finds a page that is named from the root on.
    pub(super) fn page(
        &self,
        name: &str,
        accepted: Accepted,
        wait: Wait,
    ) -> Result<Outcome, MustWait> {
        // A request's path begins with a slash.
        let key = name.trim_start_matches('/');
        let before = match self.kept(key, accepted) {
            Some((kept, true)) => return Ok(Outcome::File(kept)),
            Some((kept, false)) => Some(kept),
            None => None,
        };
        let Some(path) = SitePath::of(name, Names::HERE) else { return Ok(Outcome::Nothing) };
        let look = Look { site: self, accepted, wait, before };
        let outcome = match self.root.open(&path.relative, wait)? {
            Found::File(open) => look.represent(&path.relative, open, &self.of_pages)?,
            Found::Folder(_) | Found::Nothing => Outcome::Nothing,
            Found::Refused(error) => self.refused(&path.relative, &error),
        };
        if let Outcome::File(found) = &outcome {
            self.offer(key, &look, found);
        }
        Ok(outcome)
    }

    fn look(&self, path: &str, look: &Look<'_>) -> Result<Outcome, MustWait> {
        let mut outcome = Outcome::Nothing;
        if let Some(options) = &self.options.files
            && let Some(rest) = below(path, &options.request_path)
            && let Some(path) = SitePath::of(rest, Names::HERE)
        {
            outcome = look.file(&path, options)?;
        }
        if matches!(outcome, Outcome::Nothing | Outcome::UnknownType)
            && let Some(browser) = &self.options.browser
            && let Some(rest) = below(path, &browser.request_path)
            && let Some(path) = SitePath::of(rest, Names::HERE)
            && let Found::Folder(_) = self.root.open(&path.relative, look.wait)?
        {
            return Ok(match browser.redirects && !path.slash {
                true => Outcome::Slash,
                false => Outcome::Folder(path.relative.into_owned()),
            });
        }
        Ok(outcome)
    }

    /// Tells why something cannot be read. Who may not read it, for whom it is not there.
    fn refused(&self, name: &str, error: &io::Error) -> Outcome {
        let telling = self.refused.happened(name, Instant::now());
        // The web root itself has no name.
        match name {
            "" => {
                let root = self.root.path().to_string_lossy();
                events::static_file_refused(&root, error, telling);
            }
            name => events::static_file_refused(name, error, telling),
        }
        match error.kind() {
            io::ErrorKind::PermissionDenied => Outcome::Nothing,
            _ => Outcome::Failed,
        }
    }
}

/// One look.
struct Look<'a> {
    site: &'a Site,
    accepted: Accepted,
    wait: Wait,
    /// What was there at the last look.
    before: Option<Arc<Representation>>,
}

impl Look<'_> {
    fn open(&self, name: &str) -> Result<Found, MustWait> {
        self.site.root.open(name, self.wait)
    }

    /// The file that a path names, or the default one of the folder that it names.
    fn file(&self, path: &SitePath<'_>, options: &FileOptions) -> Result<Outcome, MustWait> {
        let name = &*path.relative;
        match self.open(name)? {
            Found::File(open) if !path.slash => self.represent(name, open, options),
            Found::File(_) => Ok(Outcome::Nothing),
            Found::Folder(_) => self.default_file(path, options),
            Found::Nothing if content_type(name).is_none() && !options.unknown_types => {
                Ok(Outcome::UnknownType)
            }
            Found::Nothing => Ok(Outcome::Nothing),
            Found::Refused(error) => Ok(self.site.refused(name, &error)),
        }
    }

    fn default_file(
        &self,
        path: &SitePath<'_>,
        options: &FileOptions,
    ) -> Result<Outcome, MustWait> {
        for default in &options.default_files {
            let name = match &*path.relative {
                "" => default.clone(),
                folder => format!("{folder}/{default}"),
            };
            match self.open(&name)? {
                Found::File(_) if options.redirects && !path.slash => return Ok(Outcome::Slash),
                Found::File(open) => return self.represent(&name, open, options),
                Found::Refused(error) => return Ok(self.site.refused(&name, &error)),
                Found::Folder(_) | Found::Nothing => {}
            }
        }
        Ok(Outcome::UnknownType)
    }

    /// The file, or its sibling that is encoded as the client likes best.
    fn represent(
        &self,
        name: &str,
        open: OpenFile,
        options: &FileOptions,
    ) -> Result<Outcome, MustWait> {
        let content_type = match content_type(name) {
            None if !options.unknown_types => return Ok(Outcome::UnknownType),
            None => options.default_type.clone(),
            known => known,
        };
        let (open, encoding) = match options.precompressed {
            true => self.sibling(name, open)?,
            false => (open, None),
        };
        if let Some(before) = &self.before
            && before.is(name, open.identity)
        {
            return Ok(Outcome::File(Arc::clone(before)));
        }
        let bytes = match open.length <= cache::MOST_OF_ONE {
            false => None,
            true => match read::whole(&open, self.wait)? {
                Ok(Some(bytes)) => Some(bytes),
                // It changes at this moment: what is sent is what is there while it is sent.
                Ok(None) => None,
                Err(error) => return Ok(self.site.refused(name, &error)),
            },
        };
        let named = Named { name, content_type, encoding };
        Ok(Outcome::File(Arc::new(Representation::new(named, open, bytes, options))))
    }

    fn sibling(
        &self,
        name: &str,
        plain: OpenFile,
    ) -> Result<(OpenFile, Option<Encoding>), MustWait> {
        for encoding in self.accepted.iter() {
            if let Found::File(open) = self.open(&format!("{name}{}", encoding.suffix()))? {
                return Ok((open, Some(encoding)));
            }
        }
        Ok((plain, None))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::features::decoded_path;
    use crate::middleware::static_files::options::{Behind, BrowserOptions};

    /// Pieces that paths are made of.
    const PIECES: [&str; 24] = [
        "/",
        "/",
        "/",
        "..",
        "../",
        "%2e%2e/",
        ".%2e",
        "..%2f",
        "..%5c",
        "\\",
        "%00",
        "a.txt",
        "secret.txt",
        "out",
        "out.txt",
        "sub",
        "root",
        ".",
        "%",
        "%25",
        "%c0%ae",
        "//",
        ".hidden",
        "~",
    ];

    /// Numbers that are the same every time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }
    }

    #[test]
    fn of_a_hundred_thousand_paths_none_leads_outside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("sub/.hidden")).unwrap();
        for (name, text) in [
            ("a.txt", "inside"),
            ("sub/a.txt", "inside"),
            (".hidden", "outside"),
            ("sub/.hidden/a.txt", "outside"),
            ("../secret.txt", "outside"),
            ("../a.txt", "outside"),
        ] {
            fs::write(root.join(name), text).unwrap();
        }
        symlink("..", root.join("out")).unwrap();
        symlink("../secret.txt", root.join("out.txt")).unwrap();
        let files = FileOptions { unknown_types: true, ..FileOptions::default() };
        let site = Site::new(StaticFilesOptions {
            root,
            files: Some(files),
            browser: Some(BrowserOptions { request_path: String::new(), redirects: false }),
            fallback: None,
            not_found_page: None,
            behind: Behind::Nothing,
        });
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut files, mut folders) = (0, 0);
        for _ in 0..100_000 {
            let pieces = 1 + numbers.below(7);
            let path: String = (0..pieces).map(|_| PIECES[numbers.below(PIECES.len())]).collect();
            let path = decoded_path(&format!("/{path}"));
            match site.find(&path, Accepted::default(), Wait::Yes).unwrap() {
                Outcome::File(found) => {
                    let Content::Bytes(bytes) = &found.content else { panic!("{path} is large") };
                    assert_eq!(&**bytes, b"inside", "{path}");
                    files += 1;
                }
                Outcome::Folder(folder) => {
                    // Out and in again is inside.
                    let real = site.root.path().join(&folder).canonicalize().unwrap();
                    let inside = real.starts_with(site.root.path().canonicalize().unwrap());
                    assert!(inside, "{path} is the folder {folder}");
                    folders += 1;
                }
                Outcome::Slash | Outcome::UnknownType | Outcome::Nothing => {}
                Outcome::Failed => panic!("{path} cannot be read"),
            }
        }
        assert!(files > 500 && folders > 1000, "{files} files, {folders} folders");
    }
}
