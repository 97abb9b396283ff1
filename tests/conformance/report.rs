//! Runs tests and says what came of them.
//!
//! A test is a group of cases, or [`HARNESS`]. What is printed has the form of libtest's; for each
//! case that fails, how it differs, and at the end what was left out for later.

use std::collections::BTreeMap;
use std::panic;
use std::time::Instant;

use anyhow::Result;

use crate::deviations::{self, Listed};
use crate::hosting::case::Case;
use crate::hosting::judge::{self, Judgement};
use crate::hosting::selection::{self, GROUPS};
use crate::programs::Programs;
use crate::suite::{self, Judged, Suite};
use crate::verdict::Verdict;
use crate::{
    command_line, console, dev_certs, forwarded, h2, hosting, http1, limits, middleware, proxy,
    static_files,
};

/// The test of the harness itself. It needs neither root nor a server.
const HARNESS: &str = "harness";

/// What the tests of groups start with.
const HOSTING: &str = "hosting::";

/// Why the cases cannot run here.
const NEEDS: &str =
    "needs root and network namespaces (run as root; apt-get install iproute2 curl openssl)";

/// The names of all tests.
pub(crate) fn test_names() -> Vec<String> {
    let groups = GROUPS.iter().map(|group| format!("{HOSTING}{group}"));
    let suites = Suite::all().into_iter().map(|suite| suite.name().to_owned());
    [HARNESS.to_owned()].into_iter().chain(suites).chain(groups).collect()
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
    for suite in Suite::all() {
        if !selected.iter().any(|name| name == suite.name()) {
            continue;
        }
        if let Some(needs) = suite.missing() {
            println!("skipped: {}: {needs}", suite.name());
            report.skipped += 1;
            continue;
        }
        run_suite(suite, &mut report)?;
    }
    let groups: Vec<&str> = selected.iter().filter_map(|name| name.strip_prefix(HOSTING)).collect();
    if !groups.is_empty() && judge::is_possible() {
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
        command_line::check,
        console::check,
        deviations::check,
        dev_certs::check,
        forwarded::check,
        h2::check,
        http1::check,
        limits::check,
        middleware::check,
        proxy::check,
        static_files::check,
        suite::app::check,
        suite::check,
        suite::events::check,
        suite::pool::check,
    ];
    let checks = hosting::CHECKS.iter().chain(checks);
    // A check that fails says so on standard error.
    let passed: Vec<bool> = checks.map(|check| panic::catch_unwind(check).is_ok()).collect();
    passed.iter().all(|passed| *passed)
}

/// What docs/deviations.md says, which is nothing about another host but what cannot be played yet.
fn listed_for(programs: &Programs) -> Result<Listed> {
    let mut listed = deviations::listed()?;
    if programs.foreign() {
        listed.deviations.clear();
    }
    Ok(listed)
}

/// Runs all cases of a suite as one test.
fn run_suite(suite: Suite, report: &mut Report) -> Result<()> {
    let begin = Instant::now();
    let programs = Programs::find()?;
    let listed = listed_for(&programs)?;
    let judged = suite.judge(&|_| true, &programs, &listed)?;
    let failed: Vec<&Judged> = judged.iter().filter(|one| one.verdict.fails()).collect();
    failed.iter().for_each(|one| one.show());
    report.result(suite.name(), failed.is_empty());
    let count = |verdict: Verdict| judged.iter().filter(|one| one.verdict == verdict).count();
    println!(
        "{} cases in {:.0} s: {} equal, {} as they are meant, {} where they may, {} listed \
         deviations, {} failed",
        judged.len(),
        begin.elapsed().as_secs_f64(),
        count(Verdict::Equal),
        count(Verdict::AsMeant),
        count(Verdict::MayDiffer),
        count(Verdict::Listed),
        failed.len()
    );
    let later: Vec<String> =
        suite.ids()?.into_iter().filter(|id| listed.later.contains(id)).collect();
    if !later.is_empty() {
        println!("later: {} cases: {}", later.len(), later.join(" "));
    }
    if let Some(hint) = programs.hint().filter(|_| !failed.is_empty()) {
        println!("hint: {hint}");
    }
    Ok(())
}

/// Runs the cases of `groups`, one test per group.
fn run_groups(groups: &[&str], all: bool, report: &mut Report) -> Result<()> {
    let cases = Case::all()?;
    let (runnable, later): (Vec<_>, Vec<_>) = cases
        .iter()
        .filter(|case| all || groups.contains(&case.group()))
        .map(|case| (case, selection::later(case)))
        .partition(|(_, later)| later.is_none());
    let mut runnable: Vec<&Case> = runnable.into_iter().map(|(case, _)| case).collect();
    // Groups follow each other as in the table, so that each is reported when its last case is
    // done.
    runnable.sort_by_key(|case| groups.iter().position(|group| *group == case.group()));
    let programs = Programs::find()?;
    let listed = listed_for(&programs)?.deviations;

    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    runnable.iter().for_each(|case| *left.entry(case.group()).or_default() += 1);
    let mut verdicts = Vec::new();
    let mut any_failed = false;
    judge::judge_all(&runnable, &programs, &listed, |judgement| {
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

/// Runs the case with this id and prints everything about it; of cases on a connection, all whose
/// id begins like this. True when nothing speaks against us.
///
/// # Errors
/// When there is none.
pub(crate) fn single(id: &str) -> Result<bool> {
    let mut passed = true;
    let mut found = false;
    for suite in Suite::all() {
        let wanted = |own: &str| own.starts_with(id);
        if suite.ids()?.iter().any(|own| wanted(own)) {
            found = true;
            passed &= single_of(suite, &wanted)?;
        }
    }
    if found { Ok(passed) } else { single_of_hosting(&Case::find(id)?) }
}

fn single_of(suite: Suite, wanted: suite::Wanted<'_>) -> Result<bool> {
    let programs = Programs::find()?;
    let listed = listed_for(&programs)?;
    suite.ids()?.iter().filter(|id| wanted(id) && listed.later.contains(*id)).for_each(|id| {
        println!("later: {id}");
    });
    let judged = suite.judge(wanted, &programs, &listed)?;
    for one in &judged {
        if let [_] = &judged[..] {
            println!("\nseen\n{:#}", one.observed.seen);
            println!("\nrecorded\n{:#}", one.observed.case.recorded);
        }
        one.show();
    }
    Ok(!judged.iter().any(|one| one.verdict.fails()))
}

fn single_of_hosting(case: &Case) -> Result<bool> {
    let programs = Programs::find()?;
    let listed = listed_for(&programs)?.deviations;
    let mut passed = true;
    if let Some(reason) = selection::later(case) {
        println!("later: {reason}");
    }
    judge::judge_all(&[case], &programs, &listed, |judgement| {
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
