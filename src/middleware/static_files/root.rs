//! Opens what is below a folder, and never anything else: `..`, links and whatever changes meanwhile do not
//! lead out of it.
//!
//! Linux does that itself (`openat2` with `RESOLVE_BENEATH`), without a wait if it has all names in memory.
//! Elsewhere, and where there are links, the real path is found first, which may not be hidden either, and then
//! walked down, link by link refused.

#[cfg(target_os = "linux")]
mod beneath;
mod walk;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

pub(super) use walk::Folder;

use crate::diagnostics::events;

/// Whether a look at the disk may take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is done here and now, or not at all.
    No,
    /// The thread may wait.
    Yes,
}

/// The answer is not in memory: somebody has to wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MustWait;

/// What is at a path.
pub(super) enum Found {
    File(OpenFile),
    Folder(Folder),
    /// Nothing that can be served, and nobody learns why.
    Nothing,
    /// It is there, but this process cannot have it.
    Refused(io::Error),
}

/// A regular file that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) modified: SystemTime,
    pub(super) identity: Identity,
}

/// Which file it is in which state, as exactly as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    length: u64,
    modified: SystemTime,
    #[cfg(unix)]
    unix: [i64; 4],
}

/// A folder below which everything lies. Its path may become another folder's: it is looked up anew.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    /// Whether it was there when something was looked for: one of the three below.
    seen: AtomicU8,
    #[cfg(target_os = "linux")]
    handle: beneath::Handle,
}

/// Nothing was looked for yet.
const UNSEEN: u8 = 0;
const THERE: u8 = 1;
const MISSING: u8 = 2;

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            seen: AtomicU8::new(UNSEEN),
            #[cfg(target_os = "linux")]
            handle: beneath::Handle::default(),
            path,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what a path of plain segments names.
    pub(super) fn open(&self, relative: &str, wait: Wait) -> Result<Found, MustWait> {
        #[cfg(target_os = "linux")]
        {
            let opened = self.handle.open(&self.path, relative, wait == Wait::Yes);
            match &opened {
                beneath::Opened::NoRoot => self.saw(MISSING),
                beneath::Opened::File(_) | beneath::Opened::Nothing => self.saw(THERE),
                _ => {}
            }
            match opened {
                beneath::Opened::File(file) => return Ok(found(Ok(Some(file)))),
                beneath::Opened::Nothing | beneath::Opened::NoRoot => return Ok(Found::Nothing),
                beneath::Opened::Failed(error) => return Ok(found(Err(error))),
                beneath::Opened::NotInMemory => return Err(MustWait),
                beneath::Opened::Elsewhere => {}
            }
        }
        match wait {
            Wait::No => Err(MustWait),
            Wait::Yes => {
                let walked = walk::open(&self.path, relative);
                match &walked {
                    Ok(_) => self.saw(THERE),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => self.saw(MISSING),
                    Err(_) => {}
                }
                Ok(match walked {
                    Ok(Some(walk::Walked::Folder(folder))) => Found::Folder(folder),
                    Ok(Some(walk::Walked::File(file))) => found(Ok(Some(file))),
                    Ok(None) => Found::Nothing,
                    Err(error) => found(Err(error)),
                })
            }
        }
    }

    /// Tells that the folder has gone, or is back: whoever replaces it moves it away first, and may not come to the
    /// end of it. One that was never there was told by the start.
    fn saw(&self, now: u8) {
        if self.seen.load(Ordering::Relaxed) == now {
            return;
        }
        match (self.seen.swap(now, Ordering::Relaxed), now) {
            (THERE, MISSING) => events::static_root_gone(&self.path.display()),
            (MISSING, THERE) => events::static_root_back(&self.path.display()),
            _ => {}
        }
    }
}

/// What was opened.
fn found(opened: io::Result<Option<File>>) -> Found {
    let looked =
        opened.and_then(|file| file.map(|it| it.metadata().map(|of| (it, of))).transpose());
    match looked {
        Ok(Some((file, of_it))) if of_it.is_file() => {
            let length = of_it.len();
            let modified = of_it.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Found::File(OpenFile { identity: Identity::of(&of_it), file, length, modified })
        }
        #[cfg(unix)]
        Ok(Some((file, of_it))) if of_it.is_dir() => Found::Folder(Folder::of(file)),
        // A pipe, a device.
        Ok(_) => Found::Nothing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Refused(error),
    }
}

impl Identity {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            #[cfg(unix)]
            unix: [
                metadata.dev().cast_signed(),
                metadata.ino().cast_signed(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ],
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
