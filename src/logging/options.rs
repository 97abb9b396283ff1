//! What can be set about logging: plain data, already read and checked.

/// Everything the log needs to know, read from the section `Logging`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggingOptions {
    /// Which level each category is written from. Without a matching rule that is [`LogLevel::Information`].
    /// Keys: `Logging:LogLevel:{category}` and `Logging:{provider}:LogLevel:{category}`.
    pub rules: Vec<Rule>,
    /// How and where lines are written. Key: `Logging:Console`.
    pub console: ConsoleOptions,
}

/// One line of a `LogLevel` section: from which level on a category is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The provider this rule is for, such as `Console`; `None` is a rule for all of them. Compared exactly, case too.
    pub provider: Option<String>,
    /// The start of the category, in any case, with at most one `*`; `None` (the key `Default`) is every category.
    pub category: Option<String>,
    /// The lowest level that is written; [`LogLevel::None`] silences the category.
    pub level: LogLevel,
}

impl Rule {
    /// Whether the category holds at most one `*`. A rule with more matches nothing; whoever reads settings reports it.
    #[must_use]
    pub fn has_valid_category(&self) -> bool {
        let stars = |category: &String| category.matches('*').count();
        self.category.as_ref().map_or(0, stars) <= 1
    }
}

/// How important an event is, in the order of the variants. As a threshold, `None` lets nothing through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// 0: every detail, may hold what should stay secret.
    Trace,
    /// 1: of use while developing.
    Debug,
    /// 2: the course of the application. The default threshold.
    Information,
    /// 3: unexpected, but the application goes on.
    Warning,
    /// 4: the current activity failed.
    Error,
    /// 5: the application or the machine needs attention now.
    Critical,
    /// 6: a threshold that nothing reaches. No event has this level.
    None,
}

impl LogLevel {
    const ALL: [Self; 7] = [
        Self::Trace,
        Self::Debug,
        Self::Information,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::None,
    ];

    /// All names, in the order of the levels.
    pub(crate) const NAMES: [&'static str; 7] = {
        let mut names = [""; 7];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// Reads a level as settings spell it: the name in any case or a number from 0 to 6, blanks around it allowed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse::<usize>() {
            Ok(number) => Self::ALL.get(number).copied(),
            Err(_) => Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(text)),
        }
    }

    /// The full name, as settings and the json format spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "Trace",
            Self::Debug => "Debug",
            Self::Information => "Information",
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::Critical => "Critical",
            Self::None => "None",
        }
    }
}

/// How lines look and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleOptions {
    /// The layout of a line. Default: simple. Key: `FormatterName`.
    pub formatter: FormatterName,
    /// Events of this level and above go to standard error, the others to standard output. Default: `None`, so that
    /// everything goes to standard output. Key: `LogToStandardErrorThreshold`.
    pub log_to_standard_error_threshold: LogLevel,
    /// How many lines may wait to be written. Default: 2500; 0 counts as 1. Key: `MaxQueueLength`.
    pub max_queue_length: usize,
    /// What a new line does when that many are waiting. Default: wait for a second in all, then be dropped.
    /// Key: `QueueFullMode`.
    pub queue_full_mode: QueueFullMode,
    /// Print the scopes (connection, request and the application's own spans) around an event. Default: off, and then
    /// spans cost nothing. Key: `FormatterOptions:IncludeScopes`.
    pub include_scopes: bool,
    /// A .NET date format for the time in front of each line, with its own separator at the end. Default: `None`, no
    /// time. Key: `FormatterOptions:TimestampFormat`.
    pub timestamp_format: Option<String>,
    /// Print the time in UTC instead of the local zone. Default: off. Key: `FormatterOptions:UseUtcTimestamp`.
    pub use_utc_timestamp: bool,
    /// One line per event; simple only, for the other formats never do otherwise. Default: off.
    /// Key: `FormatterOptions:SingleLine`.
    pub single_line: bool,
    /// Whether the level is coloured; simple only. Default: on a terminal. Key: `FormatterOptions:ColorBehavior`.
    pub color_behavior: ColorBehavior,
    /// Spread an object over several lines; json only. Default: off.
    /// Key: `FormatterOptions:JsonWriterOptions:Indented`.
    pub json_indented: bool,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            formatter: FormatterName::Simple,
            // Everything on standard output: that is where tools look for the listening line.
            log_to_standard_error_threshold: LogLevel::None,
            // The reference's number; with lines of usual length, less than a megabyte.
            max_queue_length: 2500,
            // Not the reference's, which waits for ever: a reader that has stopped would stop the server.
            queue_full_mode: QueueFullMode::WaitThenDrop,
            include_scopes: false,
            timestamp_format: None,
            use_utc_timestamp: false,
            single_line: false,
            color_behavior: ColorBehavior::Default,
            json_indented: false,
        }
    }
}

