//! How a start that does not come about is told: once, and all of it.
//!
//! Where a log was chosen that machines read (`json`, `systemd`), the log has everything: each warning
//! and each reason as an event, and standard error has nothing. Else standard error has the report,
//! errors first, and the log only what Kestrel's would have. `--plan` has no log: standard error has
//! what it would say, and standard output the plan.
//!
//! Nothing is decided here: which findings refuse a start, `finding` knows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tracing::subscriber::NoSubscriber;

use super::error::{Answer, ExitKind, HostError};
use super::finding::Finding;
use crate::configuration::Problem;
use crate::diagnostics::events::{self, StartFailure};
use crate::diagnostics::{LogContext, Notice};
use crate::logging::{self, FormatterName, Log, Logging};

/// A start that does not come about.
pub(super) struct Refusal {
    pub(super) error: HostError,
    /// What is to be said besides.
    pub(super) remarks: Vec<Finding>,
    pub(super) voice: Voice,
}

/// Where a refusal is told.
#[derive(Debug)]
pub(super) enum Voice {
    /// In the log of the app, if it has any, and on standard error.
    Theirs,
    /// In ours. `complete` if its format was chosen, and tells all.
    Log { logging: Arc<Logging>, complete: bool },
    /// In the log that is not begun, whose first words are these, if it is not left to the app.
    NotBegun { log: Box<Log>, unsaid: Vec<Notice> },
    /// Nowhere but in the error: it is an answer, or no command line.
    Silent,
    /// On standard error alone: a plan was asked for, and this is as much of it as can be told.
    Plan { table: String },
}

impl Voice {
    /// That of a host. What is still to be said is said now, if its log has begun.
    pub(super) fn of(log: Log, unsaid: Vec<Notice>) -> Self {
        if !log.has_begun() {
            return Self::NotBegun { log: Box::new(log), unsaid };
        }
        let complete = log.options().console.formatter != FormatterName::Simple;
        let voice = match log.running() {
            Some(logging) => Self::Log { logging: Arc::clone(logging), complete },
            None => Self::Theirs,
        };
        voice.context().run(|| unsaid.iter().for_each(Notice::log));
        voice
    }

    /// The log begins, since the process ends with this.
    fn begun(self) -> Self {
        match self {
            Self::NotBegun { mut log, unsaid } => {
                log.begin();
                Self::of(*log, unsaid)
            }
            begun => begun,
        }
    }

    fn context(&self) -> LogContext {
        match self {
            Self::Log { logging, .. } => LogContext::of(logging.own_subscriber()),
            Self::Theirs | Self::NotBegun { .. } | Self::Silent | Self::Plan { .. } => {
                LogContext::default()
            }
        }
    }
}

/// Begins the log of a host. What tells of it is to run with the result.
pub(super) fn begin(log: &mut Log) -> LogContext {
    log.begin();
    LogContext::of(log.running().and_then(|logging| logging.own_subscriber()))
}

impl Refusal {
    /// A failure of the process itself, before anything else is known.
    pub(super) fn internal(error: std::io::Error) -> Self {
        let error = HostError::Server(Box::new(error));
        Self { error, remarks: Vec::new(), voice: Voice::Theirs }
    }

    /// An answer that the command line asked for.
    pub(super) fn answer(text: String, remarks: String) -> Self {
        Self::silent(HostError::Answered(Answer { text, remarks }))
    }

    /// One that no log hears of.
    pub(super) fn silent(error: HostError) -> Self {
        Self { error, remarks: Vec::new(), voice: Voice::Silent }
    }

    /// Tells the log, for whoever gets the error and tells it in a way of its own.
    pub(super) fn logged(self) -> HostError {
        match &self.voice {
            Voice::Silent | Voice::Plan { .. } => {}
            Voice::Theirs => self.log(),
            Voice::NotBegun { unsaid, .. } => {
                // Nothing is installed for an error that is handed on.
                unsaid.iter().for_each(Notice::log);
                self.log();
            }
            Voice::Log { logging, .. } => {
                self.voice.context().run(|| self.log());
                logging.finish();
            }
        }
        self.error
    }

    /// Tells it, and gives its exit code: the last words of a host that does not start.
    pub(super) fn tell(self) -> ExitCode {
        self.tell_kind().into()
    }

