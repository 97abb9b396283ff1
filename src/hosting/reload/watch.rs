//! Notices that a file became another one.
//!
//! The system tells of changes in folders (inotify on Linux), and everything is looked at every
//! second besides: that finds what no system tells, such as changes on a network file system, below
//! a folder that was not there, or under a folder that was renamed. Looking costs a `stat` per file,
//! and makes the system's events a matter of speed only. So it is also all that is left when they
//! cannot be had, because inotify has limits that a machine with many containers reaches.
//!
//! Changes come in groups (an editor writes, renames and removes; a volume changes all its files),
//! so whoever waits is told once nothing has happened for a quarter of a second, as .NET waits, and
//! two seconds after the first change at the latest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::files::{Fingerprint, touched_since, way};
use crate::diagnostics::events;

/// How often everything is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long nothing must have happened: `ReloadDelay` of .NET's file provider.
const QUIET: Duration = Duration::from_millis(250);

/// How long changes may go on before what there is is told. With the two above, less than 2 s.
const LONGEST: Duration = Duration::from_millis(500);

/// The clock of a file system may be this much behind: it ticks with that of the system, at least
/// a hundred times a second.
const CLOCK: Duration = Duration::from_millis(10);

/// A file that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A configuration file; without it there is less configuration.
    Configuration,
    /// A certificate or a key. While it is away, what was read from it serves on.
    Certificate,
}

/// Whether the system is asked to tell of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is.
    Events,
    /// It is not: files are only looked at.
    Polling,
}

/// The watch over a set of files. It ends when this is dropped.
#[derive(Debug)]
pub(in crate::hosting) struct Watcher(Sender<Message>);

/// A file that is to be watched, as it is now.
#[derive(Debug)]
struct Found {
    file: Watched,
    fingerprint: Fingerprint,
    /// Whether it may be another one than the one that was read.
    touched: bool,
}

/// What the thread that watches is told.
#[derive(Debug)]
enum Message {
    /// Something happened to an entry on the way to a file.
    Touched,
    /// Watch these files.
    Watch(Vec<Found>),
    /// There is nobody who wants to know.
    End,
}

impl Watcher {
    /// Starts to watch. The receiver gets something for each group of changes.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub(super) fn start(mode: Mode) -> std::io::Result<(Self, UnboundedReceiver<()>)> {
        let (sender, inbox) = mpsc::channel();
        let (changed, changes) = unbounded_channel();
        let entries = Arc::default();
        let told = sender.clone();
        thread::Builder::new().name("kestrel-files".to_owned()).spawn(move || {
            let events = (mode == Mode::Events).then(|| SystemEvents::new(told, &entries));
            let watch =
                Watch { inbox, changed, events: events.flatten(), entries, files: Vec::new() };
            watch.run();
        })?;
        Ok((Self(sender), changes))
    }

    /// Watches these files from now on. What was read from them was read after `since`: a file that
    /// changed after that is told of, and so is every one that changes once this returns.
    pub(super) fn watch(&self, files: Vec<Watched>, since: SystemTime) {
        let since = since.checked_sub(CLOCK).unwrap_or(since);
        let found = |file: Watched| Found {
            fingerprint: Fingerprint::of(&file.path),
            touched: touched_since(&file.path, since),
            file,
        };
        // Without the thread there is nothing to be told any more.
        let _ = self.0.send(Message::Watch(files.into_iter().map(found).collect()));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.send(Message::End);
    }
}

/// The entries that matter, in folders where much else may happen. Shared with the system's events,
/// so that a log file that grows beside appsettings.json wakes nobody.
type Entries = Arc<RwLock<BTreeSet<PathBuf>>>;

/// The thread that watches.
struct Watch {
    inbox: Receiver<Message>,
    changed: UnboundedSender<()>,
    events: Option<SystemEvents>,
    entries: Entries,
    /// Each with what it was when that was told last.
    files: Vec<(Watched, Fingerprint)>,
}

impl Watch {
    fn run(mut self) {
        loop {
            let goes_on = match self.inbox.recv_timeout(LOOK_EVERY) {
                Ok(Message::Watch(files)) => {
                    self.replace(files);
                    true
                }
                Ok(Message::Touched) => self.settle(),
                Err(RecvTimeoutError::Timeout) => !self.is_different() || self.settle(),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => false,
            };
            if !goes_on || self.changed.is_closed() {
                return;
            }
        }
    }

    fn replace(&mut self, files: Vec<Found>) {
        let mut changed = false;
        let known = std::mem::take(&mut self.files);
        for Found { file, fingerprint, touched } in files {
            // One that was watched before keeps what was told of it: it may have changed since.
            let before = known.iter().find(|(known, _)| known.path == file.path);
            changed |= before.is_none() && touched;
            let known = before.map_or(fingerprint, |(_, known)| known.clone());
            self.files.push((file, known));
        }
        self.follow();
        if changed {
            self.tell();
        }
    }

