//! Which rule decides about a category: pure, so that every case fits in a table.

use std::sync::{PoisonError, RwLock};

use tracing::level_filters::LevelFilter;

use super::options::{LogLevel, Rule};

/// The names under which rules may address the console. They are compared exactly, as in the reference.
const CONSOLE: [&str; 2] =
    ["Console", "Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider"];

/// Who writes events somewhere: rules may be for one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    /// Ours.
    Console,
    /// One of the program's.
    Named(String),
    /// One that no rule names.
    Any,
}

impl Provider {
    /// Whether a rule is for it.
    fn heeds(&self, rule: &Rule) -> bool {
        rule.provider.as_deref().is_none_or(|provider| match self {
            Self::Console => CONSOLE.contains(&provider),
            Self::Named(name) => name == provider,
            Self::Any => false,
        })
    }
}

/// The crates that come with this one and may have something to say, by the names their events have. What they tell is
/// for whoever works on them. An application's own crates, and those that it brings besides, are not among them: their
/// events are the application's.
const CRATES: [&str; 22] = [
    "aws_lc_rs",
    "axum",
    "axum_core",
    "figment",
    "h2",
    "http_body_util",
    "httparse",
    "hyper",
    "hyper_util",
    "iana_time_zone",
    "inotify",
    "mio",
    "notify",
    "rustls",
    "rustls_native_certs",
    "socket2",
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "tower",
    "want",
    "webpki",
];

/// The rules in force; they can be replaced while events are being logged.
#[derive(Debug)]
pub(super) struct Rules {
    rules: RwLock<Vec<Rule>>,
}

impl Rules {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        Self { rules: RwLock::new(rules) }
    }

    /// The caller rebuilds the interest cache afterwards: until then call sites go by what they were told before.
    pub(super) fn replace(&self, rules: Vec<Rule>) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    pub(super) fn is_enabled(&self, provider: &Provider, category: &str, level: LogLevel) -> bool {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        level >= minimum_level(&rules, provider, category)
    }

    /// The most verbose level any category can have, which lets `tracing` skip the rest without asking.
    pub(super) fn most_verbose(&self, provider: &Provider) -> LevelFilter {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        level_filter(most_verbose(&rules, provider))
    }
}

/// The one of [`CRATES`] whose warnings are of what clients do, and can do without end. What matters of it the server tells
/// itself.
const OF_CLIENTS: &str = "h2";

/// The level from which a category is written by a provider. One of [`CRATES`] needs a rule that begins with its name:
/// below warnings no other lets it through, and [`OF_CLIENTS`] not below errors.
fn minimum_level(rules: &[Rule], provider: &Provider, category: &str) -> LogLevel {
    let level = best(rules, provider, category);
    let (rule, level) =
        level.map_or((None, LogLevel::Information), |rule| (Some(rule), rule.level));
    match crate_of(category) {
        Some(name) if !rule.is_some_and(|rule| is_about(rule, name)) => level.max(match name {
            OF_CLIENTS => LogLevel::Error,
            _ => LogLevel::Warning,
        }),
        _ => level,
    }
}

/// The one of [`CRATES`] that a category is of. A module's path begins with its crate.
fn crate_of(category: &str) -> Option<&'static str> {
    let (name, _) = category.split_once("::").unwrap_or((category, ""));
    CRATES.into_iter().find(|own| *own == name)
}

/// Whether a rule names a crate, or something inside it.
fn is_about(rule: &Rule, name: &str) -> bool {
    let pattern = rule.category.as_deref().unwrap_or_default();
    let (prefix, _) = pattern.split_once('*').unwrap_or((pattern, ""));
    starts_with(prefix.chars(), name.chars())
}

/// The rule that decides about a category.
fn best<'a>(rules: &'a [Rule], provider: &Provider, category: &str) -> Option<&'a Rule> {
    let better = |current: Option<&Rule>, rule: &Rule| {
        let Some(current) = current else { return true };
        match (&current.provider, &rule.provider) {
            (Some(_), None) => return false,
            // A rule for this provider wins over one for all, even over a more specific one.
            (None, Some(_)) => return true,
            _ => {}
        }
        // At the same length the later rule wins: it comes from the stronger source.
        match (&current.category, &rule.category) {
            (Some(_), None) => false,
            (Some(current), Some(rule)) => length(rule) >= length(current),
            (None, _) => true,
        }
    };
    let applicable = rules
        .iter()
        .filter(|rule| provider.heeds(rule) && matches(rule.category.as_deref(), category));
    applicable.fold(None, |current, rule| if better(current, rule) { Some(rule) } else { current })
}

