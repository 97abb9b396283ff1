//! What the system tells of folders (inotify on Linux), and what it means that it does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::diagnostics::{Notice, events};

/// The system's events about some entries of folders.
pub(super) struct FolderEvents {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    /// The entries that matter, in folders where much else may happen: a log file that grows beside
    /// appsettings.json wakes nobody.
    entries: Arc<RwLock<BTreeSet<PathBuf>>>,
}

impl FolderEvents {
    /// Calls `touched` when something happens to an entry.
    ///
    /// # Errors
    ///
    /// What is to be said if the system has no events to give.
    pub(super) fn new(touched: impl Fn() + Send + 'static) -> Result<Self, Notice> {
        let entries: Arc<RwLock<BTreeSet<PathBuf>>> = Arc::default();
        let known = Arc::clone(&entries);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let matters = event.is_ok_and(|event| {
                let known = known.read().unwrap_or_else(PoisonError::into_inner);
                let is_known = event.paths.iter().any(|path| known.contains(path));
                // Events that were lost may have been about any entry.
                (may_change(&event) && is_known) || event.need_rescan()
            });
            if matters {
                touched();
            }
        });
        match watcher {
            Ok(watcher) => Ok(Self { watcher, folders: BTreeSet::new(), entries }),
            Err(error) => Err(by_polling(&error)),
        }
    }

    /// Is told of these entries from now on, and of no others. A folder that is not there, or may
    /// not be read, has no events.
    ///
    /// # Errors
    ///
    /// What is to be said if the system has reached a limit: then there are none at all.
    pub(super) fn follow(&mut self, entries: BTreeSet<PathBuf>) -> Result<(), Notice> {
        let folders: BTreeSet<PathBuf> =
            entries.iter().filter_map(|entry| entry.parent()).map(Path::to_owned).collect();
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
        for gone in self.folders.difference(&folders) {
            // The system has dropped it already if the folder is gone.
            let _ = self.watcher.unwatch(gone);
        }
        let mut followed = BTreeSet::new();
        for folder in folders {
            // One that was made anew under its old name has to be asked for again.
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(followed.insert(folder)),
                Err(error) if is_limit(&error) => return Err(by_polling(&error)),
                Err(_) => {}
            }
        }
        self.folders = followed;
        Ok(())
    }
}

/// Whether an event can mean another content: reading a file makes events, too.
fn may_change(event: &notify::Event) -> bool {
    !matches!(event.kind, EventKind::Access(access)
        if access != AccessKind::Close(AccessMode::Write))
}

fn is_limit(error: &notify::Error) -> bool {
    /// No space for another watch, and no file left: of the process, of the system.
    const LIMITS: [i32; 3] = [28, 24, 23];
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => {
            error.raw_os_error().is_some_and(|code| LIMITS.contains(&code))
        }
        _ => false,
    }
}

/// That files are only looked at, why, and what to do about it.
fn by_polling(error: &notify::Error) -> Notice {
    let (why, fix) = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => (
            "the system watches as many folders as it may (fs.inotify.max_user_watches)".to_owned(),
            "raise it: sysctl fs.inotify.max_user_watches=524288",
        ),
        notify::ErrorKind::Io(error) if error.raw_os_error() == Some(24) => (
            "the user has as many inotify instances as it may (fs.inotify.max_user_instances)"
                .to_owned(),
            "raise it: sysctl fs.inotify.max_user_instances=512; if it is the limit of open files \
             that is reached, raise that (ulimit -n)",
        ),
        _ => (error.to_string(), "none is needed where the system has no such events"),
    };
    events::watching_by_polling(
        &why,
        &format!("fix: {fix}; DOTNET_USE_POLLING_FILE_WATCHER=1 says that it is meant"),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn reading_is_no_change_and_limits_are_told_from_other_errors() {
        let event = |kind: EventKind| notify::Event::new(kind);
        assert!(!may_change(&event(EventKind::Access(AccessKind::Open(AccessMode::Any)))));
        assert!(!may_change(&event(EventKind::Access(AccessKind::Close(AccessMode::Read)))));
        assert!(may_change(&event(EventKind::Access(AccessKind::Close(AccessMode::Write)))));
        assert!(may_change(&event(EventKind::Remove(notify::event::RemoveKind::File))));
        for (code, limit) in [(24, true), (23, true), (28, true), (13, false)] {
            let error = notify::Error::io(std::io::Error::from_raw_os_error(code));
            assert_eq!(is_limit(&error), limit, "{code}");
        }
    }
}
