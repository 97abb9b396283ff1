//! What stands between socket and app: settings of the stages, a request, and the answer to it.
//!
//! A case of `middleware/*.jsonl` has `setup`, settings by the names of the reference's app (the variables
//! of `examples/middleware`), and one `request`. Cases of one setup share one app. What must be like the
//! recording are status, headers, body, its encoding and its framing, and whether the app starts at all
//! ([`compare`]). Texts of the log are left to the tests of our own log.
//!
//! ```text
//! logs       cases of several requests, judged by what was logged of them
//! host       the app with the settings of a case, on ports of its own
//! web_root   the files that it serves
//! client     one request on one connection
//! answer     what came back, in the shape of a recording
//! decoded    what an encoded body holds
//! compare    the answer against the recording, and against what we mean
//! ```

mod answer;
mod client;
mod compare;
mod decoded;
mod host;
mod logs;
mod web_root;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::programs::Programs;
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};
use host::Host;

/// The recordings of some stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The name of its test.
    pub(crate) name: &'static str,
    pub(crate) recordings: &'static str,
}

macro_rules! groups {
    ($($name:literal),+ $(,)?) => {
        [$(Group {
            name: concat!("middleware::", $name),
            recordings: include_str!(concat!($name, ".jsonl")),
        }),+]
    };
}

/// The groups that are judged: a group comes with the stage that it is about.
pub(crate) const JUDGED: [Group; 10] =
    groups!["comp", "cors", "decomp", "dir", "err", "health", "hsts", "log", "pathbase", "redir"];

/// Apps that start at once.
const WORKERS: usize = 6;

/// Requests at once.
const CLIENTS: usize = 16;

/// Plays the wanted cases of a group, one app for each of its settings.
///
/// # Errors
/// When the recordings cannot be read.
pub(crate) fn play(group: Group, wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let cases = lines(group.recordings)?;
    let cases = cases.into_iter().filter(|case| wanted(&case.id) && case.all["ours"] != "n/a");
    let (logs, cases): (Vec<_>, Vec<_>) = cases.partition(logs::is_one);
    let mut by_setup: Vec<(Value, Vec<Line>)> = Vec::new();
    for case in cases {
        let setup = &case.all["setup"];
        match by_setup.iter_mut().find(|(of, _)| of == setup) {
            Some((_, cases)) => cases.push(case),
            None => by_setup.push((setup.clone(), vec![case])),
        }
    }
    let workers = programs.workers(WORKERS);
    let hosts = pool::map(&by_setup, workers, |(setup, _)| Host::start(programs.site(), setup));
    // Some cases wait for seconds.
    let cases: Vec<_> = by_setup
        .iter()
        .zip(&hosts)
        .flat_map(|((_, cases), host)| cases.iter().map(move |case| (case, host)))
        .collect();
    let mut observed = pool::map(&cases, CLIENTS, |(case, host)| {
        match host.as_ref().map(|host| play_one(host, case)) {
            Ok(Ok(seen)) => judge(case, seen),
            Ok(Err(error)) => Observed::broken((*case).clone(), &format!("{error:#}")),
            Err(error) => Observed::broken((*case).clone(), &format!("{error:#}")),
        }
    });
    let workers = programs.workers(WORKERS);
    observed.extend(pool::map(&logs, workers, |case| match logs::play(programs.site(), case) {
        Ok(seen) => judge(case, seen),
        Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
    }));
    observed.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    Ok(observed)
}

fn play_one(host: &Host, case: &Line) -> Result<Value> {
    if let Some(why) = host.refused() {
        return Ok(serde_json::json!({"status": null, "start": why}));
    }
    let scheme = case.all["scheme"].as_str().unwrap_or("http");
    let mut request = case.all["request"].clone();
    fill_in_tags(host, &mut request)?;
    let heard = client::talk(host, scheme, &request).context("asking")?;
    Ok(answer::read(host, &heard, &request, case.all["keep"].as_str()))
}

/// Puts the tag of a file in the place of `{etag:/path}`.
fn fill_in_tags(host: &Host, request: &mut Value) -> Result<()> {
    for header in request["headers"].as_array_mut().into_iter().flatten() {
        let path = header[1].as_str().and_then(|it| it.strip_prefix("{etag:")?.strip_suffix('}'));
        let Some(path) = path else { continue };
        let asked = serde_json::json!({"method": "GET", "target": path, "headers": []});
        let heard = client::talk(host, "http", &asked)?;
        let answer = answer::read(host, &heard, &asked, None);
        let headers = compare::known(&answer["headers"]);
        let tag = headers.get("etag").and_then(|tags| tags.first());
        header[1] = tag.context("a file without a tag")?.as_str().into();
    }
    Ok(())
}

fn judge(case: &Line, seen: Value) -> Observed {
    let differences = match logs::is_one(case) {
        true => logs::differences(&case.recorded, &seen),
        false => compare::differences(&case.all, &case.recorded, &seen),
    };
    let mean = || {
        let missed = match logs::is_one(case) {
            true => logs::not_as_meant(&case.all, &case.recorded, &seen),
            false => compare::not_as_meant(&case.all, &case.recorded, &seen),
        };
        if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
    };
    let ours = match case.all["ours"].as_str() {
        None => Ours::Same,
        Some("either") => Ours::Either(mean()),
        Some("strict") => Ours::Instead(mean()),
        Some(other) => Ours::Instead(Err(format!("nobody here knows ours `{other}`"))),
    };
    Observed { case: case.clone(), differences, ours, seen }
}

/// The harness's tests of this folder.
pub(crate) fn check() {
    answer::check();
    compare::check();
    decoded::check();
    logs::check();
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    for group in JUDGED {
        for case in lines(group.recordings).expect("the recordings are readable") {
            let judged = judge(&case, case.recorded.clone());
            assert!(judged.differences.is_empty(), "{}: {:?}", case.id, judged.differences);
            assert!(
                ids.insert(case.id.clone(), group.name).is_none(),
                "{} is there twice",
                case.id
            );
        }
    }
}
