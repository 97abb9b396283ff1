//! Runs tests and says what came of them.
//!
//! A test is a group of cases, or [`HARNESS`]. What is printed has the form of libtest's; for each
//! case that fails, how it differs, and at the end what was left out for later.

use std::collections::BTreeMap;
use std::panic;
use std::time::Instant;

use anyhow::Result;

use crate::case::Case;
use crate::plan::{self, GROUPS, Programs};
use crate::run::{self, Judgement, Verdict};
use crate::{case, compare, console, facts, json_text, normal, options};

/// The test of the harness itself. It needs neither root nor a server.
const HARNESS: &str = "harness";

/// What the tests of groups start with.
const HOSTING: &str = "hosting::";

/// Why the cases cannot run here.
const NEEDS: &str =
    "needs root and network namespaces (run as root; apt-get install iproute2 curl)";

/// The names of all tests.
pub(crate) fn test_names() -> Vec<String> {
    let groups = GROUPS.iter().map(|group| format!("{HOSTING}{group}"));
    [HARNESS.to_owned()].into_iter().chain(groups).collect()
}

/// Counts for the closing line.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

/// Runs the selected tests and reports like libtest. True when all is well.
pub(crate) fn test(selected: &[String], filtered_out: usize) -> Result<bool> {
    let begin = Instant::now();
    println!("\nrunning {} test{}", selected.len(), if selected.len() == 1 { "" } else { "s" });
    let mut report = Report::default();
    if selected.iter().any(|name| name == HARNESS) {
        report.result(HARNESS, check_harness());
    }
    let groups: Vec<&str> = selected.iter().filter_map(|name| name.strip_prefix(HOSTING)).collect();
    if !groups.is_empty() && run::is_possible() {
        run_groups(&groups, filtered_out == 0, &mut report)?;
    } else {
        for group in groups {
            println!("skipped: {HOSTING}{group}: {NEEDS}");
            report.skipped += 1;
        }
    }
    let may_skip = std::env::var_os("KESTREL_TEST_NO_SKIP").is_none_or(|value| value != "1");
    let passed = report.failed.is_empty() && (report.skipped == 0 || may_skip);
    if !report.failed.is_empty() {
        println!("\nfailures:\n    {}", report.failed.join("\n    "));
    }
    if report.skipped > 0 {
        println!("\nskipped: {} tests", report.skipped);
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {filtered_out} filtered \
         out; finished in {:.2}s\n",
        if passed { "ok" } else { "FAILED" },
        report.passed,
        report.failed.len(),
        report.skipped,
        begin.elapsed().as_secs_f64()
    );
    Ok(passed)
}

impl Report {
    fn result(&mut self, name: &str, passed: bool) {
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if passed {
            self.passed += 1;
        } else {
            self.failed.push(name.to_owned());
        }
    }
}

/// The tests of the pure parts, at the end of each file.
fn check_harness() -> bool {
    let checks: &[fn()] = &[
        case::check,
        compare::check,
        console::check,
        facts::check,
        json_text::check,
        normal::check,
        options::check,
        plan::check,
    ];
    // A check that fails says so on standard error.
    let passed: Vec<bool> = checks.iter().map(|check| panic::catch_unwind(check).is_ok()).collect();
    passed.iter().all(|passed| *passed)
}

/// Runs the cases of `groups`, one test per group.
fn run_groups(groups: &[&str], all: bool, report: &mut Report) -> Result<()> {
    let cases = Case::all()?;
    let (runnable, later): (Vec<_>, Vec<_>) = cases
        .iter()
        .filter(|case| all || groups.contains(&case.group()))
        .map(|case| (case, plan::later(case)))
        .partition(|(_, later)| later.is_none());
    let mut runnable: Vec<&Case> = runnable.into_iter().map(|(case, _)| case).collect();
    // Groups follow each other as in the table, so that each is reported when its last case is
    // done.
    runnable.sort_by_key(|case| groups.iter().position(|group| *group == case.group()));
    let programs = Programs::find()?;
    let listed = if programs.foreign() { Default::default() } else { plan::deviations()? };

    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    runnable.iter().for_each(|case| *left.entry(case.group()).or_default() += 1);
    let mut verdicts = Vec::new();
    let mut any_failed = false;
    run::judge_all(&runnable, &programs, &listed, |judgement| {
        let group = judgement.case.group();
        if judgement.verdict.fails() {
            show(&judgement);
        }
        verdicts.push((group, judgement.verdict, judgement.runs.len()));
        let left = left.entry(group).or_default();
        *left -= 1;
        if *left == 0 {
            let failed = verdicts.iter().any(|(of, verdict, _)| *of == group && verdict.fails());
            any_failed |= failed;
            report.result(&format!("{HOSTING}{group}"), !failed);
        }
    });

    for group in groups.iter().filter(|group| !left.contains_key(**group)) {
        report.result(&format!("{HOSTING}{group}"), true);
    }

    let count = |wanted: fn(&Verdict) -> bool| {
        verdicts.iter().filter(|(_, verdict, _)| wanted(verdict)).count()
    };
    println!(
        "\n{} cases in {} runs: {} equal, {} listed deviations, {} failed",
        verdicts.len(),
        verdicts.iter().map(|(_, _, runs)| runs).sum::<usize>(),
        count(|verdict| *verdict == Verdict::Equal),
        count(|verdict| *verdict == Verdict::Listed),
        count(Verdict::fails)
    );
    show_later(later);
    if let Some(hint) = programs.hint().filter(|_| any_failed) {
        println!("hint: {hint}");
    }
    Ok(())
}

/// Prints what waits to be built, by reason.
fn show_later(later: Vec<(&Case, Option<String>)>) {
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let count = later.len();
    for (case, reason) in later {
        reasons.entry(reason.unwrap_or_default()).or_default().push(&case.id);
    }
    println!("later: {count} cases");
    for (reason, cases) in reasons {
        println!("    {reason}: {}", cases.join(" "));
    }
}

/// Prints how a case differs.
fn show(judgement: &Judgement<'_>) {
    println!("\n{}: {}: {}", judgement.case.id, judgement.case.title, judgement.verdict);
    for run in &judgement.runs {
        for difference in &run.differences {
            println!("  {} run: {difference}", run.program);
        }
    }
}

/// Runs one case and prints everything about it. True when nothing speaks against us.
pub(crate) fn single(case: &Case) -> Result<bool> {
    let programs = Programs::find()?;
    let listed = if programs.foreign() { Default::default() } else { plan::deviations()? };
    let mut passed = true;
    if let Some(reason) = plan::later(case) {
        println!("later: {reason}");
    }
    run::judge_all(&[case], &programs, &listed, |judgement| {
        passed = !judgement.verdict.fails();
        for run in &judgement.runs {
            println!("\n{} run {}", run.program, case.args.join(" "));
            println!("{:#}", run.seen);
        }
        println!("\nrecorded\n{:#}", case.recorded);
        show(&judgement);
    });
    Ok(passed)
}
