//! What a line of a process's output says: how much it matters, and what is in it. Pure.

use serde_json::{Map, Value};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Trace,
    Debug,
    Information,
    Warning,
    Error,
}

/// A line of output, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OutputLine {
    /// `None`: the line does not say, as those that go on what was said before.
    pub(super) severity: Option<Severity>,
    /// The line, or the message in it.
    pub(super) message: String,
    /// What a line of JSON says besides, as JSON; or empty.
    pub(super) fields: String,
}

/// The names under which lines of JSON have their level, and their message.
const LEVELS: &[&str] = &["level", "severity", "LogLevel", "log.level", "lvl", "@l", "levelname"];
const MESSAGES: &[&str] = &["message", "msg", "Message", "@m", "RenderedMessage", "@mt", "event"];

/// Reads a line, which has no control characters that would spoil a log.
pub(super) fn read(line: &str) -> OutputLine {
    match line.trim_start().starts_with('{').then(|| of_json(line)).flatten() {
        Some(read) => read,
        None => {
            OutputLine { severity: of_text(line), message: line.to_owned(), fields: String::new() }
        }
    }
}

/// Checks what is read of a line: it is told as it is, unless it says in JSON what is in it.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(bytes: &[u8]) {
    let line = String::from_utf8_lossy(bytes);
    let OutputLine { severity, message, fields } = read(&line);
    if message != line {
        let whole: Map<String, Value> = serde_json::from_str(line.trim()).expect("it is JSON");
        let is_in_it = whole.values().any(|value| value.as_str() == Some(message.as_str()));
        assert!(is_in_it && severity.is_some(), "{line}");
    }
    if !fields.is_empty() {
        let left: Map<String, Value> = serde_json::from_str(&fields).expect("they are JSON");
        assert!(!left.is_empty(), "{line}");
    }
}

fn of_json(line: &str) -> Option<OutputLine> {
    let mut object: Map<String, Value> = serde_json::from_str(line.trim()).ok()?;
    let message_key =
        MESSAGES.iter().find(|key| object.get(**key).is_some_and(Value::is_string))?;
    let Some(Value::String(message)) = object.remove(*message_key) else { return None };
    let level_key = LEVELS.iter().find(|key| object.contains_key(**key));
    let severity = match level_key.and_then(|key| object.remove(*key)) {
        Some(Value::String(word)) => word_of(&word),
        Some(Value::Number(number)) => number.as_u64().map(of_number),
        _ => None,
    };
    let fields = if object.is_empty() { String::new() } else { Value::from(object).to_string() };
    Some(OutputLine { severity: severity.or(Some(Severity::Information)), message, fields })
}

/// The numbers of Bunyan and Pino.
fn of_number(number: u64) -> Severity {
    match number {
        ..20 => Severity::Trace,
        20..30 => Severity::Debug,
        30..40 => Severity::Information,
        40..50 => Severity::Warning,
        _ => Severity::Error,
    }
}

fn word_of(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trace" | "trce" | "verbose" | "silly" => Severity::Trace,
        "debug" | "dbug" | "dbg" => Severity::Debug,
        "info" | "information" | "notice" | "inf" => Severity::Information,
        "warn" | "warning" | "wrn" => Severity::Warning,
        "error" | "err" | "fail" | "fatal" | "crit" | "critical" | "ftl" | "panic" | "alert"
        | "emerg" | "emergency" | "severe" => Severity::Error,
        _ => return None,
    })
}

/// How far into a line its level is looked for: behind that, a word is what it tells of.
const HEAD: usize = 64;

