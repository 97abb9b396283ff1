//! From a builder to a host: what code says and what the sources say become one configuration, which is
//! judged. Nothing is bound here.
//!
//! A draft is read, may make its app, and is judged: what is wrong with the app is told with everything
//! else.

use std::path::PathBuf;
use std::sync::Arc;

use super::app::{AppContext, AppSource, Making};
use super::child_process::Around;
use super::command_arguments::CommandArguments;
use super::command_line::{self, Asked, CommandLine, Form};
use super::error::HostError;
use super::finding::{Finding, Subject};
use super::findings::Findings;
use super::given::Given;
use super::health_check;
use super::hermetic::Hermetic;
use super::host::Host;
use super::live_configuration::Published;
use super::pipeline::OfHost;
use super::plan_text::{go_through, plan_table};
use super::prepare::Prepared;
use super::proxy_arguments::ProxyArguments;
use super::report::{Refusal, Voice, begin};
use super::services::Registration;
use super::sources::{Sources, listen_to};
use super::web_root::make_web_root;
use super::{passed_sockets, process, usage};
use crate::addresses::{self, BindError, Network, Relation};
use crate::configuration::{
    AddedSource, Inputs, Loaded, LookedFor, Origin, Problem, Severity, SourcePlace, Sourced,
};
use crate::diagnostics::{LogContext, Notice, events};
use crate::features::{Living, ServerAddresses};
use crate::logging::{Log, LogTo};
use crate::middleware::Checks;
use crate::pipeline::Layers;
use crate::server::Server;
use crate::tls::places::Places;

/// A host whose configuration is read and not judged yet.
pub(super) struct Draft {
    sources: Box<Sources>,
    prepared: Box<Prepared>,
    live: Published,
    context: AppContext,
    living: Living,
    app: Making,
    layers: Layers,
    services: Vec<Registration>,
    server: Option<Box<dyn Server>>,
    log: Log,
    /// What is to be said once the log begins.
    unsaid: Vec<Notice>,
    /// What nobody might hear, since there is no log.
    unheard: Option<Problem>,
    /// The web root, if it was named and is not there.
    web_root: Option<Sourced<PathBuf>>,
    findings: Findings,
}

