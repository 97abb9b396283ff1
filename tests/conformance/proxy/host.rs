//! The proxy of a case: started in a folder of its own with the case's settings, on a port that the
//! system chooses.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::names::Names;
use crate::process::Server;
use crate::test_data;

/// How long a start may take, with others beside it.
const START: Duration = Duration::from_secs(30);

/// How long a stop may take.
const STOP: Duration = Duration::from_secs(8);

/// What its log says once it listens, before the address.
const LISTENING: &str = "Now listening on: ";

/// The running proxy.
pub(super) struct Host {
    server: Server,
}

impl Host {
    /// Starts `program`, and waits until it listens or has ended.
    pub(super) fn start(
        program: &Path,
        case: &Value,
        folder: &Path,
        names: &Names,
    ) -> io::Result<Self> {
        match case["raw_config"].as_str() {
            Some(text) => write(folder, &names.fill(text))?,
            None => write(folder, &settings(case, case.get("config"), names))?,
        }
        let mut command = Command::new(program);
        command.arg("run").current_dir(folder).env_clear().env("HOME", folder);
        for name in ["PATH", "TMPDIR", "KESTREL_REFERENCE"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(variables(case, names));
        let server = Server::start(&mut command)?;
        server.wait_until(START, |seen| {
            seen.exit.is_some() || seen.out.iter().any(|line| line.contains("Application started"))
        });
        Ok(Self { server })
    }

    /// The port that it listens on, if it does.
    pub(super) fn port(&self) -> Option<u16> {
        let seen = self.server.seen();
        let said = seen.out.iter().filter_map(|line| line.split_once(LISTENING));
        let mut ports = said.filter_map(|(_, address)| {
            let authority = address.split_once("://")?.1;
            let end = authority.find(['"', '/', ' ']).unwrap_or(authority.len());
            authority[..end].rsplit_once(':')?.1.parse().ok()
        });
        ports.next().filter(|_| seen.exit.is_none())
    }

    /// How it did not start, in the shape of the recordings.
    pub(super) fn refusal(&self) -> Value {
        match self.server.seen().exit {
            Some(status) => json!({"exit": status.code()}),
            None => "not listening".into(),
        }
    }

    pub(super) fn terminate(&self) {
        self.server.signal(Signal::SIGTERM);
    }

    pub(super) fn alive(&self) -> bool {
        self.server.alive()
    }

    /// Stops it, softly at first.
    pub(super) fn stop(&self) {
        self.terminate();
        if !self.server.wait(STOP) {
            self.server.signal(Signal::SIGKILL);
            self.server.wait(STOP);
        }
    }

    /// What it printed.
    pub(super) fn output(&self) -> Vec<String> {
        let seen = self.server.seen();
        [&seen.out[..], &seen.err[..]].concat()
    }
}

/// The text of the settings with this section about the proxy.
pub(super) fn settings(case: &Value, section: Option<&Value>, names: &Names) -> String {
    let mut levels = json!({"Default": "Information", "Microsoft": "Warning", "Yarp": "Warning"});
    for (name, level) in case["logging"].as_object().into_iter().flatten() {
        levels[name] = level.clone();
    }
    let mut all = json!({"Logging": {"LogLevel": levels}});
    if let Some(section) = section.filter(|section| !section.is_null()) {
        all["ReverseProxy"] = section.clone();
    }
    names.fill(&format!("{all:#}"))
}

/// Writes the settings.
pub(super) fn write(folder: &Path, text: &str) -> io::Result<()> {
    fs::write(folder.join("appsettings.json"), text)
}

fn variables(case: &Value, names: &Names) -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let scheme = if case["tls"] == true { "https" } else { "http" };
    let mut all = vec![
        own("ASPNETCORE_URLS", &format!("{scheme}://127.0.0.1:0")),
        own("Logging__Console__FormatterName", "json"),
        // Where it listens is read from the log, whatever the case says of that.
        own("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Information"),
        own("DOTNET_gcServer", "0"),
        own("NO_COLOR", "1"),
    ];
    if case["tls"] == true {
        let file = |name| test_data::file(name).display().to_string();
        all.push(own("Kestrel__Certificates__Default__Path", &file("server.pem")));
        all.push(own("Kestrel__Certificates__Default__KeyPath", &file("server.key")));
    }
    if case["h2"] == true {
        all.push(own("Kestrel__EndpointDefaults__Protocols", "Http2"));
    }
    for (name, value) in case["env"].as_object().into_iter().flatten() {
        // The last of the same name counts.
        all.push((name.clone(), names.fill(value.as_str().unwrap_or_default())));
    }
    all
}
