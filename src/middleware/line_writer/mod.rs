//! Writes the lines that requests leave, on a thread of its own: no request waits for a disk.
//!
//! Lines wait in one text, which goes out as a whole: a moment after the first of them, or once there are
//! many. As long as the thread waits for that moment, a line costs a copy under a lock, and wakes nobody.
//! When more wait than there is room for, lines are dropped and counted, and that is told.

mod date;
mod file;
mod sink;
mod w3c_files;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub(super) use self::date::Moment;
#[cfg(feature = "child-process")]
pub(crate) use self::date::stamp;
pub(crate) use self::file::LogFile;
pub(crate) use self::sink::LineSink;
pub(crate) use self::w3c_files::{W3cFiles, W3cPlace};
use crate::diagnostics::{LogContext, events};

/// How many bytes wait at most: that of some ten thousand lines.
const CAPACITY: usize = 4 * 1024 * 1024;

/// So many bytes are written without waiting for more.
const MANY: usize = 256 * 1024;

/// The thread that writes to a sink, seen from those who have lines for it. It ends with the last of
/// them, once it has written what there is.
pub(crate) struct LineWriter(Arc<Shared>);

/// The same, without keeping it.
#[derive(Clone)]
pub(crate) struct LineThread(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Wakes the thread.
    work: Condvar,
    /// Tells that the thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    pending: String,
    /// How many lines found no room.
    dropped: u64,
    /// The thread waits for a first line.
    is_idle: bool,
    reopens: bool,
    closed: bool,
    has_ended: bool,
}

impl LineWriter {
    /// Starts the thread. Lines wait for `interval` at most, unless the disk is slow.
    pub(crate) fn start(sink: Box<dyn LineSink>, interval: Duration) -> Arc<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            ended: Condvar::new(),
        });
        let (of_thread, log) = (Arc::clone(&shared), LogContext::current());
        let work = move || log.run(|| of_thread.work(sink, interval));
        let spawned = thread::Builder::new().name("request log".to_owned()).spawn(work);
        if let Err(error) = spawned {
            events::request_log_without_thread(&error.to_string());
            let mut state = shared.state();
            (state.closed, state.has_ended) = (true, true);
        }
        Arc::new(Self(shared))
    }

    /// Adds a line, which `write` appends without its end.
    pub(crate) fn push(&self, write: impl FnOnce(&mut String)) {
        let mut state = self.0.state();
        if state.closed {
            return;
        }
        if state.pending.len() >= CAPACITY {
            state.dropped += 1;
            return;
        }
        let before = state.pending.len();
        write(&mut state.pending);
        state.pending.push('\n');
        let are_many = before < MANY && state.pending.len() >= MANY;
        if are_many || state.is_idle {
            // Said once: until it has run, further lines need not wake it again.
            state.is_idle = false;
            drop(state);
            self.0.work.notify_one();
        }
    }

    pub(crate) fn thread(&self) -> LineThread {
        LineThread(Arc::clone(&self.0))
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.thread().close();
    }
}

impl LineThread {
    /// What it writes to was renamed.
    pub(crate) fn reopen(&self) {
        self.0.state().reopens = true;
        self.0.work.notify_one();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.state().has_ended
    }

    /// It writes what there is, and ends.
    pub(crate) fn close(&self) {
        self.0.state().closed = true;
        self.0.work.notify_one();
    }

