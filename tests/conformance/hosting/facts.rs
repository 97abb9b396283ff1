//! From what was observed to what can be compared.
//!
//! [`Facts`] is the one shape for both sides: [`Facts::recorded`] reads it from a case,
//! [`Facts::observed`] makes it from the lines and sockets that `in_namespace` found. Console lines
//! become log entries; the four lifetime messages become `addresses`, `environment` and
//! `content_root`; request logs count in the group `life` only, where they are the subject. Texts
//! are normalised on both sides. Of the recording, the exit code is not the reference's (which
//! always aborts) but the one that stands for the kind of its exception.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;
use super::placeholders::{Ports, normalise};
use crate::console::{Entry, entries, without_exception};

/// The folder of the recorded app's program; the recordings name it where a relative content root
/// starts there.
const RECORDED_BASE: &str = "/tmp/o/pub";

const LIFETIME: &str = "Microsoft.Hosting.Lifetime";
/// Exit codes for a refused start: the first row whose text is in the recorded exception, or else
/// [`CONFIGURATION`].
const REFUSALS: &[(&str, i64)] = &[
    ("Unable to configure HTTPS endpoint", 5),
    ("Cryptography.CryptographicException", 5),
    ("Could not find file", 5),
    ("The server mode SSL must use", 5),
    ("encrypted key was found", 5),
    ("No supported key formats", 5),
    ("Error getting private key", 5),
    ("cannot be used as an SSL server certificate", 5),
    ("The requested certificate", 5),
    ("SocketException", 4),
    ("AddressInUse", 4),
    ("Failed to bind", 4),
];
const CONFIGURATION: i64 = 3;

/// What is known about one run.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// `listening`, `refused` or `hung`.
    pub(crate) outcome: String,
    /// What was announced, in order.
    pub(crate) addresses: Vec<String>,
    /// What was bound, sorted.
    pub(crate) sockets: Vec<String>,
    /// The announced environment, unless it is Production.
    pub(crate) environment: Option<String>,
    /// The announced content root, unless it is the case's.
    pub(crate) content_root: Option<String>,
    /// The log on standard output.
    pub(crate) log: Vec<Entry>,
    /// What the steps found.
    pub(crate) answers: Vec<Answer>,
    /// Texts of files at the end, and null for none.
    pub(crate) texts: BTreeMap<String, Value>,
    /// Files at the end, when they are of interest.
    pub(crate) left_files: Option<Vec<String>>,
    /// Lines of standard error.
    pub(crate) stderr: Vec<String>,
    /// The message of a refused start, without the exception's name. Only in a recording.
    pub(crate) refusal: Option<String>,
    /// The exit code, the negative number of a signal, or none when it had to be killed.
    pub(crate) exit: Option<i64>,
}

/// What a step found.
#[derive(Debug)]
pub(crate) enum Answer {
    Http { url: String, status: i64, version: String, body: Value },
    Sockets { sockets: Vec<String>, alive: bool },
}

impl Facts {
    /// What the reference did.
    pub(crate) fn recorded(case: &Case) -> Self {
        let recorded = &case.recorded;
        let ports = &case.ports;
        let causes = strings(&recorded["causes"], ports).join(" ");
        let refusal = recorded["refusal"].as_str();
        let entry = |entry: &Value| match entry["text"].as_str() {
            Some(text) => Entry::Line(normalise(text, ports)),
            None => Entry::Event {
                level: text(&entry["level"]),
                category: text(&entry["category"]),
                id: entry["id"].as_i64().unwrap_or(-1),
                message: normalise(
                    text(&entry["message"]).lines().next().unwrap_or_default(),
                    ports,
                ),
            },
        };
        Self {
            outcome: text(&recorded["outcome"]),
            environment: recorded["environment"].as_str().map(str::to_owned),
            content_root: recorded["content_root"].as_str().map(str::to_owned),
            addresses: strings(&recorded["addresses"], ports),
            log: items(&recorded["log"]).map(entry).collect(),
            stderr: strings(&recorded["stderr"], ports),
            refusal: refusal.map(|message| {
                normalise(without_exception(&message.replace(RECORDED_BASE, "{base}")), ports)
            }),
            exit: Some(match refusal {
                Some(message) => refusal_code(&format!("{message} {causes}")),
                None => recorded["exit"].as_i64().unwrap_or(0),
            }),
            ..Self::of_both(recorded, ports)
        }
    }

