//! Logs of requests: an app of its own for each case, several requests, and what it wrote about them.
//!
//! Such a case has `requests` in the place of one, and is judged by the statuses, by what the console got
//! (entries in their order, the lines of each in any) and by the W3C files. Numbers that are others every
//! time are masked in both.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::client;
use super::host::Host;
use crate::suite::Line;

/// How far apart the times may be at which a line is in a file.
const TOLERANCE: f64 = 1.2;

/// How long a line is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is long is recorded by its ends.
const LONG: usize = 6000;

pub(super) fn is_one(case: &Line) -> bool {
    case.all.get("requests").is_some()
}

/// Starts the app, sends the requests, and stops it, so that everything is written.
pub(super) fn play(program: &Path, case: &Line) -> Result<Value> {
    let setup = &case.all["setup"];
    let host = Host::start(program, setup)?;
    if let Some(why) = host.refused() {
        return Ok(json!({"start": why}));
    }
    let begin = Instant::now();
    let statuses = ask(&host, case)?;
    let mut seen = json!({"statuses": statuses});
    if setup["watch"] == true {
        seen["line_in_file_after_seconds"] = line_in_file(&host, begin)?;
    }
    let host = match setup["twice"] == true {
        false => host,
        true => {
            let again = host.again(program, setup)?;
            ask(&again, case)?;
            again
        }
    };
    let stopped = host.stopped();
    if setup["w3c"] == true {
        let files = files(stopped.folder.path(), &|text| stopped.neutral(text))?;
        few(files, &mut seen);
    } else {
        seen["text"] = shortened(&durations_masked(&stopped.neutral(&stopped.text)));
    }
    Ok(seen)
}

fn ask(host: &Host, case: &Line) -> Result<Value> {
    let mut statuses = Vec::new();
    for request in case.all["requests"].as_array().into_iter().flatten() {
        // A pause: what is judged does not hang on it.
        if request.is_number() {
            continue;
        }
        let scheme = request["scheme"].as_str().unwrap_or("http");
        let heard = client::talk(host, scheme, request).context("asking")?;
        let line = String::from_utf8_lossy(&heard.bytes);
        statuses.push(line.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()));
    }
    if statuses.len() < 40 {
        return Ok(json!(statuses));
    }
    let text = |status: &Option<u16>| status.map_or("None".to_owned(), |it| it.to_string());
    let mut all: Vec<_> = statuses.iter().map(text).collect();
    all.sort();
    all.dedup();
    Ok(json!(all))
}

/// How many seconds after `begin` a line is there.
fn line_in_file(host: &Host, begin: Instant) -> Result<Value> {
    while begin.elapsed() < PATIENCE {
        let there = files(host.folder(), &str::to_owned)?;
        if there.values().any(|text| text.contains("GET")) {
            return Ok(json!(begin.elapsed().as_secs_f64()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(Value::Null)
}

/// The files below a folder that are logs, by their masked names.
fn files(folder: &Path, neutral: &dyn Fn(&str) -> String) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let machine = nix::unistd::gethostname()?.to_string_lossy().into_owned();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "txt") {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                let text = masked(&text, "dddd-dd-dd", "{date}");
                let text = neutral(&masked(&text, "dd:dd:dd", "{time}"));
                let text = text.replace(&machine, "{machine}");
                let name = masked(&path.display().to_string(), "dddddddd", "{yyyyMMdd}");
                files.insert(neutral(&name), time_taken_masked(&text));
            }
        }
    }
    Ok(files)
}

/// Takes the files over as a recording has them: of many, the first and the last.
fn few(files: BTreeMap<String, String>, seen: &mut Value) {
    if files.len() <= 5 && files.values().all(|text| text.chars().count() <= 20_000) {
        seen["files"] = json!(files);
        return;
    }
    let names: Vec<_> = files.keys().collect();
    seen["file_count"] = json!(names.len());
    seen["file_names"] = match names.len() {
        0..=8 => json!(names),
        count => json!([&names[..3], &[&"...".to_owned()], &names[count - 3..]].concat()),
    };
    let ends = [files.first_key_value(), files.last_key_value()];
    seen["files"] =
        ends.into_iter().flatten().map(|(name, text)| (name.clone(), json!(text))).collect();
}

