//! A case from its start to its end: the servers behind the proxy, the proxy, the steps, and what
//! was seen of it all, in the shape of the recordings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::client::{self, Clients};
use super::host::{self, Host};
use super::names::Names;
use super::text::{count, list, tenths};
use super::upstream::{self, Got, Upstream};
use crate::suite::pool;

/// How long a proxy is left running behind the last step, unless the case says so.
const LINGER: f64 = 0.1;

/// How long settings that were changed have to take effect, unless the case says so.
const RELOAD: f64 = 1.2;

/// How long the servers behind the proxy may take to see that it is gone.
const QUIET: Duration = Duration::from_secs(1);

/// How much of a body stands in a tally.
const TALLIED: usize = 40;

/// What a case may say.
const WORDS: &[&str] = &[
    "all_logs",
    "config",
    "env",
    "h2",
    "id",
    "linger",
    "logging",
    "ours",
    "ours_answer",
    "ours_changes",
    "raw_config",
    "recorded",
    "requests",
    "tally",
    "title",
    "tls",
    "upstreams",
    "varies",
    "why",
];

/// What a step may say besides what a request may.
const STEP_WORDS: &[&str] = &[
    "background",
    "every",
    "join",
    "order",
    "parallel",
    "reload",
    "repeat",
    "set",
    "settle",
    "term",
    "to",
    "until",
    "wait",
    "within",
];

/// Plays a case.
///
/// # Errors
/// When it says what nobody here knows, or the system does not let it be played.
pub(super) fn play(program: &Path, case: &Value) -> Result<Value> {
    check_words(case)?;
    let got = Arc::new(Got::default());
    let scripts = list(&case["upstreams"]).iter().enumerate();
    let upstreams = scripts
        .map(|(at, script)| Upstream::open(at + 1, script, &got))
        .collect::<std::io::Result<Vec<_>>>()?;
    let folder = TempDir::with_prefix("kestrel-proxy-").context("a folder for the case")?;
    let addresses = upstreams.iter().map(|upstream| (upstream.base(), upstream.port()));
    let mut names = Names::new(addresses.collect(), folder.path().to_owned())?;
    let host = Host::start(program, case, folder.path(), &names)?;
    let mut seen = Map::new();
    match host.port() {
        None => drop(seen.insert("start".to_owned(), host.refusal())),
        Some(port) => {
            names.proxy_listens(port);
            let stage = Stage {
                case,
                names: &names,
                folder: folder.path(),
                host: &host,
                upstreams: &upstreams,
            };
            seen.insert("steps".to_owned(), stage.steps()?.into());
            if !host.alive() {
                seen.insert("died".to_owned(), host.refusal());
            }
            thread::sleep(Duration::from_secs_f64(case["linger"].as_f64().unwrap_or(LINGER)));
        }
    }
    host.stop();
    let mut got: Value = got.all(QUIET).into();
    if case["tally"] == true {
        got = tally(list(&got));
    }
    seen.insert("upstream".to_owned(), got);
    seen.insert("output".to_owned(), json!(host.output()));
    Ok(names.hide(&Value::Object(seen), case))
}

/// How many requests each server got.
fn tally(got: &[Value]) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in got.iter().filter(|entry| entry.get("head").or(entry.get("h2")).is_some()) {
        *counts.entry(format!("up{}", entry["up"])).or_default() += 1;
    }
    json!(counts)
}

/// That nothing is said that would not be done.
fn check_words(case: &Value) -> Result<()> {
    let known = |value: &Value, words: &[&str]| -> Result<()> {
        let mut said = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        match said.find(|name| !words.contains(name)) {
            Some(name) => bail!("nobody here knows `{name}`"),
            None => Ok(()),
        }
    };
    known(case, WORDS)?;
    for script in list(&case["upstreams"]) {
        known(script, upstream::WORDS)?;
    }
    let step_words = [client::WORDS, STEP_WORDS].concat();
    for step in list(&case["requests"]) {
        known(step, &step_words)?;
        known(&step["background"], client::WORDS)?;
        known(&step["to"], upstream::WORDS)?;
    }
    Ok(())
}

