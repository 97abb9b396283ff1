//! Records of the crate `log`, for crates that do not know `tracing`: to our console they are events like others.
//!
//! A program has one logger, as it has one subscriber. Ours is set where the process gets a subscriber of ours, and finds
//! the console by the subscriber of the moment, so that a record belongs to the host whose task writes it.

use log::{Log, Metadata, Record};
use tracing::dispatcher;
use tracing_subscriber::Registry;

use super::console::ConsoleLayer;
use super::options::LogLevel;
use super::record_levels;

/// Our logger.
struct Records;

/// Takes records in, unless the program has a logger.
pub(super) fn install() {
    if log::set_logger(&Records).is_ok() {
        record_levels::in_place();
    }
}

impl Log for Records {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        dispatcher::get_default(|subscriber| {
            let console = subscriber.downcast_ref::<ConsoleLayer>();
            console.is_some_and(|console| wants(console, metadata))
        })
    }

    fn log(&self, record: &Record<'_>) {
        dispatcher::get_default(|subscriber| {
            let Some(console) = subscriber.downcast_ref::<ConsoleLayer>() else { return };
            if wants(console, record.metadata()) {
                let spans = subscriber.downcast_ref::<Registry>();
                console.write_record(level(record.level()), record.target(), record.args(), spans);
            }
        });
    }

    fn flush(&self) {}
}

fn wants(console: &ConsoleLayer, metadata: &Metadata<'_>) -> bool {
    console.filter().lets_through(metadata.target(), level(metadata.level()))
}

fn level(level: log::Level) -> LogLevel {
    match level {
        log::Level::Error => LogLevel::Error,
        log::Level::Warn => LogLevel::Warning,
        log::Level::Info => LogLevel::Information,
        log::Level::Debug => LogLevel::Debug,
        log::Level::Trace => LogLevel::Trace,
    }
}
