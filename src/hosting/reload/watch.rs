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
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::files::{Fingerprint, touched_since, way};
use super::folders::FolderEvents;
use crate::diagnostics::{LogContext, Notice, events};

/// How often everything is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long nothing must have happened: `ReloadDelay` of .NET's file provider.
const QUIET: Duration = Duration::from_millis(250);

/// How long changes may go on before what there is is told. With the two above, less than 2 s.
const LONGEST: Duration = Duration::from_millis(500);

// What is promised of changes that nobody tells of.
const _: () = assert!(LOOK_EVERY.as_millis() + QUIET.as_millis() + LONGEST.as_millis() < 2000);

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
pub(super) struct Found {
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
    /// Starts to watch these files. The receiver gets something for each group of changes. With them
    /// comes what is to be said if the system has no events to give.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub(super) fn start(
        mode: Mode,
        files: Vec<Found>,
    ) -> std::io::Result<(Self, UnboundedReceiver<()>, Option<Notice>)> {
        let (sender, inbox) = mpsc::channel();
        let (changed, changes) = unbounded_channel();
        let told = sender.clone();
        // Whoever is told and is gone needs nothing any more.
        let touched = move || drop(told.send(Message::Touched));
        let (events, no_events) = match mode {
            Mode::Events => match FolderEvents::new(touched) {
                Ok(events) => (Some(events), None),
                Err(notice) => (None, Some(notice)),
            },
            Mode::Polling => (None, None),
        };
        let mut watch = Watch { inbox, changed, events, files: Vec::new() };
        let no_watch = watch.replace(files);
        let log = LogContext::current();
        thread::Builder::new()
            .name("kestrel-files".to_owned())
            .spawn(move || log.run(|| watch.run()))?;
        Ok((Self(sender), changes, no_events.or(no_watch)))
    }

    /// Watches these files from now on.
    pub(super) fn watch(&self, files: Vec<Found>) {
        // Without the thread there is nothing to be told any more.
        let _ = self.0.send(Message::Watch(files));
    }
}

/// Looks at files that are to be watched. What was read from them was read after `since`: a file
/// that changed after that is told of, and so is every one that changes once this returns.
pub(super) fn found(files: Vec<Watched>, since: SystemTime) -> Vec<Found> {
    let since = since.checked_sub(CLOCK).unwrap_or(since);
    let found = |file: Watched| Found {
        fingerprint: Fingerprint::of(&file.path),
        touched: touched_since(&file.path, since),
        file,
    };
    files.into_iter().map(found).collect()
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.send(Message::End);
    }
}

/// The thread that watches.
struct Watch {
    inbox: Receiver<Message>,
    changed: UnboundedSender<()>,
    events: Option<FolderEvents>,
    files: Vec<Known>,
}

/// A file, as it was when that was told last.
struct Known {
    file: Watched,
    fingerprint: Fingerprint,
    /// Whether it was told that it is gone.
    told_gone: bool,
}

impl Watch {
    fn run(mut self) {
        loop {
            let goes_on = match self.inbox.recv_timeout(LOOK_EVERY) {
                Ok(Message::Watch(files)) => {
                    tell_of(self.replace(files));
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

    /// Watches these files; what is to be said if that takes looking at them.
    fn replace(&mut self, files: Vec<Found>) -> Option<Notice> {
        let mut changed = false;
        let mut before = std::mem::take(&mut self.files);
        for Found { file, fingerprint, touched } in files {
            // One that was watched before keeps what was told of it: it may have changed since.
            let known = before.iter().position(|known| known.file.path == file.path);
            let known = known.map(|place| before.swap_remove(place));
            changed |= known.is_none() && touched;
            let (fingerprint, told_gone) =
                known.map_or((fingerprint, false), |it| (it.fingerprint, it.told_gone));
            self.files.push(Known { file, fingerprint, told_gone });
        }
        let no_events = self.follow();
        if changed {
            self.tell();
        }
        no_events
    }

    /// Waits until the changes are over and tells of them; false if nobody wants to know.
    fn settle(&mut self) -> bool {
        let began = Instant::now();
        let mut last = self.look();
        loop {
            match self.inbox.recv_timeout(QUIET) {
                Ok(Message::Touched) if began.elapsed() < LONGEST => continue,
                Ok(Message::Watch(files)) => {
                    tell_of(self.replace(files));
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
            tell_of(self.follow());
            self.tell();
        }
        true
    }

    fn look(&self) -> Vec<Fingerprint> {
        self.files.iter().map(|known| Fingerprint::of(&known.file.path)).collect()
    }

    fn is_different(&self) -> bool {
        self.files.iter().any(|known| Fingerprint::of(&known.file.path) != known.fingerprint)
    }

    /// Takes in what the files are now; whether that is to be told.
    fn take_in(&mut self) -> bool {
        let mut changed = false;
        for Known { file, fingerprint, told_gone } in &mut self.files {
            let now = Fingerprint::of(&file.path);
            if now == *fingerprint {
                continue;
            }
            if file.kind == Kind::Certificate && !now.exists() {
                if fingerprint.exists() {
                    events::certificate_file_gone(&file.path.display().to_string());
                    *told_gone = true;
                }
            } else {
                changed = true;
                if std::mem::take(told_gone) {
                    events::certificate_file_back(&file.path.display().to_string());
                }
            }
            *fingerprint = now;
        }
        changed
    }

    fn tell(&self) {
        // The run ends when nobody listens any more.
        let _ = self.changed.send(());
    }

    /// Asks the system for the folders that the ways to the files lead through now; what is to be
    /// said if it has no more events to give.
    fn follow(&mut self) -> Option<Notice> {
        let entries: BTreeSet<PathBuf> =
            self.files.iter().flat_map(|known| way(&known.file.path)).collect();
        let no_events = self.events.as_mut().and_then(|events| events.follow(entries).err());
        if no_events.is_some() {
            self.events = None;
        }
        no_events
    }
}

fn tell_of(notice: Option<Notice>) {
    notice.iter().for_each(Notice::log);
}

#[cfg(all(test, unix))]
mod tests;
