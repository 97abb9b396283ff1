//! The log on the console: which events are written, how they look and when they are flushed.
//!
//! In goes what libraries and the application say through `tracing`, and [`LoggingOptions`], read from the section
//! `Logging`. Out come lines on standard output and standard error, in the layouts of .NET's console logger, so that
//! tools that read those go on working.
//!
//! An event's target is its category and its level decides with the [`Rule`]s whether it is written; a call site whose
//! events are not costs one atomic load. What is written is formatted on the thread that logs and written by another,
//! through a queue of limited length. Spans are scopes, and cost nothing while scopes are switched off.
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
mod options;
mod outputs;
mod queue;
mod scopes;
mod scratch;
mod simple;
mod systemd;
mod text;
mod timestamp;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use self::filter::Filter;
use self::queue::Queue;

pub use self::console::ConsoleLayer;
pub(crate) use self::limits::LAST_WAIT;
pub use self::options::{
    ColorBehavior, ConsoleOptions, FormatterName, LogLevel, LoggingOptions, QueueFullMode, Rule,
    Terminal,
};
pub use self::outputs::Outputs;
pub(crate) use self::outputs::last_words;

/// Writes the events of the whole process to its standard streams.
///
/// If the application has installed a subscriber of its own, that one stays, and the result is not
/// [active](Logging::is_active). Keep the result until the end of `main`: dropping it writes what is still queued.
#[must_use = "dropping it ends writing in the background"]
pub fn install(options: LoggingOptions, terminal: Terminal) -> Logging {
    let (layer, mut logging) = build(options, terminal, Outputs::standard());
    logging.active =
        tracing::subscriber::set_global_default(Registry::default().with(layer)).is_ok();
    // Only now, so that no thread is started for nothing.
    if logging.active {
        logging.queue.start();
    }
    logging
}

/// The same as a layer of the application's own subscriber, with outputs of its own choice.
///
/// What the rules leave out is left out for the whole subscriber, unless the layer is given a filter of its own there.
pub fn layer(
    options: LoggingOptions,
    terminal: Terminal,
    outputs: Outputs,
) -> (ConsoleLayer, Logging) {
    let (layer, logging) = build(options, terminal, outputs);
    logging.queue.start();
    (layer, logging)
}

fn build(options: LoggingOptions, terminal: Terminal, outputs: Outputs) -> (ConsoleLayer, Logging) {
    let filter = Arc::new(Filter::new(options.rules));
    let layer = ConsoleLayer::new(Arc::clone(&filter), options.console, terminal, outputs);
    let queue = Arc::clone(layer.queue());
    (layer, Logging { filter, queue, active: true })
}

/// The running log. Dropping it writes what is queued; what is logged afterwards is waited for by whoever logs it.
/// An output that takes nothing is given up after a second and a half, so that the process can end.
#[derive(Debug)]
pub struct Logging {
    filter: Arc<Filter>,
    queue: Arc<Queue>,
    active: bool,
}

impl Logging {
    /// Whether events reach this log: `false` when [`install`] found another subscriber in place.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Returns when every line logged before is written, or after a second and a half if the output does not take them.
    pub fn flush(&self) {
        self.queue.flush();
    }

    /// The stop begins: a thread that waits for room in the queue, as [`QueueFullMode::Wait`] makes it, is let go.
    pub(crate) fn begin_stop(&self) {
        self.queue.begin_stop();
    }

    /// The last flush. However often it is asked for, all together wait for a second and a half at most.
    pub(crate) fn finish(&self) {
        self.queue.finish();
    }

    /// Replaces the rules while the process runs, for every call site at once.
    ///
    /// A log made with [`layer`](layer()) for the subscriber of one thread is updated from that thread.
    pub fn update(&self, rules: Vec<Rule>) {
        self.filter.replace(rules);
        if self.active {
            tracing::callsite::rebuild_interest_cache();
        }
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if self.active {
            self.queue.close();
        }
    }
}
