//! How long answers may take to begin.

use std::time::Duration;

use http::StatusCode;

use super::limits::span;
use super::parse::{error_status, read_boolean, read_with, shown};
use super::path_policies::{self, PathPolicy, for_paths};
use super::stage_values::of_key;
use super::switched::Switched;
use crate::configuration::text::Span;
use crate::configuration::{Configuration, Problem, Setting, Sourced};
use crate::middleware::{PathRules, RequestTimeoutOptions, TimeoutPolicy};

const ENABLED: &str = "RequestTimeouts:Enabled";
const DEFAULT_TIMEOUT: &str = "RequestTimeouts:DefaultTimeout";
const DEFAULT_POLICY: &str = "RequestTimeouts:DefaultPolicy";
const POLICIES: &str = "RequestTimeouts:Policies";
/// What a route calls its policy.
const OF_ROUTES: &str = "TimeoutPolicy";

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<RequestTimeoutOptions>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let before = problems.len();
    let (default, key) = default_policy(configuration, problems);
    let policies =
        path_policies::read(configuration, (POLICIES, OF_ROUTES), problems, |key, problems| {
            policy(configuration, key, problems)
        });
    let mut words = vec![of_key(configuration, &key, in_words(default))];
    words.extend(policies.iter().map(|policy| words_of(configuration, policy)));
    let limits = policies.iter().any(|it| it.value.timeout.is_some());
    if on && default.timeout.is_none() && !limits {
        // What is wrong with one is told.
        let none_meant = problems.len() == before;
        problems.extend(configuration.setting(ENABLED).filter(|_| none_meant).map(without_timeout));
        return None;
    }
    let by_name = policies.iter().map(|it| (it.name.clone(), it.value)).collect();
    let by_path = policies.into_iter().flat_map(|PathPolicy { paths, value, .. }| {
        paths.into_iter().map(move |path| (path.value, value))
    });
    let options = RequestTimeoutOptions { default, by_path: PathRules::new(by_path), by_name };
    Switched::by(configuration, ENABLED, on, options).map(|it| it.shown(words))
}

