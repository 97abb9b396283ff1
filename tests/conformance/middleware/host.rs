//! The app with the settings of a case, on ports of its own.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::web_root;
use crate::process::{Seen, Server};
use crate::test_data;

/// How long a start, or a stop, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running app, or one that has refused to start.
#[derive(Debug)]
pub(super) struct Host {
    server: Server,
    /// `http`, `https` and `https2`.
    ports: BTreeMap<&'static str, u16>,
    /// What `{dir}` and `{root}` stand for, gone when this is.
    folder: Arc<TempDir>,
}

/// What an app has left behind.
pub(super) struct Stopped {
    /// What it said.
    pub(super) text: String,
    pub(super) folder: Arc<TempDir>,
    ports: BTreeMap<&'static str, u16>,
}

impl Host {
    /// Starts `program` and waits until it listens, or has ended.
    pub(super) fn start(program: &Path, setup: &Value) -> Result<Self> {
        let folder = TempDir::with_prefix("kestrel-stages-").context("a folder")?;
        Self::start_in(program, setup, Arc::new(folder))
    }

    /// Stops it, and starts it once more in the same folder.
    pub(super) fn again(self, program: &Path, setup: &Value) -> Result<Self> {
        let folder = Arc::clone(&self.folder);
        drop(self);
        Self::start_in(program, setup, folder)
    }

    /// On ports that nobody has. Somebody may have one of them by the time it is bound: then on others.
    fn start_in(program: &Path, setup: &Value, folder: Arc<TempDir>) -> Result<Self> {
        const ATTEMPTS: usize = 4;
        for _ in 1..ATTEMPTS {
            let host = Self::start_once(program, setup, Arc::clone(&folder))?;
            if !host.refused().is_some_and(|why| why.contains("address already in use")) {
                return Ok(host);
            }
        }
        Self::start_once(program, setup, folder)
    }

    fn start_once(program: &Path, setup: &Value, folder: Arc<TempDir>) -> Result<Self> {
        let root = folder.path().join("app");
        fs::create_dir_all(&root)?;
        if let Some(kind) = setup["files"].as_str() {
            web_root::make(&root.join("wwwroot"), kind)?;
        }
        let ports = free_ports()?;
        let mut command = Command::new(program);
        command.arg("run").current_dir(&root).env_clear().env("HOME", folder.path());
        for name in ["PATH", "TMPDIR", "KESTREL_REFERENCE"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("MW_LOGFILE", folder.path().join("log.jsonl"));
        let (certificate, key) = (test_data::file("server.pem"), test_data::file("server.key"));
        command.env("Kestrel__Certificates__Default__Path", certificate);
        command.env("Kestrel__Certificates__Default__KeyPath", key);
        command.envs(variables(setup, &ports, folder.path()));
        let server = Server::start(&mut command).context("starting the app")?;
        let says_it = |seen: &Seen| {
            seen.exit.is_some() || seen.out.iter().any(|line| line.contains("Application started"))
        };
        let is_there = match is_quiet(setup) {
            false => server.wait_until(PATIENCE, says_it),
            true => answers(&server, ports["http"]),
        };
        if !is_there {
            bail!("the app neither starts nor ends: {}", server.seen().out.join("\n"));
        }
        Ok(Self { server, ports, folder })
    }

    /// What it said if it did not start.
    pub(super) fn refused(&self) -> Option<String> {
        if self.server.alive() {
            return None;
        }
        self.server.wait(PATIENCE);
        let seen = self.server.seen();
        Some(self.neutral(&[&seen.out[..], &seen.err[..]].concat().join("\n")))
    }

    pub(super) fn address(&self, scheme: &str) -> SocketAddr {
        let port = if scheme == "https" { "https" } else { "http" };
        SocketAddr::from(([127, 0, 0, 1], self.ports[port]))
    }

    /// A text of a case with the ports in it.
    pub(super) fn filled_in(&self, text: &str) -> String {
        filled_in(text, &self.ports)
    }

    /// A text of the app's without what is another one every time.
    pub(super) fn neutral(&self, text: &str) -> String {
        neutral(text, self.folder.path(), &self.ports)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, and reads the rest of what it says.
    pub(super) fn stopped(self) -> Stopped {
        self.server.signal(Signal::SIGTERM);
        self.server.wait(PATIENCE);
        let seen = self.server.seen();
        let mut lines = [&seen.out[..], &seen.err[..]].concat();
        // Each has its end.
        lines.push(String::new());
        drop(seen);
        let (folder, ports) = (Arc::clone(&self.folder), self.ports.clone());
        Stopped { text: lines.join("\n"), folder, ports }
    }
}

impl Stopped {
    /// A text of the app's without what is another one every time.
    pub(super) fn neutral(&self, text: &str) -> String {
        neutral(text, self.folder.path(), &self.ports)
    }
}

fn neutral(text: &str, folder: &Path, ports: &BTreeMap<&'static str, u16>) -> String {
    let folder = folder.display().to_string();
    let mut text = text.replace(&format!("{folder}/app"), "{root}").replace(&folder, "{dir}");
    for (name, port) in ports {
        text = without_number(&text, &port.to_string(), name);
    }
    without_trace_ids(&text)
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.signal(Signal::SIGTERM);
        self.server.wait(PATIENCE);
    }
}

/// Whether a case lets the app not say that it has started.
fn is_quiet(setup: &Value) -> bool {
    let env = &setup["env"];
    env["Logging__LogLevel__Default"] == "None"
        || env["Logging__LogLevel__Microsoft.Hosting"] == "None"
}

/// Waits until the app takes connections, or has ended.
fn answers(server: &Server, port: u16) -> bool {
    const NEXT_ATTEMPT: Duration = Duration::from_millis(20);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let has_ended = server.wait_until(NEXT_ATTEMPT, |seen| seen.exit.is_some());
        if has_ended || TcpStream::connect(address).is_ok() {
            return true;
        }
    }
    false
}

