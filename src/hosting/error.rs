//! Why a host did not start, and the exit code that says so.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::addresses::BindError;
use crate::configuration::Problem;
use crate::server::ServerError;

/// Why a host did not start. Printed, it says what is wrong, where it was set and how to fix it; `{:?}`
/// says the same, since that is what `?` in `main` and `unwrap` print.
#[non_exhaustive]
pub enum HostError {
    /// The command line is none: every mistake in it.
    Usage(Vec<Problem>),
    /// The configuration is wrong: every mistake in it.
    Configuration(Vec<Problem>),
    /// Two endpoints want the same address.
    Endpoints(Vec<Problem>),
    /// Endpoints could not be bound: every one of them.
    Bind(Vec<BindError>),
    /// A certificate cannot be served, or an https endpoint has none: every one of them.
    Certificate(Vec<Problem>),
    /// The app cannot be made: everything it says.
    App(Vec<Problem>),
    /// A service did not start: everything it says.
    Service(Vec<Problem>),
    /// Mistakes of several kinds: those of the configuration first, then those of certificates, then
    /// those of endpoints, then those of the app.
    Several(Vec<Self>),
    /// The command line asked for an answer instead of a start, such as `--plan`. It is no mistake:
    /// its exit code is 0.
    Answered(Answer),
    /// The server failed in another way.
    Server(Box<dyn Error + Send + Sync>),
}

/// What a command line asked for instead of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The answer, for standard output.
    pub text: String,
    /// What a start would say besides, for standard error: warnings and notes. Empty for most.
    pub remarks: String,
}

/// The exit codes of a host; `docs/diagnostics.md` tells them to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum ExitKind {
    /// It ran and was stopped.
    Stopped = 0,
    /// Something failed that should not.
    Internal = 1,
    /// The command line is no command.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// An address could not be bound.
    Binding = 4,
    /// A certificate is missing or wrong.
    Certificate = 5,
    /// The app cannot be made.
    App = 6,
    /// A service did not start, or failed.
    Service = 7,
}

impl From<ExitKind> for ExitCode {
    fn from(kind: ExitKind) -> Self {
        Self::from(kind as u8)
    }
}

impl HostError {
    /// The exit code that tells a supervisor what kind of error it is: none of them is cured by a
    /// restart without a change. Among several, the first counts.
    pub fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Usage(_) => ExitKind::Usage,
            Self::Configuration(_) => ExitKind::Configuration,
            Self::Endpoints(_) | Self::Bind(_) => ExitKind::Binding,
            Self::Certificate(_) => ExitKind::Certificate,
            Self::App(_) => ExitKind::App,
            Self::Service(_) => ExitKind::Service,
            Self::Answered(_) => ExitKind::Stopped,
            Self::Several(errors) => errors.first().map_or(ExitKind::Internal, Self::exit_kind),
            Self::Server(_) => ExitKind::Internal,
        }
    }

    /// The problems, each as what / where it was set / how to fix.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Usage(problems)
            | Self::Configuration(problems)
            | Self::Endpoints(problems)
            | Self::Certificate(problems)
            | Self::App(problems)
            | Self::Service(problems) => problems.clone(),
            Self::Bind(errors) => errors.iter().map(BindError::problem).collect(),
            Self::Answered(_) => Vec::new(),
            Self::Several(errors) => errors.iter().flat_map(Self::problems).collect(),
            Self::Server(error) => {
                vec![Problem::error(format!("The server failed: {error}"))]
            }
        }
    }
}

impl From<ServerError> for HostError {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Bind(errors) => Self::Bind(errors),
            ServerError::Other(error) => Self::Server(error),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Answered(answer) = self {
            return f.write_str(&answer.text);
        }
        let problems = self.problems();
        for (place, problem) in problems.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for HostError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Bind(errors) => errors.first().and_then(Error::source),
            Self::Server(error) => error.source(),
            _ => None,
        }
    }
}