impl Draft {
    /// Reads everything.
    ///
    /// # Errors
    ///
    /// The command line is none, or asks for an answer instead of a start, such as `--plan`.
    pub(super) fn read(mut given: Given) -> Result<Self, Refusal> {
        // A host that does not come about has ended, too.
        let living = given.lifetime.begin();
        let command_line = read_command_line(&mut given)?;
        let asked = command_line.asked;
        #[cfg(feature = "cli")]
        if let Some(mistake) = given.generate.as_ref().and_then(|it| it.mistake()) {
            return Err(Refusal::silent(HostError::Usage(vec![mistake])));
        }
        let log_is_off = given.log_to.is_none() && given.only_code && given.hermetic.is_none();
        let surroundings = given.surroundings.clone();
        let (mut sources, mut unread) = sources(&mut given, command_line);
        let prepared = Box::new(Prepared::read(&mut sources));
        let web_root = prepared.settings.web_root.clone().filter(|it| !it.value.is_dir());
        let unheard = if log_is_off { unwritten_log(&prepared.loaded) } else { None };
        unread.extend(unheard.clone());
        let configuration = &prepared.loaded.configuration;
        unread.extend(health_check::unasked(&given.health_checks, configuration));
        let mut findings = Findings::of(&prepared, unread, web_root.as_ref());
        if asked == Some(Asked::Plan) {
            findings.of_app.extend(not_made_for_a_plan(&given));
            if !sources.another_server {
                findings.of_sockets = hindrances(&prepared, &sources.network);
            }
            let text = |prepared: &Prepared| {
                let Prepared { plan, certificates, .. } = prepared;
                let table = plan_table(plan, certificates, sources.another_server);
                Ok(table + &go_through(prepared, &given.layers))
            };
            return Err(findings.answer(&prepared, sources.strict, web_root.as_ref(), text));
        }
        #[cfg(feature = "cli")]
        if let Some(wanted) = &given.generate {
            let text = |prepared: &Prepared| wanted.text(prepared);
            return Err(findings.answer(&prepared, sources.strict, web_root.as_ref(), text));
        }
        let terminal =
            process::terminal(surroundings.as_ref().unwrap_or(&sources.inputs.variables));
        let log_to = given.log_to.unwrap_or(match sources.only_code {
            true => LogTo::Program,
            false => LogTo::Console,
        });
        let log = Log::new(log_to, prepared.settings.logging.clone(), terminal);
        let unsaid = of_files(&prepared.loaded);
        let live = Published::new(prepared.loaded.configuration.clone());
        let addresses = ServerAddresses::default();
        let of_host = OfHost {
            addresses: addresses.clone(),
            lifetime: given.lifetime.clone(),
            checks: Arc::new(Checks::new(std::mem::take(&mut given.health_checks))),
            logs: Default::default(),
            limiters: Arc::default(),
            upstreams: Arc::default(),
            strangers: Arc::default(),
            children: Arc::default(),
            around: Arc::new(Around {
                inherited: sources.inputs.variables.clone(),
                environment: prepared.loaded.environment.value.clone(),
                temporary: process::temporary_folder(),
                addresses: addresses.clone(),
                lifetime: given.lifetime.clone(),
            }),
            sites: Default::default(),
        };
        let context = AppContext {
            live_configuration: live.handle(),
            configuration: prepared.loaded.configuration.clone(),
            environment: prepared.loaded.environment.value.as_str().into(),
            content_root: prepared.loaded.content_root.value.as_path().into(),
            addresses,
            of_host,
            lifetime: given.lifetime,
        };
        Ok(Self {
            sources: Box::new(sources),
            prepared,
            live,
            context,
            living,
            app: Making::ToDo(given.app.unwrap_or_else(AppSource::welcome_page)),
            layers: given.layers,
            services: given.services,
            server: given.server,
            log,
            unsaid,
            unheard,
            web_root,
            findings,
        })
    }

    /// Begins the log before the start does, and says what there is to say by now.
    pub(super) fn begin_log(&mut self) -> LogContext {
        let context = begin(&mut self.log);
        context.run(|| self.unsaid.drain(..).for_each(|notice| notice.log()));
        context
    }

    /// Makes the app, unless files could not be read: what is wrong with it would be a consequence.
    pub(super) async fn make_app(mut self) -> Self {
        if !self.prepared.loaded.is_incomplete() {
            self.app = self.app.make(&self.context).await;
        }
        self
    }

    /// Judges what was read: a host, if nothing speaks against it.
    ///
    /// # Errors
    ///
    /// Everything that does, together.
    pub(super) fn judge(self) -> Result<Host, Refusal> {
        let Self { mut sources, prepared, log, mut unsaid, web_root, context, .. } = self;
        // It stays what it was at the start: a reload is judged by that.
        sources.shutdown_timeout = Some(prepared.settings.shutdown_timeout);
        let mut findings = self.findings;
        if let Making::Failed(problems) = &self.app {
            let wrong = |problem: &Problem| Finding::of_problem(Subject::App, problem.clone());
            findings.of_app.extend(problems.iter().map(wrong));
        }
        let (error, findings) = findings.judge(sources.strict);
        if let Some(error) = error {
            return Err(Refusal { error, remarks: findings.all(), voice: Voice::of(log, unsaid) });
        }
        unsaid.extend(findings.of_settings.iter().map(|finding| finding.notice().clone()));
        match web_root.as_ref().map(make_web_root) {
            None => {}
            Some(Ok(created)) => unsaid.push(created),
            Some(Err(problem)) => {
                let error = HostError::Configuration(vec![problem]);
                let remarks = findings.behind_settings();
                return Err(Refusal { error, remarks, voice: Voice::of(log, unsaid) });
            }
        }
        Ok(Host {
            shutdown_timeout: prepared.settings.shutdown_timeout,
            sources,
            prepared,
            live: self.live,
            remarks: findings.behind_settings(),
            context,
            living: self.living,
            app: self.app,
            layers: self.layers,
            services: self.services,
            server: self.server,
            log,
            unsaid,
            unheard: self.unheard,
        })
    }
}

