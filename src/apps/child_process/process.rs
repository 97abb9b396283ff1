//! One process: how it is started and ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::board::TOKEN;
use super::contract::{
    Contract, EVENT, Listens, SHUTDOWN, TOKEN_VARIABLE, is_kept, place_of_events, shown,
};
use super::environment::Around;
use super::failure::{Cause, ProcessFailure, exit_code, how};
use super::guard::{Guard, HAS_SIGNALS, Running, Signal, signal, spawn};
use super::options::{ChildOptions, Listen};
use super::orders::Grace;
use super::output::{Output, Told};
use super::output_file::OutputFile;
use super::place::{Place, is_taken};
use super::proc;
use crate::apps::reverse_proxy::OneServer;
use crate::diagnostics::events;
use crate::middleware::{LineWriter, stamp};

/// A process that runs, or has ended. Dropping it kills it, and what it has started.
#[derive(Debug)]
pub(super) struct Process {
    child: Running,
    guard: Option<Guard>,
    pub(super) id: u32,
    pub(super) command: String,
    /// What its requests carry.
    pub(super) token: HeaderValue,
    /// Whether somebody listens at its port on more than the loopback. Nobody else may, but it takes a look to say so.
    pub(super) may_be_open: bool,
    /// Where it is told what happens here.
    events: String,
    mark: String,
    output: Output,
    place: Place,
    begun: Instant,
}