/// Where the steps of a case are taken.
struct Stage<'a> {
    case: &'a Value,
    names: &'a Names,
    folder: &'a Path,
    host: &'a Host,
    upstreams: &'a [Upstream],
}

impl Stage<'_> {
    fn steps(&self) -> Result<Vec<Value>> {
        let clients = Clients::new(self.names, self.case["tls"] == true);
        let clients = &clients;
        thread::scope(|scope| {
            let mut background = None;
            let mut seen = Vec::new();
            for step in list(&self.case["requests"]) {
                seen.push(if let Some(request) = step.get("background") {
                    background = Some(scope.spawn(|| clients.send(request, false)));
                    json!({})
                } else if step["join"] == true {
                    let thread = background.take().context("nothing runs in the background")?;
                    thread.join().ok().context("the request in the background failed")?
                } else {
                    self.step(clients, step)?
                });
            }
            Ok(seen)
        })
    }

    fn step(&self, clients: &Clients<'_>, step: &Value) -> Result<Value> {
        if let Some(seconds) = step["wait"].as_f64() {
            thread::sleep(Duration::from_secs_f64(seconds));
        } else if step["term"] == true {
            self.host.terminate();
        } else if let Some(number) = count(&step["set"]) {
            let upstream = number.checked_sub(1).and_then(|at| self.upstreams.get(at));
            upstream.context("no such server")?.set(&step["to"]);
        } else if let Some(section) = step.get("reload") {
            host::write(self.folder, &host::settings(self.case, Some(section), self.names))?;
            let seconds = step["settle"].as_f64().unwrap_or(RELOAD);
            thread::sleep(Duration::from_secs_f64(seconds));
        } else if step.get("repeat").or(step.get("parallel")).is_some() {
            return many(clients, step);
        } else if step.get("until").is_some() {
            return Ok(until(clients, step));
        } else {
            return Ok(clients.send(step, false));
        }
        Ok(json!({}))
    }
}

/// `200 up1`: what a tally counts.
fn outcome(seen: &Value) -> String {
    let last = list(&seen["responses"]).last().unwrap_or(&Value::Null);
    let status = last["status"].as_u64().map_or_else(|| "None".to_owned(), |it| it.to_string());
    let body: String = last["body"].as_str().unwrap_or_default().chars().take(TALLIED).collect();
    format!("{status} {body}")
}

/// The same request many times, one after the other or several at once.
fn many(clients: &Clients<'_>, step: &Value) -> Result<Value> {
    let times = count(&step["repeat"]).or(count(&step["parallel"])).context("how often")?;
    let at_once = count(&step["parallel"]).unwrap_or(1);
    ensure!(at_once > 0, "at once");
    let one = |_: &()| outcome(&clients.send(step, at_once == 1));
    let outcomes = pool::map(&vec![(); times], at_once, one);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    let mut seen = json!({"tally": counts});
    if let Some(shown) = count(&step["order"]) {
        seen["order"] = json!(&outcomes[..shown.min(outcomes.len())]);
    }
    Ok(seen)
}

/// The same request until it is answered as is wanted, or it has taken too long.
fn until(clients: &Clients<'_>, step: &Value) -> Value {
    let seconds = |name: &str, usual: f64| step[name].as_f64().unwrap_or(usual);
    let began = Instant::now();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let answer = clients.send(step, true);
        let outcome = outcome(&answer);
        let last = list(&answer["responses"]).last().unwrap_or(&Value::Null);
        let met = step["until"] == outcome.as_str() || step["until"] == last["status"];
        if seen.last() != Some(&outcome) {
            seen.push(outcome);
        }
        let taken = began.elapsed().as_secs_f64();
        if met {
            return json!({"until": "met", "secs": tenths(taken), "seen": seen});
        }
        if taken > seconds("within", 10.0) {
            return json!({"until": "not met", "seen": seen});
        }
        thread::sleep(Duration::from_secs_f64(seconds("every", 0.1)));
    }
}
