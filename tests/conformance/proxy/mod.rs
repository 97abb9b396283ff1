//! The reverse proxy between scripted clients and servers.
//!
//! A case of `proxy.jsonl` has a section `ReverseProxy`, servers that do what they are told
//! ([`upstream`]), and requests in order ([`play`], [`client`]). Each case starts a proxy of its own.
//! What its clients and the servers got must be as recorded ([`compare`]), or as the recording says
//! that ours should be ([`meant`]). Its log is left to the tests of our own log.
//!
//! ```text
//! play      a case from its start to its end
//! host      the proxy
//! upstream  the servers behind it
//! client    those who ask it
//! wire      a connection, by TLS or not; http2 speaks HTTP/2 on it
//! names     ports, folders, dates and ids, which are others at each run; ports: where they come from
//! facts     what counts of what was seen; text: how it is written down
//! compare   against the recording; meant: against what ours should be
//! ```

mod client;
mod compare;
mod facts;
mod host;
mod http2;
mod meant;
mod names;
mod play;
mod ports;
mod text;
mod upstream;
mod wire;

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::deviations;
use crate::programs::Programs;
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};
use text::list;

pub(crate) const RECORDINGS: &str = include_str!("../proxy.jsonl");

/// Cases at once, each with a proxy of its own. They wait most of the time.
const WORKERS: usize = 12;

/// These stand in docs/deviations.md, and a run may be like the recording all the same.
const MAY_BE_EQUAL: [&str; 3] = [
    // It may take a moment to end.
    "fail-stop-inflight",
    // The connection ends once the proxy says something behind the GOAWAY, which it need not.
    "h2up-goaway",
    // As many requests may come before the edit takes effect.
    "reload-section-timeout",
];

/// Plays the wanted cases.
///
/// # Errors
/// When the recordings cannot be read.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let mut cases = lines(RECORDINGS)?;
    // What depends on retries that are not ours cannot be judged.
    cases.retain(|case| wanted(&case.id) && case.all["ours"] != "n/a");
    // The longest first, so that none of them is waited for alone at the end.
    cases.sort_by(|one, other| seconds(other).total_cmp(&seconds(one)));
    let program = programs.binary().unwrap_or(programs.app());
    let observe = |case: &Line| observe(program, case);
    let mut observed = pool::map(&cases, programs.workers(WORKERS), observe);
    // On a machine that is busy with other cases, times are longer, and what hangs on them is
    // another. What is listed to differ does so alone, too.
    let listed = deviations::listed()?.deviations;
    let again = |one: &&mut Observed| one.differs() && !listed.contains(&one.case.id);
    for one in observed.iter_mut().filter(again) {
        println!("{} is played once more, alone: {:?}", one.case.id, one.differences);
        *one = observe(&one.case);
    }
    observed.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    Ok(observed)
}

fn observe(program: &Path, case: &Line) -> Observed {
    match play::play(program, &case.all) {
        Ok(seen) => judge(case, seen),
        Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
    }
}

/// About how long a case takes.
fn seconds(case: &Line) -> f64 {
    let number = |of: &Value, name: &str| of[name].as_f64().unwrap_or(0.0);
    let step = |step: &Value| {
        let pauses = list(&step["parts"]).iter().filter_map(Value::as_f64);
        let reload = if step.get("reload").is_some() { 1.2 } else { 0.0 };
        let names = ["wait", "stall", "close_after"].into_iter();
        pauses.sum::<f64>() + reload + names.map(|name| number(step, name)).sum::<f64>()
    };
    let taken = list(&case.recorded["steps"]).iter().map(|step| number(step, "secs"));
    let steps = list(&case.all["requests"]).iter().map(step);
    steps.chain(taken).sum::<f64>() + number(&case.all, "linger")
}

fn judge(case: &Line, seen: Value) -> Observed {
    let all = &case.all;
    let differences = compare::differences(&all["varies"], &case.recorded, &seen);
    let ours = match all["ours"].as_str() {
        None => Ours::Same,
        Some("either") => Ours::Either(meant::met(all, &seen)),
        Some("strict") => Ours::Instead(meant::met(all, &seen)),
        Some(other) => Ours::Instead(Err(format!("nobody here knows ours `{other}`"))),
    };
    let mut case = case.clone();
    case.racy = differences.is_empty() && MAY_BE_EQUAL.contains(&case.id.as_str());
    Observed { case, differences, ours, seen }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    client::check();
    compare::check();
    facts::check();
    meant::check();
    names::check();
    text::check();
    upstream::check();
    let cases = lines(RECORDINGS).expect("the recordings are readable");
    // The three depend on which request a server gets that answers them by turns, and so on retries.
    assert_eq!(cases.iter().filter(|case| case.all["ours"] == "n/a").count(), 3);
    for case in cases {
        let judged = judge(&case, case.recorded.clone());
        assert!(judged.differences.is_empty(), "{}: {:?}", case.id, judged.differences);
    }
}
