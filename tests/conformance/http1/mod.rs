//! Raw HTTP/1 bytes on one connection, and everything that comes back.
//!
//! A case of `http1.jsonl` is text to send (`raw`), or `parts`: texts, pauses in seconds, and
//! repeated texts. What must be like the recording are the answers' statuses, their framing and
//! what the app saw of the requests ([`facts`]), and who ends the connection.

mod answers;
mod connection;
mod facts;

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::programs::Programs;
use crate::suite::app::{App, Start};
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};
use connection::Part;

pub(crate) const RECORDINGS: &str = include_str!("../http1.jsonl");

/// Connections at once. Cases wait most of the time; more would disturb the times of others.
const WORKERS: usize = 32;

/// How long nothing may come for a connection to count as left open.
const IDLE: f64 = 0.8;

/// How long the app may take to stop after a group.
const STOP: Duration = Duration::from_secs(10);

/// Plays the wanted cases, one app for each group of options.
///
/// # Errors
/// When the recordings cannot be read, or the app cannot be started.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let cases = lines(RECORDINGS)?;
    // What cannot be done here at all is not asked for.
    let cases = cases.into_iter().filter(|case| wanted(&case.id) && case.all["ours"] != "n/a");
    let mut groups: Vec<(Value, Vec<Line>)> = Vec::new();
    for case in cases {
        let options = &case.all["options"];
        match groups.iter_mut().find(|(of, _)| of == options) {
            Some((_, group)) => group.push(case),
            None => groups.push((options.clone(), vec![case])),
        }
    }
    let mut observed = Vec::new();
    for (options, mut group) in groups {
        // The longest first, so that none of them is waited for alone at the end.
        group.sort_by(|one, other| idle(other).total_cmp(&idle(one)));
        let start = Start::new(Some("http://127.0.0.1:0"), &options, &Value::Null);
        let app = App::start(programs.app(), &start)?;
        observed.extend(pool::map(&group, WORKERS, |case| match play_one(&app, case) {
            Ok(seen) => judge(case, seen),
            Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
        }));
        app.stop(STOP);
    }
    observed.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    Ok(observed)
}

fn idle(case: &Line) -> f64 {
    case.all["idle"].as_f64().unwrap_or(IDLE)
}

fn play_one(app: &App, case: &Line) -> Result<Value> {
    let parts: Vec<Part> = match &case.all["parts"] {
        Value::Array(parts) => parts.iter().map(part).collect::<Result<_>>()?,
        _ => vec![part(&case.all["raw"])?],
    };
    let half_close = case.all["half_close"] == true;
    let heard =
        connection::talk(app.address(), &parts, half_close, Duration::from_secs_f64(idle(case)))?;
    let texts = parts.iter().filter_map(Part::text);
    let heads = answers::head_requests(&texts.collect::<Vec<_>>().concat());
    let (answers, rest) = answers::read(&heard.bytes, &heads);
    Ok(json!({
        "responses": answers.iter().map(answers::Answer::to_json).collect::<Vec<_>>(),
        "rest": rest,
        "closed": heard.closed,
        "reset": heard.reset,
    }))
}

fn part(value: &Value) -> Result<Part> {
    let text = |value: &Value| value.as_str().map(latin1);
    Ok(match value {
        Value::Number(seconds) => {
            Part::Wait(Duration::from_secs_f64(seconds.as_f64().unwrap_or(0.0)))
        }
        Value::Object(repeated) => match (text(&repeated["repeat"]), repeated["n"].as_u64()) {
            (Some(text), Some(times)) => Part::Repeat(text, usize::try_from(times)?),
            _ => bail!("nobody here knows the part {value}"),
        },
        _ => match text(value) {
            Some(text) => Part::Send(text),
            None => bail!("nobody here knows the part {value}"),
        },
    })
}

/// The bytes that a text of the recordings stands for.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// The text that stands for bytes in the recordings.
pub(crate) fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn judge(case: &Line, seen: Value) -> Observed {
    let (recorded, ours) = (facts::Facts::of(&case.recorded), facts::Facts::of(&seen));
    let differences = recorded.differences(&ours);
    let all = &case.all;
    let met = ours.is_one_of(&all["ours_status"], all["ours_closed"] == true);
    let ours = match all["ours"].as_str() {
        // What varies on the reference may vary here.
        _ if case.racy => Ours::Same,
        Some("either") => Ours::Either(met),
        Some("strict") => Ours::Instead(met),
        None | Some("same") => Ours::Same,
        Some(other) => Ours::Instead(Err(format!("nobody here knows ours `{other}`"))),
    };
    Observed { case: case.clone(), differences, ours, seen }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    answers::check();
    facts::check();
    assert_eq!(latin1("a\u{e5}"), b"a\xe5");
    assert_eq!(from_latin1(b"a\xe5"), "a\u{e5}");
    for case in lines(RECORDINGS).expect("the recordings are readable") {
        let judged = judge(&case, case.recorded.clone());
        assert!(judged.differences.is_empty(), "{}: {:?}", case.id, judged.differences);
    }
}