/// Takes the command line apart.
///
/// # Errors
///
/// It is none, or asks for an answer that needs no configuration.
fn read_command_line(given: &mut Given) -> Result<CommandLine, Refusal> {
    let mut arguments = std::mem::take(&mut given.arguments);
    if given.hermetic.is_some() && given.arguments_of_process {
        arguments.clear();
    }
    let mut command_line = match (given.settings_only, given.named_after_content_root) {
        (true, _) => command_line::settings_only(&arguments),
        (false, true) => command_line::read(&arguments, Form::OfRun),
        (false, false) => command_line::read(&arguments, Form::OfProgram),
    };
    if given.named_after_content_root {
        command_line.refuse_misspelled();
    }
    let named = given.code.application_name.clone();
    let program = || named.or_else(process::program_name).unwrap_or_else(|| "PROGRAM".to_owned());
    match command_line.asked {
        Some(Asked::Help { .. }) => {
            return Err(Refusal::answer(usage::help(&program()), String::new()));
        }
        Some(Asked::Version) => {
            let version = usage::version(&program(), given.version.as_deref());
            return Err(Refusal::answer(version, String::new()));
        }
        Some(Asked::Plan) | None => {}
    }
    match command_line.mistakes.is_empty() {
        true => Ok(command_line),
        false => Err(Refusal::silent(HostError::Usage(command_line.mistakes))),
    }
}

/// What the host is configured by, and what is wrong with what code and arguments say.
fn sources(given: &mut Given, command_line: CommandLine) -> (Sources, Vec<Problem>) {
    let hermetic = given.hermetic.take();
    for (position, spec) in &command_line.listen {
        let argument = "--listen".to_owned();
        given.add_listen_spec(spec, Origin::CommandLine { position: *position, argument });
    }
    let mut problems = std::mem::take(&mut given.problems);
    let proxies = ProxyArguments::read(&command_line.proxy, &mut problems);
    problems.extend(Registration::called_alike(&given.services));
    problems.extend(health_check::called_alike(&given.health_checks));
    problems.extend(command_line.warnings);
    let (variables, unreadable_variables) = match (given.variables.take(), &hermetic) {
        (variables, Some(_)) => (Hermetic::variables(variables), Vec::new()),
        (Some(variables), None) => (variables, Vec::new()),
        (None, None) => (process::environment_variables(), process::unreadable_variables()),
    };
    let mut endpoints = std::mem::take(&mut given.endpoints);
    let mut code = std::mem::take(&mut given.code);
    let mut account_home = None;
    if let Some(hermetic) = &hermetic {
        endpoints.default_address = Some(hermetic.default_address());
        code.default_application_name = Some("TestHost".to_owned());
    } else {
        account_home = process::account_home();
        let passed = passed_sockets::take(&variables, std::process::id());
        endpoints.passed = passed.endpoints;
        endpoints.refused.extend(passed.refused);
        problems.extend(passed.problem);
        endpoints.container = (!given.only_code).then(|| process::container(&variables)).flatten();
        if !given.named_after_content_root {
            code.default_application_name = process::program_name();
        }
    }
    let places = Places::new(given.surroundings.as_ref().unwrap_or(&variables), account_home);
    code.host_alone = given.named_after_content_root;
    let folder = hermetic.as_ref().map(Hermetic::make_folder).transpose();
    let folder = folder.unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let said = given.current_directory.take();
    let here = match said.or_else(|| folder.as_ref().map(|it| it.path().to_owned())) {
        Some(folder) if folder.is_absolute() => Some(folder),
        Some(folder) => process::current_directory().map(|here| here.join(folder)),
        None => process::current_directory(),
    };
    let mut added = std::mem::take(&mut given.added_sources);
    if !proxies.is_empty() {
        added.push(AddedSource::new(SourcePlace::AboveCommandLine, proxies));
    }
    let command = CommandArguments::of(&command_line.command, command_line.watch);
    if !command.is_empty() {
        added.push(AddedSource::new(SourcePlace::AboveCommandLine, command));
    }
    let (pushes, wrong) = listen_to(&added);
    problems.extend(wrong);
    let inputs = Inputs {
        variables,
        unreadable_variables,
        arguments: command_line.settings,
        current_directory: here.unwrap_or_default(),
        code,
        added,
    };
    let sources = Sources {
        inputs,
        endpoints,
        cors: std::mem::take(&mut given.cors),
        configure: std::mem::take(&mut given.configure),
        shutdown_timeout: given.shutdown_timeout,
        strict: given.strict || command_line.strict,
        places,
        another_server: given.server.is_some(),
        only_code: given.only_code || hermetic.is_some(),
        has_site: false,
        network: hermetic.map(|hermetic| hermetic.network).unwrap_or_default(),
        pushes: Some(pushes),
        _folder: folder,
    };
    (sources, problems)
}