/// What people's eyes go by: a word for a level at the beginning, in brackets, in capitals or before a colon.
fn of_text(line: &str) -> Option<Severity> {
    if ["Traceback (most", "Unhandled exception", "panic: ", "fatal: "]
        .iter()
        .any(|it| line.starts_with(it))
        || line.starts_with("thread '") && line.contains("' panicked at ")
        || line.starts_with("Uncaught ")
        || is_exception(line)
    {
        return Some(Severity::Error);
    }
    let head = line.get(..line.floor_char_boundary_at(HEAD)).unwrap_or(line);
    let mut rest = head;
    while let Some(begin) = rest.find(|it: char| it.is_ascii_alphabetic()) {
        let before = rest[..begin].chars().next_back();
        let word_on = &rest[begin..];
        let end = word_on.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(word_on.len());
        let (word, behind) = word_on.split_at(end);
        let is_marked = matches!(before, Some('[' | '<' | '|' | '='))
            || behind.starts_with(':')
            || word.len() > 2 && word.bytes().all(|it| it.is_ascii_uppercase());
        if let Some(severity) = word_of(word).filter(|_| is_marked) {
            return Some(severity);
        }
        rest = behind;
    }
    None
}

/// Whether a line begins with the name of an exception, as the last one of a traceback of Python does.
fn is_exception(line: &str) -> bool {
    let end = line.find(|it: char| !it.is_ascii_alphanumeric() && !"._".contains(it));
    let (name, behind) = line.split_at(end.unwrap_or(line.len()));
    (behind.is_empty() || behind.starts_with(": "))
        && ["Error", "Exception"].iter().any(|it| name.len() > it.len() && name.ends_with(it))
}

/// What is not there yet in the oldest Rust that is supported.
trait Boundary {
    fn floor_char_boundary_at(&self, most: usize) -> usize;
}

impl Boundary for str {
    fn floor_char_boundary_at(&self, most: usize) -> usize {
        let mut end = most.min(self.len());
        while !self.is_char_boundary(end) {
            end -= 1;
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_usual_programs_have_their_levels() {
        use Severity::*;
        for (line, expected) in [
            ("INFO:     Uvicorn running on http://127.0.0.1:8000", Some(Information)),
            (
                "[2024-01-01 10:00:00 +0000] [12] [INFO] Listening at: http://127.0.0.1:8000",
                Some(Information),
            ),
            ("warn: Microsoft.AspNetCore.Server.Kestrel[0]", Some(Warning)),
            ("fail: App[1]", Some(Error)),
            ("2024-01-01 10:00:00,000 ERROR app: no", Some(Error)),
            ("level=warning msg=\"slow\"", Some(Warning)),
            ("Traceback (most recent call last):", Some(Error)),
            ("thread 'main' panicked at src/main.rs:1:1:", Some(Error)),
            ("  File \"x.py\", line 1, in <module>", None),
            ("ModuleNotFoundError: No module named 'flask'", Some(Error)),
            ("django.core.exceptions.SynchronousOnlyException", Some(Error)),
            ("TypeErrors: none", None),
            ("an Error is what it is", None),
            ("127.0.0.1 - - [01/Jan/2024 10:00:00] \"GET /error HTTP/1.1\" 200 -", None),
            ("there was no error at all", None),
            ("", None),
        ] {
            let read = read(line);
            assert_eq!((read.severity, &*read.message), (expected, line));
        }
    }

    #[test]
    fn lines_of_json_become_message_and_fields() {
        for (line, severity, message, fields) in [
            (r#"{"level":"warn","msg":"slow","ms":12}"#, Severity::Warning, "slow", r#"{"ms":12}"#),
            (r#"{"level":50,"time":1,"msg":"broken"}"#, Severity::Error, "broken", r#"{"time":1}"#),
            (r#"{"LogLevel":"Debug","Message":"x"}"#, Severity::Debug, "x", ""),
            (r#"{"message":"no level"}"#, Severity::Information, "no level", ""),
        ] {
            let expected = OutputLine {
                severity: Some(severity),
                message: message.to_owned(),
                fields: fields.to_owned(),
            };
            assert_eq!(read(line), expected, "{line}");
        }
        // That is none, or tells nothing.
        for line in [r#"{"level":"warn"}"#, "{broken", "{}"] {
            assert_eq!(read(line).message, line);
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in ".{0,200}") {
            check(line.as_bytes());
        }

        #[test]
        fn any_object_is_read(object in r#"\{("(level|msg|@l|a)":("[a-z]*"|[0-9]{1,3}|null|\{\}),?){0,4}\}"#) {
            check(object.as_bytes());
        }
    }
}
