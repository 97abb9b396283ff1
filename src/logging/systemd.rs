//! The format for journald: the priority in angle brackets, then the event on one line, never coloured.

use super::entry::Entry;
use super::options::LogLevel;
use super::{simple, text};

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    out.push_str(priority(entry.level));
    out.push_str(entry.timestamp);
    text::push_value(entry.category, out);
    out.extend(["[", entry.id(), "]"]);
    simple::write_rest_of_line(entry, out);
}

/// The numbers of syslog, which has nothing below debug.
fn priority(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace | LogLevel::Debug => "<7>",
        LogLevel::Information => "<6>",
        LogLevel::Warning => "<4>",
        LogLevel::Error => "<3>",
        LogLevel::Critical | LogLevel::None => "<2>",
    }
}