    /// The same, for who ends the process.
    pub(super) fn tell_kind(self) -> ExitKind {
        let refusal = Self { voice: self.voice.begun(), ..self };
        refusal.voice.context().run(|| refusal.print());
        refusal.error.exit_kind()
    }

    fn print(&self) {
        let Self { error, remarks, voice } = self;
        match voice {
            Voice::Log { logging, complete: true }
                if logging.is_active() && events::start_failures_are_logged() =>
            {
                self.log();
                logging.finish();
            }
            Voice::Log { logging, .. } if logging.is_active() => {
                // Kestrel's events stay where they are looked for; a note is no part of a report.
                let (ours, logged): (Vec<_>, Vec<_>) = remarks.iter().partition(|remark| {
                    let notice = remark.notice();
                    notice.is_warning() && !notice.is_kestrels()
                });
                logged.iter().for_each(|remark| remark.notice().log());
                events::hosting_failed_to_start(&whereabouts(error));
                logging.finish();
                print("", &format!("{}{}", error.report(), remarks_text(ours)));
            }
            Voice::Log { .. } | Voice::Theirs | Voice::NotBegun { .. } => {
                self.log();
                print("", &error.report());
            }
            Voice::Silent => error.print(),
            Voice::Plan { table } => {
                print(table, &format!("{}{}", error.report(), remarks_text(remarks)));
            }
        }
    }

    /// All of it, as events.
    fn log(&self) {
        self.remarks.iter().for_each(|remark| remark.notice().log());
        let code = self.error.exit_kind() as u64;
        for problem in self.error.problems() {
            let origin = problem.origin.as_ref().map(ToString::to_string);
            let mut text = problem.message.clone();
            for line in problem.details().lines() {
                let _ = write!(text, "\n{line}");
            }
            events::hosting_failed_because(&StartFailure {
                code,
                problem: &problem.message,
                key: problem.key.as_deref(),
                origin: origin.as_deref(),
                fix: problem.fix.as_deref(),
                text: &text,
            });
        }
    }
}

/// Where the reasons are told, for the log.
fn whereabouts(error: &HostError) -> String {
    let code = error.exit_kind() as u8;
    match error.problems().len() {
        1 => format!("The reason is told on standard error; exit code {code}."),
        count => format!("The {count} reasons are told on standard error; exit code {code}."),
    }
}

/// Tells what no subscriber hears.
pub(super) fn tell_if_unheard(problem: &Problem) {
    if tracing::dispatcher::get_default(|subscriber| subscriber.is::<NoSubscriber>()) {
        print("", &format!("warning: {problem}\n"));
    }
}

/// What a start that goes on says besides, for standard error: warnings, and the notes that the log
/// has unless less is wanted.
pub(super) fn remarks_text<'a>(remarks: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut text = String::new();
    for remark in remarks {
        let notice = remark.notice();
        if notice.is_usually_told() {
            let word = if notice.is_warning() { "warning" } else { "note" };
            let _ = writeln!(text, "{word}: {}", remark.problem());
        }
    }
    text
}

impl HostError {
    /// Prints it as [`HostBuilder::run`](super::HostBuilder::run) does, and gives its exit code: an
    /// [`Answer`] to standard output, mistakes to standard error. For a program that calls
    /// [`build`](super::HostBuilder::build) and [`start`](super::Host::start) itself.
    ///
    /// ```no_run
    /// # async fn run() -> std::process::ExitCode {
    /// let host = match kestrel::Host::from_args().build() {
    ///     Ok(host) => host,
    ///     Err(error) => return error.tell(),
    /// };
    /// # drop(host);
    /// # std::process::ExitCode::SUCCESS
    /// # }
    /// ```
    pub fn tell(&self) -> ExitCode {
        self.print();
        self.exit_kind().into()
    }

    fn print(&self) {
        match self {
            Self::Answered(Answer { text, remarks }) => print(text, remarks),
            _ => print("", &self.report()),
        }
    }

    /// A block for each mistake.
    fn report(&self) -> String {
        let mut text = String::new();
        for problem in self.problems() {
            let _ = writeln!(text, "error: {problem}");
        }
        text
    }
}

fn print(stdout: &str, stderr: &str) {
    // An output that is closed leaves the exit code to tell it.
    let _ = std::io::stdout().lock().write_all(stdout.as_bytes());
    logging::last_words(stderr.to_owned());
}
