//! Ends what a process leaves behind, even if this one is killed and can end nothing any more. (Unix.)
//!
//! Each process runs in a group of its own. The first in it is a shell that waits for the end of a pipe, whose other
//! end this process has and nobody else: when that is closed, by whatever, the shell kills the group with itself. What has left the group it
//! knows by a variable that all of them inherit.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;

use nix::unistd::{Uid, User};
use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tokio::process::{Child, ChildStdin, Command};

use super::contract::MARK;
use super::options::{ChildOptions, ResourceLimits, RunAs};

/// Whether a process can be sent a signal.
pub(super) const HAS_SIGNALS: bool = true;

/// What a process can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// To end.
    Term,
    /// What nobody can refuse.
    Kill,
}

impl From<Signal> for rustix::process::Signal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Term => Self::TERM,
            Signal::Kill => Self::KILL,
        }
    }
}

/// Who watches a group. Dropping it kills what is left of the group.
#[derive(Debug)]
pub(super) struct Guard {
    group: Pid,
    watcher: Watcher,
    /// There is none, and none can be had.
    is_given_up: bool,
}

/// The shell that waits.
#[derive(Debug)]
struct Watcher {
    /// Nothing is ever written into it.
    _pipe: ChildStdin,
    shell: Child,
    id: Pid,
}

/// The variable stands between zero bytes in `environ`, which no other value can imitate that has none in it; `grep`
/// takes it for a text all the same (`-a`). The shell itself does not have it. What is killed may have started another in that
/// moment, so that it looks again until there is none.
const WATCH: &str = r#"
trap '' TERM INT HUP QUIT TSTP
read -r _
for round in 1 2 3 4 5 6 7 8 9 10; do
    left=
    for found in $(grep -las "$0=$1" /proc/[0-9]*/environ 2>/dev/null); do
        found=${found#/proc/}
        kill -KILL "${found%/environ}" 2>/dev/null && left=yes
    done
    [ "$left" ] || break
done
[ -z "$2" ] || rm -rf -- "$2"
kill -KILL 0
"#;

impl Guard {
    /// Begins a group that has the processes with this mark, and a folder that goes with them.
    ///
    /// # Errors
    ///
    /// There is no shell, or the system gives no process.
    pub(super) fn begin(mark: &str, folder: Option<&Path>) -> io::Result<Self> {
        let watcher = Watcher::begin(0, mark, folder)?;
        Ok(Self { group: watcher.id, watcher, is_given_up: false })
    }

    /// Puts another shell in the place of one that somebody has killed; whether that was so.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin) has. It is tried once.
    pub(super) fn renew(&mut self, mark: &str, folder: Option<&Path>) -> io::Result<bool> {
        let is_dead = !self.is_given_up && self.watcher.is_dead();
        if is_dead {
            self.is_given_up = true;
            self.watcher = Watcher::begin(self.group.as_raw_nonzero().get(), mark, folder)?;
            self.is_given_up = false;
        }
        Ok(is_dead)
    }

    /// The number of the shell.
    pub(super) fn watcher(&self) -> u32 {
        self.watcher.id.as_raw_nonzero().get().unsigned_abs()
    }

    /// The number of the group.
    pub(super) fn number(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The shell does it when the pipe is closed, unless there is none.
        if self.watcher.is_dead() {
            let _ = kill_process_group(self.group, rustix::process::Signal::KILL);
        }
    }
}

impl Watcher {
    /// Begins one, in this group, or with 0 in one of its own.
    fn begin(group: i32, mark: &str, folder: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCH, MARK, mark]).arg(folder.unwrap_or(Path::new("")));
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.current_dir("/").process_group(group);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = command.spawn()?;
        let id = shell.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let (Some(id), Some(pipe)) = (id, shell.stdin.take()) else {
            return Err(io::Error::other("the system gave no group of processes"));
        };
        Ok(Self { _pipe: pipe, shell, id })
    }

    /// Whether somebody has killed it. It stays as it is then: as long as nobody asks the system how it has ended, its
    /// number, which may be that of the group, belongs to nobody else.
    fn is_dead(&self) -> bool {
        // Whoever has been waited for has no number any more.
        if self.shell.id().is_none() {
            return true;
        }
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.id), look), Ok(Some(_)))
    }
}

/// A process that was started.
pub(super) type Running = Child;

/// Starts a command, in the group if there is one.
///
/// # Errors
///
/// The system does not start it.
pub(super) fn spawn(mut command: Command, guard: Option<&Guard>) -> io::Result<Running> {
    if let Some(guard) = guard {
        command.process_group(guard.group.as_raw_nonzero().get());
    }
    command.spawn()
}

/// Sends a signal to a process. One that has ended needs none.
pub(super) fn signal(process: u32, signal: Signal) {
    if let Some(process) = process.try_into().ok().and_then(Pid::from_raw) {
        let _ = kill_process(process, signal.into());
    }
}

/// A command that sets limits for itself before it becomes the program: whoever is no root any more may still have less.
pub(super) fn held(options: &ChildOptions, arguments: &[String]) -> Command {
    let ResourceLimits { open_files, memory, processes, core_size } = options.limits;
    let mut script = String::new();
    let mut limit = |text: String| {
        script += &text;
        script += " || exit 126; ";
    };
    if let Some(umask) = options.umask {
        limit(format!("umask {umask:03o}"));
    }
    if let Some(files) = open_files {
        limit(format!("ulimit -n {files}"));
    }
    // In kilobytes, and in blocks of 512 bytes.
    if let Some(bytes) = memory {
        limit(format!("ulimit -v {}", bytes.div_ceil(1024)));
    }
    if let Some(bytes) = core_size {
        limit(format!("ulimit -c {}", bytes.div_ceil(512)));
    }
    if let Some(processes) = processes {
        // Shells differ in its name.
        limit(format!("{{ ulimit -u {processes} 2>/dev/null || ulimit -p {processes}; }}"));
    }
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script + "exec \"$@\"").arg("sh");
    command.arg(&options.program).args(arguments);
    command
}

/// Lets a command run as somebody, with his home in the place of ours.
pub(super) fn run_as(command: &mut Command, run_as: &RunAs, variables: &[(String, String)]) {
    command.gid(run_as.group).uid(run_as.user);
    let account = User::from_uid(Uid::from_raw(run_as.user)).ok().flatten();
    let (name, home) = match account {
        Some(account) => (account.name, account.dir),
        None => (run_as.name.clone(), "/".into()),
    };
    let mut set = |variable: &str, value: &OsStr| {
        if !variables.iter().any(|(own, _)| own == variable) {
            command.env(variable, value);
        }
    };
    set("HOME", home.as_os_str());
    set("USER", name.as_ref());
    set("LOGNAME", name.as_ref());
}
