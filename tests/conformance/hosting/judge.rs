//! Runs cases and judges them.
//!
//! Each run is a process in its own network namespace and mostly waits, so there are more workers
//! than processors. In go cases, out comes a [`Judgement`] for each, in the order of the cases, as
//! soon as it and all before it are there.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::case::Case;
use super::compare::{Difference, Rules, differences};
use super::facts::Facts;
use super::{in_namespace, selection};
use crate::programs::Programs;
use crate::verdict::Verdict;

/// Workers per processor.
const WORKERS: usize = 2;

/// One case on one program.
#[derive(Debug)]
pub(crate) struct Run {
    /// `kestrel` or `conformance`, or the other host's name.
    pub(crate) program: String,
    /// What was seen, in the shape of `in_namespace`.
    pub(crate) seen: Value,
    /// How it differs from the recording.
    pub(crate) differences: Vec<Difference>,
}

/// What came out of a case.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    pub(crate) case: &'a Case,
    pub(crate) verdict: Verdict,
    pub(crate) runs: Vec<Run>,
}

/// Judges `cases` and hands each judgement to `tell`, in order.
pub(crate) fn judge_all<'a>(
    cases: &[&'a Case],
    programs: &Programs,
    listed: &BTreeSet<String>,
    mut tell: impl FnMut(Judgement<'a>),
) {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from) * WORKERS;
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // The receiver lives as long as the scope.
                    let _ = done.send(judge(case, programs, listed));
                }
            });
        }
        drop(done);
        let mut waiting = Vec::new();
        let mut told = 0;
        for judgement in results {
            waiting.push(judgement);
            while let Some(at) = waiting.iter().position(|judgement| {
                cases.get(told).is_some_and(|case| case.id == judgement.case.id)
            }) {
                tell(waiting.swap_remove(at));
                told += 1;
            }
        }
    });
}

/// Runs a case on its programs and compares.
fn judge<'a>(case: &'a Case, programs: &Programs, listed: &BTreeSet<String>) -> Judgement<'a> {
    let rules = Rules { foreign: programs.foreign(), log_up_to: selection::log_up_to(case) };
    let recorded = Facts::recorded(case);
    let mut runs = Vec::new();
    for program in programs_for(case, programs) {
        match run(case, program) {
            Ok(seen) => runs.push(Run {
                program: program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                differences: differences(&recorded, &Facts::observed(case, &seen), rules),
                seen,
            }),
            Err(error) => {
                return Judgement { case, verdict: Verdict::Broken(format!("{error:#}")), runs };
            }
        }
    }
    let equal = runs.iter().all(|run| run.differences.is_empty());
    let verdict = match (equal, listed.contains(&case.id)) {
        (true, false) => Verdict::Equal,
        (true, true) => Verdict::ListedButEqual,
        (false, true) => Verdict::Listed,
        (false, false) => Verdict::Differs,
    };
    Judgement { case, verdict, runs }
}

/// The programs that `case` runs on.
fn programs_for<'a>(case: &Case, programs: &'a Programs) -> Vec<&'a Path> {
    let binary = programs.binary().filter(|_| !case.needs_app());
    binary.into_iter().chain([programs.app()]).collect()
}

/// Runs a case in a network namespace: this program once more, with the arguments that lead to
/// [`in_namespace`].
fn run(case: &Case, program: &Path) -> Result<Value> {
    let mut command = Command::new("unshare");
    command
        .args(["-n", "--"])
        .arg(env::current_exe()?)
        .args([in_namespace::ARGUMENT, &case.id])
        .arg(program);
    let output = command.stdin(Stdio::null()).output().context("unshare")?;
    if !output.status.success() {
        // Its own words are on standard output, those of `unshare` on standard error.
        let words = [output.stdout, output.stderr].concat();
        bail!("{}", String::from_utf8_lossy(&words).trim());
    }
    serde_json::from_slice(&output.stdout).context("what the process in the namespace prints")
}

/// Whether cases can run here at all: network namespaces and the tools to look into them.
pub(crate) fn is_possible() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let quiet = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    nix::unistd::geteuid().is_root()
        && works("unshare", &["-n", "--", "ip", "link", "set", "lo", "up"])
        && works("ss", &["-Htln"])
        && works("curl", &["--version"])
        && works("openssl", &["version"])
}
