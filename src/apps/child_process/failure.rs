//! Why a process is not there, in words: for the log, and in Development for who asks.

use std::fmt::{self, Write as _};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::diagnostics::events::FailedProcess;

/// Why a process never got ready, or is there no more.
#[derive(Debug)]
pub(super) struct ProcessFailure {
    /// The command, as somebody would type it.
    pub(super) command: String,
    pub(super) cause: Cause,
    /// The number of the process, if there was one.
    pub(super) process: Option<u32>,
    /// What it ended with, if it did by itself.
    pub(super) exit_code: Option<i32>,
    /// The last lines of its output.
    pub(super) lines: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// There was no place for it to listen at.
    NoPlace(io::Error),
    /// The port that it is to have belongs to somebody else.
    Taken(u16),
    /// Somebody else was faster at the port that it is to have.
    Stranger { port: u16, user: u32 },
    /// The system did not start it.
    NotStarted(io::Error),
    /// It ended: how, after how long, whether it was ready, and how many processes it left behind.
    Ended { process: u32, how: String, after: Duration, was_ready: bool, left: usize },
    /// It was not ready in time.
    TooSlow { limit: Duration, expected: String, listens: Option<Vec<SocketAddr>> },
    /// It listens, but did not say that it is well.
    Unwell { limit: Duration, path: String, what: String },
    /// It has ended too often.
    TooOften { limit: u32, pause: Duration, last: String },
}

impl ProcessFailure {
    /// Whether processes are left alone for a while.
    pub(super) fn is_pause(&self) -> bool {
        matches!(self.cause, Cause::TooOften { .. })
    }

    /// Whether somebody else has its port.
    pub(super) fn is_lost_port(&self) -> bool {
        matches!(self.cause, Cause::Stranger { .. })
    }

    /// What happened, in a sentence.
    pub(super) fn sentence(&self) -> String {
        self.cause.to_string()
    }

    /// What to look at, if that is clear.
    pub(super) fn remedy(&self) -> String {
        match &self.cause {
            Cause::NotStarted(error) => match error.kind() {
                io::ErrorKind::NotFound => "Look whether the program is installed, and in PATH of this service; and whether its working directory is there.".to_owned(),
                io::ErrorKind::PermissionDenied => "Look whether the file is a program (chmod +x), and whether this user may run it.".to_owned(),
                // ENOEXEC
                _ if error.raw_os_error() == Some(8) => {
                    "It is no program, and a script needs a first line such as #!/usr/bin/env python3: add that, or name the program that runs it.".to_owned()
                }
                _ => String::new(),
            },
            Cause::Stranger { .. } => "On a machine with several users, let it listen on a Unix socket: {socket} in its arguments, or Listen: socket.".to_owned(),
            Cause::Taken(_) => "End what has it, or leave Listen out: a free port is chosen then.".to_owned(),
            Cause::Ended { left: 1.., .. } => {
                "It went to the background: start it so that it stays in the foreground (often an option such as --no-daemon).".to_owned()
            }
            Cause::Ended { was_ready: false, .. } if self.lines.is_empty() => {
                "It wrote nothing: run the command by hand to see more.".to_owned()
            }
            Cause::TooSlow { expected, listens, .. } => match listens.as_deref() {
                None | Some([]) => format!("If it may take so long, raise StartupTimeLimit. It is to listen at {expected}: PORT, ASPNETCORE_URLS, and {{port}}, {{socket}} or {{url}} in its arguments say so."),
                Some(others) => format!("It listens at {} instead: tell it by its arguments, where {{port}} and {{url}} stand for what it is to have.", addresses(others)),
            },
            Cause::Unwell { path, .. } => format!("Look whether Health ({path}) is the right path."),
            Cause::TooOften { .. } => "Look at what it wrote before. RapidFailsPerMinute says how often is too often.".to_owned(),
            Cause::NoPlace(_) | Cause::Ended { .. } => String::new(),
        }
    }

    /// All of it for the log, which has the output already.
    pub(super) fn told(&self) -> FailedProcess {
        FailedProcess {
            what: self.sentence(),
            details: self.details_told(),
            process: self.process,
            exit_code: self.exit_code,
        }
    }

    /// What is to be known besides, for the log, which has the output already.
    fn details_told(&self) -> String {
        let remedy = self.remedy();
        let gap = if remedy.is_empty() { "" } else { "\n" };
        format!("The command: {}{gap}{remedy}", self.command)
    }

