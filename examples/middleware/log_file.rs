//! The entries of the log in a file besides the console, one object of JSON on each line (`MW_LOGFILE`).

use std::fmt::{self, Debug, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Writes each entry before whoever logs it goes on.
#[derive(Debug)]
pub(crate) struct LogFile(Mutex<File>);

impl LogFile {
    pub(crate) fn append_to(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(file)))
    }
}

impl<S: Subscriber> Layer<S> for LogFile {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        event.record(&mut entry);
        let mut line =
            entry.object(event.metadata().level(), event.metadata().target()).to_string();
        line.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nobody to be told: this is the log.
        let _ = file.write_all(line.as_bytes());
    }
}

/// What is told by an event.
#[derive(Default)]
struct Entry {
    id: u64,
    message: Option<String>,
    template: Option<String>,
    state: Vec<String>,
    /// Whether its values are lines of the message.
    is_list: bool,
}

impl Entry {
    fn object(self, level: &Level, category: &str) -> Value {
        let level = match *level {
            Level::ERROR => "Error",
            Level::WARN => "Warning",
            Level::INFO => "Information",
            Level::DEBUG => "Debug",
            Level::TRACE => "Trace",
        };
        let message = self.message.unwrap_or_default();
        let lines = message.lines().skip(1).filter(|_| self.is_list).map(listed);
        let original = self.template.map(|it| format!("{{OriginalFormat}}={it}"));
        let state: Vec<_> = lines.chain(self.state).chain(original).collect();
        json!({
            "level": level,
            "category": category,
            "id": self.id,
            "name": null,
            "message": message,
            "exception": null,
            "state": if state.is_empty() { Value::Null } else { state.into() },
        })
    }

    fn take(&mut self, name: &str, value: impl fmt::Display) {
        match name {
            // What is told comes first; another one is a value in it.
            "message" if self.message.is_none() => self.message = Some(value.to_string()),
            "event.template" => self.template = Some(value.to_string()),
            // They stand in the message, too, each on a line of its own.
            "event.listed" => self.is_list = true,
            "event.detail" => {
                let message = self.message.get_or_insert_default();
                let _ = write!(message, "{value}");
            }
            "event.id" => {}
            name => self.state.push(format!("{name}={value}")),
        }
    }
}

/// A line such as `Method: GET` as a value.
fn listed(line: &str) -> String {
    line.replacen(": ", "=", 1)
}

impl Visit for Entry {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "event.id" => self.id = value,
            name => self.take(name, value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field.name(), format_args!("{value:?}"));
    }
}
