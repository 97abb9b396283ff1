//! The binary as a child process, and what it has printed so far.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long an event may take before its test is given up. No test passes by waiting.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Without the plus sign that follows, which the JSON layout writes in its own way.
const STARTED: &str = "Application started. Press Ctrl";
const LISTENING: &str = "Now listening on: ";

/// A run of the binary that is not started yet: in an empty folder, without a variable of the tests.
pub(crate) struct Kestrel {
    command: Command,
    folder: TempDir,
    stdin: Stdio,
}

impl Kestrel {
    /// With these arguments.
    pub(crate) fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kestrel = Self::by(Command::new(env!("CARGO_BIN_EXE_kestrel")));
        kestrel.command.args(arguments);
        kestrel
    }

    /// `kestrel run` on a free port of 127.0.0.1, with these arguments besides.
    pub(crate) fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(["run", "--urls", "http://127.0.0.1:0"].into_iter().chain(arguments))
    }

    /// By another command, which ends up as the binary.
    pub(crate) fn by(mut command: Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        command.env_clear().current_dir(folder.path());
        // What it says must not depend on whether the tests run in a container, nor on what whoever runs them has at
        // home, such as a development certificate.
        command.env("DOTNET_RUNNING_IN_CONTAINER", "false").env("HOME", folder.path());
        Self { command, folder, stdin: Stdio::null() }
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With a variable that is no text.
    pub(crate) fn bytes(mut self, name: &str, value: &OsStr) -> Self {
        self.command.env(name, value);
        self
    }

    /// With a file in its folder.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.root().join(name), text).expect("the folder is ours");
        self
    }

    /// With something to read, or a terminal.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// In another folder than its own.
    pub(crate) fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The folder it runs in, as the system calls it.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder is there")
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> Running {
        self.command.stdin(self.stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary is there");
        Running {
            out: Lines::of(child.stdout.take().expect("a pipe")),
            err: Lines::of(child.stderr.take().expect("a pipe")),
            child,
            folder: self.folder,
        }
    }

    /// Starts it, and waits until it says that it has started.
    pub(crate) fn started(self) -> Running {
        let running = self.spawn();
        running.wait_for(STARTED);
        running
    }

    /// Lets it run to its end.
    pub(crate) fn ended(self) -> Outcome {
        self.spawn().ended()
    }

    /// Lets it run to its end; if it starts to serve, that is a SIGTERM.
    pub(crate) fn stopped_if_started(self) -> Outcome {
        let running = self.spawn();
        if running.out.wait_for(STARTED) {
            // The lines that follow the start belong to it.
            running.wait_for("Content root path: ");
            running.signal(Signal::SIGTERM);
        }
        running.ended()
    }
}

/// A process, which dies with this value.
pub(crate) struct Running {
    child: Child,
    out: Lines,
    err: Lines,
    folder: TempDir,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The number of the signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    /// Waits for a line of standard output that contains `text`.
    pub(crate) fn wait_for(&self, text: &str) {
        assert!(
            self.out.wait_for(text),
            "'{text}' is not in {}\n{}",
            self.out.text(),
            self.err.text()
        );
    }

    /// Waits for a line of standard error that contains `text`.
    pub(crate) fn wait_for_complaint(&self, text: &str) {
        assert!(self.err.wait_for(text), "'{text}' is not in {}", self.err.text());
    }

    /// Whether a line of standard output contains `text` before a test would be given up: for one
    /// that has to clean up first.
    pub(crate) fn wait_as_long_as_allowed(&self, text: &str) -> bool {
        self.out.wait_for(text)
    }

    /// Waits until standard output is as `ready` wants it.
    pub(crate) fn wait_until(&self, ready: impl Fn(&str) -> bool) {
        assert!(self.out.wait_until(|read| ready(&read.text)), "{}", self.out.text());
    }