    /// All of it, in lines.
    pub(super) fn details(&self) -> String {
        let mut text =
            format!("{}\nThe command: {}\n{}", self.sentence(), self.command, self.remedy());
        if !self.lines.is_empty() {
            let _ = write!(text, "\n\nThe last lines of its output:\n{}", self.lines.join("\n"));
        }
        text
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(error) => {
                write!(f, "There is no place for the process to listen at: {error}.")
            }
            Self::Taken(port) => {
                write!(f, "The port {port}, which the process is to have, is taken.")
            }
            Self::NotStarted(error) => write!(f, "The process cannot be started: {error}."),
            Self::Stranger { port, user } => {
                write!(
                    f,
                    "At the port {port}, which the process is to have, a process of another user (number {user}) listens."
                )
            }
            Self::Ended { process, how, after, was_ready, left } => {
                let when = if *was_ready { "" } else { " before it listened" };
                write!(f, "Process {process} ended with {how}{when}, after {}", seconds(*after))?;
                match left {
                    0 => f.write_str("."),
                    left => write!(f, ", and left {left} others behind, which were ended."),
                }
            }
            Self::TooSlow { limit, expected, .. } => {
                write!(
                    f,
                    "The process does not listen at {expected} after {}, and was ended.",
                    seconds(*limit)
                )
            }
            Self::Unwell { limit, path, what } => {
                write!(
                    f,
                    "The process did not say within {} that it is well ({path}: {what}), and was ended.",
                    seconds(*limit)
                )
            }
            Self::TooOften { limit, pause, last } => {
                write!(
                    f,
                    "The process has ended more than {limit} times within a minute, and is left alone for {}. {last}",
                    seconds(*pause)
                )
            }
        }
    }
}

fn addresses(all: &[SocketAddr]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A time for people.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        time if time < 10.0 => format!("{time:.2} s"),
        time => format!("{time:.0} s"),
    }
}

/// What a process ended with; of a signal, 128 and its number, as shells have it.
pub(super) fn exit_code(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(128 + signal);
    }
    status.code()
}

/// How a process ended, in words.
pub(super) fn how(status: std::process::ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = rustix::process::Signal::from_named_raw(signal);
        return match name {
            Some(name) => format!("signal {signal} ({})", signal_name(name)),
            None => format!("signal {signal}"),
        };
    }
    match status.code() {
        Some(127) => "exit code 127 (a shell did not find the program)".to_owned(),
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}

#[cfg(unix)]
fn signal_name(signal: rustix::process::Signal) -> &'static str {
    use rustix::process::Signal;
    match signal {
        Signal::KILL => "KILL: killed from outside, or by the system because memory ran out",
        Signal::SEGV => "SEGV: it touched memory that it does not have",
        Signal::ABORT => "ABRT: it gave up by itself",
        Signal::TERM => "TERM",
        Signal::INT => "INT",
        Signal::HUP => "HUP",
        Signal::BUS => "BUS",
        Signal::ILL => "ILL",
        Signal::FPE => "FPE",
        Signal::PIPE => "PIPE",
        Signal::QUIT => "QUIT",
        Signal::USR1 => "USR1",
        Signal::USR2 => "USR2",
        _ => "another",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(cause: Cause, lines: &[&str]) -> ProcessFailure {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        let command = "app --port 5000".to_owned();
        ProcessFailure { command, cause, process: None, exit_code: None, lines }
    }

    #[test]
    fn it_is_said_where_a_process_listens_instead() {
        let other = vec!["127.0.0.1:8000".parse().unwrap()];
        let limit = Duration::from_secs(120);
        let expected = "http://127.0.0.1:12345".to_owned();
        let slow = failure(Cause::TooSlow { limit, expected, listens: Some(other) }, &["ready"]);
        let details = slow.details();
        for part in [
            "http://127.0.0.1:12345 after 120 s",
            "127.0.0.1:8000 instead",
            "app --port 5000",
            "\nready",
        ] {
            assert!(details.contains(part), "{part}: {details}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn ends_are_told_in_words() {
        use std::os::unix::process::ExitStatusExt;
        for (raw, expected, code) in [
            (0, "exit code 0", 0),
            (3 << 8, "exit code 3", 3),
            (127 << 8, "exit code 127 (a shell did not find the program)", 127),
            (15, "signal 15 (TERM)", 143),
        ] {
            let status = std::process::ExitStatus::from_raw(raw);
            assert_eq!((how(status).as_str(), exit_code(status)), (expected, Some(code)));
        }
        assert!(how(std::process::ExitStatus::from_raw(9)).contains("KILL"));
        let ended = |left| Cause::Ended {
            process: 7,
            how: "exit code 0".to_owned(),
            after: Duration::from_millis(120),
            was_ready: false,
            left,
        };
        let failure = failure(ended(2), &[]);
        assert!(
            failure
                .sentence()
                .ends_with("after 0.12 s, and left 2 others behind, which were ended.")
        );
        assert!(failure.remedy().contains("foreground"), "{}", failure.remedy());
    }
}
