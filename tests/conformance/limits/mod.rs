//! Limits, timeouts and the stop, with seconds and with what is logged.
//!
//! The cases of `limits.jsonl` have a script each, found by their id ([`SCRIPTS`]): what a client
//! does is more than a list of steps can say. A script answers what was seen in the shape of its
//! recording. Seconds may be off by a tick ([`TICK`]), because the reference looks at its clocks
//! once a second. On a machine that is busy with other cases they may be off by more, so that what
//! differs and is not listed to is played once more, alone; only that counts.

mod better;
mod client;
mod connections;
mod handshakes;
mod rates;
mod refused;
mod stage;
mod stop;
mod timeouts;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::deviations;
use crate::programs::Programs;
use crate::suite::{Line, Observed, Ours, Wanted, events, lines, pool};
use stage::Stage;

pub(crate) const RECORDINGS: &str = include_str!("../limits.jsonl");

/// Cases at once, each with an app of its own. They sleep nearly all the time, and what they
/// measure is larger than what a few neighbours cost.
const WORKERS: usize = 16;

/// By how many seconds a time may differ.
const TICK: f64 = 1.2;

/// What is left alone: how many bytes came, texts, and times that depend on the machine.
const LEFT_OUT: [&str; 4] = ["bytes", "output", "tries", "first_byte_s"];

/// What a client does, and what it saw.
type Script = fn(&mut Stage) -> Result<Value>;

/// All scripts by the ids of their cases.
const SCRIPTS: [&[(&str, Script)]; 6] = [
    connections::SCRIPTS,
    rates::SCRIPTS,
    timeouts::SCRIPTS,
    stop::SCRIPTS,
    refused::SCRIPTS,
    handshakes::SCRIPTS,
];

/// Plays the wanted cases.
///
/// # Errors
/// When the recordings cannot be read.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let mut cases = lines(RECORDINGS)?;
    cases.retain(|case| wanted(&case.id));
    // The longest first; they are those that wait for a rate.
    cases.sort_by_key(|case| !(case.id.starts_with("li-02") || case.id.starts_with("li-06")));
    let play = |case: &Line| match play_one(case, programs) {
        Ok((seen, missing)) => judge(case, seen, missing),
        Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
    };
    let mut observed = pool::map(&cases, programs.workers(WORKERS), play);
    // What is listed to differ does so alone, too.
    let listed = deviations::listed()?.deviations;
    let is_listed =
        |one: &Observed| matches!(one.ours, Ours::Same) && listed.contains(&one.case.id);
    for one in observed.iter_mut().filter(|one| one.differs() && !is_listed(one)) {
        println!("{} is played once more, alone: {:?}", one.case.id, one.differences);
        *one = play(&one.case);
    }
    observed.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    Ok(observed)
}

/// What was seen, and which recorded events were not logged.
fn play_one(case: &Line, programs: &Programs) -> Result<(Value, Vec<String>)> {
    let Some(script) = script(&case.id) else { bail!("there is no script for it") };
    let mut stage = Stage::set(case, programs.app())?;
    let seen = script(&mut stage)?;
    let missing =
        stage.close(|log| events::differences(&case.all["logs"], log, programs.foreign()));
    Ok((seen, missing))
}

fn script(id: &str) -> Option<Script> {
    SCRIPTS.iter().copied().flatten().find(|(own, _)| *own == id).map(|(_, script)| *script)
}

fn judge(case: &Line, seen: Value, missing: Vec<String>) -> Observed {
    let mut differences = Vec::new();
    compare(&case.recorded, &seen, "", &mut differences);
    let ours = match case.all["ours"].as_str() {
        Some("better") => better::judge(case, &seen),
        None | Some("same") => Ours::Same,
        Some(other) => Ours::Instead(Err(format!("nobody here knows ours `{other}`"))),
    };
    // The log of the reference tells of its reaction; a better one has another log.
    if differences.is_empty() {
        differences = missing;
    }
    Observed { case: case.clone(), differences, ours, seen }
}

/// Where `ours` is not like `recorded`, at `path`.
fn compare(recorded: &Value, ours: &Value, path: &str, found: &mut Vec<String>) {
    if let (Value::Object(recorded), Value::Object(_)) = (recorded, ours) {
        for (name, value) in recorded.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        {
            compare(value, &ours[name], &format!("{path}.{name}"), found);
        }
        return;
    }
    let same = match (recorded.as_f64(), ours.as_f64()) {
        (Some(recorded), Some(ours)) if path.ends_with("_s") => (recorded - ours).abs() <= TICK,
        (Some(recorded), Some(ours)) => recorded == ours,
        _ => recorded == ours,
    };
    if !same {
        found.push(format!("{path}: recorded {recorded}, ours {ours}"));
    }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    for (recorded, ours, differences) in [
        (r#"{"a_s": 1.0, "bytes": 1}"#, r#"{"a_s": 2.1, "bytes": 2}"#, 0),
        (r#"{"a_s": 1.0}"#, r#"{"a_s": 2.3}"#, 1),
        (r#"{"a_s": null}"#, r#"{"a_s": 2.3}"#, 1),
        (r#"{"a": {"b": [1]}}"#, r#"{"a": {"b": [2]}}"#, 1),
        (r#"{"n": 8}"#, r#"{"n": 8.0, "more": 1}"#, 0),
    ] {
        let mut found = Vec::new();
        compare(&json(recorded), &json(ours), "", &mut found);
        assert_eq!(found.len(), differences, "{recorded} {ours}");
    }
    better::check();
    client::check();
}