/// What configures a log that is not written.
fn unwritten_log(loaded: &Loaded) -> Option<Problem> {
    let section = loaded.configuration.section("Logging");
    let setting = section.first_setting()?;
    let problem = Problem::warning(format!(
        "'{}' has no effect on a console: this host writes none.",
        setting.key
    ));
    let problem = problem.key(&*setting.key).origin(setting.origin.clone());
    Some(
        problem
            .fix("call with_logging() on the builder, or without_logging() if Host::log() is used"),
    )
}

/// That a plan says nothing of what only the program's code can tell.
fn not_made_for_a_plan(given: &Given) -> Option<Finding> {
    let is_made = matches!(given.app, Some(AppSource::Once(_) | AppSource::EachTime(_)));
    if !is_made && given.services.is_empty() {
        return None;
    }
    let what = "A plan makes no app and starts no service: what is wrong with settings that they read, a start tells.";
    Some(Finding::of_problem(Subject::App, Problem::information(what)))
}

/// What a start would fail for at this moment. That may be another one by then, and whoever asks before
/// a reload has that very host on the port: it refuses a plan only under `--strict`, and another copy of
/// this program does not.
fn hindrances(prepared: &Prepared, network: &Network) -> Vec<Finding> {
    let copy = |error: &BindError| match error {
        BindError::AddressInUse { holder: Some(holder), .. } => {
            holder.process.as_ref().is_some_and(|it| it.relation == Relation::Copy)
        }
        _ => false,
    };
    let finding = |error: BindError| {
        let severity = if copy(&error) { Severity::Information } else { Severity::Warning };
        let mut problem = error.problem();
        problem.message = format!("A start at this moment would fail. {}", problem.message);
        if severity == Severity::Information {
            // Whoever asks before a reload is not to end it.
            let fix = "if that is the host that is to be reloaded, it keeps the address; a second one needs another";
            problem = problem.fix(fix);
        }
        Finding::of_problem(Subject::Endpoints, Problem { severity, ..problem })
    };
    let own = addresses::hindrances(&prepared.plan, network).into_iter().map(finding);
    // In memory no program is reached.
    let is_real = matches!(network, Network::System);
    let of_programs = is_real.then(|| prepared.hindrances_of_programs());
    own.chain(of_programs.into_iter().flatten()).collect()
}

fn of_files(loaded: &Loaded) -> Vec<Notice> {
    let of_file =
        |file: &LookedFor| events::configuration_file(&file.path.display().to_string(), file.found);
    loaded.files.iter().map(of_file).collect()
}
