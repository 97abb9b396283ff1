//! A reader that goes away takes nothing down.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::http::get;
use crate::process::Kestrel;

/// A process that dies with this value.
struct Spawned(Child);

impl Spawned {
    fn new(arguments: &[&str], stdout: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kestrel"));
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(stdout);
        // The lines must not depend on whether the tests run in a container.
        command.env("DOTNET_RUNNING_IN_CONTAINER", "false");
        Self(command.stderr(Stdio::piped()).spawn().expect("the binary is there"))
    }

    /// What it wrote to standard error, and its exit code.
    fn ended(mut self) -> (String, Option<i32>) {
        let mut stderr = String::new();
        let mut stream = self.0.stderr.take().expect("a pipe");
        stream.read_to_string(&mut stderr).expect("text");
        (stderr, self.0.wait().expect("it is ours").code())
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // It has ended already unless the test fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_does_not_end_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_str().expect("a path of letters");
    let mut spawned = Spawned::new(
        &["run", "--urls", "http://127.0.0.1:0", "--contentRoot", root],
        Stdio::piped(),
    );
    let mut stdout = BufReader::new(spawned.0.stdout.take().expect("a pipe")).lines();
    let address = stdout.nth(1).expect("a line").expect("text");
    let address =
        address.trim().strip_prefix("Now listening on: ").expect("the address").to_owned();
    drop(stdout);
    // Each request wants to write two lines.
    for _ in 0..3 {
        assert_eq!(get(&address, "/", &[]).status, 200);
    }
    let process = Pid::from_raw(spawned.0.id().cast_signed());
    kill(process, Signal::SIGTERM).expect("it runs");
    assert_eq!(spawned.ended(), (String::new(), Some(0)));
}

/// Checks a command whose standard output is closed before it writes.
fn unread(arguments: &[&str]) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = Spawned::new(arguments, writer).ended();
    assert_eq!(ended, (String::new(), Some(0)), "{arguments:?}");
}

#[test]
fn an_answer_that_nobody_reads_is_no_mistake() {
    unread(&["completions", "bash"]);
    unread(&["run", "--plan", "--StaticFiles:Enabled=false"]);
}

#[test]
fn help_that_nobody_reads_is_no_mistake() {
    unread(&["--help"]);
    unread(&["run", "--help"]);
    unread(&["--version"]);
}

#[test]
fn help_and_version_are_answers() {
    for (arguments, part) in [
        (&["--help"][..], "Usage: kestrel <COMMAND>"),
        (&["run", "--help"], "--listen <SPEC>"),
        (&["run", "-h"], "--urls <URLS>"),
        (&["--version"], concat!("kestrel ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["run", "--version"], concat!("kestrel ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["run", "--urls", "x", "--help"], "[default: http://localhost:5000]"),
    ] {
        let outcome = Kestrel::new(arguments.iter().copied()).ended();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{arguments:?}");
        assert!(outcome.stdout.contains(part), "{arguments:?}: {}", outcome.stdout);
    }
}
