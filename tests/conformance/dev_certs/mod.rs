//! `kestrel dev-certs` against recordings of `dotnet dev-certs`, step by step.
//!
//! A step is a command line and what came of it: exit code, both streams, which files are new,
//! changed or gone, and with what mode and size. Steps build on each other, until one that has a
//! fresh home; those from one fresh home to the next are a round, and rounds are played at once.
//!
//! ```text
//! stage                a home, a working directory, and what changed in them
//! arrange              what was there before a step, by its id
//! file_forms           what an exported file is, told by openssl
//! default_certificate  which certificate the server takes then: dev-certs-host.jsonl
//! meant_differences    where ours is to differ, by id, and why
//! ```

mod arrange;
pub(crate) mod default_certificate;
mod file_forms;
mod meant_differences;
mod stage;

use anyhow::Result;
use serde_json::{Value, json};

use crate::programs::Programs;
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};
use stage::Stage;

pub(crate) const RECORDINGS: &str = include_str!("../dev-certs.jsonl");

/// Rounds at once. They make keys, which takes processors.
const WORKERS: usize = 4;

/// What the rounds need besides the binary, where it is missing.
pub(crate) fn missing() -> Option<&'static str> {
    let there = |tool: &str| stage::path_folders().iter().any(|folder| folder.join(tool).is_file());
    let all = there("openssl") && there("certutil");
    (!all).then_some("needs openssl and certutil (apt-get install openssl libnss3-tools)")
}

/// Plays the wanted steps, and with each those of its round before it.
///
/// # Errors
/// When the recordings cannot be read, or there is no place for homes.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    // Another host has no such tool.
    let Some(binary) = programs.binary() else { return Ok(Vec::new()) };
    let mut rounds: Vec<Vec<Line>> = Vec::new();
    for step in lines(RECORDINGS)? {
        match rounds.last_mut() {
            Some(round) if !arrange::is_fresh(&step) => round.push(step),
            _ => rounds.push(vec![step]),
        }
    }
    for round in &mut rounds {
        let last = round.iter().rposition(|step| wanted(&step.id));
        round.truncate(last.map_or(0, |last| last + 1));
    }
    rounds.retain(|round| !round.is_empty());
    let played = pool::map(&rounds, WORKERS, |round| play_round(round, binary));
    let mut observed: Vec<Observed> = played.into_iter().flatten().collect();
    observed.retain(|one| wanted(&one.case.id));
    Ok(observed)
}

fn play_round(round: &[Line], binary: &std::path::Path) -> Vec<Observed> {
    let broken = |why: &str| round.iter().map(|step| Observed::broken(step.clone(), why)).collect();
    let mut stage = match Stage::fresh() {
        Ok(stage) => stage,
        Err(error) => return broken(&format!("{error:#}")),
    };
    let mut observed = Vec::new();
    for step in round {
        match play_step(step, &mut stage, binary) {
            Ok(seen) => observed.push(judge(step, seen)),
            Err(error) => observed.push(Observed::broken(step.clone(), &format!("{error:#}"))),
        }
    }
    observed
}

fn play_step(step: &Line, stage: &mut Stage, binary: &std::path::Path) -> Result<Value> {
    arrange::before(&step.id, stage)?;
    stage.look()?;
    let mut seen = stage.run(step, binary)?;
    if let Value::Object(notes) = &step.all["note"] {
        let notes: Result<serde_json::Map<String, Value>> = notes
            .keys()
            .filter(|name| !file_forms::LEFT_OUT.contains(&name.as_str()))
            .map(|name| Ok((name.clone(), file_forms::note(name, stage)?)))
            .collect();
        seen["note"] = Value::Object(notes?);
    }
    Ok(seen)
}

fn judge(step: &Line, seen: Value) -> Observed {
    let mut expected = step.recorded.clone();
    if let Value::Object(notes) = &step.all["note"] {
        let mut notes = notes.clone();
        notes.retain(|name, _| !file_forms::LEFT_OUT.contains(&name.as_str()));
        if let Some(structure) = notes.get_mut("asn1") {
            *structure = file_forms::without_accidents_in(structure);
        }
        expected["note"] = Value::Object(notes);
    }
    meant_differences::everywhere(&mut expected);
    let differs = meant_differences::here(&step.id, &mut expected);
    let mut differences = Vec::new();
    compare(&expected, &seen, "", &mut differences);
    let mut case = step.clone();
    // Without HOME it is the home of the account that counts, which is not ours to clear.
    case.racy = step.all["env"]["HOME"].is_null()
        && step.all["env"].get("HOME").is_some()
        && stage::account_has_certificates();
    let ours = match (differs, differences.is_empty()) {
        (false, _) => Ours::Same,
        (true, true) => Ours::Instead(Ok(())),
        (true, false) => Ours::Instead(Err(differences.join("\n  "))),
    };
    Observed { case, differences, ours, seen }
}

/// Where what was seen is not what was expected, at `path`.
fn compare(expected: &Value, seen: &Value, path: &str, found: &mut Vec<String>) {
    match (expected, seen) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for name in names {
                compare(&expected[name], &seen[name], &format!("{path}.{name}"), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                compare(left, right, &format!("{path}[{place}]"), found);
            }
        }
        _ if expected == seen => {}
        (Value::Number(left), Value::Number(right)) if path.ends_with(".size") => {
            let bytes = |number: &serde_json::Number| number.as_u64().unwrap_or_default();
            let (left, right) = (bytes(left), bytes(right));
            if left.abs_diff(right) > leeway(path, left) {
                found.push(format!("{path}: expected {expected}, seen {seen}"));
            }
        }
        _ => found.push(format!("{path}: expected {expected}, seen {seen}")),
    }
}

/// By how many bytes two files of the same make may differ. Numbers have no leading zeros, so one
/// serial number or key is a few bytes shorter than another, and a cipher makes blocks of that.
fn leeway(path: &str, bytes: u64) -> u64 {
    match path.trim_end_matches(".size").rsplit('.').next() {
        // Two ciphers with blocks of 16 bytes.
        Some("pfx") if bytes > 1000 => 32,
        // One block in PEM form.
        Some("key") => 24,
        _ => 4,
    }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    let mut found = Vec::new();
    let recorded = json!({"a": 1, "b": {"c": [1]}});
    compare(&recorded, &json!({"a": 1, "b": {"c": [1]}}), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
    compare(&recorded, &json!({"b": {"c": [2]}, "d": 1}), "", &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
    found.clear();
    for (name, recorded, seen, expected) in [
        ("a.pfx", 2723, 2707, 0),
        ("a.pfx", 2723, 2690, 1),
        ("a.pfx", 983, 982, 0),
        ("a.pfx", 983, 990, 1),
        ("a.pem", 1386, 1390, 0),
        ("a", 1386, 1391, 1),
        ("a.key", 1885, 1863, 0),
        ("a.key", 1885, 1703, 1),
        ("cert9.db", 28672, 36864, 1),
    ] {
        found.clear();
        let file = |size: u64| json!({"files": {name: {"size": size}}});
        compare(&file(recorded), &file(seen), "", &mut found);
        assert_eq!(found.len(), expected, "{name} {recorded} {seen}: {found:?}");
    }
    file_forms::check();
    default_certificate::check();
    meant_differences::check();
    stage::check();
    arrange::check();
}
