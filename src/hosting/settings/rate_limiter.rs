//! How many requests pass, of whom.

use std::time::Duration;

use http::{HeaderName, StatusCode};

use super::limits::span;
use super::lists::first_setting;
use super::parse::{cannot_convert, error_status, read_boolean, read_with, shown};
use super::path_policies::{self, PathPolicy, for_paths};
use super::switched::Switched;
use crate::configuration::near_names::meant_value;
use crate::configuration::text::{Span, integer};
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced};
use crate::middleware::{
    Limit, PartitionBy, PathRules, Queue, QueueOrder, RateLimiterOptions, RatePolicy,
};

const ENABLED: &str = "RateLimiter:Enabled";
const REJECTION: &str = "RateLimiter:RejectionStatusCode";
const PARTITIONS: &str = "RateLimiter:MaxPartitions";
const GLOBAL: &str = "RateLimiter:GlobalLimiter";
const POLICIES: &str = "RateLimiter:Policies";

/// How many partitions of each policy are remembered, unless configured: some megabytes.
const MOST_PARTITIONS: u32 = 10_000;

/// A window has no more segments than this: each partition has a number for each of them.
const MOST_SEGMENTS: u32 = 100;

/// What a route calls its policy.
const OF_ROUTES: &str = "RateLimiterPolicy";

/// The kinds of limiters, each with the names that it alone reads.
pub(super) const LIMITERS: [(&str, &[&str]); 4] = [
    ("FixedWindow", &["PermitLimit", "Window"]),
    ("SlidingWindow", &["PermitLimit", "Window", "SegmentsPerWindow"]),
    ("TokenBucket", &["TokenLimit", "TokensPerPeriod", "ReplenishmentPeriod"]),
    ("Concurrency", &["PermitLimit"]),
];

/// What can decide who has a limit of its own.
pub(super) const PARTITION_BY: [&str; 4] = ["ClientAddress", "Header", "Path", "None"];

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<RateLimiterOptions>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let before = problems.len();
    let rejection = read_with(configuration, REJECTION, problems, error_status);
    let most = read_with(configuration, PARTITIONS, problems, |setting, text| {
        number(setting, text, 1, u32::MAX)
    });
    let is_there = first_setting(&configuration.section(GLOBAL)).is_some();
    let global = is_there.then(|| Reading { configuration, section: GLOBAL, problems }.policy());
    let global = global.flatten();
    let policies =
        path_policies::read(configuration, (POLICIES, OF_ROUTES), problems, |section, problems| {
            Reading { configuration, section, problems }.policy()
        });
    if on && global.is_none() && policies.is_empty() {
        let none_meant = problems.len() == before;
        problems.extend(configuration.setting(ENABLED).filter(|_| none_meant).map(without_limit));
        return None;
    }
    let rejection = rejection.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut words: Vec<_> =
        global.iter().map(|it| words(configuration, "every request", it)).collect();
    let of_policy = |it: &PathPolicy<RatePolicy>| words_of(configuration, it);
    words.extend(policies.iter().map(of_policy));
    let origin = configuration.setting(REJECTION).map_or(Origin::Default, |it| it.origin.clone());
    words.push(Sourced::new(format!("{} for what is beyond", rejection.as_u16()), origin));
    let places = policies.iter().enumerate().flat_map(|(place, policy)| {
        policy.paths.iter().map(move |path| (path.value.clone(), place))
    });
    let options = RateLimiterOptions {
        global,
        by_path: PathRules::new(places.collect::<Vec<_>>()),
        policies: policies.into_iter().map(|it| it.value).collect(),
        rejection,
        most_partitions: most.unwrap_or(MOST_PARTITIONS) as usize,
    };
    Switched::by(configuration, ENABLED, on, options).map(|it| it.shown(words))
}

fn without_limit(setting: &Setting) -> Problem {
    Problem::warning(format!("'{ENABLED}' has no effect: there is no limiter."))
        .key(ENABLED)
        .origin(setting.origin.clone())
        .fix(format!("write {GLOBAL}:PermitLimit and {GLOBAL}:Window, or policies with paths"))
}

