//! Which cases run.
//!
//! The tables below are the ones to edit when a feature is built: add its name to [`BUILT`], and
//! its group to [`GROUPS`]. What is left out is counted and listed as "later", never passed over in
//! silence.

use super::case::Case;

/// The groups of cases that run; one test each.
pub(crate) const GROUPS: &[&str] = &[
    "layer", "url", "bind", "local", "config", "tls", "reload", "life", "hosts", "forward", "iis",
    "more", "asked",
];

/// Names in a case's `needs` that are built.
pub(crate) const BUILT: &[&str] = &["iis-requests", "reload", "tls"];

/// Cases that can run before what they need is built: the case, the need, and a text of the first
/// log entry that has to wait for it.
pub(crate) const PARTLY: &[(&str, &str, &str)] =
    &[("more-013", "reload", "Unable to reload configuration.")];

/// Why a case does not run yet.
pub(crate) fn later(case: &Case) -> Option<String> {
    if !GROUPS.contains(&case.group()) {
        return Some(format!("group {}", case.group()));
    }
    if let Some(launcher) = &case.launcher {
        return Some(format!("launcher {launcher}"));
    }
    let partly = |need: &str| PARTLY.iter().any(|(id, name, _)| *id == case.id && *name == need);
    let missing = |need: &&String| !BUILT.contains(&need.as_str()) && !partly(need);
    case.needs.iter().find(missing).map(|need| format!("needs {need}"))
}

/// Up to which text the log can be compared before everything is built.
pub(crate) fn log_up_to(case: &Case) -> Option<&'static str> {
    let row = PARTLY.iter().find(|(id, need, _)| *id == case.id && !BUILT.contains(need));
    row.map(|(_, _, text)| *text)
}

/// The harness's test of this file.
pub(crate) fn check() {
    let case = |id: &str, needs: &[&str]| Case {
        id: id.to_owned(),
        needs: needs.iter().map(|&need| need.to_owned()).collect(),
        ..Case::default()
    };
    assert_eq!(later(&case("url-001", &[])), None);
    assert_eq!(later(&case("nosuch-001", &[])), Some("group nosuch".to_owned()));
    assert_eq!(later(&case("more-001", &["nosuch"])), Some("needs nosuch".to_owned()));
    for (id, need, text) in PARTLY {
        assert_eq!(later(&case(id, &[need])), None);
        assert_eq!(log_up_to(&case(id, &[need])), Some(*text).filter(|_| !BUILT.contains(need)));
    }
}
