//! How a program of any language is run behind the host, as plain data. (The section `AspNetCore`, in the words of
//! the ASP.NET Core Module.)

use std::path::PathBuf;
use std::time::Duration;

/// A program that answers requests in the place of an app.
///
/// In `arguments` and `variables`, `{port}`, `{socket}` and `{url}` stand for what the process is to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildOptions {
    /// What is run: a file, or a name that is looked for in `PATH`. (`ProcessPath`.)
    pub(crate) program: PathBuf,
    /// Each as it is handed over. (`Arguments`.)
    pub(crate) arguments: Vec<String>,
    /// The same as they may be shown: without secrets.
    pub(crate) shown_arguments: Vec<String>,
    /// The folder that it starts in. Default: the content root. (`WorkingDirectory`.)
    pub(crate) working_directory: PathBuf,
    /// Added to the variables that it inherits, over them. (`EnvironmentVariables`.)
    pub(crate) variables: Vec<(String, String)>,
    /// Whether it inherits no variables, but for a few such as `PATH`, `HOME` and `LANG`. Default: it inherits them.
    /// (`ClearEnvironment`.)
    pub(crate) clears_environment: bool,
    /// What it is to listen on. (`Listen`.)
    pub(crate) listen: Listen,
    /// Whether it is spoken to in HTTP/2. Default: in HTTP/1.1. (`HttpVersion`.)
    pub(crate) speaks_http2: bool,
    /// A path that it answers with a status below 400 once it is ready. `None`: it is as soon as it accepts
    /// connections. (`Health`.)
    pub(crate) health: Option<String>,
    /// How long it may take until it is ready. Default: 2 minutes. (`StartupTimeLimit`.)
    pub(crate) startup_time_limit: Duration,
    /// How long it may take to end once it was asked to. Default: 10 seconds. (`ShutdownTimeLimit`.)
    pub(crate) shutdown_time_limit: Duration,
    /// How often it may end by itself within a minute; once more, and it is left alone until the minute is over.
    /// Default: 10. (`RapidFailsPerMinute`.)
    pub(crate) rapid_fails_per_minute: u32,
    /// How long nothing may happen on the way to it and back. Default: 2 minutes. (`RequestTimeout`.)
    pub(crate) request_timeout: Duration,
    /// How many requests wait at most for a process that starts. Default: 1000. (`RequestQueueLimit`.)
    pub(crate) request_queue_limit: u32,
    /// How many of it run at once, one request for each in turn. Default: 1. (`ProcessesPerApplication`.)
    pub(crate) processes: u32,
    /// A file that its output is written to besides the log: this, with the moment of the start and the number of
    /// this process behind it. (`StdoutLogEnabled`, `StdoutLogFile`.)
    pub(crate) output_file: Option<PathBuf>,
    /// Files and folders whose changes put another process in its place. (`Watch`.)
    pub(crate) watch: Vec<PathBuf>,
    /// When another one takes its place although nothing changed. (`Recycle`.)
    pub(crate) recycle: Recycle,
    /// As whom it runs. `None`: as this process. (`User`, `Group`.)
    pub(crate) run_as: Option<RunAs>,
    /// What is taken from the rights of files that it makes. `None`: what is inherited. (`Umask`.)
    pub(crate) umask: Option<u32>,
    /// What it may use of the machine. (`Limits`.)
    pub(crate) limits: ResourceLimits,
    /// Below which path it answers, as it is told; `/` for all. Requests reach it with their whole paths.
    pub(crate) path_base: String,
    /// A file whose presence closes the app: requests are answered with what is in it, and the process is ended.
    /// (`app_offline.htm` in the folder that it starts in: of several sites, each has its own.)
    pub(crate) offline_page: PathBuf,
    /// Whether clients see why it does not answer: in Development.
    pub(crate) shows_details: bool,
    /// The site of `Sites` that it answers for. `None`: it answers for all of the host.
    pub(crate) site: Option<String>,
}

impl ChildOptions {
    /// How long a process answers its last requests, once another has its place: as long as a request may go without a
    /// word, so that what lasts longer than the time to end is answered, and what lasts for ever does not keep it.
    pub(super) fn last_answers_limit(&self) -> Duration {
        self.request_timeout.max(self.shutdown_time_limit)
    }
}

/// What a process is to listen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Listen {
    /// A port of 127.0.0.1 that is free.
    #[default]
    Port,
    /// This port of 127.0.0.1, which two processes cannot have at once: the old one ends before the new one starts.
    ThisPort(u16),
    /// A Unix socket in a folder that nobody else sees into.
    Socket,
}

/// When another process takes the place of one. `None`: never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recycle {
    /// So long after its start. (`Recycle:Time`.)
    pub(crate) time: Option<Duration>,
    /// Once it has so many bytes of memory. (`Recycle:Memory`.)
    pub(crate) memory: Option<u64>,
    /// After so many requests. (`Recycle:Requests`.)
    pub(crate) requests: Option<u64>,
}

/// As whom a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunAs {
    /// As it is written.
    pub(crate) name: String,
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// What a process may use. `None`: what is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourceLimits {
    /// How many descriptors. (`Limits:OpenFiles`.)
    pub(crate) open_files: Option<u64>,
    /// Bytes of address space. (`Limits:Memory`.)
    pub(crate) memory: Option<u64>,
    /// How many processes of its user there may be. (`Limits:Processes`.)
    pub(crate) processes: Option<u64>,
    /// Bytes of what is written when it crashes. (`Limits:CoreSize`.)
    pub(crate) core_size: Option<u64>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A program with arguments, and the defaults of all else.
    pub(crate) fn running(program: &str, arguments: &[&str]) -> ChildOptions {
        ChildOptions {
            program: program.into(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            shown_arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            working_directory: ".".into(),
            variables: Vec::new(),
            clears_environment: false,
            listen: Listen::Port,
            speaks_http2: false,
            health: None,
            startup_time_limit: Duration::from_secs(120),
            shutdown_time_limit: Duration::from_secs(10),
            rapid_fails_per_minute: 10,
            request_timeout: Duration::from_secs(120),
            request_queue_limit: 1000,
            processes: 1,
            output_file: None,
            watch: Vec::new(),
            recycle: Recycle::default(),
            run_as: None,
            umask: None,
            limits: ResourceLimits::default(),
            path_base: "/".to_owned(),
            offline_page: "app_offline.htm".into(),
            shows_details: false,
            site: None,
        }
    }
}