/// Replaces what looks like the pattern, in which `d` is a digit, and stands alone.
fn masked(text: &str, pattern: &str, name: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let fits = rest.len() >= pattern.len()
            && rest.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            });
        let behind = rest.get(pattern.len()..).and_then(|it| it.chars().next()).unwrap_or(' ');
        if fits && !before.is_ascii_digit() && !behind.is_ascii_digit() {
            out.push_str(name);
            rest = &rest[pattern.len()..];
            before = ' ';
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            before = first;
        }
    }
    out
}

/// The duration is a free number, and known by its place.
fn time_taken_masked(text: &str) -> String {
    let mut place = None;
    let line = |line: &str| {
        if let Some(fields) = line.strip_prefix("#Fields: ") {
            place = fields.split(' ').position(|field| field == "time-taken");
        }
        let Some(place) = place.filter(|_| !line.starts_with('#') && !line.is_empty()) else {
            return line.to_owned();
        };
        let mut values: Vec<_> = line.split(' ').collect();
        if values.get(place).is_some_and(|value| value.parse::<f64>().is_ok()) {
            values[place] = "{ms}";
        }
        values.join(" ")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn durations_masked(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["Duration: ", "\"Duration\":"] {
        let mut parts = text.split(name);
        let mut all = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let number = |it: char| it.is_ascii_digit() || ".E-".contains(it);
            all.push_str(name);
            if part.starts_with(number) {
                all.push_str("{n}");
            }
            all.push_str(part.trim_start_matches(number));
        }
        text = all;
    }
    text
}

fn shortened(text: &str) -> Value {
    let characters: Vec<_> = text.chars().collect();
    if characters.len() <= LONG {
        return json!(text);
    }
    let part = |part: &[char]| part.iter().collect::<String>();
    json!({
        "length": characters.len(),
        "start": part(&characters[..200]),
        "end": part(&characters[characters.len() - 80..]),
    })
}

/// The entries of a console, the lines of each in the order of the alphabet, without those of an answer that
/// are the server's.
fn entries(text: &str) -> Vec<Vec<String>> {
    let mut entries: Vec<Vec<String>> = Vec::new();
    for line in text.split('\n') {
        let object = serde_json::from_str::<Value>(&line.replace(":{n}", ":0"));
        match (object, line.strip_prefix("      "), entries.last_mut()) {
            (Ok(mut object), _, _) if object.is_object() => {
                let message = object["Message"].as_str().unwrap_or_default().to_owned();
                let mut lines: Vec<_> = message.split('\n').collect();
                lines.sort_unstable();
                object["Message"] = json!(lines);
                // By the names of its members, whatever their order.
                let sorted: BTreeMap<String, String> =
                    object.as_object().into_iter().flatten().map(member).collect();
                entries.push(vec![format!("{sorted:?}")]);
            }
            (_, Some(below), Some(entry)) => entry.push(below.trim().to_owned()),
            _ if line.is_empty() => {}
            _ => entries.push(vec![line.trim_end().to_owned()]),
        }
    }
    for entry in &mut entries {
        let of_server: &[&str] = match entry.get(1).map(String::as_str) {
            Some("Response:") => &["Date: ", "Server: ", "Content-Length: ", "Transfer-Encoding: "],
            Some("Request and Response:") => &["Date: ", "Server: "],
            _ => &[],
        };
        entry.retain(|line| !of_server.iter().any(|name| line.starts_with(name)));
        if let Some((_, lines)) = entry.split_first_mut() {
            lines.sort();
        }
    }
    entries
}

fn member((name, value): (&String, &Value)) -> (String, String) {
    let text = match value.as_object() {
        Some(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            format!("{sorted:?}")
        }
        None => value.to_string(),
    };
    (name.clone(), text)
}

/// How what was seen differs from the recording.
pub(super) fn differences(recorded: &Value, seen: &Value) -> Vec<String> {
    let mut all = Vec::new();
    if recorded.get("start").is_some() != seen.get("start").is_some() {
        return vec![difference("start", &recorded["start"], &seen["start"])];
    }
    for name in ["statuses", "file_count", "file_names"] {
        if recorded.get("start").is_none() && recorded[name] != seen[name] {
            all.push(difference(name, &recorded[name], &seen[name]));
        }
    }
    if recorded.get("text").is_some() && !is_same_text(&recorded["text"], &seen["text"]) {
        all.push(difference("text", &recorded["text"], &seen["text"]));
    }
    let none = serde_json::Map::new();
    let of = |it: &Value| it["files"].as_object().unwrap_or(&none).clone();
    let (wanted, have) = (of(recorded), of(seen));
    for name in wanted.keys().chain(have.keys().filter(|name| !wanted.contains_key(*name))) {
        if wanted.get(name) != have.get(name) {
            all.push(difference(name, &recorded["files"][name], &seen["files"][name]));
        }
    }
    if let Some(wanted) = recorded.get("line_in_file_after_seconds").and_then(Value::as_f64) {
        let have = seen["line_in_file_after_seconds"].as_f64();
        // Later it may be on a machine that has much to do.
        if have.is_none_or(|have| have < wanted - TOLERANCE) {
            let name = "line_in_file_after_seconds";
            all.push(difference(name, &recorded[name], &seen[name]));
        }
    }
    all
}

fn is_same_text(wanted: &Value, have: &Value) -> bool {
    match (wanted.as_str(), have.as_str()) {
        (Some(wanted), Some(have)) => entries(wanted) == entries(have),
        _ => wanted == have,
    }
}

fn difference(name: &str, recorded: &Value, seen: &Value) -> String {
    let short = |value: &Value| value.to_string().chars().take(600).collect::<String>();
    format!("{name}: recorded {}, ours {}", short(recorded), short(seen))
}

/// How it is not what the case says that ours should be.
pub(super) fn not_as_meant(case: &Value, recorded: &Value, seen: &Value) -> Vec<String> {
    if let Some(wanted) = case.get("ours_answer") {
        return not_these(wanted, seen);
    }
    let mut meant = recorded.clone();
    for (name, fact) in case["ours_changes"].as_object().into_iter().flatten() {
        match fact.as_object() {
            Some(members) => {
                members.iter().for_each(|(member, it)| meant[name][member] = it.clone())
            }
            None => meant[name] = fact.clone(),
        }
    }
    differences(&meant, seen)
}

fn not_these(wanted: &Value, seen: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for (name, fact) in wanted.as_object().into_iter().flatten() {
        match name.as_str() {
            "start" => {
                let start = if seen.get("start").is_some() { "refused" } else { "up" };
                if fact != start {
                    all.push(difference(name, fact, &start.into()));
                }
            }
            "text_has" | "text_not" => {
                let text = seen["text"].as_str().unwrap_or_default();
                let texts = fact.as_array().cloned().unwrap_or_else(|| vec![fact.clone()]);
                for part in texts.iter().filter_map(Value::as_str) {
                    if text.contains(part) != (name == "text_has") {
                        all.push(difference(name, &part.into(), &seen["text"]));
                    }
                }
            }
            "text" if is_same_text(fact, &seen["text"]) => {}
            name if *fact == seen[name] => {}
            name => all.push(difference(name, fact, &seen[name])),
        }
    }
    all
}

/// The harness's tests of this file.
pub(super) fn check() {
    assert_eq!(masked("2026-11-29 10:00:01 1:2", "dddd-dd-dd", "D"), "D 10:00:01 1:2");
    assert_eq!(masked("x-20261129.0000", "dddddddd", "D"), "x-D.0000");
    assert_eq!(masked("120261129", "dddddddd", "D"), "120261129");
    assert_eq!(
        time_taken_masked("#Fields: a time-taken b\n1 0.25 2\n- - -\n"),
        "#Fields: a time-taken b\n1 {ms} 2\n- - -\n"
    );
    assert_eq!(
        durations_masked("Duration: 0.2ms\"Duration\":1E-3}"),
        "Duration: {n}ms\"Duration\":{n}}"
    );
    let text =
        "info: A[2]\n      Response:\n      B: 1\n      Date: x\n      A: 2\ninfo: B[1]\n      C\n";
    assert_eq!(
        entries(text),
        [vec!["info: A[2]", "A: 2", "B: 1", "Response:"], vec!["info: B[1]", "C"]]
    );
    let (one, other) =
        (json!({"statuses": [200], "text": text}), json!({"statuses": [200], "text": ""}));
    assert_eq!(differences(&one, &one), [""; 0]);
    assert_eq!(differences(&one, &other).len(), 1);
    let files = json!({"statuses": [], "files": {"a": "1"}});
    let case = json!({"ours_changes": {"files": {"a": "2"}}});
    assert_eq!(not_as_meant(&case, &files, &files).len(), 1);
    let ours = json!({"statuses": [], "files": {"a": "2"}});
    assert_eq!(not_as_meant(&case, &files, &ours), [""; 0]);
}
