//! A child process and what it has printed so far.
//!
//! Threads read its two streams and wait for its end; everybody else waits on what they found
//! ([`Server::wait_until`]). So nobody sleeps for a guessed time: a condition holds, or a limit is
//! over. A server that is dropped alive is killed.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// How long nothing may be printed for the output to count as settled.
const QUIET: Duration = Duration::from_millis(150);

/// What is known about the process.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Lines of standard output.
    pub(crate) out: Vec<String>,
    /// Lines of standard error.
    pub(crate) err: Vec<String>,
    /// How it ended, once it has.
    pub(crate) exit: Option<ExitStatus>,
    closed: usize,
}

impl Seen {
    fn lines(&self) -> usize {
        self.out.len() + self.err.len()
    }
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// The process under test.
#[derive(Debug)]
pub(crate) struct Server {
    pid: Pid,
    shared: Shared,
}

impl Server {
    /// Starts `command` with both streams watched and no input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let shared = Shared::default();
        if let Some(stream) = child.stdout.take() {
            watch(stream, &shared, |seen| &mut seen.out);
        }
        if let Some(stream) = child.stderr.take() {
            watch(stream, &shared, |seen| &mut seen.err);
        }
        let ended = Arc::clone(&shared);
        thread::spawn(move || {
            let status = child.wait();
            tell(&ended, |seen| seen.exit = status.ok());
        });
        Ok(Self { pid, shared })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// What is known by now.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.shared)
    }

    /// Whether it still runs.
    pub(crate) fn alive(&self) -> bool {
        self.seen().exit.is_none()
    }

    /// Waits until `ready` holds; false when the limit is over first.
    pub(crate) fn wait_until(&self, limit: Duration, mut ready: impl FnMut(&Seen) -> bool) -> bool {
        let (_, changed) = &*self.shared;
        let waited = changed.wait_timeout_while(self.seen(), limit, |seen| !ready(seen));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits until it has ended or has printed nothing for a while.
    pub(crate) fn settle(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            let lines = self.seen().lines();
            if !self.wait_until(QUIET, |seen| seen.lines() > lines || seen.exit.is_some())
                || !self.alive()
            {
                return;
            }
        }
    }

    /// Waits until it has ended and its output is read; false when the limit is over first.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let ended = self.wait_until(limit, |seen| seen.exit.is_some());
        if ended {
            // The streams stay open when a child of its own outlives it. What that one prints is
            // not waited for.
            self.wait_until(Duration::from_secs(2), |seen| seen.closed == 2);
        }
        ended
    }

    /// Sends `signal` unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.alive() {
            // It may end in between; then there is nobody to be told.
            let _ = signal::kill(self.pid, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Reads a stream line by line until it is closed.
fn watch(
    stream: impl Read + Send + 'static,
    shared: &Shared,
    lines: fn(&mut Seen) -> &mut Vec<String>,
) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            let text =
                String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
            tell(&shared, |seen| lines(seen).push(text));
            line.clear();
        }
        tell(&shared, |seen| seen.closed += 1);
    });
}

fn tell(shared: &Shared, change: impl FnOnce(&mut Seen)) {
    change(&mut lock(shared));
    shared.1.notify_all();
}

fn lock(shared: &Shared) -> MutexGuard<'_, Seen> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}
