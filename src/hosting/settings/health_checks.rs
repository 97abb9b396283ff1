//! Where the host tells how it does, and how long its stop waits for those who ask.

use std::path::Path;
use std::time::Duration;

use super::limits::span;
use super::parse::{read_boolean, read_with, shown};
use super::request_path::request_path;
use super::stage_values::of_key;
use super::switched::Switched;
use crate::configuration::text::{Span, seconds_text};
use crate::configuration::{Configuration, Problem, Setting};
use crate::middleware::HealthCheckOptions;

const ENABLED: &str = "HealthChecks:Enabled";
const LIVE: &str = "HealthChecks:LivePath";
const READY: &str = "HealthChecks:ReadyPath";
pub(crate) const STOP_DELAY: &str = "HealthChecks:StopDelay";

const LIVE_PATH: &str = "/healthz/live";
const READY_PATH: &str = "/healthz/ready";

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<HealthCheckOptions>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let mut path = |key: &str, default: &str| {
        let read = read_with(configuration, key, problems, |setting, text| {
            request_path(setting, text, default)
        });
        read.unwrap_or_else(|| default.to_owned())
    };
    let (live, ready) = (path(LIVE, LIVE_PATH), path(READY, READY_PATH));
    if live.eq_ignore_ascii_case(&ready) {
        let later = [READY, LIVE].into_iter().find_map(|key| configuration.setting(key));
        problems.extend(later.map(|setting| the_same(setting, &live)));
    }
    let stop_delay = read_with(configuration, STOP_DELAY, problems, delay).unwrap_or_default();
    let mut words = vec![
        of_key(configuration, LIVE, format!("alive at {}", shown_path(&live))),
        of_key(configuration, READY, format!("ready at {}", shown_path(&ready))),
    ];
    if !stop_delay.is_zero() {
        let seconds = stop_delay.as_secs_f64();
        // Which of the two is for the host to say: its code may have set how long a stop may take.
        let text = format!(
            "not ready for {seconds} seconds, or half of what a stop may take, before it begins"
        );
        words.push(of_key(configuration, STOP_DELAY, text));
    }
    let options = HealthCheckOptions { live, ready, stop_delay };
    Switched::by(configuration, ENABLED, on, options).map(|it| it.shown(words))
}

/// What is to be said of a path that hides what else is there: the first page, or a file of the site.
pub(super) fn hides(
    configuration: &Configuration,
    options: &HealthCheckOptions,
    site: Option<&Path>,
) -> Vec<Problem> {
    let paths = [(LIVE, &options.live, LIVE_PATH), (READY, &options.ready, READY_PATH)];
    let told = paths.into_iter().filter_map(|(key, path, usual)| {
        let setting = configuration.setting(key)?;
        let file = || site.is_some_and(|site| site.join(path.trim_start_matches('/')).is_file());
        let what = match path.as_str() {
            "" | "/" => "the first page".to_owned(),
            path if file() => format!("the file {path}"),
            _ => return None,
        };
        Some(
            Problem::warning(format!("Nobody gets {what}: health is told there ('{key}')."))
                .key(key)
                .origin(setting.origin.clone())
                .fix(format!("write a path that nothing else has, such as {usual}")),
        )
    });
    told.collect()
}