/// What counts where no policy does, and the key that says how long.
fn default_policy(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> (TimeoutPolicy, String) {
    let key = format!("{DEFAULT_POLICY}:Timeout");
    let timeout = read_with(configuration, &key, problems, timeout);
    let short = read_with(configuration, DEFAULT_TIMEOUT, problems, self::timeout);
    if let (Some(setting), Some(_)) =
        (configuration.setting(DEFAULT_TIMEOUT), configuration.setting(&key))
    {
        problems.push(
            Problem::error(format!("{DEFAULT_TIMEOUT} and {key} are the same, and both are set."))
                .key(DEFAULT_TIMEOUT)
                .origin(setting.origin.clone())
                .fix(format!("remove one of them; {DEFAULT_TIMEOUT} is the short one")),
        );
    }
    let key = if timeout.is_some() { key } else { DEFAULT_TIMEOUT.to_owned() };
    let timeout = timeout.or(short).flatten();
    let status = status(configuration, DEFAULT_POLICY, problems);
    (TimeoutPolicy { timeout, status }, key)
}

/// A policy of the section; `None` if it says no time.
fn policy(
    configuration: &Configuration,
    section: &str,
    problems: &mut Vec<Problem>,
) -> Option<TimeoutPolicy> {
    let key = format!("{section}:Timeout");
    let status = status(configuration, section, problems);
    let Some(setting) = configuration.setting(&key) else {
        let paths = configuration.section(section);
        let origin = super::lists::first_setting(&paths).map(|it| it.origin.clone());
        let problem = Problem::error(format!(
            "The policy '{section}' says no time: '{key}' is not set."
        ))
        .key(key)
        .fix("write a time such as 00:01:00; -00:00:00.0010000, or null in a file, is no limit");
        problems.push(match origin {
            Some(origin) => problem.origin(origin),
            None => problem,
        });
        return None;
    };
    // A null says that there is no limit.
    let timeout = match setting.value.as_deref() {
        None => None,
        Some(_) => read_with(configuration, &key, problems, timeout)?,
    };
    Some(TimeoutPolicy { timeout, status })
}

fn status(configuration: &Configuration, section: &str, problems: &mut Vec<Problem>) -> StatusCode {
    let key = format!("{section}:TimeoutStatusCode");
    let status = read_with(configuration, &key, problems, error_status);
    status.unwrap_or(StatusCode::GATEWAY_TIMEOUT)
}

fn timeout(setting: &Setting, text: &str) -> Result<Option<Duration>, Problem> {
    match span(setting, text, |_| None)? {
        Span::Of(timeout) if !timeout.is_zero() => Ok(Some(timeout)),
        Span::Infinite => Ok(None),
        Span::Of(_) | Span::Negative => Err(Problem::error(format!(
            "'{}' leaves an answer no time.",
            shown(&setting.key, text)
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write more than 00:00:00, such as 00:00:30; -00:00:00.0010000 is no limit")),
    }
}

fn without_timeout(setting: &Setting) -> Problem {
    Problem::warning(format!("'{ENABLED}' has no effect: no time is set."))
        .key(ENABLED)
        .origin(setting.origin.clone())
        .fix(format!("write {DEFAULT_TIMEOUT}, such as 00:00:30, or policies with paths"))
}

fn in_words(policy: TimeoutPolicy) -> String {
    match policy.timeout {
        Some(timeout) => {
            let seconds = timeout.as_secs_f64();
            format!("{} after {seconds} seconds without an answer", policy.status.as_u16())
        }
        None => "no limit".to_owned(),
    }
}

fn words_of(configuration: &Configuration, policy: &PathPolicy<TimeoutPolicy>) -> Sourced<String> {
    let key = format!("{POLICIES}:{}:Timeout", policy.name);
    of_key(configuration, &key, format!("{}: {}", for_paths(policy), in_words(policy.value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    type Read = (Option<Switched<RequestTimeoutOptions>>, Vec<Problem>);

    fn read_of(settings: &[&str]) -> Read {
        let arguments = settings.iter().map(|setting| format!("--RequestTimeouts:{setting}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let read = read(&load(&inputs).configuration, &mut problems);
        (read, problems)
    }

    #[test]
    fn policies_are_what_their_sections_say() {
        for (settings, expected) in [
            (&["DefaultTimeout=00:00:30"][..], &["504 after 30 seconds without an answer"][..]),
            (
                &["DefaultPolicy:Timeout=00:00:01.5", "DefaultPolicy:TimeoutStatusCode=503"],
                &["503 after 1.5 seconds without an answer"],
            ),
            (
                &[
                    "DefaultTimeout=00:01:00",
                    "Policies:a:Timeout=00:00:01",
                    "Policies:a:TimeoutStatusCode=408",
                    "Policies:a:Paths:0=/a/",
                    "Policies:a:Paths:1=/b",
                    "Policies:none:Timeout=-00:00:00.0010000",
                    "Policies:none:Paths:0=/events",
                ],
                &[
                    "504 after 60 seconds without an answer",
                    "/a, /b: 408 after 1 seconds without an answer",
                    "/events: no limit",
                ],
            ),
            (
                &["Policies:a:Timeout=00:00:01", "Policies:a:Paths:0=/"],
                &["no limit", "/: 504 after 1 seconds without an answer"],
            ),
        ] {
            let (read, problems) = read_of(&[settings, &["Enabled=true"]].concat());
            assert_eq!(problems, [], "{settings:?}");
            let shown = read.expect("it is on").shown;
            let shown: Vec<_> = shown.iter().map(|it| it.value.as_str()).collect();
            assert_eq!(shown, expected, "{settings:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_with_what_to_write() {
        const TIME: &str = "DefaultTimeout=00:00:30";
        for (settings, is_error, fix) in [
            (
                &["Enabled=true"][..],
                false,
                "write RequestTimeouts:DefaultTimeout, such as 00:00:30, or policies with paths",
            ),
            (
                &["DefaultTimeout=00:00:00"],
                true,
                "write more than 00:00:00, such as 00:00:30; -00:00:00.0010000 is no limit",
            ),
            (
                &["DefaultTimeout=30"],
                true,
                "a bare number would mean 30 days; for 30 seconds write 00:00:30",
            ),
            (
                &[TIME, "DefaultPolicy:Timeout=00:00:30"],
                true,
                "remove one of them; RequestTimeouts:DefaultTimeout is the short one",
            ),
            (
                &[TIME, "DefaultPolicy:TimeoutStatusCode=200"],
                true,
                "write a status from 400 to 599, such as 503",
            ),
            (
                &[TIME, "Policies:a:Paths:0=/a"],
                true,
                "write a time such as 00:01:00; -00:00:00.0010000, or null in a file, is no limit",
            ),
            (
                &[TIME, "Policies:a:Timeout=00:00:01"],
                false,
                "write RequestTimeouts:Policies:a:Paths, a list of paths such as /api",
            ),
            (&[TIME, "Policies:a:Timeout=00:00:01", "Policies:a:Paths:0=a"], true, "write /a"),
            (
                &[
                    TIME,
                    "Policies:a:Timeout=00:00:01",
                    "Policies:a:Paths:0=/a",
                    "Policies:b:Timeout=00:00:01",
                    "Policies:b:Paths:0=/A/",
                    "Policies:b:Paths:1=/b",
                ],
                true,
                "let one of them have it",
            ),
        ] {
            let (_, problems) = read_of(&[settings, &["Enabled=true"]].concat());
            let [problem] = &problems[..] else { panic!("{settings:?}: {problems:?}") };
            assert_eq!(problem.is_error(), is_error, "{settings:?}");
            assert_eq!(problem.fix.as_deref(), Some(fix), "{settings:?}");
        }
    }

    #[test]
    fn null_is_no_limit() {
        let folder = tempfile::tempdir().unwrap();
        let json = r#"{"RequestTimeouts":{"Enabled":true,"DefaultTimeout":"00:00:30",
            "Policies":{"a":{"Timeout":null,"Paths":["/a"]}}}}"#;
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let inputs = Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() };
        let mut problems = Vec::new();
        let read = read(&load(&inputs).configuration, &mut problems).expect("it is on");
        assert_eq!((read.shown[1].value.as_str(), problems), ("/a: no limit", vec![]));
    }
}
