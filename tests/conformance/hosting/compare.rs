//! Two runs side by side: what the reference did, what ours did, and where they differ.
//!
//! Everything is to be equal, with these allowances. Ours may log more than the reference; the
//! recorded events must be among ours, in their order. Consoles with a format of their own are
//! compared line by line; there only the entries of our own categories may be extra,
//! stack traces are left out, and of an exception only its message must be said. A refused start
//! must give the recorded reason and the exit code of its kind, and must not show a stack trace.

use std::fmt::{self, Debug};

use serde_json::Value;

use super::facts::{Answer, Facts};
use crate::console::{Entry, category, groups, same_line};

/// Recorded events of Debug and Trace that ours need not log: category, id and the reason.
const NOT_LOGGED: &[(&str, i64, &str)] = &[
    (HOST_FILTERING, 0, "hosts are not filtered yet"),
    (HOST_FILTERING, 2, "hosts are not filtered yet"),
    (HOST_FILTERING, 7, "hosts are not filtered yet"),
];

const HOST_FILTERING: &str = "Microsoft.AspNetCore.HostFiltering.HostFilteringMiddleware";
const SOCKETS: &str = "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets";

/// Categories whose events may stand anywhere. The transport works beside the server, and the
/// reference itself logs a closed connection now before what the server says about it and now
/// after.
const UNORDERED: &[&str] = &[SOCKETS];

/// What to compare.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// The program is the reference or a host like it: no exit codes by kind, and stack traces are
    /// fine.
    pub(crate) foreign: bool,
    /// Compare the log only up to the entry with this text.
    pub(crate) log_up_to: Option<&'static str>,
}

/// One difference.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    what: String,
    recorded: String,
    ours: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n      recorded {}\n      ours     {}", self.what, self.recorded, self.ours)
    }
}

/// All differences between the two.
pub(crate) fn differences(recorded: &Facts, ours: &Facts, rules: Rules) -> Vec<Difference> {
    let mut found = Vec::new();
    equal(&mut found, "outcome", &recorded.outcome, &ours.outcome);
    if recorded.outcome != ours.outcome {
        // All the rest follows from that, but what ours said about it.
        let said = Difference {
            what: "exit code and standard error".to_owned(),
            recorded: recorded.refusal.clone().unwrap_or_default(),
            ours: format!("{:?} {}", ours.exit, ours.stderr.join("\n               ")),
        };
        found.push(said);
        return found;
    }
    equal(&mut found, "sockets", &recorded.sockets, &ours.sockets);
    equal(&mut found, "addresses", &recorded.addresses, &ours.addresses);
    equal(&mut found, "environment", &recorded.environment, &ours.environment);
    equal(&mut found, "content root", &recorded.content_root, &ours.content_root);
    equal(&mut found, "left files", &recorded.left_files, &ours.left_files);
    equal(&mut found, "texts", &recorded.texts, &ours.texts);
    answers(&mut found, &recorded.answers, &ours.answers);
    events(&mut found, &recorded.log, &ours.log);
    if recorded.log.iter().any(|entry| matches!(entry, Entry::Line(_))) {
        console_lines(
            &mut found,
            "line of the log",
            &lines(&recorded.log),
            &lines(&ours.log),
            rules.log_up_to,
        );
    }
    if !recorded.stderr.is_empty() {
        console_lines(&mut found, "line of standard error", &recorded.stderr, &ours.stderr, None);
    }
    refusal(&mut found, recorded, ours, rules);
    if ours.exit.is_none() || !rules.foreign {
        equal(&mut found, "exit code", &recorded.exit, &ours.exit);
    }
    found
}

fn equal<T: Debug + PartialEq>(found: &mut Vec<Difference>, what: &str, recorded: &T, ours: &T) {
    if recorded != ours {
        found.push(Difference {
            what: what.to_owned(),
            recorded: format!("{recorded:?}"),
            ours: format!("{ours:?}"),
        });
    }
}

fn answers(found: &mut Vec<Difference>, recorded: &[Answer], ours: &[Answer]) {
    equal(found, "number of answers", &recorded.len(), &ours.len());
    for (at, (recorded, ours)) in recorded.iter().zip(ours).enumerate() {
        match (recorded, ours) {
            (
                Answer::Sockets { sockets, alive },
                Answer::Sockets { sockets: our_sockets, alive: our_life },
            ) => {
                equal(found, &format!("sockets seen by step {at}"), sockets, our_sockets);
                equal(found, &format!("alive at step {at}"), alive, our_life);
            }
            (
                Answer::Http { url, status, version, body },
                Answer::Http { status: our_status, version: our_version, body: our_body, .. },
            ) => {
                equal(found, &format!("status of {url}"), status, our_status);
                equal(found, &format!("version of {url}"), version, our_version);
                // A file of the case has no status.
                if *status == 200 || url.starts_with("file:") {
                    equal(found, &format!("body of {url}"), body, our_body);
                }
            }
            _ => equal(
                found,
                &format!("kind of answer {at}"),
                &format!("{recorded:?}"),
                &format!("{ours:?}"),
            ),
        }
    }
}