    /// Waits for the end of a thread that was closed, but not for a disk that takes nothing.
    pub(crate) fn finish(&self, until: Instant) {
        let mut state = self.0.state();
        while !state.has_ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state =
                self.0.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    /// The life of the thread.
    fn work(&self, mut sink: Box<dyn LineSink>, interval: Duration) {
        let _end = End(self);
        let mut lines = String::new();
        loop {
            let mut state = self.wait(interval);
            std::mem::swap(&mut state.pending, &mut lines);
            let dropped = std::mem::take(&mut state.dropped);
            let (reopens, closed) = (std::mem::take(&mut state.reopens), state.closed);
            drop(state);
            if !lines.is_empty() {
                sink.write(&lines);
                lines.clear();
                lines.shrink_to(MANY);
            }
            if dropped > 0 {
                events::request_log_lines_dropped(dropped);
            }
            // Behind the lines of before.
            if reopens {
                sink.reopen();
            }
            if closed && self.state().pending.is_empty() {
                return;
            }
        }
    }

    /// Waits until there is something to do, and for lines to come together.
    fn wait(&self, interval: Duration) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while state.pending.is_empty() && !state.reopens && !state.closed {
            state.is_idle = true;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_idle = false;
        let until = Instant::now() + interval;
        while state.pending.len() < MANY && !state.reopens && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread ends, by a panic of the sink as well.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.closed, state.has_ended) = (true, true);
        drop(state);
        self.0.ended.notify_all();
    }
}

impl fmt::Debug for LineWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineWriter").finish_non_exhaustive()
    }
}

impl fmt::Debug for LineThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Says what it was given, and takes it when told to.
    struct Gate {
        arrived: mpsc::Sender<String>,
        open: mpsc::Receiver<()>,
    }

    impl LineSink for Gate {
        fn write(&mut self, lines: &str) {
            self.arrived.send(lines.to_owned()).expect("the test listens");
            self.open.recv().expect("the test opens the gate");
        }

        fn reopen(&mut self) {
            self.arrived.send("reopened".to_owned()).expect("the test listens");
        }
    }

    fn gate(interval: Duration) -> (Arc<LineWriter>, mpsc::Receiver<String>, mpsc::Sender<()>) {
        let (arrived, seen) = mpsc::channel();
        let (opener, open) = mpsc::channel();
        (LineWriter::start(Box::new(Gate { arrived, open }), interval), seen, opener)
    }

    #[test]
    fn lines_go_out_together_and_in_their_order() {
        let (writer, seen, open) = gate(Duration::ZERO);
        writer.push(|line| line.push('1'));
        assert_eq!(seen.recv().unwrap(), "1\n");
        // While the disk has the first.
        writer.push(|line| line.push('2'));
        writer.push(|line| line.push('3'));
        open.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), "2\n3\n");
        open.send(()).unwrap();
        writer.thread().reopen();
        assert_eq!(seen.recv().unwrap(), "reopened");
        let thread = writer.thread();
        writer.push(|line| line.push('4'));
        drop(writer);
        assert_eq!(seen.recv().unwrap(), "4\n");
        assert!(!thread.has_ended());
        open.send(()).unwrap();
        thread.finish(Instant::now() + LONG);
        assert!(thread.has_ended());
    }

    #[test]
    fn a_disk_that_takes_nothing_holds_nobody() {
        let (writer, seen, open) = gate(Duration::ZERO);
        writer.push(|line| line.push('1'));
        seen.recv().unwrap();
        let long = "x".repeat(CAPACITY);
        writer.push(|line| line.push_str(&long));
        for _ in 0..3 {
            writer.push(|line| line.push_str("too much"));
        }
        assert_eq!(writer.0.state().dropped, 3);
        let thread = writer.thread();
        thread.close();
        thread.finish(Instant::now());
        assert!(!thread.has_ended());
        open.send(()).unwrap();
        assert_eq!(seen.recv().unwrap().len(), CAPACITY + 1);
        open.send(()).unwrap();
        thread.finish(Instant::now() + LONG);
        assert!(thread.has_ended());
        writer.push(|line| line.push_str("behind the end"));
        assert!(seen.try_recv().is_err());
    }

    #[test]
    fn many_lines_do_not_wait_for_more() {
        let (writer, seen, open) = gate(LONG);
        writer.push(|line| line.push_str(&"x".repeat(MANY)));
        assert_eq!(seen.recv().unwrap().len(), MANY + 1);
        writer.push(|line| line.push_str("waits"));
        open.send(()).unwrap();
        writer.thread().reopen();
        assert_eq!(seen.recv().unwrap(), "waits\n", "a file that was renamed gets what is its");
        open.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), "reopened");
    }
}
