//! The log on the console: which events are written, how they look and when they are flushed.
//!
//! In goes what libraries and the application say through `tracing`, or `log` ([`Logging`]), and [`LoggingOptions`], read from the section
//! `Logging`. Out come lines on standard output and standard error, in the layouts of .NET's console logger, so that
//! tools that read those go on working.
//!
//! An event's target is its category and its level decides with the [`Rule`]s whether it is written; a call site whose
//! events are not costs one atomic load. What is written is formatted on the thread that logs and written by another,
//! through a queue of limited length. Spans are scopes, and cost nothing while scopes are switched off.
//!
//! A process has one subscriber. The first log that begins is a part of it, if there is none; another one has a
//! subscriber of its own, with which its host's tasks run ([`Logging`]), and a program may take the console as a layer of
//! its own subscriber ([`Log`]).
//!
//! This folder knows no configuration keys and reads no environment: the facts are handed in. It says nothing about
//! which events exist, and has no target but the console.

mod console;
mod entry;
mod fields;
mod filter;
mod json;
mod layout;
mod limits;
mod listed;
mod log;
mod log_filter;
mod log_records;
mod options;
mod outputs;
mod queue;
mod record_levels;
mod running;
mod scopes;
mod scratch;
mod simple;
mod systemd;
mod text;
mod timestamp;

#[cfg(test)]
mod tests;

pub use self::console::ConsoleLayer;
pub(crate) use self::filter::rule_of_console;
pub(crate) use self::limits::LAST_WAIT;
pub use self::log::Log;
pub(crate) use self::log::LogTo;
pub use self::log_filter::LogFilter;
pub use self::options::{
    ColorBehavior, ConsoleOptions, FormatterName, LogLevel, LoggingOptions, QueueFullMode, Rule,
    Terminal,
};
pub use self::outputs::Outputs;
pub(crate) use self::outputs::last_words;
pub use self::running::{Logging, install, layer};