    /// Waits until the changes are over and tells of them; false if nobody wants to know.
    fn settle(&mut self) -> bool {
        let began = Instant::now();
        let mut last = self.look();
        loop {
            match self.inbox.recv_timeout(QUIET) {
                Ok(Message::Touched) if began.elapsed() < LONGEST => continue,
                Ok(Message::Watch(files)) => {
                    self.replace(files);
                    last = self.look();
                    continue;
                }
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(Message::Touched) | Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.look();
            if now == last || began.elapsed() >= LONGEST {
                break;
            }
            last = now;
        }
        if self.take_in() {
            self.follow();
            self.tell();
        }
        true
    }

    fn look(&self) -> Vec<Fingerprint> {
        self.files.iter().map(|(file, _)| Fingerprint::of(&file.path)).collect()
    }

    fn is_different(&self) -> bool {
        self.files.iter().any(|(file, known)| Fingerprint::of(&file.path) != *known)
    }

    /// Takes in what the files are now; whether that is to be told.
    fn take_in(&mut self) -> bool {
        let mut changed = false;
        for (file, known) in &mut self.files {
            let now = Fingerprint::of(&file.path);
            if now == *known {
                continue;
            }
            if file.kind == Kind::Certificate && !now.exists() {
                if known.exists() {
                    events::certificate_file_gone(&file.path.display().to_string());
                }
            } else {
                changed = true;
            }
            *known = now;
        }
        changed
    }

    fn tell(&self) {
        // The run ends when nobody listens any more.
        let _ = self.changed.send(());
    }

    /// Asks the system for the folders that the ways to the files lead through now.
    fn follow(&mut self) {
        let entries: BTreeSet<PathBuf> =
            self.files.iter().flat_map(|(file, _)| way(&file.path)).collect();
        let folders: BTreeSet<PathBuf> =
            entries.iter().filter_map(|entry| entry.parent()).map(Path::to_owned).collect();
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
        if let Some(events) = &mut self.events
            && let Err(error) = events.follow(folders)
        {
            without_events(&error);
            self.events = None;
        }
    }
}

/// What the system tells of folders.
struct SystemEvents {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl SystemEvents {
    /// `None` if there is none to be had, which is told.
    fn new(told: Sender<Message>, entries: &Entries) -> Option<Self> {
        let entries = Arc::clone(entries);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let touched = event.is_ok_and(|event| {
                let entries = entries.read().unwrap_or_else(PoisonError::into_inner);
                matters(&event) && event.paths.iter().any(|path| entries.contains(path))
                    || event.need_rescan()
            });
            if touched {
                let _ = told.send(Message::Touched);
            }
        });
        match watcher {
            Ok(watcher) => Some(Self { watcher, folders: BTreeSet::new() }),
            Err(error) => {
                without_events(&error);
                None
            }
        }
    }

    /// Watches these folders and no others. One that is not there, or may not be read, is left to
    /// the look at everything.
    ///
    /// # Errors
    ///
    /// The system has reached a limit.
    fn follow(&mut self, folders: BTreeSet<PathBuf>) -> notify::Result<()> {
        for gone in self.folders.difference(&folders) {
            // The system has dropped it already if the folder is gone.
            let _ = self.watcher.unwatch(gone);
        }
        let mut followed = BTreeSet::new();
        for folder in folders {
            // One that was made anew under its old name has to be asked for again.
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(followed.insert(folder)),
                Err(error) if is_limit(&error) => return Err(error),
                Err(_) => {}
            }
        }
        self.folders = followed;
        Ok(())
    }
}