/// Ports that nobody has at this moment.
fn free_ports() -> Result<BTreeMap<&'static str, u16>> {
    let names = ["http", "https", "https2"];
    // All of them are held before one is given away, so that they are different ones.
    let held = names.map(|_| TcpListener::bind("127.0.0.1:0"));
    names.into_iter().zip(held).map(|(name, held)| Ok((name, held?.local_addr()?.port()))).collect()
}

fn filled_in(text: &str, ports: &BTreeMap<&'static str, u16>) -> String {
    let put = |text: String, (name, port): (&&str, &u16)| {
        text.replace(&format!("{{{name}}}"), &port.to_string())
    };
    ports.iter().fold(text.to_owned(), put)
}

/// The variables of a case.
fn variables(
    setup: &Value,
    ports: &BTreeMap<&'static str, u16>,
    folder: &Path,
) -> Vec<(String, String)> {
    let environment = setup["environment"].as_str().unwrap_or("Production");
    let mut all = vec![
        ("ASPNETCORE_ENVIRONMENT".to_owned(), environment.to_owned()),
        ("Logging__LogLevel__Default".to_owned(), "Debug".to_owned()),
    ];
    let urls = match &setup.get("urls") {
        None => Some("http://127.0.0.1:{http}"),
        Some(urls) => urls.as_str(),
    };
    all.extend(urls.map(|urls| ("ASPNETCORE_URLS".to_owned(), filled_in(urls, ports))));
    let folder: PathBuf = folder.to_owned();
    for (name, value) in setup.as_object().into_iter().flatten() {
        if *name != name.to_uppercase() {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = filled_in(&text, ports).replace("{dir}", &folder.display().to_string());
        all.push((format!("MW_{name}"), text));
    }
    for (name, value) in setup["env"].as_object().into_iter().flatten() {
        all.push((name.clone(), filled_in(value.as_str().unwrap_or_default(), ports)));
    }
    all
}

/// A text with `{name}` in the place of a number that stands alone.
fn without_number(text: &str, number: &str, name: &str) -> String {
    let mut left = text;
    let mut all = String::with_capacity(text.len());
    while let Some(at) = left.find(number) {
        let (before, after) = (&left[..at], &left[at + number.len()..]);
        let alone = !before.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !after.starts_with(|c: char| c.is_ascii_digit());
        all.push_str(before);
        match alone {
            true => all.push_str(&format!("{{{name}}}")),
            false => all.push_str(number),
        }
        left = after;
    }
    all + left
}

/// A text with `{traceparent}` in the place of ids in the form of Trace Context.
fn without_trace_ids(text: &str) -> String {
    const LENGTH: usize = 55;
    let is_one = |at: usize| {
        let id = text.get(at..at + LENGTH)?;
        let mut parts = id.split('-').map(|part| {
            let hexadecimal =
                part.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
            hexadecimal.then_some(part.len())
        });
        (id.starts_with("00-")
            && [2, 32, 16, 2].iter().all(|length| parts.next() == Some(Some(*length))))
        .then_some(at)
    };
    let mut all = String::new();
    let mut rest = 0;
    for at in text.match_indices("00-").filter_map(|(at, _)| is_one(at)) {
        if at >= rest {
            all.push_str(&text[rest..at]);
            all.push_str("{traceparent}");
            rest = at + LENGTH;
        }
    }
    all + &text[rest..]
}

/// The harness's tests of this file.
pub(super) fn check() {
    assert_eq!(
        without_number("https://a:5001/5001x a5001 50011", "5001", "https"),
        "https://a:{https}/{https}x a5001 50011"
    );
    let id = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00";
    assert_eq!(
        without_trace_ids(&format!("a{id}b{id}, 00-1")),
        "a{traceparent}b{traceparent}, 00-1"
    );
}
