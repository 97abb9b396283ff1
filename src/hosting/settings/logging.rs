//! `Logging:LogLevel`, `Logging:Console` and its formatters.

use super::keys::is_category;
use super::parse::{boolean_or, cannot_convert, shown};
use crate::configuration::near_names::{did_you_mean, meant_value};
use crate::configuration::text::{boolean, integer};
use crate::configuration::{Configuration, Problem, Section, Setting};
use crate::logging::{
    ColorBehavior, ConsoleOptions, FormatterName, LogLevel, LoggingOptions, QueueFullMode, Rule,
};

/// The provider's name in keys and rules. Unlike keys it is compared with its case, as in .NET.
const CONSOLE: &str = "Console";
const CONSOLE_TYPE: &str = "Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider";

/// Providers of .NET that have no counterpart here; rules for them are no mistake.
const OTHER_PROVIDERS: [&str; 4] = ["Debug", "EventSource", "EventLog", "LogLevel"];

pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> LoggingOptions {
    let logging = configuration.section("Logging");
    let mut rules = Vec::new();
    rules_of(&logging.section("LogLevel"), None, &mut rules, problems);
    for section in logging.children() {
        let provider = section.name();
        let levels = section.section("LogLevel");
        if provider.eq_ignore_ascii_case("LogLevel") || !levels.exists() {
            continue;
        }
        let known = [CONSOLE, CONSOLE_TYPE].into_iter().chain(OTHER_PROVIDERS);
        if !known.clone().any(|name| name == provider)
            && let Some(meant) = did_you_mean(provider, known)
        {
            problems.push(
                Problem::warning(format!(
                    "No log provider is called '{provider}': its levels have no effect."
                ))
                .key(levels.path().to_owned())
                .fix(format!("did you mean {meant}? The name is compared with its case")),
            );
        }
        rules_of(&levels, Some(provider), &mut rules, problems);
    }
    let mut console = console(&logging.section(CONSOLE), problems);
    if !boolean_or(&logging, "CaptureScopes", true, problems) {
        // No provider is given any.
        console.include_scopes = false;
    }
    LoggingOptions { rules, console }
}

/// A category is all that stands behind `LogLevel:`: that of a module of Rust is its path, with colons that separate
/// sections as well.
fn rules_of(
    levels: &Section<'_>,
    provider: Option<&str>,
    rules: &mut Vec<Rule>,
    problems: &mut Vec<Problem>,
) {
    let mut left = levels.children();
    left.reverse();
    while let Some(section) = left.pop() {
        left.extend(section.children().into_iter().rev());
        let category = section.path().get(levels.path().len() + 1..).unwrap_or_default();
        let Some(setting) = section.setting().filter(|_| is_category(category)) else {
            continue;
        };
        let Some(text) = setting.value.as_deref().filter(|text| !text.is_empty()) else {
            continue;
        };
        let Some(level) = LogLevel::parse(text).or_else(|| beyond(text, setting, problems)) else {
            let fix = match meant_value(text, &LogLevel::NAMES) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("write one of {}", LogLevel::NAMES.join(", ")),
            };
            let text = shown(&setting.key, text);
            problems.push(
                Problem::error(format!("Configuration value '{text}' is not supported."))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
            );
            continue;
        };
        problems.extend(misspelled(category, setting));
        let category = (!category.eq_ignore_ascii_case("Default")).then(|| category.to_owned());
        let rule = Rule { provider: provider.map(str::to_owned), category, level };
        if rule.has_valid_category() {
            rules.push(rule);
        } else {
            problems.push(
                Problem::error("Only one wildcard character is allowed in category name.")
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix("keep one * in the category"),
            );
        }
    }
}