    /// What the run of `case` did that `in_namespace` saw.
    pub(crate) fn observed(case: &Case, seen: &Value) -> Self {
        let mut facts = Self::of_both(seen, &case.ports);
        if facts.outcome == "hung" && !facts.sockets.is_empty() {
            // It serves, but says nothing.
            "listening".clone_into(&mut facts.outcome);
        }
        facts.stderr = strings(&seen["err"], &case.ports);
        facts.exit = seen["exit"].as_i64();
        for entry in entries(&strings(&seen["out"], &case.ports)) {
            match &entry {
                Entry::Event { category, message, .. } if category == LIFETIME => {
                    facts.take_lifetime(message)
                }
                entry if is_left_out(entry, case.group()) => {}
                _ => facts.log.push(entry),
            }
        }
        facts
    }

    /// The members that recordings and observations write the same way.
    fn of_both(value: &Value, ports: &Ports) -> Self {
        let mut sockets = strings(&value["sockets"], ports);
        sockets.sort();
        Self {
            outcome: text(&value["outcome"]),
            sockets,
            answers: items(&value["steps"]).map(|step| answer(step, ports)).collect(),
            texts: value["texts"]
                .as_object()
                .map(|texts| texts.clone().into_iter().collect())
                .unwrap_or_default(),
            left_files: value["left_files"]
                .is_array()
                .then(|| strings(&value["left_files"], ports)),
            ..Self::default()
        }
    }

    fn take_lifetime(&mut self, message: &str) {
        if let Some(address) = message.strip_prefix("Now listening on: ") {
            self.addresses.push(address.to_owned());
        } else if let Some(name) = message.strip_prefix("Hosting environment: ") {
            self.environment = Some(name.to_owned()).filter(|name| name != "Production");
        } else if let Some(path) = message.strip_prefix("Content root path: ") {
            self.content_root = Some(path.to_owned()).filter(|path| path != "{root}");
        }
    }
}

/// What the recordings leave out too.
fn is_left_out(entry: &Entry, group: &str) -> bool {
    let Entry::Event { category, id, message, .. } = entry else {
        return false;
    };
    let request = category == "Microsoft.AspNetCore.Hosting.Diagnostics" && matches!(id, 1 | 2);
    (request && group != "life") || message.starts_with("Loaded hosting startup assembly")
}

/// The exit code for a start that was refused with `exception`.
fn refusal_code(exception: &str) -> i64 {
    REFUSALS
        .iter()
        .find(|(part, _)| exception.contains(part))
        .map_or(CONFIGURATION, |(_, code)| *code)
}

fn answer(step: &Value, ports: &Ports) -> Answer {
    if let Some(alive) = step["alive"].as_bool() {
        let mut sockets = strings(&step["sockets"], ports);
        sockets.sort();
        return Answer::Sockets { sockets, alive };
    }
    Answer::Http {
        url: text(&step["url"]),
        status: step["status"].as_i64().unwrap_or(0),
        version: text(&step["version"]),
        body: body(&step["body"], ports),
    }
}

/// A body without what tells of the client and the app instead of the server.
fn body(body: &Value, ports: &Ports) -> Value {
    let mut body = normalised(body.clone(), ports);
    if let Value::Object(members) = &mut body {
        members.remove("headers");
        members.remove("applicationName");
    }
    body
}

fn normalised(value: Value, ports: &Ports) -> Value {
    match value {
        // curl -i shows the lines of a head with their CR, which the recordings have lost.
        Value::String(text) => Value::String(normalise(&text.replace("\r\n", "\n"), ports)),
        Value::Array(items) => items.into_iter().map(|item| normalised(item, ports)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, normalised(value, ports))).collect()
        }
        other => other,
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn strings(list: &Value, ports: &Ports) -> Vec<String> {
    items(list).filter_map(Value::as_str).map(|text| normalise(text, ports)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The harness's test of this file.
pub(crate) fn check() {
    for (message, bare, code) in [
        ("System.FormatException: Invalid url: ' '", "Invalid url: ' '", 3),
        ("System.Net.Sockets.SocketException (13): Permission denied", "Permission denied", 4),
        (
            "Unable to configure HTTPS endpoint. No: certificate",
            "Unable to configure HTTPS endpoint. No: certificate",
            5,
        ),
    ] {
        assert_eq!(without_exception(message), bare);
        assert_eq!(refusal_code(message), code, "{message}");
    }
}