/// One limiter that is read.
struct Reading<'a> {
    configuration: &'a Configuration,
    section: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    /// What the section says; `None` if that is no limiter.
    fn policy(&mut self) -> Option<RatePolicy> {
        let kind = self.word("Limiter", &LIMITERS.map(|(name, _)| name)).unwrap_or(LIMITERS[0].0);
        self.tell_unfit(kind);
        let by = self.partition_by();
        let most = self.optional_number("QueueLimit", 0, u32::MAX).unwrap_or(0);
        let orders = QueueOrder::NAMES.map(|(name, _)| name);
        let order = self.word("QueueProcessingOrder", &orders);
        let order = QueueOrder::NAMES.iter().find(|(name, _)| Some(*name) == order);
        let order = order.map_or(QueueOrder::default(), |(_, order)| *order);
        let limit = self.limit(kind);
        let name = self.section.strip_prefix("RateLimiter:").unwrap_or(self.section);
        let (name, queue) = (name.to_owned(), Queue { most, order });
        Some(RatePolicy { name, limit: limit?, by: by?, queue })
    }

    fn limit(&mut self, kind: &str) -> Option<Limit> {
        match kind {
            "SlidingWindow" => {
                let permits = self.number("PermitLimit", u32::MAX);
                let window = self.time("Window");
                let segments = self.number("SegmentsPerWindow", MOST_SEGMENTS);
                let (permits, window, segments) = (permits?, window?, segments?);
                Some(Limit::SlidingWindow { permits, window, segments })
            }
            "TokenBucket" => {
                let tokens = self.number("TokenLimit", u32::MAX);
                let per_period = self.number("TokensPerPeriod", u32::MAX);
                let period = self.time("ReplenishmentPeriod");
                let (tokens, per_period, period) = (tokens?, per_period?, period?);
                Some(Limit::TokenBucket { tokens, per_period, period })
            }
            "Concurrency" => {
                let permits = self.number("PermitLimit", u32::MAX)?;
                Some(Limit::Concurrency { permits })
            }
            _ => {
                let (permits, window) = (self.number("PermitLimit", u32::MAX), self.time("Window"));
                Some(Limit::FixedWindow { permits: permits?, window: window? })
            }
        }
    }

    /// What decides who has a limit of its own; `None` if that cannot be.
    fn partition_by(&mut self) -> Option<PartitionBy> {
        let by = self.word("PartitionBy", &PARTITION_BY).unwrap_or(PARTITION_BY[0]);
        let key = self.key("HeaderName");
        let name = read_with(self.configuration, &key, self.problems, header);
        let setting = self.configuration.setting(&key);
        match (by, name, setting) {
            ("Header", Some(name), _) => Some(PartitionBy::Header(name)),
            // It is told.
            ("Header", None, Some(_)) => None,
            ("Header", None, None) => {
                self.missing("HeaderName", "write the name of a header, such as X-Api-Key");
                None
            }
            (by, _, setting) => {
                let unused =
                    setting.map(|setting| without_effect(setting, "PartitionBy is Header"));
                self.problems.extend(unused);
                Some(match by {
                    "Path" => PartitionBy::Path,
                    "None" => PartitionBy::Nothing,
                    _ => PartitionBy::ClientAddress,
                })
            }
        }
    }

    /// Tells of names that another kind of limiter has.
    fn tell_unfit(&mut self, kind: &str) {
        let of =
            |kind: &str| LIMITERS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |it| it.1);
        let own = of(kind);
        let mut told: Vec<&str> = Vec::new();
        for (_, names) in LIMITERS {
            for name in names.iter().filter(|name| !own.contains(name)) {
                let Some(setting) = self.configuration.setting(&self.key(name)) else { continue };
                if !told.contains(name) {
                    told.push(name);
                    self.problems.push(unfit(setting, name, kind));
                }
            }
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.section)
    }

    fn number(&mut self, name: &str, most: u32) -> Option<u32> {
        let key = self.key(name);
        match self.configuration.value(&key) {
            Some(_) => self.optional_number(name, 1, most),
            None => {
                self.missing(name, "write a whole number, 1 or more");
                None
            }
        }
    }

    fn optional_number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        read_with(self.configuration, &self.key(name), self.problems, |setting, text| {
            number(setting, text, least, most)
        })
    }

    fn time(&mut self, name: &str) -> Option<Duration> {
        let key = self.key(name);
        match self.configuration.value(&key) {
            Some(_) => read_with(self.configuration, &key, self.problems, time),
            None => {
                self.missing(name, "write a time such as 00:01:00");
                None
            }
        }
    }

    /// One of these words.
    fn word<const N: usize>(
        &mut self,
        name: &str,
        words: &[&'static str; N],
    ) -> Option<&'static str> {
        read_with(self.configuration, &self.key(name), self.problems, |setting, text| {
            let known = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
            known.copied().ok_or_else(|| {
                let fix = match meant_value(text, words) {
                    Some(meant) => format!("write {meant}"),
                    None => format!("write one of {}", words.join(", ")),
                };
                cannot_convert(setting, text, name, &fix)
            })
        })
    }

    fn missing(&mut self, name: &str, fix: &str) {
        let section = self.configuration.section(self.section);
        let origin = first_setting(&section).map_or(Origin::Default, |it| it.origin.clone());
        let key = self.key(name);
        self.problems.push(
            Problem::error(format!("The limiter '{}' needs '{key}'.", self.section))
                .key(key)
                .origin(origin)
                .fix(fix),
        );
    }
}

