//! Linux: one call that stays below a folder, whatever races there are, and follows no link.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// What became of opening something.
pub(super) enum Opened {
    /// A file of any kind, or a folder.
    File(File),
    Nothing,
    /// The folder itself is not there.
    NoRoot,
    Failed(io::Error),
    /// It would take a wait.
    NotInMemory,
    /// This call cannot tell: there is a link, which may lead to what is hidden, or it is a kernel or sandbox
    /// without the call.
    Elsewhere,
}

/// A folder that is open, for a second: then its path may be another one's.
#[derive(Debug, Default)]
pub(super) struct Handle(Mutex<Option<(Instant, Arc<File>)>>);

/// How long a path is taken to be that of the same folder.
const FRESH: Duration = Duration::from_secs(1);

/// Pipes do not wait for somebody at their other end.
const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Handle {
    /// Opens what lies below the folder with this path.
    pub(super) fn open(&self, root: &Path, relative: &str, wait: bool) -> Opened {
        let folder = match self.folder(root, wait) {
            Ok(folder) => folder,
            Err(Errno::NOENT | Errno::NOTDIR) => return Opened::NoRoot,
            Err(error) => return told(error, wait),
        };
        let relative = if relative.is_empty() { "." } else { relative };
        let below = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        // While names change around it, the call may not be sure that it stayed below.
        for _ in 0..8 {
            match call(&folder, OsStr::new(relative), FLAGS, below, wait) {
                Ok(file) => return Opened::File(file),
                Err(Errno::AGAIN) if wait => {}
                Err(error) => return told(error, wait),
            }
        }
        Opened::Elsewhere
    }

    fn folder(&self, root: &Path, wait: bool) -> Result<Arc<File>, Errno> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((since, folder)) = &*kept
            && now.duration_since(*since) < FRESH
        {
            return Ok(Arc::clone(folder));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = call(CWD, root.as_os_str(), flags, ResolveFlags::empty(), wait).map(Arc::new);
        *kept = folder.as_ref().ok().map(|folder| (now, Arc::clone(folder)));
        folder
    }
}

fn call(
    folder: impl std::os::fd::AsFd,
    path: &OsStr,
    flags: OFlags,
    resolve: ResolveFlags,
    wait: bool,
) -> Result<File, Errno> {
    let resolve = if wait { resolve } else { resolve | ResolveFlags::CACHED };
    openat2(folder, path, flags, Mode::empty(), resolve).map(File::from)
}

fn told(error: Errno, wait: bool) -> Opened {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Opened::Nothing,
        Errno::AGAIN => Opened::NotInMemory,
        // A kernel before 5.12 does not know how not to wait.
        Errno::INVAL if !wait => Opened::NotInMemory,
        Errno::LOOP | Errno::XDEV | Errno::NOSYS | Errno::PERM | Errno::INVAL => Opened::Elsewhere,
        error => Opened::Failed(error.into()),
    }
}
