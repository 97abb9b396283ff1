//! The log while it is written: how it begins, which subscriber it is a part of, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Dispatch;
use tracing::dispatcher;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::console::{ConsoleLayer, Place};
use super::log_filter::LogFilter;
use super::options::{ConsoleOptions, LoggingOptions, Rule, Terminal};
use super::outputs::{Outputs, Stream};
use super::queue::Queue;
use super::{log_records, record_levels};

/// Writes the events of the whole process to its standard streams, and the records of the crate `log`.
///
/// If the application has installed a subscriber of its own, that one stays, and the result is not
/// [active](Logging::is_active); so does a logger of `log`. Keep the result until the end of `main`: dropping it writes what is still queued.
#[must_use = "dropping it ends writing in the background"]
pub fn install(options: LoggingOptions, terminal: Terminal) -> Logging {
    begin(&LogFilter::new(options.rules), options.console, terminal, Outputs::standard())
}

/// The same as a layer of the application's own subscriber, with outputs of its own choice.
///
/// What the rules leave out is left out for the whole subscriber, unless the layer is given a filter of its own there.
pub fn layer(
    options: LoggingOptions,
    terminal: Terminal,
    outputs: Outputs,
) -> (ConsoleLayer, Logging) {
    let levels = LogFilter::new(options.rules);
    let (layer, logging) = build(&levels, options.console, terminal, outputs, Place::Beside);
    logging.start();
    (layer, logging)
}

/// Writes the events of the process, or of what runs with its own subscriber if the process has a log of ours.
pub(super) fn begin(
    levels: &LogFilter,
    options: ConsoleOptions,
    terminal: Terminal,
    outputs: Outputs,
) -> Logging {
    let (layer, mut logging) = build(levels, options, terminal, outputs, Place::Alone);
    let subscriber = Dispatch::new(Registry::default().with(layer));
    if dispatcher::set_global_default(subscriber.clone()).is_ok() {
        logging.writes = Writes::Process;
        log_records::install();
    } else if is_ours() {
        logging.writes = Writes::Apart(subscriber);
    } else {
        drop(subscriber);
        logging.writes = Writes::Nothing;
        // Call sites were asked what it wants.
        tracing::callsite::rebuild_interest_cache();
    }
    // Only now, so that no thread is started for nothing.
    if logging.is_active() {
        logging.start();
    }
    logging
}

/// Whether the subscriber is nothing but a log of ours.
fn is_ours() -> bool {
    dispatcher::get_default(|current| {
        current.downcast_ref::<ConsoleLayer>().is_some_and(ConsoleLayer::is_alone)
    })
}

pub(super) fn build(
    levels: &LogFilter,
    options: ConsoleOptions,
    terminal: Terminal,
    outputs: Outputs,
    place: Place,
) -> (ConsoleLayer, Logging) {
    let layer = ConsoleLayer::new(levels, options, terminal, outputs, place);
    let queue = Arc::clone(layer.queue());
    let writes = Writes::Layer(Arc::clone(layer.attached()));
    (layer, Logging { levels: levels.clone(), queue, writes })
}

/// The running log. Dropping it writes what is queued; what is logged afterwards is waited for by whoever logs it.
/// An output that takes nothing is given up after a second and a half, so that the process can end.
#[derive(Debug)]
pub struct Logging {
    levels: LogFilter,
    queue: Arc<Queue>,
    writes: Writes,
}

/// Whose events are written.
#[derive(Debug)]
enum Writes {
    /// Those of the process.
    Process,
    /// Those of what runs with this subscriber.
    Apart(Dispatch),
    /// Those of a subscriber of the program's, if the layer is a part of one.
    Layer(Arc<AtomicBool>),
    /// Nobody's: the program has a subscriber.
    Nothing,
}

impl Logging {
    /// A log with a subscriber of its own, whatever the process has.
    pub(super) fn apart(
        levels: &LogFilter,
        options: ConsoleOptions,
        terminal: Terminal,
        outputs: Outputs,
    ) -> Self {
        let (layer, mut logging) = build(levels, options, terminal, outputs, Place::Alone);
        logging.writes = Writes::Apart(Dispatch::new(Registry::default().with(layer)));
        logging.start();
        logging
    }

    pub(super) fn start(&self) {
        record_levels::add(self.levels.rules());
        self.queue.start();
    }

    /// Whether events reach this log: `false` when [`install`] found another subscriber in place.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match &self.writes {
            Writes::Process | Writes::Apart(_) => true,
            Writes::Layer(attached) => attached.load(Ordering::Relaxed),
            Writes::Nothing => false,
        }
    }

    /// The subscriber that tasks have to run with for this log, if it is not that of the process.
    pub(crate) fn own_subscriber(&self) -> Option<Dispatch> {
        match &self.writes {
            Writes::Apart(subscriber) => Some(subscriber.clone()),
            Writes::Process | Writes::Layer(_) | Writes::Nothing => None,
        }
    }

    /// Returns when every line logged before is written, or after a second and a half if the output does not take them.
    pub fn flush(&self) {
        self.queue.flush();
    }

    /// Writes a line of another form than events have, in its turn with them. It has its end.
    pub(crate) fn write_line(&self, line: &str) {
        self.queue.push(Stream::Stdout, line);
    }

    /// The stop begins: a thread that waits for room in the queue, as `QueueFullMode::Wait` makes it, is let go.
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
        self.levels.replace(rules);
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        match self.writes {
            Writes::Process | Writes::Apart(_) | Writes::Layer(_) => self.queue.close(),
            Writes::Nothing => {}
        }
    }
}
