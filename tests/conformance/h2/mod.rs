//! HTTP/2 frames on one clear-text connection, and the reactions to them.
//!
//! A case of `h2.jsonl` is a list of steps ([`steps`]): frames, right and wrong ones, pauses, and
//! a signal for the app. What must be like the recording are the statuses and resets of streams,
//! GOAWAY frames and the end of the connection ([`seen`]); where ours may or must react otherwise,
//! the recording says how ([`reaction`]).

mod connection;
pub(crate) mod frames;
mod reaction;
mod seen;
mod steps;

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::programs::Programs;
use crate::suite::app::{App, Start};
use crate::suite::{Line, Observed, Ours, Wanted, events, lines, pool};
use reaction::Reactions;
use seen::Seen;

pub(crate) const RECORDINGS: &str = include_str!("../h2.jsonl");

/// Connections at once.
const WORKERS: usize = 16;

/// How long an app may take to stop, and to say what it has to say of it.
const STOP: Duration = Duration::from_secs(6);

/// How long the log may take to tell of what the client has seen.
const LOG: Duration = Duration::from_secs(2);

/// Plays the wanted cases: those with a signal or with a log to be compared on an app of their own,
/// the others on one for each group of options.
///
/// # Errors
/// When the recordings cannot be read, or the app cannot be started.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let mut cases = lines(RECORDINGS)?;
    cases.retain(|case| wanted(&case.id));
    // The longest first.
    cases.sort_by_key(|case| std::cmp::Reverse(case.all["timed"] == true));
    let (alone, shared): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.all["own_server"] == true || has_log(case));
    let mut groups: Vec<(Start, Option<App>)> = Vec::new();
    for case in &shared {
        let start = start(case);
        if !groups.iter().any(|(of, _)| of.variables == start.variables) {
            let app = App::start(programs.app(), &start)?;
            groups.push((start, Some(app)));
        }
    }
    let observe = |case: &Line| {
        let start = start(case);
        let group = groups.iter().find(|(of, _)| of.variables == start.variables);
        let played = match group.filter(|_| !alone.iter().any(|own| own.id == case.id)) {
            Some((_, Some(app))) => connection::play(app, case).map(|seen| (seen, Vec::new())),
            _ => play_alone(case, &start.log("Debug"), programs),
        };
        match played {
            Ok((seen, missing)) => judge(case, &seen, missing),
            Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
        }
    };
    let all: Vec<Line> = [&alone[..], &shared].concat();
    let mut observed = pool::map(&all, programs.workers(WORKERS), observe);
    for (_, app) in groups {
        if let Some(app) = app {
            app.stop(STOP);
        }
    }
    observed.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    Ok(observed)
}

fn has_log(case: &Line) -> bool {
    case.all["logs"].as_array().is_some_and(|logs| !logs.is_empty())
}

/// How the app of a case is started: one endpoint, HTTP/2 only unless the case says otherwise.
fn start(case: &Line) -> Start {
    let mut options = case.all["options"].clone();
    let protocols = options.as_object_mut().and_then(|options| options.remove("Protocols"));
    let mut start = Start::new(None, &options, &case.all["code"]);
    start.set("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0");
    let protocols = protocols.as_ref().and_then(Value::as_str).unwrap_or("Http2");
    start.set("Kestrel__Endpoints__A__Protocols", protocols);
    start
}

/// Plays a case on an app of its own. Also answers which recorded events that did not log.
fn play_alone(case: &Line, start: &Start, programs: &Programs) -> Result<(Seen, Vec<String>)> {
    let app = App::start(programs.app(), start)?;
    let mut seen = connection::play(&app, case)?;
    let missing = || events::differences(&case.all["logs"], &app.events(), programs.foreign());
    // Some of it is only logged once the connection is gone.
    crate::suite::app::wait(LOG, || missing().is_empty());
    if case.all["send"]
        .as_array()
        .is_some_and(|steps| steps.iter().any(|step| !step["signal"].is_null()))
    {
        seen.exit = Some(app.exit(STOP));
    } else {
        app.stop(STOP);
    }
    let missing = missing();
    Ok((seen, missing))
}

fn judge(case: &Line, seen: &Seen, missing: Vec<String>) -> Observed {
    let shape = seen.to_json(&case.all);
    let (recorded, ours) = (seen::in_common(&case.recorded), seen::in_common(&shape));
    let mut differences = Vec::new();
    if recorded != ours {
        differences = vec![format!("recorded {recorded}"), format!("ours     {ours}")];
    }
    let as_recorded = differences.is_empty();
    let met = || match Reactions::of(case) {
        Ok(reactions) => reactions.met_by(seen, as_recorded),
        Err(error) => Err(error.to_string()),
    };
    let ours = match case.all["ours"].as_str() {
        None => Ours::Same,
        Some("either") => Ours::Either(met()),
        // `stream` is a stream error where the reference has one of the connection.
        Some(_) => Ours::Instead(met()),
    };
    // The log of the reference tells of its reaction; another one has another log.
    if as_recorded {
        differences.extend(missing);
    }
    Observed { case: case.clone(), differences, ours, seen: shape }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    frames::check();
    seen::check();
    reaction::check();
    steps::check();
    for case in lines(RECORDINGS).expect("the recordings are readable") {
        if !case.all["ours"].is_null() {
            Reactions::of(&case).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        }
    }
}
