//! The log of one host: what is configured, and where it goes once the host starts.

use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::registry::LookupSpan;

use super::console::{ConsoleLayer, Place};
use super::log_filter::LogFilter;
use super::options::{LoggingOptions, Terminal};
use super::outputs::Outputs;
use super::running::{Logging, begin, build};

/// Where the log of a host goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogTo {
    /// To the console, unless the program has a subscriber.
    #[default]
    Console,
    /// Where `print!` does, for tests.
    Captured,
    /// Wherever the program's subscriber takes it.
    Program,
}

/// The log of a host that is not started, for programs with a subscriber of their own.
///
/// Nothing is installed before the host starts, and then only if there is no subscriber yet. A program that builds one
/// may make the host's console a part of it, beside its own layers:
///
/// ```no_run
/// use tracing_subscriber::Layer as _;
/// use tracing_subscriber::layer::SubscriberExt as _;
/// use tracing_subscriber::util::SubscriberInitExt as _;
///
/// # async fn run() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
/// let host = kestrel::Host::from_args().build_or_exit();
/// let file = std::fs::File::create("app.log")?;
/// let to_file = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file);
/// tracing_subscriber::registry()
///     .with(host.log().layer())
///     .with(to_file.with_filter(host.log().filter()))
///     .init();
/// Ok(host.run().await)
/// # }
/// ```
#[derive(Debug)]
pub struct Log {
    to: LogTo,
    options: LoggingOptions,
    terminal: Terminal,
    levels: LogFilter,
    /// Of the layer that the program has taken.
    taken: Mutex<Option<Arc<Logging>>>,
    begun: Option<Option<Arc<Logging>>>,
}

impl Log {
    pub(crate) fn new(to: LogTo, options: LoggingOptions, terminal: Terminal) -> Self {
        let levels = LogFilter::new(options.rules.clone());
        Self { to, options, terminal, levels, taken: Mutex::default(), begun: None }
    }

    /// What the section `Logging` says.
    pub fn options(&self) -> &LoggingOptions {
        &self.options
    }

    /// The host's console as a layer: the lines, levels and options that the configuration asks for, and only for this
    /// layer. Levels follow reloads. The host writes what is queued when it stops.
    ///
    /// Once it is a part of a subscriber, the start installs no other. It is for one subscriber: another call makes
    /// another console.
    pub fn layer<S>(&self) -> Filtered<ConsoleLayer, LogFilter, S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let console = self.options.console.clone();
        let (layer, logging) =
            build(&self.levels, console, self.terminal, Outputs::standard(), Place::Beside);
        logging.start();
        *self.taken() = Some(Arc::new(logging));
        let filter = layer.filter().clone();
        layer.with_filter(filter)
    }

    /// The levels of `Logging:LogLevel` for a layer of the program's. They follow reloads. Rules for the console alone
    /// (`Logging:Console:LogLevel`) are not among them.
    #[must_use]
    pub fn filter(&self) -> LogFilter {
        self.levels.clone()
    }

    /// Begins to write, once.
    pub(crate) fn begin(&mut self) {
        if self.begun.is_none() {
            self.begun = Some(self.begin_anew());
        }
    }

    fn begin_anew(&self) -> Option<Arc<Logging>> {
        let taken = self.taken().take().filter(|logging| logging.is_active());
        if taken.is_some() {
            return taken;
        }
        let console = self.options.console.clone();
        match self.to {
            LogTo::Console => {
                let outputs = Outputs::standard();
                Some(Arc::new(begin(&self.levels, console, self.terminal, outputs)))
            }
            LogTo::Captured => Some(Arc::new(Logging::apart(
                &self.levels,
                console,
                Terminal::default(),
                Outputs::captured(),
            ))),
            LogTo::Program => None,
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// What is written, once it has begun; `None` if it is for the program's subscriber.
    pub(crate) fn running(&self) -> Option<&Arc<Logging>> {
        self.begun.as_ref()?.as_ref()
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Option<Arc<Logging>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