/// A name that the limiter of this kind does not read.
fn unfit(setting: &Setting, name: &str, kind: &str) -> Problem {
    let reads = |names: &[&str]| names.contains(&name);
    let others: Vec<_> =
        LIMITERS.iter().filter(|(_, names)| reads(names)).map(|(other, _)| *other).collect();
    let own = LIMITERS.iter().find(|(own, _)| *own == kind).map_or(&[][..], |(_, names)| names);
    Problem::warning(format!("'{}' has no effect: a {kind} does not read it.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!(
            "remove it, or set Limiter to {}; a {kind} reads {}",
            others.join(" or "),
            own.join(", ")
        ))
}

fn without_effect(setting: &Setting, unless: &str) -> Problem {
    Problem::warning(format!("'{}' has no effect unless {unless}.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("remove it, or write what makes it count: {unless}"))
}

fn number(setting: &Setting, text: &str, least: u32, most: u32) -> Result<u32, Problem> {
    let number = integer(text).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let fix = match most {
            u32::MAX => format!("write a whole number, {least} or more"),
            most => format!("write a whole number from {least} to {most}"),
        };
        cannot_convert(setting, text, "System.Int32", &fix)
    })
}

fn time(setting: &Setting, text: &str) -> Result<Duration, Problem> {
    match span(setting, text, |_| None)? {
        Span::Of(time) if !time.is_zero() => Ok(time),
        Span::Of(_) | Span::Infinite | Span::Negative => Err(Problem::error(format!(
            "'{}' is no time in which requests could be counted.",
            shown(&setting.key, text)
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write more than 00:00:00, such as 00:01:00")),
    }
}

fn header(setting: &Setting, text: &str) -> Result<HeaderName, Problem> {
    HeaderName::from_bytes(text.trim().as_bytes()).map_err(|_| {
        let fix = "write the name of a header, such as X-Api-Key";
        cannot_convert(setting, text, "HeaderName", fix)
    })
}

fn words_of(configuration: &Configuration, policy: &PathPolicy<RatePolicy>) -> Sourced<String> {
    words(configuration, &for_paths(policy), &policy.value)
}

/// A limiter in words, with where it was set.
fn words(configuration: &Configuration, requests: &str, policy: &RatePolicy) -> Sourced<String> {
    let limit = match policy.limit {
        Limit::FixedWindow { permits, window } => {
            format!("{permits} in {} seconds", window.as_secs_f64())
        }
        Limit::SlidingWindow { permits, window, segments } => {
            format!("{permits} in any {} seconds, by {segments} segments", window.as_secs_f64())
        }
        Limit::TokenBucket { tokens, per_period, period } => {
            format!("{tokens} at once, {per_period} more every {} seconds", period.as_secs_f64())
        }
        Limit::Concurrency { permits } => format!("{permits} at the same time"),
    };
    let of = match &policy.by {
        PartitionBy::ClientAddress => "of each client's address".to_owned(),
        PartitionBy::Header(name) => format!("of each {name}"),
        PartitionBy::Path => "of each path".to_owned(),
        PartitionBy::Nothing => "of all together".to_owned(),
    };
    let queue = match policy.queue.most {
        0 => String::new(),
        most => format!(", {most} wait"),
    };
    let section = configuration.section(&format!("RateLimiter:{}", policy.name));
    let origin = first_setting(&section).map_or(Origin::Default, |it| it.origin.clone());
    Sourced::new(format!("{requests}: {limit}, {of}{queue}"), origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    type Read = (Option<Switched<RateLimiterOptions>>, Vec<Problem>);

    fn read_of(settings: &[&str]) -> Read {
        let arguments = settings.iter().map(|setting| format!("--RateLimiter:{setting}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let read = read(&load(&inputs).configuration, &mut problems);
        (read, problems)
    }

    #[test]
    fn limiters_are_what_their_sections_say() {
        for (settings, expected) in [
            (
                &["GlobalLimiter:PermitLimit=100", "GlobalLimiter:Window=00:01:00"][..],
                &[
                    "every request: 100 in 60 seconds, of each client's address",
                    "503 for what is beyond",
                ][..],
            ),
            (
                &[
                    "RejectionStatusCode=429",
                    "Policies:a:Paths:0=/a",
                    "Policies:a:Limiter=slidingwindow",
                    "Policies:a:PermitLimit=10",
                    "Policies:a:Window=00:00:10",
                    "Policies:a:SegmentsPerWindow=5",
                    "Policies:a:PartitionBy=Header",
                    "Policies:a:HeaderName=X-Key",
                    "Policies:b:Paths:0=/b",
                    "Policies:b:Paths:1=/c/",
                    "Policies:b:Limiter=TokenBucket",
                    "Policies:b:TokenLimit=5",
                    "Policies:b:TokensPerPeriod=1",
                    "Policies:b:ReplenishmentPeriod=00:00:00.5",
                    "Policies:b:PartitionBy=Path",
                    "Policies:d:Paths:0=/",
                    "Policies:d:Limiter=Concurrency",
                    "Policies:d:PermitLimit=4",
                    "Policies:d:QueueLimit=8",
                    "Policies:d:PartitionBy=None",
                ],
                &[
                    "/a: 10 in any 10 seconds, by 5 segments, of each x-key",
                    "/b, /c: 5 at once, 1 more every 0.5 seconds, of each path",
                    "/: 4 at the same time, of all together, 8 wait",
                    "429 for what is beyond",
                ],
            ),
        ] {
            let (read, problems) = read_of(&[settings, &["Enabled=true"]].concat());
            assert_eq!(problems, [], "{settings:?}");
            let shown = read.expect("it is on").shown;
            let shown: Vec<_> = shown.iter().map(|it| it.value.as_str()).collect();
            assert_eq!(shown, expected, "{settings:?}");
        }
        assert_eq!(read_of(&["Enabled=false"]), (None, vec![]));
    }

    #[test]
    fn what_cannot_be_is_told_with_what_to_write() {
        const PERMITS: &str = "GlobalLimiter:PermitLimit=1";
        const WINDOW: &str = "GlobalLimiter:Window=00:00:01";
        for (settings, is_error, fix) in [
            (
                &[][..],
                false,
                "write RateLimiter:GlobalLimiter:PermitLimit and RateLimiter:GlobalLimiter:Window, or policies with paths",
            ),
            (&[PERMITS], true, "write a time such as 00:01:00"),
            (&[WINDOW], true, "write a whole number, 1 or more"),
            (&["GlobalLimiter:PermitLimit=0", WINDOW], true, "write a whole number, 1 or more"),
            (
                &[PERMITS, "GlobalLimiter:Window=00:00:00"],
                true,
                "write more than 00:00:00, such as 00:01:00",
            ),
            (&[PERMITS, WINDOW, "GlobalLimiter:Limiter=FixedWindw"], true, "write FixedWindow"),
            (
                &[PERMITS, WINDOW, "GlobalLimiter:TokenLimit=1"],
                false,
                "remove it, or set Limiter to TokenBucket; a FixedWindow reads PermitLimit, Window",
            ),
            (
                &[PERMITS, WINDOW, "GlobalLimiter:PartitionBy=Header"],
                true,
                "write the name of a header, such as X-Api-Key",
            ),
            (
                &[PERMITS, WINDOW, "GlobalLimiter:HeaderName=x"],
                false,
                "remove it, or write what makes it count: PartitionBy is Header",
            ),
            (
                &[PERMITS, WINDOW, "GlobalLimiter:PartitionBy=ClientAdress"],
                true,
                "write ClientAddress",
            ),
            (
                &[
                    PERMITS,
                    WINDOW,
                    "GlobalLimiter:Limiter=SlidingWindow",
                    "GlobalLimiter:SegmentsPerWindow=101",
                ],
                true,
                "write a whole number from 1 to 100",
            ),
            (
                &[PERMITS, WINDOW, "RejectionStatusCode=200"],
                true,
                "write a status from 400 to 599, such as 503",
            ),
            (
                &["Policies:a:PermitLimit=1", "Policies:a:Window=00:00:01"],
                false,
                "write RateLimiter:Policies:a:Paths, a list of paths such as /api",
            ),
        ] {
            let (_, problems) = read_of(&[settings, &["Enabled=true"]].concat());
            let [problem] = &problems[..] else { panic!("{settings:?}: {problems:?}") };
            assert_eq!(problem.is_error(), is_error, "{settings:?}");
            assert_eq!(problem.fix.as_deref(), Some(fix), "{settings:?}");
        }
    }
}
