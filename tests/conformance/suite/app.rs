//! The app, started with the options of a group of cases.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::console::{Entry, entries};
use crate::process::Server;

/// How long a start may take; the reference has to compile itself, with others beside it.
const START: Duration = Duration::from_secs(30);

/// Server options that are no limits.
const SERVER_OPTIONS: [&str; 3] =
    ["AddServerHeader", "AllowHostHeaderOverride", "DisableHttp1LineFeedTerminators"];

/// How the app is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// Variables of the environment.
    pub(crate) variables: Vec<(String, String)>,
    /// The addresses, if they come by the command line.
    pub(crate) urls: Option<String>,
    log: Option<&'static str>,
    /// Puts files into the content root.
    pub(crate) fill: Option<fn(&Path) -> io::Result<()>>,
}

impl Start {
    /// A start on `urls` with these options: limits, and those of the server itself. `code` is what
    /// a program would say in code.
    pub(crate) fn new(urls: Option<&str>, options: &Value, code: &Value) -> Self {
        let mut variables = Vec::new();
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        for (name, value) in members(options) {
            let folder = match SERVER_OPTIONS.contains(&name.as_str()) {
                true => "Kestrel__",
                false => "Kestrel__Limits__",
            };
            variables.push((format!("{folder}{}", name.replace('.', "__")), text(&value)));
        }
        for (name, value) in members(code) {
            // The reference's own app knows some under this name.
            variables.push((format!("ORACLE_{name}"), text(&value)));
            variables.push((format!("CODE_{name}"), text(&value)));
        }
        Self { variables, urls: urls.map(str::to_owned), log: None, fill: None }
    }

    /// The same with everything in the log that is of this level and above.
    pub(crate) fn log(mut self, level: &'static str) -> Self {
        self.log = Some(level);
        self
    }

    /// The same with a variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }
}

/// A value as it stands in the environment.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // As the reference's runner writes it.
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// The running app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) server: Server,
    /// What it listens on, as it says.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Its content root, gone when this is.
    _root: TempDir,
}

impl App {
    /// Starts `program` and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn start(program: &Path, start: &Start) -> Result<Self> {
        let app = Self::try_start(program, start)?;
        if app.addresses.is_empty() {
            let seen = app.server.seen();
            bail!("the app does not listen: {}", [&seen.out[..], &seen.err[..]].concat().join("\n"))
        }
        Ok(app)
    }

    /// Starts `program` and waits until it listens or has ended.
    ///
    /// # Errors
    /// When it cannot be started at all.
    pub(crate) fn try_start(program: &Path, start: &Start) -> Result<Self> {
        let root = TempDir::with_prefix("kestrel-wire-").context("a content root")?;
        if let Some(fill) = start.fill {
            fill(root.path()).context("the files of a content root")?;
        }
        // In a file, because a shell loses variables with dots in their names. The addresses are
        // read from the lifetime lines.
        let levels = json!({
            "Default": start.log.unwrap_or("None"), "Microsoft.Hosting.Lifetime": "Information",
        });
        let settings = json!({"Logging": {"LogLevel": levels}});
        fs::write(root.path().join("appsettings.json"), settings.to_string())?;
        let mut command = Command::new(program);
        command.arg("run").current_dir(root.path()).env_clear().env("HOME", root.path());
        for name in ["PATH", "TMPDIR", "KESTREL_REFERENCE"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(urls) = &start.urls {
            command.args(["--urls", urls]);
        }
        command.envs(start.variables.iter().map(|(name, value)| (name, value)));
        let server = Server::start(&mut command).context("starting the app")?;
        server.wait_until(START, |seen| {
            seen.exit.is_some() || seen.out.iter().any(|line| line.contains("Application started"))
        });
        let addresses = match server.alive() {
            true => listening(&server.seen().out),
            false => Vec::new(),
        };
        Ok(Self { server, addresses, _root: root })
    }

    /// The first address it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The events it has logged so far.
    pub(crate) fn events(&self) -> Vec<Entry> {
        entries(&self.server.seen().out)
    }

    /// Waits for its end after a signal and says how it ended: the exit code, or less than zero by
    /// a signal. `None` if it does not end in time.
    pub(crate) fn exit(&self, limit: Duration) -> Option<i32> {
        if !self.server.wait(limit) {
            return None;
        }
        let status = self.server.seen().exit?;
        use std::os::unix::process::ExitStatusExt as _;
        status.code().or_else(|| status.signal().map(|signal| -signal))
    }

    /// Stops it, softly at first, so that all it has to say is said.
    pub(crate) fn stop(&self, patience: Duration) {
        self.server.signal(Signal::SIGTERM);
        if !self.server.wait(patience) {
            self.server.signal(Signal::SIGKILL);
            self.server.wait(patience);
        }
    }
}

/// The addresses in the lines that announce them.
fn listening(lines: &[String]) -> Vec<SocketAddr> {
    let announced = lines.iter().filter_map(|line| line.split_once("Now listening on: ")?.1.into());
    announced
        .filter_map(|url: &str| url.trim().trim_end_matches('/').split_once("://")?.1.parse().ok())
        .collect()
}

/// Waits in small steps until `ready` holds; false when the time is over first.
pub(crate) fn wait(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !ready() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// Whether reading stopped only because there was nothing for a while.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The harness's test of this file.
pub(crate) fn check() {
    let lines = ["info: A[14]", "      Now listening on: http://127.0.0.1:80/", "x"];
    assert_eq!(listening(&lines.map(str::to_owned)), ["127.0.0.1:80".parse().expect("an address")]);
    let options = json!({"Http2.A": 1, "AddServerHeader": false, "X": null});
    let start = Start::new(None, &options, &json!({"SHUTDOWN": 2}));
    let variables: Vec<_> =
        start.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        variables,
        [
            "Kestrel__Limits__Http2__A=1",
            "Kestrel__AddServerHeader=False",
            "Kestrel__Limits__X=",
            "ORACLE_SHUTDOWN=2",
            "CODE_SHUTDOWN=2"
        ]
    );
}
