//! Files from a folder: a request, and its answer.
//!
//! A case of `static.jsonl` has a method, a target and headers; `{etag}` in one is the tag of `/a.txt`. Most are
//! played on default files and static files, those with `browse` on pages of folders besides. What must be like
//! the recording are the status, the headers that say what is sent, and how much is. `ours` says what we mean
//! where we mean to differ: one of some statuses, and where given a length and headers, `null` for none.

mod web_root;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::programs::Programs;
use crate::suite::app::{App, Start};
use crate::suite::{Line, Observed, Ours, Wanted, lines};

pub(crate) const RECORDINGS: &str = include_str!("../static.jsonl");

/// How long the app may take to stop.
const STOP: Duration = Duration::from_secs(10);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// Plays the wanted cases, one app with pages of folders and one without.
///
/// # Errors
/// When the recordings cannot be read, or the app cannot be started.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let cases = lines(RECORDINGS)?.into_iter().filter(|case| wanted(&case.id));
    let (browse, plain): (Vec<_>, Vec<_>) = cases.partition(|case| case.all["browse"] == true);
    let mut observed = Vec::new();
    for (cases, code) in [(plain, "1"), (browse, "browse")] {
        if cases.is_empty() {
            continue;
        }
        let code = json!({"STATIC": code});
        let mut start = Start::new(Some("http://127.0.0.1:0"), &Value::Null, &code);
        start.fill = Some(web_root::fill);
        let app = App::start(programs.app(), &start)?;
        let tag = ask(app.address(), "GET", "/a.txt", &Map::new())?;
        let tag = tag["headers"]["etag"].as_str().unwrap_or("\"none\"").to_owned();
        observed.extend(cases.iter().map(|case| match play_one(&app, case, &tag) {
            Ok(seen) => judge(case, seen),
            Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
        }));
        app.stop(STOP);
    }
    Ok(observed)
}

fn play_one(app: &App, case: &Line, tag: &str) -> Result<Value> {
    let text = |name: &str| case.all[name].as_str().unwrap_or_default();
    let headers = case.all["request_headers"].as_object().cloned().unwrap_or_default();
    let filled = |(name, value): (String, Value)| {
        let value = value.as_str().unwrap_or_default().replace("{etag}", tag);
        (name, Value::from(value))
    };
    let headers = headers.into_iter().map(filled).collect();
    ask(app.address(), text("method"), text("target"), &headers)
}

/// Asks on a connection of its own: status, headers, and the length of what follows.
fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &Map<String, Value>,
) -> Result<Value> {
    let mut stream = TcpStream::connect(address).context("connecting")?;
    stream.set_read_timeout(Some(ANSWER))?;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap_or_default());
    }
    if ["POST", "PUT", "PATCH"].contains(&method) {
        head += "Content-Length: 0\r\n";
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).context("asking")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => {
            Err(error).context("reading the answer")?;
        }
        _ => {}
    }
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no head came")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut rows = head.split("\r\n");
    let status = rows.next().and_then(|row| row.split(' ').nth(1)?.parse::<u16>().ok());
    let headers: Map<String, Value> = rows
        .filter_map(|row| row.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), Value::from(value.trim())))
        .collect();
    Ok(json!({"status": status, "headers": headers, "body_len": answer.len() - end - 4}))
}

fn judge(case: &Line, seen: Value) -> Observed {
    let differences = differences(&case.recorded, &seen);
    let ours = match &case.all["ours"] {
        Value::Null => Ours::Same,
        ours => {
            let missed = missed(ours, &seen);
            Ours::Instead(if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) })
        }
    };
    Observed { case: case.clone(), differences, ours, seen }
}

fn differences(recorded: &Value, seen: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |name: &str, wanted: &Value, got: &Value| {
        if wanted != got {
            found.push(format!("{name}: {wanted} was recorded, {got} came"));
        }
    };
    compare("status", &recorded["status"], &seen["status"]);
    for header in recorded["headers"].as_array().into_iter().flatten() {
        let (name, value) = (header[0].as_str().unwrap_or_default(), &header[1]);
        let got = &seen["headers"][name];
        let text = value.as_str().unwrap_or_default();
        let no_length = name == "content-length" && text == "0" && got.is_null();
        // What the host's own file would say.
        let varies = text.starts_with('{') && !got.is_null();
        if !no_length && !varies {
            compare(name, value, got);
        }
    }
    let is_good = recorded["status"].as_u64().is_some_and(|status| status < 400);
    if is_good && recorded["body_len"].is_u64() {
        compare("length of the body", &recorded["body_len"], &seen["body_len"]);
    }
    found
}

/// What of our own meaning is not met.
fn missed(ours: &Value, seen: &Value) -> Vec<String> {
    let mut missed = Vec::new();
    let statuses = ours["status"].as_array().cloned().unwrap_or_default();
    if !statuses.contains(&seen["status"]) {
        missed.push(format!("status {} is none of {statuses:?}", seen["status"]));
    }
    for (name, value) in ours["headers"].as_object().into_iter().flatten() {
        if seen["headers"][name] != *value {
            missed.push(format!("{name} is {}, not {value}", seen["headers"][name]));
        }
    }
    if !ours["body_len"].is_null() && ours["body_len"] != seen["body_len"] {
        missed.push(format!("{} bytes came, not {}", seen["body_len"], ours["body_len"]));
    }
    missed
}

/// The harness's test of this folder.
pub(crate) fn check() {
    let recorded = json!({"status": 200, "headers": [["etag", "\"a\""], ["content-length", "0"]], "body_len": 1});
    let seen = json!({"status": 200, "headers": {"etag": "\"a\""}, "body_len": 1});
    assert_eq!(differences(&recorded, &seen), Vec::<String>::new());
    for (name, value) in [("status", json!(404)), ("headers", json!({})), ("body_len", json!(2))] {
        let mut other = seen.clone();
        other[name] = value;
        assert_eq!(differences(&recorded, &other).len(), 1, "{name}");
    }
    let ours = json!({"status": [304, 200], "headers": {"etag": null}, "body_len": 0});
    assert_eq!(missed(&ours, &seen).len(), 2);
    assert_eq!(missed(&json!({"status": [200]}), &seen), Vec::<String>::new());
}