/// The rule that decides which lines of a category the console has; without one, that is from Information on.
pub(crate) fn rule_of_console<'a>(rules: &'a [Rule], category: &str) -> Option<&'a Rule> {
    best(rules, &Provider::Console, category)
}

fn most_verbose(rules: &[Rule], provider: &Provider) -> LogLevel {
    let covers_all = |rule: &&Rule| provider.heeds(rule) && rule.category.is_none();
    let own_default = rules.iter().filter(covers_all).any(|rule| rule.provider.is_some());
    // With a default of its own the provider never looks at the rules for all providers.
    let relevant = rules
        .iter()
        .filter(|rule| provider.heeds(rule) && (!own_default || rule.provider.is_some()));
    let floor = if rules.iter().any(|rule| covers_all(&rule)) {
        LogLevel::None
    } else {
        LogLevel::Information
    };
    relevant.map(|rule| rule.level).fold(floor, LogLevel::min)
}

fn level_filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Information => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        // A critical event is an error with a mark, so errors have to come through for it.
        LogLevel::Error | LogLevel::Critical => LevelFilter::ERROR,
        LogLevel::None => LevelFilter::OFF,
    }
}

/// Plain text is a prefix; with a `*`, the text before it is a prefix and the text after it a suffix. They may overlap.
/// The name of one of [`CRATES`] is that crate, and no other whose name only begins alike.
fn matches(pattern: Option<&str>, category: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    if let Some(name) = CRATES.into_iter().find(|name| name.eq_ignore_ascii_case(pattern)) {
        return category.split("::").next().is_some_and(|first| first.eq_ignore_ascii_case(name));
    }
    let (prefix, suffix) = pattern.split_once('*').unwrap_or((pattern, ""));
    !suffix.contains('*')
        && starts_with(category.chars(), prefix.chars())
        && starts_with(category.chars().rev(), suffix.chars().rev())
}

fn starts_with(
    mut text: impl Iterator<Item = char>,
    mut start: impl Iterator<Item = char>,
) -> bool {
    start.all(|expected| {
        text.next().is_some_and(|found| found == expected || upper(found) == upper(expected))
    })
}

/// One character stays one character, as in an ordinal comparison: `ß` is not `SS`.
fn upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

