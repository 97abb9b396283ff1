//! The choice of a format, and the time in front of it.

use chrono::{Local, Utc};

use super::entry::Entry;
use super::fields::{Fields, Value};
use super::json::Json;
use super::options::{ConsoleOptions, FormatterName, LogLevel, QueueFullMode, Terminal};
use super::simple::Simple;
use super::{systemd, timestamp};

/// How a line looks, apart from the event itself.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    formatter: Formatter,
    timestamp_format: String,
    use_utc_timestamp: bool,
    include_scopes: bool,
}

#[derive(Clone, Copy, Debug)]
enum Formatter {
    Simple(Simple),
    Json(Json),
    Systemd,
}

impl Layout {
    pub(super) fn new(options: &ConsoleOptions, terminal: Terminal) -> Self {
        let formatter = match options.formatter {
            FormatterName::Simple => Formatter::Simple(Simple {
                single_line: options.single_line,
                colors: terminal.colors(options.color_behavior),
            }),
            FormatterName::Json => Formatter::Json(Json { indented: options.json_indented }),
            FormatterName::Systemd => Formatter::Systemd,
        };
        Self {
            formatter,
            timestamp_format: options.timestamp_format.clone().unwrap_or_default(),
            use_utc_timestamp: options.use_utc_timestamp,
            include_scopes: options.include_scopes,
        }
    }

    pub(super) fn write(&self, entry: &Entry<'_>, out: &mut String) {
        match self.formatter {
            Formatter::Simple(simple) => simple.write(entry, out),
            Formatter::Json(json) => json.write(entry, out),
            Formatter::Systemd => systemd::write(entry, out),
        }
    }

    pub(super) fn write_time(&self, out: &mut String) {
        if !self.timestamp_format.is_empty() {
            let now = if self.use_utc_timestamp {
                Utc::now().fixed_offset()
            } else {
                Local::now().fixed_offset()
            };
            timestamp::render(&self.timestamp_format, &now, out);
        }
    }

    /// The line about dropped lines is no event, because writing an event waits for the very queue that was full.
    pub(super) fn write_dropped(&self, dropped: u64, mode: QueueFullMode, out: &mut String) {
        let mut fields = Fields::default();
        fields.push("Dropped", Value::Number(&dropped.to_string()));
        let (id, template) = match mode {
            QueueFullMode::DropWrite => ("0", DROPPED_AT_ONCE),
            QueueFullMode::WaitThenDrop | QueueFullMode::Wait => ("1", DROPPED_AFTER_A_WAIT),
        };
        fields.push("event.id", Value::Number(id));
        fields.push("event.template", Value::Text(template));
        let mut timestamp = String::new();
        self.write_time(&mut timestamp);
        let entry = Entry {
            level: LogLevel::Warning,
            category: "Kestrel.Logging",
            fields: &fields,
            scopes: self.include_scopes.then_some(&[]),
            timestamp: &timestamp,
        };
        self.write(&entry, out);
    }
}

const DROPPED_AT_ONCE: &str = "{Dropped} log lines were dropped because the queue was full. Raise Logging:Console:MaxQueueLength, log less, or \
     set Logging:Console:QueueFullMode to Wait.";

const DROPPED_AFTER_A_WAIT: &str = "{Dropped} log lines were dropped because the output did not take them for over a second. Look why it is not read, \
     log less, or set Logging:Console:QueueFullMode to Wait, which holds requests instead.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_lines_are_reported_in_the_format_of_the_others() {
        let text = "7 log lines were dropped because the queue was full. Raise Logging:Console:MaxQueueLength, log less, or set Logging:Console:QueueFullMode to Wait.";
        for (formatter, expected) in [
            (FormatterName::Simple, format!("at warn: Kestrel.Logging[0]\n      {text}\n")),
            (FormatterName::Systemd, format!("<4>at Kestrel.Logging[0] {text}\n")),
            (
                FormatterName::Json,
                format!(
                    r#"{{"Timestamp":"at ","EventId":0,"LogLevel":"Warning","Category":"Kestrel.Logging","Message":"{text}","State":{{"Dropped":7,"{{OriginalFormat}}":"{{Dropped}}{}"}}}}{}"#,
                    &text[1..],
                    "\n"
                ),
            ),
        ] {
            let options = ConsoleOptions {
                formatter,
                timestamp_format: Some("'at '".to_owned()),
                ..ConsoleOptions::default()
            };
            let mut line = String::new();
            Layout::new(&options, Terminal::default()).write_dropped(
                7,
                QueueFullMode::DropWrite,
                &mut line,
            );
            assert_eq!(line, expected);
        }
        let mut line = String::new();
        let layout = Layout::new(&ConsoleOptions::default(), Terminal::default());
        layout.write_dropped(7, QueueFullMode::WaitThenDrop, &mut line);
        assert!(
            line.starts_with("warn: Kestrel.Logging[1]\n      7 log lines were dropped"),
            "{line}"
        );
    }
}