fn shown_path(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn the_same(setting: &Setting, path: &str) -> Problem {
    Problem::error(format!("{LIVE} and {READY} are the same path, '{}'.", shown_path(path)))
        .cause("A host that is about to stop is alive, and not ready.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("write two paths, such as {LIVE_PATH} and {READY_PATH}"))
}

fn delay(setting: &Setting, text: &str) -> Result<Duration, Problem> {
    match span(setting, text, |_| None)? {
        Span::Of(delay) => Ok(delay),
        Span::Infinite | Span::Negative => Err(Problem::error(format!(
            "'{}' is less than nothing, and no delay.",
            shown(&setting.key, text)
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write seconds such as 00:00:05, or 00:00:00 for none")),
    }
}

/// How long a stop that may take `timeout` is delayed if that is to be `asked`: running requests have half
/// of the time at least.
pub(crate) fn stop_delay(asked: Duration, timeout: Duration) -> Duration {
    asked.min(timeout / 2)
}

/// What is to be said of a delay that a stop has no time for.
pub(crate) fn told_of_delay(
    options: &Switched<HealthCheckOptions>,
    timeout: Duration,
    configuration: &Configuration,
) -> Option<Problem> {
    let asked = options.value.stop_delay;
    let delay = stop_delay(asked, timeout);
    let setting = configuration.setting(STOP_DELAY).filter(|_| delay < asked)?;
    let enough = asked.saturating_mul(2).as_secs_f64().ceil();
    Some(
        Problem::warning(format!(
            "{STOP_DELAY} is more than half of what a stop may take: it is {} seconds.",
            delay.as_secs_f64()
        ))
        .cause("Running requests have the other half.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!(
            "set shutdownTimeoutSeconds to {enough} or more, or {STOP_DELAY} to {} or less",
            seconds_text(delay.as_secs())
        )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[&str]) -> (Option<HealthCheckOptions>, Vec<Problem>) {
        let arguments = settings.iter().map(|setting| format!("--{setting}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let read = read(&load(&inputs).configuration, &mut problems);
        (read.map(|it| it.value), problems)
    }

    const ON: &str = "HealthChecks:Enabled=true";

    #[test]
    fn paths_and_delay_have_defaults_and_can_be_set() {
        for (settings, live, ready, seconds) in [
            (&[ON][..], "/healthz/live", "/healthz/ready", 0),
            (&[ON, "HealthChecks:LivePath=/livez/"], "/livez", "/healthz/ready", 0),
            (
                &[ON, "HealthChecks:ReadyPath=/up", "HealthChecks:StopDelay=00:00:05"],
                "/healthz/live",
                "/up",
                5,
            ),
        ] {
            let (read, problems) = read_of(settings);
            let (live, ready) = (live.to_owned(), ready.to_owned());
            let stop_delay = Duration::from_secs(seconds);
            assert_eq!(read, Some(HealthCheckOptions { live, ready, stop_delay }), "{settings:?}");
            assert_eq!(problems, [], "{settings:?}");
        }
        assert_eq!(read_of(&["HealthChecks:Enabled=false"]), (None, vec![]));
    }

    #[test]
    fn what_cannot_be_is_told_with_what_to_write() {
        for (setting, fix) in [
            ("HealthChecks:LivePath=livez", "write /livez"),
            ("HealthChecks:ReadyPath=/up?full", "write /up"),
            (
                "HealthChecks:ReadyPath=",
                "write a path as it stands in a URL, such as /healthz/ready",
            ),
            (
                "HealthChecks:ReadyPath=/HEALTHZ/live",
                "write two paths, such as /healthz/live and /healthz/ready",
            ),
            (
                "HealthChecks:StopDelay=-00:00:05",
                "write seconds such as 00:00:05, or 00:00:00 for none",
            ),
            (
                "HealthChecks:StopDelay=5",
                "a bare number would mean 5 days; for 5 seconds write 00:00:05",
            ),
        ] {
            let (_, problems) = read_of(&[ON, setting]);
            let [problem] = &problems[..] else { panic!("{setting}: {problems:?}") };
            assert!(problem.is_error(), "{setting}");
            assert_eq!(problem.fix.as_deref(), Some(fix), "{setting}");
        }
    }

    #[test]
    fn a_delay_leaves_half_of_the_time_to_requests() {
        let seconds = Duration::from_secs;
        for (asked, timeout, delay, told) in [
            (0, 30, 0, None),
            (5, 30, 5, None),
            (15, 30, 15, None),
            (
                20,
                30,
                15,
                Some(
                    "set shutdownTimeoutSeconds to 40 or more, or HealthChecks:StopDelay to 00:00:15 or less",
                ),
            ),
            (
                5,
                0,
                0,
                Some(
                    "set shutdownTimeoutSeconds to 10 or more, or HealthChecks:StopDelay to 00:00:00 or less",
                ),
            ),
        ] {
            assert_eq!(stop_delay(seconds(asked), seconds(timeout)), seconds(delay), "{asked}");
            let argument = format!("--{STOP_DELAY}={}", seconds_text(asked));
            let arguments = vec![(0, format!("--{ON}")), (1, argument)];
            let loaded = load(&Inputs { arguments, ..Inputs::default() });
            let read = read(&loaded.configuration, &mut Vec::new()).expect("it is on");
            let problem = told_of_delay(&read, seconds(timeout), &loaded.configuration);
            assert_eq!(problem.and_then(|it| it.fix).as_deref(), told, "{asked} of {timeout}");
        }
    }
}