/// Every recorded event must be among ours, after the one before it where the order counts.
fn events(found: &mut Vec<Difference>, recorded: &[Entry], ours: &[Entry]) {
    let (recorded, ours) = (in_order(recorded), in_order(ours));
    let mut from = 0;
    for event in recorded.iter().filter(|entry| !is_not_logged(entry)) {
        match ours[from..].iter().position(|candidate| candidate == event) {
            Some(at) => from += at + 1,
            None => found.push(Difference {
                what: "log event".to_owned(),
                recorded: format!("{event:?}"),
                ours: if ours.contains(event) {
                    "logged, but too early or not often enough".to_owned()
                } else {
                    format!("not among {ours:?}")
                },
            }),
        }
    }
}

/// The events of a log, those of [`UNORDERED`] categories sorted at the end.
fn in_order(log: &[Entry]) -> Vec<&Entry> {
    let unordered = |entry: &&Entry| match entry {
        Entry::Event { category, .. } => UNORDERED.contains(&category.as_str()),
        Entry::Line(_) => false,
    };
    let events = log.iter().filter(|entry| matches!(entry, Entry::Event { .. }));
    let (mut last, mut events): (Vec<_>, Vec<_>) = events.partition(unordered);
    last.sort_by_key(|entry| format!("{entry:?}"));
    events.append(&mut last);
    events
}

fn is_not_logged(entry: &Entry) -> bool {
    let Entry::Event { level, category, id, .. } = entry else {
        return false;
    };
    let detail = level == "Debug" || level == "Trace";
    detail && NOT_LOGGED.iter().any(|(name, number, _)| name == category && number == id)
}

fn lines(log: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| match entry {
        Entry::Line(line) => Some(line.clone()),
        Entry::Event { .. } => None,
    };
    log.iter().filter_map(line).collect()
}

/// The same lines in the same order, but for entries of our own, up to the recorded entry with the
/// text `up_to`.
fn console_lines(
    found: &mut Vec<Difference>,
    what: &str,
    recorded: &[String],
    ours: &[String],
    up_to: Option<&str>,
) {
    let mut recorded = groups(recorded);
    let mut ours = groups(ours);
    if let Some(end) = recorded
        .iter()
        .position(|group| up_to.is_some_and(|text| group.iter().any(|line| line.contains(text))))
    {
        recorded.truncate(end);
        ours.truncate(end);
    }
    // Groups without an order go to the end, sorted.
    for groups in [&mut recorded, &mut ours] {
        groups.sort_by_key(|group| {
            category(group[0]).is_some_and(|name| UNORDERED.contains(&name)).then(|| group.concat())
        });
    }
    let (recorded, ours) = (recorded.concat(), ours.concat());
    for at in 0..recorded.len().max(ours.len()) {
        let (recorded, ours) = (recorded.get(at), ours.get(at));
        if !matches!((recorded, ours), (Some(recorded), Some(ours)) if same_line(recorded, ours)) {
            // The first one is enough: those after it would only be shifted.
            equal(found, &format!("{what}, number {}", at + 1), &recorded, &ours);
            return;
        }
    }
}

/// A refused start says why in the words of the reference, and shows no stack trace.
fn refusal(found: &mut Vec<Difference>, recorded: &Facts, ours: &Facts, rules: Rules) {
    if let Some(message) = &recorded.refusal {
        let sentence = message.split(". ").next().unwrap_or_default().trim_end_matches('.');
        if !ours.stderr.iter().any(|line| line.contains(sentence)) {
            equal(found, "reason on standard error", &sentence, &ours.stderr.join("\n").as_str());
        }
    }
    let trace =
        ours.stderr.iter().find(|line| line.starts_with("   at ") || line.contains("panicked"));
    if !rules.foreign && trace.is_some() {
        equal(found, "stack trace on standard error", &None, &trace);
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
    let recorded = owned(&["info: A[1]", "      one", "info: A[2]", "      cut here"]);
    let ours = owned(&[
        "info: A[1]",
        "      one",
        "         at X",
        "info: Kestrel.A[9]",
        "      own",
        "info: Z[2]",
    ]);
    for (up_to, differences) in [(Some("cut here"), 0), (None, 1)] {
        let mut found = Vec::new();
        console_lines(&mut found, "line", &recorded, &ours, up_to);
        assert_eq!(found.len(), differences, "{found:?}");
    }
    let listening = Facts { exit: Some(0), ..Facts::default() };
    let killed =
        Facts { exit: None, texts: [("a".to_owned(), Value::Null)].into(), ..Facts::default() };
    assert!(differences(&listening, &listening, Rules::default()).is_empty());
    assert_eq!(
        differences(&listening, &killed, Rules { foreign: true, ..Rules::default() }).len(),
        2
    );
}
