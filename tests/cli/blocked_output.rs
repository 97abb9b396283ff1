//! A standard output or a standard error that nobody reads holds neither requests nor the stop.

use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::http::{Scheme, StuckRequest};
use crate::process::{LIMIT, terminal};

/// More than a pipe and the queue of the log hold.
const MANY: usize = 5000;

/// A server on a Unix socket: its log, which would tell a port, is not to be read.
struct Server {
    child: Child,
    socket: PathBuf,
    _folder: TempDir,
}

impl Server {
    fn new(arguments: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("k.sock");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kestrel"));
        command.args(["run", "--listen", &format!("unix:{}", socket.display())]).args(arguments);
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
        let child = command.stdout(stdout).stderr(stderr).spawn().expect("the binary is there");
        Self { child, socket, _folder: folder }
    }

    fn connect(&self) -> BufReader<UnixStream> {
        let began = Instant::now();
        loop {
            match UnixStream::connect(&self.socket) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(LIMIT)).expect("a time that is not zero");
                    return BufReader::new(stream);
                }
                Err(error) => assert!(began.elapsed() < LIMIT, "{error}"),
            }
            thread::yield_now();
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("it runs");
    }

    /// Waits for its end: the exit code, `None` if a signal ended it.
    fn ended(mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(began.elapsed() < LIMIT, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn terminated(self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request on a connection that is kept.
fn ask(stream: &mut BufReader<UnixStream>) -> io::Result<()> {
    stream.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line == "\r\n" {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length])
}

/// Many requests, all answered.
fn ask_many(server: &Server) {
    let mut stream = server.connect();
    for number in 0..MANY {
        ask(&mut stream).unwrap_or_else(|error| panic!("request {number}: {error}"));
    }
}

fn pipe() -> (PipeReader, PipeWriter) {
    io::pipe().expect("a pipe")
}

/// A pipe that takes nothing.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe();
    let flags = OFlag::from_bits_retain(fcntl(&writer, FcntlArg::F_GETFL).expect("flags"));
    fcntl(&writer, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).expect("flags");
    let full = loop {
        if let Err(error) = writer.write(&[b'x'; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    fcntl(&writer, FcntlArg::F_SETFL(flags)).expect("flags");
    (reader, writer)
}

#[test]
fn an_unread_log_holds_neither_requests_nor_the_stop() {
    let (_reader, writer) = pipe();
    let server = Server::new(&[], writer, Stdio::null());
    ask_many(&server);
    assert_eq!(server.terminated(), Some(0));

    let (_reader, writer) = pipe();
    let to_stderr = ["--Logging:Console:LogToStandardErrorThreshold=Trace"];
    let server = Server::new(&to_stderr, Stdio::null(), writer);
    ask_many(&server);
    assert_eq!(server.terminated(), Some(0));
}

#[test]
fn a_paused_terminal_holds_neither_requests_nor_the_stop() {
    let (mut shown, used) = terminal();
    // Ctrl+S
    shown.write_all(&[0x13]).expect("it is there");
    let server = Server::new(&[], used, Stdio::null());
    ask_many(&server);
    assert_eq!(server.terminated(), Some(0));
}

#[test]
fn a_second_signal_ends_it_while_the_log_is_blocked() {
    let (_reader, writer) = full_pipe();
    let mut server = Server::new(&["--shutdownTimeoutSeconds=86400"], writer, Stdio::null());
    let _stuck = StuckRequest::over(server.connect().into_inner(), Scheme::Http);
    let began = Instant::now();
    while server.child.try_wait().expect("it is ours").is_none() {
        assert!(began.elapsed() < LIMIT, "it does not end");
        server.signal(Signal::SIGTERM);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.ended(), Some(143));
}

#[test]
fn what_was_dropped_is_counted_and_told_when_the_log_flows_again() {
    let (reader, writer) = pipe();
    let server = Server::new(&["--Logging:Console:MaxQueueLength=10"], writer, Stdio::null());
    ask_many(&server);
    let (tell, told) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut lines = BufReader::new(reader).lines().map(|line| line.expect("text"));
        let event = lines.find(|line| line.ends_with("warn: Kestrel.Logging[1]"));
        tell.send((event, lines.next())).expect("the test waits");
        // To the end, or the server would wait again.
        lines.last()
    });
    let (event, text) = told.recv_timeout(LIMIT).expect("it flows");
    // It goes on telling what it does.
    ask(&mut server.connect()).expect("an answer");
    assert_eq!(server.terminated(), Some(0));
    let last = reading.join().expect("no panic");
    assert!(event.is_some(), "nothing tells that lines were dropped");
    let text = text.expect("a message");
    let (count, rest) = text.trim().split_once(' ').expect("words");
    assert!(count.parse::<usize>().expect("a number") > MANY, "{text}");
    assert!(
        rest.starts_with("log lines were dropped because the output did not take them"),
        "{text}"
    );
    assert_eq!(last.as_deref().map(str::trim), Some("Application is shutting down..."));
}

#[test]
fn a_wait_that_is_asked_for_holds_requests_but_not_the_stop() {
    let (_reader, writer) = pipe();
    let wait = ["--Logging:Console:QueueFullMode=Wait", "--Logging:Console:MaxQueueLength=1"];
    let server = Server::new(&wait, writer, Stdio::null());
    let mut stream = server.connect();
    stream.get_ref().set_read_timeout(Some(Duration::from_secs(3))).expect("a time");
    let answered = (0..MANY).take_while(|_| ask(&mut stream).is_ok()).count();
    assert!(answered < MANY, "nothing waits for the log");
    assert_eq!(server.terminated(), Some(0));
}

#[test]
fn a_refusal_that_nobody_reads_ends_all_the_same() {
    for (arguments, code) in [
        (&["run", "--urls", "htp://a"][..], 3),
        (&["run", "--urls", "http://192.0.2.1:1"], 4),
        (&["run", "--listen"], 2),
    ] {
        let ((_out, stdout), (_err, stderr)) = (full_pipe(), full_pipe());
        let mut command = Command::new(env!("CARGO_BIN_EXE_kestrel"));
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let status = command.status().expect("the binary is there");
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

/// An answer waits for its reader, as that of any command does, and a signal ends it.
#[test]
fn a_plan_that_nobody_reads_is_ended_by_a_signal() {
    let (_reader, writer) = full_pipe();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kestrel"));
    command.args(["run", "--plan"]).env_clear().stdin(Stdio::null()).stdout(writer);
    let child = command.spawn().expect("the binary is there");
    let server =
        Server { child, socket: PathBuf::new(), _folder: tempfile::tempdir().expect("a folder") };
    assert_eq!(server.terminated(), None);
}
