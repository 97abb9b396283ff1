//! A server in a process of its own, and what the system tells about it.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// A server in a process of its own. It ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    stdin: Option<ChildStdin>,
    ends_with_input: bool,
}

/// How long a server may take to end that was asked to.
const LONGEST_END: Duration = Duration::from_secs(5);

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Result<Self> {
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("ASPNETCORE_") || text.starts_with("DOTNET_") {
                command.env_remove(&name);
            }
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let mut output = BufReader::new(stdout);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                return Err(format!("the server ended: {}", child.wait()?).into());
            }
            if let Some((_, address)) = line.split_once("Now listening on: ") {
                let address = address.trim();
                let host = address.split_once("://").map_or(address, |(_, host)| host);
                break host.parse()?;
            }
        };
        // Kept open, so that the server can go on writing its log.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(Self { stdin: child.stdin.take(), child, address, ends_with_input: true })
    }

    /// Starts a program that is told its port in the place of `{port}`, or else tells where it
    /// listens as ours do.
    pub(crate) fn start_other(mut command: Command, line: &str, folder: &Path) -> Result<Self> {
        let mut words = line.split_whitespace();
        if !line.contains("{port}") {
            command.args(words);
            let mut server = Self::start(command, folder)?;
            server.ends_with_input = false;
            return Ok(server);
        }
        // Free a moment ago; nobody else here opens ports.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        command.args(words.by_ref().map(|word| word.replace("{port}", &port)));
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn()?;
        let mut server = Self { stdin: child.stdin.take(), child, address, ends_with_input: false };
        for _ in 0..1000 {
            if TcpStream::connect(address).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{line}: {status}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("{line} does not listen").into())
    }

    /// Lets it end by itself.
    pub(crate) fn end(mut self) -> Result<()> {
        drop(self.stdin.take());
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server ended: {status}").into()) }
    }

    /// The processor time of all threads so far, in seconds; `None` where it is not told.
    #[cfg(target_os = "linux")]
    pub(crate) fn processor_time(&self) -> Option<f64> {
        let process = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let clock = nix::time::clock_getcpuclockid(process).ok()?;
        Some(std::time::Duration::from(clock.now().ok()?).as_secs_f64())
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn processor_time(&self) -> Option<f64> {
        None
    }

    /// The resident memory in bytes.
    pub(crate) fn resident_memory(&self) -> Option<f64> {
        Some(self.told("VmRSS:")? * 1024.0)
    }

    /// A number that the system tells of the process.
    pub(crate) fn told(&self, name: &str) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first: one that counts what it runs, for a build by profile, writes that at its end.
        match self.stdin.take() {
            Some(input) if self.ends_with_input => drop(input),
            _ => ask_to_end(&self.child),
        }
        let until = Instant::now() + LONGEST_END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    let process = nix::unistd::Pid::from_raw(child.id().cast_signed());
    let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
}

#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

/// How many files a process may have open, once all that is allowed is taken; servers inherit it.
#[cfg(unix)]
pub(crate) fn file_limit() -> Result<usize> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(usize::try_from(hard).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
pub(crate) fn file_limit() -> Result<usize> {
    Ok(usize::MAX)
}
