//! One event as the formatters see it, and how its message is put together.
//!
//! The fields `event.id`, `event.template`, `event.detail`, `event.critical`, `event.listed` and `message` have a meaning
//! of their own; every other field is state, and so is a second one that is called `message`. An event without a template is an
//! ordinary one of some crate: its message is its `message` field, and its other fields follow in the text formats as
//! `name=value`. With a template the message is made of it, unless `message` says something when it is formatted with
//! the sign `-`: most say nothing then, because they would tell the same. What is listed follows it, on a line for each.

use tracing::Level;

use super::fields::{Fields, Value};
use super::listed;
use super::options::LogLevel;
use super::scopes::Scope;

/// The field that makes a critical event of an error.
pub(super) const CRITICAL: &str = "event.critical";

/// One event, read and ready to be formatted.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) level: LogLevel,
    pub(super) category: &'a str,
    pub(super) fields: &'a Fields,
    /// Outermost first; `None` when scopes are not printed at all.
    pub(super) scopes: Option<&'a [Scope]>,
    /// The time in its format; empty when no time is printed.
    pub(super) timestamp: &'a str,
}

/// A part of a message, by where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Written by the author of the event: its line breaks are meant.
    Author(&'a str),
    /// Possibly sent by a stranger: a line break in it would forge a line of the log.
    Value(&'a str),
}

impl<'a> Piece<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Piece::Author(text) | Piece::Value(text) => text,
        }
    }
}

impl<'a> Entry<'a> {
    pub(super) fn id(&self) -> &'a str {
        match self.fields.get("event.id") {
            Some(Value::Number(id)) => id,
            _ => "0",
        }
    }

    pub(super) fn detail(&self) -> Option<&'a str> {
        self.text("event.detail").filter(|detail| !detail.is_empty())
    }

    /// The text before any value is put in: the template, or the message of an ordinary event.
    pub(super) fn original_format(&self) -> &'a str {
        self.text("event.template").or_else(|| self.text("message")).unwrap_or_default()
    }

    /// The fields without a meaning of their own.
    pub(super) fn state(&self) -> impl Iterator<Item = (&'static str, Value<'a>)> + use<'a> {
        let mut told = false;
        self.fields.iter().filter(move |(name, _)| match *name {
            "message" => std::mem::replace(&mut told, true),
            name => !is_special(name),
        })
    }

    /// The state whose names came with the event, if it has any of those.
    pub(super) fn listed(&self) -> Option<impl Iterator<Item = (&'a str, Value<'a>)> + use<'a>> {
        self.text(listed::FIELD).map(listed::entries)
    }

    /// Hands out the finished message in pieces.
    pub(super) fn message(&self, emit: &mut dyn FnMut(Piece<'a>)) {
        let message = self.text("message").filter(|message| !message.is_empty());
        match (message, self.text("event.template")) {
            // A break that the template does not have came with a value.
            (Some(message), Some(template)) if !template.contains(['\r', '\n']) => {
                emit(Piece::Value(message))
            }
            (Some(message), _) => emit(Piece::Author(message)),
            (None, Some(template)) => fill(template, self.fields, emit),
            (None, None) => {}
        }
        for (name, value) in self.listed().into_iter().flatten() {
            let value = value.plain().unwrap_or_default();
            [Piece::Author("\n"), Piece::Value(name), Piece::Author(": "), Piece::Value(value)]
                .into_iter()
                .for_each(&mut *emit);
        }
    }

    /// The message, and the state of an ordinary event after it.
    pub(super) fn full_message(&self, emit: &mut dyn FnMut(Piece<'a>)) {
        self.message(emit);
        if self.text("event.template").is_some() {
            return;
        }
        let mut gap = if self.original_format().is_empty() { "" } else { " " };
        for (name, value) in self.state() {
            let Some(value) = value.plain() else { continue };
            [Piece::Author(gap), Piece::Author(name), Piece::Author("="), Piece::Value(value)]
                .into_iter()
                .for_each(&mut *emit);
            gap = " ";
        }
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.fields.get(name).and_then(Value::plain)
    }
}

/// The level as .NET counts them; `critical` tells the two kinds of error apart.
pub(super) fn level(level: Level, critical: bool) -> LogLevel {
    match level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Information,
        Level::WARN => LogLevel::Warning,
        Level::ERROR if critical => LogLevel::Critical,
        Level::ERROR => LogLevel::Error,
    }
}

fn is_special(name: &str) -> bool {
    matches!(name, "event.id" | "event.template" | "event.detail" | CRITICAL | listed::FIELD)
}

/// Replaces `{Name}` by the field of that name; `{{` and `}}` are single braces. Alignment and format (`{Name,8:0.0}`)
/// are skipped, because a field has its final text already.
fn fill<'a>(template: &'a str, fields: &'a Fields, emit: &mut dyn FnMut(Piece<'a>)) {
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, at) = rest.split_at(brace);
        emit(Piece::Author(before));
        if at.starts_with("{{") || at.starts_with("}}") {
            emit(Piece::Author(&at[..1]));
            rest = &at[2..];
        } else if let Some((inside, after)) =
            at.strip_prefix('{').and_then(|inside| inside.split_once('}'))
        {
            let name = inside.split([',', ':']).next().unwrap_or(inside);
            match fields.last(name).and_then(Value::text) {
                Some(value) => emit(Piece::Value(value)),
                None => emit(Piece::Author("(null)")),
            }
            rest = after;
        } else {
            emit(Piece::Author(&at[..1]));
            rest = &at[1..];
        }
    }
    emit(Piece::Author(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_by_fields() {
        let mut fields = Fields::default();
        fields.push("address", Value::Text("http://a"));
        fields.push("Count", Value::Number("3"));
        fields.push("On", Value::Bool("true"));
        fields.push("Absent", Value::Missing);
        for (template, expected) in [
            ("Now listening on: {address}", "Now listening on: http://a"),
            ("{Count} {Count:000} {Count,5} {On}", "3 3 3 True"),
            ("{Absent} {Unknown}", "(null) (null)"),
            ("{{literal}} {Count}", "{literal} 3"),
            ("open { here", "open { here"),
            ("a } b", "a } b"),
            ("", ""),
        ] {
            let mut text = String::new();
            fill(template, &fields, &mut |piece| text.push_str(piece.text()));
            assert_eq!(text, expected, "{template}");
        }
    }
}