/// How long lines wait at most until they are written to a file.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// How often it is looked whether others have ended with it.
const OTHERS: Duration = Duration::from_millis(50);

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
        let failed = |cause, command| ProcessFailure {
            command,
            cause,
            process: None,
            exit_code: None,
            lines: Vec::new(),
        };
        let as_written = || shown(options, &options.shown_arguments);
        if let Listen::ThisPort(port) = options.listen
            && is_taken(port).await
        {
            return Err(failed(Cause::Taken(port), as_written()));
        }
        let place = (around.temporary.as_path(), mark.as_str());
        let place = Place::find(options.listen, place, options.run_as.as_ref()).await;
        let place = place.map_err(|error| failed(Cause::NoPlace(error), as_written()))?;
        let own_token = options.variables.iter().find(|(name, _)| name == TOKEN_VARIABLE);
        let contract = Contract {
            listens: place.listens.clone(),
            token: own_token.map_or_else(random_name, |(_, token)| token.clone()),
            mark: mark.clone(),
            https_port: around.addresses.https_port().map(|(port, _)| port),
        };
        let guard = Guard::begin(&mark, place.folder());
        let guard = guard.inspect_err(|error| events::no_guard(&error.to_string())).ok();
        let shown = contract.shown(options);
        let spawned = match spawn(command(options, around, &contract), guard.as_ref()) {
            Ok(spawned) => spawned,
            Err(error) => return Err(failed(Cause::NotStarted(error), shown)),
        };
        let id = spawned.id().unwrap_or_default();
        let mut process = Self {
            id,
            output: output(options, id),
            child: spawned,
            guard,
            command: shown,
            token: value_of(&contract.token),
            may_be_open: false,
            events: place_of_events(&options.path_base),
            mark,
            place,
            begun: Instant::now(),
        };
        process.read_output();
        Ok(process)
    }

    fn read_output(&mut self) {
        if let Some(stream) = self.child.stdout.take() {
            self.output.add(stream);
        }
        if let Some(stream) = self.child.stderr.take() {
            self.output.add(stream);
        }
    }

    /// Told whenever it has written something.
    pub(super) fn wrote(&self) -> Arc<Notify> {
        self.output.wrote()
    }

    pub(super) fn listens(&self) -> &Listens {
        &self.place.listens
    }

    /// How long ago it was started.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Sees to it that what it leaves behind is ended, also if somebody has killed who does that.
    pub(super) fn guard_again(&mut self) {
        let Some(guard) = &mut self.guard else { return };
        match guard.renew(&self.mark, self.place.folder()) {
            Ok(false) => {}
            Ok(true) => events::guard_was_killed(self.id),
            Err(error) => events::no_guard(&error.to_string()),
        }
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Its group, and the mark of all that it has started.
    pub(super) fn family(&self) -> (u32, String) {
        (self.guard.as_ref().map_or(self.id, Guard::number), self.mark.clone())
    }

    /// Its processes.
    pub(super) fn members(&self) -> Vec<u32> {
        let (group, mark) = self.family();
        let mut members = proc::members(group, &mark);
        members.retain(|member| Some(*member) != self.guard.as_ref().map(Guard::watcher));
        members
    }

    /// Kills what there is of it, and lets go of the shell that does; how many that were. What has left its group is known
    /// by its mark, but not to a shell that somebody has killed with the group.
    fn kill_rest(&mut self) -> usize {
        // One that is killed may have started another in that moment.
        const MOST_ROUNDS: u32 = 100;
        let mut killed = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            let mut new = self.members();
            new.retain(|member| killed.insert(*member));
            if new.is_empty() {
                break;
            }
            new.iter().for_each(|member| signal(*member, Signal::Kill));
        }
        self.guard = None;
        killed.len()
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
        let after = self.age();
        // Whoever holds the pipes would hold up what is read of them.
        let left = self.kill_rest();
        let cause = Cause::Ended { process: self.id, how, after, was_ready, left };
        let exit_code = status.as_ref().ok().and_then(|it| exit_code(*it));
        ProcessFailure { exit_code, ..self.failed(cause).await }
    }

    /// Ends it because of something, and tells that with the last lines of its output.
    pub(super) async fn failed(mut self, cause: Cause) -> ProcessFailure {
        self.kill_rest();
        let _ = self.child.start_kill();
        let lines = self.output.last_lines().await;
        let process = Some(self.id);
        ProcessFailure { command: self.command, cause, process, exit_code: None, lines }
    }

    /// What its host says in requests of its own.
    pub(super) fn fields(&self) -> HeaderMap {
        HeaderMap::from_iter([(TOKEN, self.token.clone())])
    }

    /// Why nobody is to be sent to it any more, of one that goes on.
    pub(super) fn lost(&self, cause: Cause) -> ProcessFailure {
        let (command, process) = (self.command.clone(), Some(self.id));
        ProcessFailure { command, cause, process, exit_code: None, lines: Vec::new() }
    }

    /// Asks it to end, and ends it if it does not. Nothing of it is left then. Where there are no signals, its server
    /// is asked; one that has none yet cannot be.
    pub(super) async fn stop(mut self, grace: Grace, server: Option<&OneServer>) {
        let (command, id) = (self.command.clone(), self.id);
        let telling = async {
            let left = grace.is_felt().await;
            events::stop_waits_for_process((&command, id), left);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = self.end(&grace, server) => {}
            () = telling => {}
        }
        self.kill_rest();
        let _ = self.child.kill().await;
        // What it wrote last is told before others tell that all is over.
        self.output.last_lines().await;
    }

    /// Asks it to end, and then what is left of it, and waits for that; tells what did not in time.
    async fn end(&mut self, grace: &Grace, server: Option<&OneServer>) {
        let asked = async {
            match (HAS_SIGNALS, server) {
                (true, _) => signal(self.id, Signal::Term),
                (false, Some(server)) => self.ask_to_end(server, grace.told().0).await?,
                (false, None) => return Ok(false),
            }
            let _ = self.child.wait().await;
            Ok::<_, StatusCode>(true)
        };
        let ended = tokio::select! {
            biased;
            ended = asked => Some(ended),
            () = grace.over() => None,
        };
        match ended {
            Some(Ok(false)) => {}
            Some(Ok(true)) => tokio::select! {
                biased;
                () = self.others_ended() => {}
                () = grace.over() => events::others_killed((&self.command, self.id), grace.told()),
            },
            Some(Err(status)) => {
                events::process_knows_no_end((&self.command, self.id), status.as_u16());
            }
            None => events::process_killed((&self.command, self.id), grace.told()),
        }
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

    /// Asks those to end that are left of it, and waits until they have. They are asked once it is gone: until then it ends
    /// its workers by itself, in its own order, and would take signals that they get besides for a mishap.
    async fn others_ended(&self) {
        let (mut asked, mut others) = (Vec::new(), self.members());
        while !others.is_empty() {
            // Some have come since.
            others
                .iter()
                .filter(|it| !asked.contains(*it))
                .for_each(|it| signal(*it, Signal::Term));
            asked = others;
            sleep(OTHERS).await;
            others = self.members();
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
            command.args(&arguments);
            command
        }
    };
    command.stdin(Stdio::null());
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
        super::guard::run_as(&mut command, run_as, &options.variables);
    }
    command
}

fn output(options: &ChildOptions, process: u32) -> Output {
    let program = options.program.file_name().unwrap_or(options.program.as_os_str());
    let file = options.output_file.as_ref().map(|path| {
        let mut name = path.clone().into_os_string();
        name.push(format!("_{}_{}.log", stamp(), std::process::id()));
        LineWriter::start(Box::new(OutputFile::new(name.into())), WRITTEN_WITHIN)
    });
    let program = program.to_string_lossy().into_owned();
    Output::new(Told { program, process, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_not_the_same_twice() {
        assert_ne!(random_name(), random_name());
        assert_eq!(random_name().len(), 32);
    }
}
