//! One process: how it is started and ended.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::board::TOKEN;
use super::contract::{Contract, EVENT, Listens, SHUTDOWN, is_kept, place_of_events};
use super::environment::Around;
use super::failure::{Cause, ProcessFailure, how};
use super::guard::{Guard, HAS_SIGNALS, Running, Signal, spawn};
use super::options::ChildOptions;
use super::output::{Output, Told};
use super::place::{Place, is_taken};
use super::proc;
use crate::apps::reverse_proxy::OneServer;
use crate::diagnostics::events;
use crate::middleware::{LineWriter, LogFile, stamp};

/// A process that runs, or has ended. Dropping it kills it, and what it has started.
#[derive(Debug)]
pub(super) struct Process {
    child: Running,
    guard: Option<Guard>,
    pub(super) id: u32,
    pub(super) command: String,
    /// What its requests carry.
    pub(super) token: HeaderValue,
    /// Where it is told what happens here.
    events: String,
    mark: String,
    output: Output,
    place: Place,
    begun: Instant,
}

/// How long lines wait at most until they are written to a file.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

impl Process {
    /// Starts one. It may take a while until it is ready.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn start(
        options: &ChildOptions,
        around: &Around,
    ) -> Result<Self, ProcessFailure> {
        let mark = random_name();
        let place = (around.temporary.as_path(), mark.as_str());
        let place = Place::find(options.listen, place, options.run_as.as_ref()).await;
        let failed = |cause, arguments: &[String]| ProcessFailure {
            command: shown(&options.program, arguments),
            cause,
            lines: Vec::new(),
        };
        let place = place.map_err(|error| failed(Cause::NoPlace(error), &options.arguments))?;
        if let Listens::Port(port) = place.listens
            && is_taken(port).await
        {
            return Err(failed(Cause::Taken(port), &options.arguments));
        }
        let contract = Contract {
            listens: place.listens.clone(),
            token: random_name(),
            mark: mark.clone(),
            https_port: around.addresses.https_port().map(|(port, _)| port),
        };
        let guard =
            Guard::begin(&mark).inspect_err(|error| events::no_guard(&error.to_string())).ok();
        let arguments = contract.arguments(options);
        let spawned = spawn(command(options, around, &contract), guard.as_ref())
            .map_err(|error| failed(Cause::NotStarted(error), &arguments))?;
        let command = shown(&options.program, &arguments);
        let mut process = Self {
            id: spawned.id().unwrap_or_default(),
            output: output(options, spawned.id().unwrap_or_default()),
            child: spawned,
            guard,
            command,
            token: value_of(&contract.token),
            events: place_of_events(&options.path_base),
            mark,
            place,
            begun: Instant::now(),
        };
        process.read_output();
        match process.release(options).await {
            Ok(()) => Ok(process),
            Err(error) => Err(process.failed(Cause::NotStarted(error)).await),
        }
    }

    fn read_output(&mut self) {
        if let Some(stream) = self.child.stdout.take() {
            self.output.add(stream);
        }
        if let Some(stream) = self.child.stderr.take() {
            self.output.add(stream);
        }
    }

    /// Sets the limits of one that waits for them, and lets it go on.
    async fn release(&mut self, options: &ChildOptions) -> io::Result<()> {
        let Some(mut pipe) = self.child.stdin.take() else { return Ok(()) };
        super::guard::limit(self.id, &options.limits)?;
        pipe.write_all(b"\n").await
    }

    pub(super) fn listens(&self) -> &Listens {
        &self.place.listens
    }

    /// How long ago it was started.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Its processes.
    pub(super) fn members(&self) -> Vec<u32> {
        let group = self.guard.as_ref().map_or(self.id, Guard::number);
        let mut members = proc::members(group, &self.mark);
        members.retain(|member| Some(*member) != self.guard.as_ref().map(Guard::number));
        members
    }

    /// Why it is there no more, of one that has ended.
    pub(super) async fn ended_with(
        mut self,
        status: &io::Result<ExitStatus>,
        was_ready: bool,
    ) -> ProcessFailure {
        let how = match status {
            Ok(status) => how(*status),
            Err(error) => format!("an error of the system ({error})"),
        };
        let (after, left) = (self.age(), self.members().len());
        let cause = Cause::Ended { how, after, was_ready, left };
        // Whoever holds the pipes would hold up what is read of them.
        self.guard = None;
        self.failed(cause).await
    }

    /// Ends it because of something, and tells that with the last lines of its output.
    pub(super) async fn failed(mut self, cause: Cause) -> ProcessFailure {
        self.guard = None;
        let _ = self.child.start_kill();
        let lines = self.output.last_lines().await;
        ProcessFailure { command: self.command, cause, lines }
    }

    /// What its host says in requests of its own.
    pub(super) fn fields(&self) -> HeaderMap {
        HeaderMap::from_iter([(TOKEN, self.token.clone())])
    }

    /// Asks it to end, and ends it if it does not. Nothing of it is left then. Where there are no signals, its server
    /// is asked.
    pub(super) async fn stop(mut self, limit: Duration, server: &OneServer) {
        let end = async {
            match HAS_SIGNALS {
                true => self.signal(Signal::Term),
                false => self.ask_to_end(server, limit).await?,
            }
            let _ = self.child.wait().await;
            Ok::<_, StatusCode>(())
        };
        match timeout(limit, end).await {
            Ok(Ok(())) => {}
            Ok(Err(status)) => {
                events::process_knows_no_end((&self.command, self.id), status.as_u16())
            }
            Err(_) => events::process_killed(&self.command, self.id, limit),
        }
        self.guard = None;
        let _ = self.child.kill().await;
        // What it wrote last is told before others tell that all is over.
        self.output.last_lines().await;
    }

    /// Asks it by a request, as the contract says. Whoever gives no answer may be about to end.
    ///
    /// # Errors
    ///
    /// It answers with the status of one that does not know the question: such as 404, or what it says to everything.
    async fn ask_to_end(&self, server: &OneServer, limit: Duration) -> Result<(), StatusCode> {
        let mut fields = self.fields();
        fields.insert(EVENT, SHUTDOWN);
        match server.ask((&Method::POST, &self.events), &fields, limit).await {
            Ok(status) if status != StatusCode::ACCEPTED => Err(status),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn signal(&self, signal: Signal) {
        match &self.guard {
            Some(guard) => guard.signal(signal),
            None => super::guard::signal_one(self.id, signal),
        }
    }
}

/// A token in a request. It consists of letters and digits, unless somebody has configured another.
fn value_of(token: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(token).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// A name that nobody guesses.
fn random_name() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // The system has none; what is guessed by chance is better than what is known.
        fastrand::fill(&mut bytes);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn command(options: &ChildOptions, around: &Around, contract: &Contract) -> Command {
    let arguments = contract.arguments(options);
    let mut command = match options.umask.is_some() || options.limits != Default::default() {
        true => super::guard::held(options, &arguments),
        false => {
            let mut command = Command::new(&options.program);
            command.args(&arguments).stdin(Stdio::null());
            command
        }
    };
    command.current_dir(&options.working_directory).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if options.clears_environment {
        command.env_clear();
        let kept = around.inherited.iter().filter(|(name, _)| is_kept(name));
        command.envs(kept.map(|(name, value)| (OsString::from(name), OsString::from(value))));
    }
    for (name, _) in around.inherited.iter().filter(|(name, _)| super::environment::is_ours(name)) {
        command.env_remove(name);
    }
    command.env("ASPNETCORE_ENVIRONMENT", &around.environment);
    command.envs(contract.variables(options));
    #[cfg(unix)]
    if let Some(run_as) = &options.run_as {
        command.gid(run_as.group).uid(run_as.user);
    }
    command
}

fn output(options: &ChildOptions, process: u32) -> Output {
    let program = options.program.file_name().unwrap_or(options.program.as_os_str());
    let file = options.output_file.as_ref().map(|path| {
        let mut name = path.clone().into_os_string();
        name.push(format!("_{}_{}.log", stamp(), std::process::id()));
        LineWriter::start(Box::new(LogFile::open(name.into())), WRITTEN_WITHIN)
    });
    let program = program.to_string_lossy().into_owned();
    Output::new(Told { program, process, file })
}

/// What stands in words without quotes.
const PLAIN: &[u8] = if cfg!(windows) { b"-_./:=,@%+{}[]\\" } else { b"-_./:=,@%+{}[]" };

/// A command as somebody would type it.
fn shown(program: &Path, arguments: &[String]) -> String {
    let program = program.display().to_string();
    let arguments = without_secrets(arguments);
    let words = std::iter::once(&program).chain(&arguments).map(|word| {
        let is_plain = !word.is_empty()
            && word.bytes().all(|it| it.is_ascii_alphanumeric() || PLAIN.contains(&it));
        if is_plain { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Arguments as a log may have them: the values of those that speak of secrets are hidden.
fn without_secrets(arguments: &[String]) -> Vec<String> {
    const WORDS: &[&str] =
        &["password", "passwd", "pwd", "secret", "token", "apikey", "api-key", "credential"];
    let speaks = |name: &str| {
        let name = name.to_ascii_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    };
    let mut hides_next = false;
    let shown = arguments.iter().map(|argument| {
        let was_before = std::mem::take(&mut hides_next);
        match argument.split_once('=') {
            Some((name, _)) if speaks(name) => format!("{name}=(hidden)"),
            None if argument.starts_with('-') && speaks(argument) => {
                hides_next = true;
                argument.clone()
            }
            _ if was_before && !argument.starts_with('-') => "(hidden)".to_owned(),
            // A user and a password in an address.
            _ => match argument.split_once("://") {
                Some((scheme, rest)) => match rest.rsplit_once('@') {
                    Some((_, host)) => format!("{scheme}://{host}"),
                    None => argument.clone(),
                },
                None => argument.clone(),
            },
        }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let arguments = ["-m", "http.server", "a b", "", "it's", "{port}"].map(str::to_owned);
        assert_eq!(
            shown(Path::new("python3"), &arguments),
            "python3 -m http.server 'a b' '' 'it'\\''s' {port}"
        );
    }

    #[test]
    fn secrets_among_arguments_are_hidden() {
        let arguments =
            ["--password", "p1", "--db-token=p2", "--secret", "-v", "postgres://u:p3@host/db"];
        let shown = shown(Path::new("app"), &arguments.map(str::to_owned));
        assert_eq!(
            shown,
            "app --password '(hidden)' '--db-token=(hidden)' --secret -v postgres://host/db"
        );
    }

    #[test]
    fn names_are_not_the_same_twice() {
        assert_ne!(random_name(), random_name());
        assert_eq!(random_name().len(), 32);
    }
}