fn length(category: &str) -> usize {
    category.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use LogLevel::{Critical, Debug, Error, Information, None as Off, Trace, Warning};

    /// Provider and category, both empty for none, and level.
    type Row = (&'static str, &'static str, LogLevel);

    fn rules(rows: &[Row]) -> Vec<Rule> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        rows.iter()
            .map(|(provider, category, level)| Rule {
                provider: text(provider),
                category: text(category),
                level: *level,
            })
            .collect()
    }

    #[test]
    fn the_best_rule_decides() {
        const FULL: &str = "Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider";
        let table: &[(&[Row], &str, LogLevel)] = &[
            (&[], "Any", Information),
            (&[("", "", Warning)], "Any", Warning),
            (&[("", "", Off)], "Any", Off),
            // the longest category wins, wherever it stands
            (&[("", "My.App", Debug), ("", "My", Error), ("", "", Warning)], "My.App.Shop", Debug),
            (&[("", "", Warning), ("", "My.App", Debug)], "Other", Warning),
            // a prefix is plain text in any case
            (&[("", "Micro", Trace)], "Microsoft.X", Trace),
            (&[("", "MICROSOFT.aspnet", Trace)], "Microsoft.AspNetCore", Trace),
            (&[("", "Microsoft.AspNetCore.Server", Trace)], "Microsoft.AspNetCore", Information),
            (&[("", "Microsoft:AspNetCore", Trace)], "Microsoft.AspNetCore", Information),
            (&[("", "ÄB", Trace)], "äb.c", Trace),
            // the later of two equals
            (&[("", "My", Debug), ("", "my", Error)], "My.App", Error),
            (&[("", "", Debug), ("", "", Error)], "My.App", Error),
            // a rule for this provider hides a more specific one for all
            (&[("Console", "", Warning), ("", "My.App", Debug)], "My.App", Warning),
            (&[("", "My.App", Debug), ("Console", "", Warning)], "My.App", Warning),
            (&[("", "My.App", Debug), (FULL, "", Warning)], "My.App", Warning),
            (&[("Console", "My", Error), (FULL, "My.App", Trace)], "My.App", Trace),
            (&[("console", "", Trace)], "My.App", Information),
            (&[("Debug", "", Trace), ("", "", Error)], "My.App", Error),
            // one star
            (&[("", "My*Shop", Trace)], "My.App.Shop", Trace),
            (&[("", "My*Shop", Trace)], "My.App.Shops", Information),
            (&[("", "*", Trace)], "Any", Trace),
            (&[("", "*SHOP", Trace)], "My.Shop", Trace),
            (&[("", "My*y", Trace)], "My", Trace),
            (&[("", "My*A*", Trace)], "My.App", Information),
        ];
        for (rows, category, expected) in table {
            assert_eq!(
                minimum_level(&rules(rows), &Provider::Console, category),
                *expected,
                "{rows:?} {category}"
            );
        }
    }

    #[test]
    fn rules_of_a_provider_are_for_it_alone() {
        let rows = [("", "", Warning), ("Console", "", Off), ("Mine", "My", Debug)];
        let named = |name: &str| Provider::Named(name.to_owned());
        for (provider, category, expected) in [
            (Provider::Any, "My.App", Warning),
            (Provider::Console, "My.App", Off),
            (named("Mine"), "My.App", Debug),
            (named("Mine"), "Other", Warning),
            (named("Other"), "My.App", Warning),
        ] {
            let level = minimum_level(&rules(&rows), &provider, category);
            assert_eq!(level, expected, "{provider:?} {category}");
        }
    }

    #[test]
    fn other_crates_need_a_rule_of_their_own() {
        let debug = ("", "", Debug);
        let of_console = ("Console", "", Debug);
        let table: &[(&[Row], &str, LogLevel)] = &[
            (&[], "h2::codec", Error),
            (&[], "h2", Error),
            (&[debug], "h2::codec", Error),
            (&[debug], "hyper::proto", Warning),
            (&[debug], "hyper::proto::h1", Warning),
            (&[debug], "rustls::server::hs", Warning),
            (&[("", "", Error)], "h2::codec", Error),
            (&[("", "", Off)], "h2", Off),
            (&[of_console], "tokio::task", Warning),
            // with one, as far as it goes
            (&[debug, ("", "h2", Trace)], "h2::codec", Trace),
            (&[debug, ("", "H2", Information)], "h2::codec", Information),
            (&[debug, ("", "h2::codec", Trace)], "h2::codec::framed_read", Trace),
            (&[debug, ("", "h2::codec", Trace)], "h2::proto", Error),
            (&[("", "", Off), ("", "hyper", Debug)], "hyper::proto::h1", Debug),
            (&[of_console, ("Console", "hyper", Trace)], "hyper::proto", Trace),
            (&[of_console, ("", "hyper", Trace)], "hyper::proto", Warning),
            (&[debug, ("Console", "hyper", Trace)], "hyper::proto", Trace),
            // a name is one crate's, unless a star says otherwise
            (&[("", "hyper", Trace)], "hyper_util::client", Warning),
            (&[("", "hyper*", Trace)], "hyper_util::client", Warning),
            (&[("", "hyper_*", Trace)], "hyper_util::client", Warning),
            (&[("", "hyper_util*", Trace)], "hyper_util::client", Trace),
            (&[("", "h", Trace)], "h2::codec", Error),
            (&[("", "*", Trace)], "h2::codec", Error),
            (&[("", "*codec", Trace)], "h2::codec", Error),
            // an application's crates are its own, whatever they are called
            (&[debug], "my_app::handlers", Debug),
            (&[debug], "my_app", Debug),
            (&[debug], "hyperion::ring", Debug),
            (&[debug, ("", "hyper", Error)], "hyperion::ring", Debug),
            (&[debug], "h2o", Debug),
            (&[debug], "tower_http::trace", Debug),
            (&[debug], "sqlx::query", Debug),
            (&[debug], "Microsoft.AspNetCore", Debug),
            (&[debug], "Kestrel.Server", Debug),
            (&[], "my_app::h2", Information),
        ];
        for (rows, category, expected) in table {
            assert_eq!(
                minimum_level(&rules(rows), &Provider::Console, category),
                *expected,
                "{rows:?} {category}"
            );
        }
    }

    #[test]
    fn the_hint_covers_every_rule_that_can_count() {
        let table: &[(&[Row], LevelFilter)] = &[
            (&[], LevelFilter::INFO),
            (&[("", "", Off)], LevelFilter::OFF),
            (&[("", "", Critical)], LevelFilter::ERROR),
            (&[("", "", Error), ("", "My", Debug)], LevelFilter::DEBUG),
            (&[("", "My", Error)], LevelFilter::INFO),
            (&[("Console", "", Warning), ("", "My", Trace)], LevelFilter::WARN),
            (&[("Console", "My", Warning), ("", "", Trace)], LevelFilter::TRACE),
            (&[("Debug", "", Trace)], LevelFilter::INFO),
        ];
        for (rows, expected) in table {
            assert_eq!(
                Rules::new(rules(rows)).most_verbose(&Provider::Console),
                *expected,
                "{rows:?}"
            );
        }
    }
}