    /// The announced addresses.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let text = self.out.text();
        let announced = text.lines().filter_map(|line| line.trim_start().strip_prefix(LISTENING));
        announced.map(str::to_owned).collect()
    }

    /// The one announced address.
    pub(crate) fn address(&self) -> String {
        let [address] = &self.addresses()[..] else {
            panic!("one address, not {:?}", self.addresses());
        };
        address.clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder it runs in, as the system calls it.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder is there")
    }

    /// Its resident memory, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_memory(&self) -> usize {
        self.memory("VmRSS:")
    }

    /// The most that its resident memory ever was, in bytes.
    #[cfg(all(target_os = "linux", feature = "child-process"))]
    pub(crate) fn peak_memory(&self) -> usize {
        self.memory("VmHWM:")
    }

    #[cfg(target_os = "linux")]
    fn memory(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it is told");
        let kibibytes = line.split_whitespace().next().and_then(|number| number.parse().ok());
        kibibytes.map(|number: usize| number * 1024).expect("a number")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.child.id().cast_signed());
        kill(process, signal).expect("it runs");
    }

    /// What was printed to standard output by now.
    pub(crate) fn stdout(&self) -> String {
        self.out.text()
    }

    /// Sends it a signal again and again until it has ended: the one that comes late enough ends it.
    pub(crate) fn signal_until_ended(mut self, signal: Signal) -> Outcome {
        let began = Instant::now();
        while self.child.try_wait().expect("it is ours").is_none() {
            assert!(began.elapsed() < LIMIT, "it does not end: {}", self.out.text());
            self.signal(signal);
            thread::sleep(Duration::from_millis(20));
        }
        self.ended()
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn terminated(self) -> Outcome {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Waits until it has a thread of this name.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait_for_thread(&self, name: &str) {
        wait_for_thread(self.id(), name);
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Outcome {
        for lines in [&self.out, &self.err] {
            assert!(lines.wait_for_end(), "it does not end: {}", self.out.text());
        }
        let status = self.child.wait().expect("it is ours");
        Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: self.out.text(),
            stderr: self.err.text(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of 127.0.0.1 that somebody else has, as a URL.
#[expect(clippy::disallowed_methods, reason = "somebody else has to have the port")]
pub(crate) fn taken_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    (listener, url)
}

/// Both ends of a terminal: of whoever shows it, and of whoever runs on it. No process inherits them unasked.
#[cfg(target_os = "linux")]
pub(crate) fn terminal() -> (fs::File, fs::File) {
    use nix::fcntl::OFlag;
    use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let shown = posix_openpt(flags).expect("the system has terminals");
    grantpt(&shown).expect("it is ours");
    unlockpt(&shown).expect("it is ours");
    let used = ptsname_r(&shown).expect("it has a name");
    let used = std::os::unix::fs::OpenOptionsExt::custom_flags(
        fs::File::options().read(true).write(true),
        OFlag::O_NOCTTY.bits(),
    )
    .open(used)
    .expect("it is ours");
    (fs::File::from(std::os::fd::OwnedFd::from(shown)), used)
}

/// Waits until a process has taken over all signals that it takes over, which is the first thing that
/// happens.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_signals_are_taken(process: u32) {
    // It is the last of them.
    wait_for_signals(process, "SigCgt:", Signal::SIGUSR1, true);
}

/// Waits until a process of another kind takes these.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_taken(process: u32, signals: &[Signal]) {
    for signal in signals {
        wait_for_signals(process, "SigCgt:", *signal, true);
    }
}

/// Waits until a process does not ignore a signal, as it may when it begins.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_not_ignored(process: u32, signal: Signal) {
    wait_for_signals(process, "SigIgn:", signal, false);
}

/// Waits until `signal` is, or is not, in a set of signals of a process.
#[cfg(target_os = "linux")]
fn wait_for_signals(process: u32, set: &str, signal: Signal, is_in: bool) {
    let began = Instant::now();
    let found = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let signals = status.lines().find_map(|line| line.strip_prefix(set))?;
        Some(u64::from_str_radix(signals.trim(), 16).ok()? & (1 << (signal as u64 - 1)) != 0)
    };
    while found() != Some(is_in) {
        assert!(began.elapsed() < LIMIT, "{set} {signal}");
        thread::yield_now();
    }
}

/// Waits until a process has a thread of this name.
#[cfg(target_os = "linux")]
pub(crate) fn wait_for_thread(process: u32, name: &str) {
    let began = Instant::now();
    let has_it = || {
        let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        let mut names =
            threads.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.any(|found| found.trim_end() == name)
    };
    while !has_it() {
        assert!(began.elapsed() < LIMIT, "there is no thread {name}");
        thread::yield_now();
    }
}

/// The lines of a stream, read by a thread of its own.
struct Lines(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Default)]
struct Seen {
    text: String,
    ended: bool,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Seen>, Condvar)>::default();
        let writer = Arc::clone(&shared);
        thread::spawn(move || {
            let (read, changed) = &*writer;
            for line in BufReader::new(stream).lines() {
                let line = line.expect("the output is text");
                let mut read = read.lock().expect("no panic");
                read.text.push_str(&line);
                read.text.push('\n');
                changed.notify_all();
            }
            read.lock().expect("no panic").ended = true;
            changed.notify_all();
        });
        Self(shared)
    }

    /// Waits until a line contains `text`; false if the stream ends without it.
    fn wait_for(&self, text: &str) -> bool {
        self.wait_until(|read| read.ended || read.text.contains(text)) && self.text().contains(text)
    }

    fn wait_for_end(&self) -> bool {
        self.wait_until(|read| read.ended)
    }

    fn wait_until(&self, ready: impl Fn(&Seen) -> bool) -> bool {
        let (read, changed) = &*self.0;
        let waited =
            changed.wait_timeout_while(read.lock().expect("no panic"), LIMIT, |read| !ready(read));
        !waited.expect("no panic").1.timed_out()
    }

    fn text(&self) -> String {
        self.0.0.lock().expect("no panic").text.clone()
    }
}