/// That a category is nearly one of those that everybody has. Any name is one, and nothing is logged by this one.
fn misspelled(category: &str, setting: &Setting) -> Option<Problem> {
    let (first, rest) = match category.find(['.', ':']) {
        Some(at) => category.split_at(at),
        None => (category, ""),
    };
    let known: &[&str] = match rest {
        "" => &["Default", "Microsoft", "Kestrel"],
        _ => &["Microsoft", "Kestrel"],
    };
    if known.iter().any(|known| known.eq_ignore_ascii_case(first)) {
        return None;
    }
    let meant = did_you_mean(first, known.iter().copied())?;
    Some(
        Problem::warning(format!(
            "No category of the log is called '{category}', as far as is known."
        ))
        .cause("Its level has no effect on others.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("did you mean {meant}{rest}?")),
    )
}

/// A number outside of the levels: .NET takes it as it is, which makes everything or nothing of it.
fn beyond(text: &str, setting: &Setting, problems: &mut Vec<Problem>) -> Option<LogLevel> {
    let number: i32 = text.trim().parse().ok()?;
    let (level, name) =
        if number < 0 { (LogLevel::Trace, "Trace") } else { (LogLevel::None, "None") };
    problems.push(
        Problem::warning(format!("The number {number} is no log level; it is taken as {name}."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write a level by its name, or 0 for Trace to 6 for None"),
    );
    Some(level)
}

fn console(section: &Section<'_>, problems: &mut Vec<Problem>) -> ConsoleOptions {
    let mut options = ConsoleOptions::default();
    let formatter = section.section("FormatterOptions");
    set(&mut options.formatter, formatter_name(section, problems));
    let kind = ("Microsoft.Extensions.Logging.LogLevel", "write a level such as Warning");
    let level = choice(section, "LogToStandardErrorThreshold", problems, LogLevel::parse, kind);
    set(&mut options.log_to_standard_error_threshold, level);
    queue(section, &mut options, problems);
    let kind = (
        "Microsoft.Extensions.Logging.Console.LoggerColorBehavior",
        "write Default, Enabled or Disabled",
    );
    let color = |text: &str| one_of(text, &ColorBehavior::NAMES);
    set(&mut options.color_behavior, choice(&formatter, "ColorBehavior", problems, color, kind));

    let mut flag = |place: &Section<'_>, key: &str| {
        choice(place, key, problems, boolean, ("System.Boolean", "write true or false"))
    };
    if flag(section, "DisableColors") == Some(true) {
        options.color_behavior = ColorBehavior::Disabled;
    }
    // The keys right below Console are those of .NET 5 and before; the formatter's own win.
    for place in [section, &formatter] {
        set(&mut options.include_scopes, flag(place, "IncludeScopes"));
        set(&mut options.use_utc_timestamp, flag(place, "UseUtcTimestamp"));
        if let Some(format) = place.non_empty("TimestampFormat") {
            options.timestamp_format = Some(format.value.to_owned());
        }
    }
    set(&mut options.single_line, flag(&formatter, "SingleLine"));
    let writer = formatter.section("JsonWriterOptions");
    set(&mut options.json_indented, flag(&writer, "Indented"));
    options
}

/// `FormatterName`, or the key that it had in .NET 5 and before.
fn formatter_name(section: &Section<'_>, problems: &mut Vec<Problem>) -> Option<FormatterName> {
    if let Some(name) = section.non_empty("FormatterName") {
        let read = one_of(name.value, &FormatterName::NAMES);
        if read.is_none() {
            let setting = section.setting_at("FormatterName");
            problems.push(unknown(setting, name.value, &FormatterName::NAMES));
        }
        return read;
    }
    let format = section.non_empty("Format")?;
    // Only `Systemd` differs from the default.
    match format.value.trim() {
        text if text.eq_ignore_ascii_case("Systemd") => Some(FormatterName::Systemd),
        text if text.eq_ignore_ascii_case("Default") => None,
        text => {
            let text = shown("Format", text);
            problems.push(
                Problem::warning(format!(
                    "No console format is called '{text}'; the default is used."
                ))
                .key(format!("{}:Format", section.path()))
                .origin(format.origin)
                .fix("write Default or Systemd, or set FormatterName to simple, json or systemd"),
            );
            None
        }
    }
}

/// How many lines wait to be written, and what happens to more.
fn queue(section: &Section<'_>, options: &mut ConsoleOptions, problems: &mut Vec<Problem>) {
    let positive = |text: &str| {
        integer(text).filter(|number| *number > 0).and_then(|number| usize::try_from(number).ok())
    };
    let kind = ("System.Int32", "write a whole number of 1 or more");
    let length = choice(section, "MaxQueueLength", problems, positive, kind);
    set(&mut options.max_queue_length, length);
    let kind = (
        "Microsoft.Extensions.Logging.Console.ConsoleLoggerQueueFullMode",
        "write Wait or DropWrite",
    );
    let mode = |text: &str| one_of(text, &QueueFullMode::NAMES);
    set(&mut options.queue_full_mode, choice(section, "QueueFullMode", problems, mode, kind));
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn one_of<T: Copy>(text: &str, names: &[(&str, T)]) -> Option<T> {
    names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, value)| *value)
}

/// .NET takes an unknown formatter for `simple` without a word; so do we, with one.
fn unknown<T>(setting: Option<&Setting>, text: &str, names: &[(&str, T)]) -> Problem {
    let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    let fix = match meant_value(text, &names) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("write one of {}", names.join(", ")),
    };
    let text = shown("FormatterName", text);
    let problem =
        Problem::warning(format!("No console formatter is called '{text}'; simple is used."))
            .fix(fix);
    match setting {
        Some(setting) => problem.key(setting.key.clone()).origin(setting.origin.clone()),
        None => problem,
    }
}

/// Reads one option; a text that cannot be read is a problem.
fn choice<T>(
    section: &Section<'_>,
    key: &str,
    problems: &mut Vec<Problem>,
    convert: impl FnOnce(&str) -> Option<T>,
    (kind, expected): (&str, &str),
) -> Option<T> {
    let setting = section.setting_at(key)?;
    let text = setting.value.as_deref().filter(|text| !text.is_empty())?;
    let converted = convert(text);
    if converted.is_none() {
        problems.push(cannot_convert(setting, text, kind, expected));
    }
    converted
}