/// The layouts a line can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatterName {
    /// For people: a head line with level and category, the message indented below it.
    #[default]
    Simple,
    /// For machines: one object per event.
    Json,
    /// For journald: the priority as `<6>`, then everything on one line.
    Systemd,
}

impl FormatterName {
    /// All names, as settings spell them.
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("simple", Self::Simple), ("json", Self::Json), ("systemd", Self::Systemd)];
}

/// What happens to a new line while the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueFullMode {
    /// The thread that logs waits for room, all of them together for a second while nothing goes out. Then lines are
    /// dropped and counted; a warning tells the number once they go out again. No text of the configuration means
    /// this: it is what goes without one.
    #[default]
    WaitThenDrop,
    /// The thread that logs waits for room. Nothing is lost; a stalled reader stalls the server, but not its stop.
    Wait,
    /// The line is dropped and counted; a warning tells the number once there is room.
    DropWrite,
}

impl QueueFullMode {
    /// The names of those that can be set, as settings spell them.
    pub(crate) const NAMES: [(&'static str, Self); 2] =
        [("Wait", Self::Wait), ("DropWrite", Self::DropWrite)];
}

/// When the level of a line is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColorBehavior {
    /// As [`Terminal`] suggests.
    #[default]
    Default,
    /// Always, even into a file.
    Enabled,
    /// Never.
    Disabled,
}

impl ColorBehavior {
    /// All names, as settings spell them.
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("Default", Self::Default), ("Enabled", Self::Enabled), ("Disabled", Self::Disabled)];
}

/// The facts of the process that decide about colours, gathered by whoever may read the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminal {
    /// Standard output is a terminal. It decides even for lines that go to standard error, as in the reference.
    pub stdout_is_terminal: bool,
    /// The variable `NO_COLOR` exists, with whatever value.
    pub no_color: bool,
    /// The variable `DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION` is `1` or `true`.
    pub allow_redirected_color: bool,
}

impl Terminal {
    /// Whether lines are coloured.
    #[must_use]
    pub fn colors(self, behavior: ColorBehavior) -> bool {
        match behavior {
            ColorBehavior::Enabled => true,
            ColorBehavior::Disabled => false,
            ColorBehavior::Default if self.stdout_is_terminal => !self.no_color,
            ColorBehavior::Default => self.allow_redirected_color,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_name_in_any_case_or_a_number() {
        for (text, expected) in [
            ("Information", Some(LogLevel::Information)),
            (" wArNiNg ", Some(LogLevel::Warning)),
            ("none", Some(LogLevel::None)),
            ("0", Some(LogLevel::Trace)),
            (" 6", Some(LogLevel::None)),
            ("7", None),
            ("-1", None),
            ("", None),
            ("info", None),
        ] {
            assert_eq!(LogLevel::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn colors_follow_the_terminal_unless_set() {
        use ColorBehavior::{Default, Disabled, Enabled};
        for (behavior, stdout_is_terminal, no_color, allow_redirected_color, expected) in [
            (Default, true, false, false, true),
            (Default, true, true, false, false),
            (Default, true, true, true, false),
            (Default, false, false, false, false),
            (Default, false, false, true, true),
            (Default, false, true, true, true),
            (Enabled, false, true, false, true),
            (Disabled, true, false, true, false),
        ] {
            let terminal = Terminal { stdout_is_terminal, no_color, allow_redirected_color };
            assert_eq!(terminal.colors(behavior), expected, "{behavior:?} {terminal:?}");
        }
    }

    #[test]
    fn a_category_may_hold_one_star() {
        for (category, expected) in
            [(None, true), (Some("A"), true), (Some("A*B"), true), (Some("A*B*"), false)]
        {
            let rule = Rule {
                provider: None,
                category: category.map(str::to_owned),
                level: LogLevel::Debug,
            };
            assert_eq!(rule.has_valid_category(), expected, "{category:?}");
        }
    }
}