/// Whether an event can mean another content: reading a file makes events, too.
fn matters(event: &notify::Event) -> bool {
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

/// Tells that files are only looked at, why, and what to do about it.
fn without_events(error: &notify::Error) {
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
    events::watching_by_polling(&why, &format!("fix: {fix}"));
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// How long a change may take to be noticed before the test is given up.
    const LIMIT: Duration = Duration::from_secs(60);

    struct Stage {
        folder: tempfile::TempDir,
        kind: Kind,
        watcher: Watcher,
        changes: UnboundedReceiver<()>,
    }

    impl Stage {
        fn new(mode: Mode, kind: Kind, prepare: impl FnOnce(&Path)) -> Self {
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path());
            let (watcher, changes) = Watcher::start(mode).unwrap();
            let path = folder.path().join("a.json");
            // As if it had been read long after it was written.
            let since = SystemTime::now() + Duration::from_secs(3600);
            watcher.watch(vec![Watched { path, kind }], since);
            Self { folder, kind, watcher, changes }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Waits for a change to be told.
        fn noticed(&mut self) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let noticed = runtime
                .unwrap()
                .block_on(async { tokio::time::timeout(LIMIT, self.changes.recv()).await });
            assert_eq!(noticed, Ok(Some(())), "nothing was noticed");
        }

        /// Watches `marker`, too. The thread has come to the present when it has told of it.
        fn settled(&mut self) {
            let marker = self.path("marker");
            fs::write(&marker, "").unwrap();
            let mut files = vec![Watched { path: marker, kind: Kind::Configuration }];
            files.push(Watched { path: self.path("a.json"), kind: self.kind });
            self.watcher.watch(files, SystemTime::UNIX_EPOCH);
            self.noticed();
        }
    }

    fn kubernetes(root: &Path) {
        for version in ["..1", "..2"] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join("a.json"), "{}").unwrap();
        }
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/a.json", root.join("a.json")).unwrap();
    }

    type Edit = fn(&Path);

    #[test]
    fn every_way_to_change_a_file_is_noticed() {
        let plain: Edit = |root| fs::write(root.join("a.json"), "{}").unwrap();
        let cases: [(&str, Edit, Edit); 7] = [
            ("written in place", plain, |root| fs::write(root.join("a.json"), "{ }").unwrap()),
            ("renamed over", plain, |root| {
                fs::write(root.join("b"), "{}").unwrap();
                fs::rename(root.join("b"), root.join("a.json")).unwrap();
            }),
            ("removed", plain, |root| fs::remove_file(root.join("a.json")).unwrap()),
            ("made", |_| {}, |root| fs::write(root.join("a.json"), "{}").unwrap()),
            ("a link that is swapped", kubernetes, |root| {
                symlink("..2", root.join("..tmp")).unwrap();
                fs::rename(root.join("..tmp"), root.join("..data")).unwrap();
            }),
            ("a link that is made anew", kubernetes, |root| {
                fs::remove_file(root.join("..data")).unwrap();
                symlink("..2", root.join("..data")).unwrap();
            }),
            ("the file behind two links", kubernetes, |root| {
                fs::write(root.join("..1/a.json"), "{ }").unwrap();
            }),
        ];
        let is_noticed = |mode, what: &str, prepare: Edit, edit: Edit| {
            let mut stage = Stage::new(mode, Kind::Configuration, prepare);
            stage.settled();
            edit(stage.folder.path());
            stage.noticed();
            // The next change is noticed, too.
            if what.starts_with("a link") {
                fs::write(stage.path("..2/a.json"), "{  }").unwrap();
                stage.noticed();
            }
        };
        thread::scope(|scope| {
            for mode in [Mode::Events, Mode::Polling] {
                for (what, prepare, edit) in cases {
                    thread::Builder::new()
                        .name(format!("{what}, {mode:?}"))
                        .spawn_scoped(scope, move || is_noticed(mode, what, prepare, edit))
                        .unwrap();
                }
            }
        });
    }

    #[test]
    fn a_certificate_that_is_removed_is_told_of_once_it_is_back() {
        let plain: Edit = |root| fs::write(root.join("a.json"), "1").unwrap();
        let mut stage = Stage::new(Mode::Events, Kind::Certificate, plain);
        stage.settled();
        fs::remove_file(stage.path("a.json")).unwrap();
        // What is told is the marker; the certificate is seen to be gone by then.
        fs::write(stage.path("marker"), "1").unwrap();
        stage.noticed();
        fs::write(stage.path("a.json"), "1").unwrap();
        stage.noticed();
        assert!(stage.changes.try_recv().is_err(), "one for each");
    }

    #[test]
    fn what_happens_beside_the_file_is_not_told() {
        let plain: Edit = |root| fs::write(root.join("a.json"), "1").unwrap();
        let mut stage = Stage::new(Mode::Events, Kind::Configuration, plain);
        stage.settled();
        for length in 1..100 {
            fs::write(stage.path("app.log"), "x".repeat(length)).unwrap();
            fs::read(stage.path("a.json")).unwrap();
        }
        fs::write(stage.path("a.json"), "2").unwrap();
        stage.noticed();
        assert!(stage.changes.try_recv().is_err(), "once");
    }

    #[test]
    fn reading_is_no_change_and_limits_are_told_from_other_errors() {
        let event = |kind: EventKind| notify::Event::new(kind);
        assert!(!matters(&event(EventKind::Access(AccessKind::Open(AccessMode::Any)))));
        assert!(!matters(&event(EventKind::Access(AccessKind::Close(AccessMode::Read)))));
        assert!(matters(&event(EventKind::Access(AccessKind::Close(AccessMode::Write)))));
        assert!(matters(&event(EventKind::Remove(notify::event::RemoveKind::File))));
        for (code, limit) in [(24, true), (23, true), (28, true), (13, false)] {
            let error = notify::Error::io(std::io::Error::from_raw_os_error(code));
            assert_eq!(is_limit(&error), limit, "{code}");
        }
    }
}
