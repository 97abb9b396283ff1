//! The format for people: a head line with level, category and id, then scopes, message and detail indented below it;
//! or all of it on one line.

use super::entry::Entry;
use super::options::LogLevel;
use super::text::{self, INDENT, LineBreak};

/// Sets colour and weight back after the level, whatever was set before it.
const RESET: &str = "\x1b[39m\x1b[22m\x1b[49m";

/// How this format is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simple {
    pub(super) single_line: bool,
    pub(super) colors: bool,
}

impl Simple {
    pub(super) fn write(self, entry: &Entry<'_>, out: &mut String) {
        let (word, color) = level(entry.level);
        out.push_str(entry.timestamp);
        if self.colors {
            out.extend([color, word, RESET]);
        } else {
            out.push_str(word);
        }
        out.push_str(": ");
        text::push_value(entry.category, out);
        out.extend(["[", entry.id(), "]"]);
        if self.single_line {
            write_rest_of_line(entry, out);
        } else {
            out.push('\n');
            write_below(entry, out);
        }
    }
}

/// What follows the head on one line, here and in the systemd format, with the end of the line.
pub(super) fn write_rest_of_line(entry: &Entry<'_>, out: &mut String) {
    write_scopes(entry, " ", out);
    let blank = out.len();
    out.push(' ');
    entry.full_message(&mut |piece| text::push(piece, LineBreak::Blank, out));
    if out.len() == blank + 1 {
        out.truncate(blank);
    }
    if let Some(detail) = entry.detail() {
        out.push(' ');
        text::push_author(detail, LineBreak::Blank, out);
    }
    out.push('\n');
}

/// Scopes, message and detail, each from a line of its own on, where there is any.
fn write_below(entry: &Entry<'_>, out: &mut String) {
    write_block(out, |out| write_scopes(entry, "", out));
    write_block(out, |out| {
        entry.full_message(&mut |piece| text::push(piece, LineBreak::Indent, out))
    });
    if let Some(detail) = entry.detail() {
        write_block(out, |out| text::push_author(detail, LineBreak::Indent, out));
    }
}

fn write_block(out: &mut String, write: impl FnOnce(&mut String)) {
    let start = out.len();
    out.push_str(INDENT);
    write(out);
    if out.len() == start + INDENT.len() {
        out.truncate(start);
    } else {
        out.push('\n');
    }
}

fn write_scopes(entry: &Entry<'_>, mut before: &str, out: &mut String) {
    for scope in entry.scopes.unwrap_or_default() {
        out.extend([before, "=> "]);
        scope.text(&mut |text| text::push_value(text, out));
        before = " ";
    }
}

fn level(level: LogLevel) -> (&'static str, &'static str) {
    match level {
        LogLevel::Trace => ("trce", "\x1b[40m\x1b[37m"),
        LogLevel::Debug => ("dbug", "\x1b[40m\x1b[37m"),
        LogLevel::Information => ("info", "\x1b[40m\x1b[32m"),
        LogLevel::Warning => ("warn", "\x1b[40m\x1b[1m\x1b[33m"),
        LogLevel::Error => ("fail", "\x1b[41m\x1b[30m"),
        LogLevel::Critical | LogLevel::None => ("crit", "\x1b[41m\x1b[1m\x1b[37m"),
    }
}
