//! What code says of a host.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;

use super::certificates::{self, Certificates, Surroundings};
use super::command_line::{self, Asked};
use super::error::HostError;
use super::finding::{self, Finding, Subject, judged};
use super::host::{Host, StopHandle};
use super::lifetime::Signals;
use super::logging::{self, FormatterName};
use super::reload::{Configure, Configured, LiveConfiguration, Published, Sources};
use super::report::{self, Refusal, Voice};
use super::settings::CodeEndpoints;
use super::{explain, process, usage};
use crate::addresses::{
    ConfiguredEndpoint, EndpointPlan, IpLiteral, ListenSpec, ListenTarget, Scope,
    UnixSocketOptions, parse_listen_spec, plan, readable_rights, short_ip_of_spec,
};
use crate::apps::welcome_page::{self, Welcome};
use crate::configuration::{
    CodeSettings, Inputs, Loaded, Origin, Problem, Sourced, address_without_user_info, fold_key,
};
use crate::diagnostics::events;
use crate::features::ServerAddresses;
use crate::server::{Server, ServerOptions};
use crate::tls::TlsOptions;
use crate::tls::places::Places;

/// Builds a [`Host`]: the app, and what code says beside the configuration.
///
/// ```no_run
/// use axum::{Router, routing::get};
///
/// #[tokio::main]
/// async fn main() -> std::process::ExitCode {
///     let app = Router::new().route("/", get(|| async { "Hello, World!" }));
///     kestrel::Host::builder().args(std::env::args_os().skip(1)).app(app).run().await
/// }
/// ```
#[must_use = "a builder does nothing until it is built or run"]
#[derive(Default)]
pub struct HostBuilder {
    app: Option<AppSource>,
    server: Option<Box<dyn Server>>,
    stop: StopHandle,
    arguments: Vec<(usize, OsString)>,
    settings_only: bool,
    version: Option<String>,
    variables: Option<Vec<(String, String)>>,
    current_directory: Option<PathBuf>,
    code: CodeSettings,
    endpoints: CodeEndpoints,
    configure: Vec<Configure>,
    shutdown_timeout: Option<Duration>,
    strict: bool,
    named_after_content_root: bool,
    no_logging: bool,
    problems: Vec<Problem>,
}

/// The app, or how to make it once the host is configured.
enum AppSource {
    Ready(Router),
    Made(Box<dyn FnOnce(&AppContext) -> Router + Send>),
}

/// What an app can know about its host when it is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppContext {
    /// The merged configuration at the start.
    pub configuration: crate::configuration::Configuration,
    /// The merged configuration of any moment: reloads change it.
    pub live_configuration: LiveConfiguration,
    /// The environment, such as `Production`.
    pub environment: String,
    /// The folder that files are looked up in.
    pub content_root: PathBuf,
    /// The bound addresses, once the host has started.
    pub addresses: ServerAddresses,
    /// Asks the host to stop.
    pub stop: StopHandle,
}

impl HostBuilder {
    /// The app that answers the requests. Without one, the welcome page does.
    pub fn app(mut self, app: Router) -> Self {
        self.app = Some(AppSource::Ready(app));
        self
    }

    /// The app, made once the configuration is known.
    pub fn app_with(mut self, make: impl FnOnce(&AppContext) -> Router + Send + 'static) -> Self {
        self.app = Some(AppSource::Made(Box::new(make)));
        self
    }

    /// The handle that will ask this host to stop, made before the host.
    pub fn stop_handle(mut self, handle: StopHandle) -> Self {
        self.stop = handle;
        self
    }

    /// Another server in the place of the built-in one.
    pub fn server(mut self, server: impl Server + 'static) -> Self {
        self.server = Some(Box::new(server));
        self
    }

    /// The command line, without the program's name. It beats files and variables.
    ///
    /// It has settings in the forms .NET takes, such as `--urls http://*:5000`, and the flags of the
    /// host: `--listen SPEC`, `--strict`, `--plan`, `--help` (`-h`) and `--version` (`-V`), as the
    /// binary has them. [`run`](Self::run) answers the last three; [`build`](Self::build) gives the
    /// answer as [`HostError::Answered`]. A flag stands where a setting could begin: behind a switch
    /// that wants a value it is that value, and a warning tells it. A program that reads its own
    /// command line says so with [`without_host_flags`](Self::without_host_flags).
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments = arguments
            .into_iter()
            .enumerate()
            .map(|(place, argument)| (place + 1, argument.into()))
            .collect();
        self
    }

    /// As [`args`](Self::args), each argument with its place on the whole command line.
    #[cfg(feature = "cli")]
    pub(crate) fn numbered_args(mut self, arguments: Vec<(usize, OsString)>) -> Self {
        self.arguments = arguments;
        self
    }

    /// The program reads its own command line: what it hands to [`args`](Self::args) are settings and
    /// nothing else, as on ASP.NET Core. `--help` and the other flags of the host mean nothing then;
    /// [`listen_spec`](Self::listen_spec) and [`strict`](Self::strict) do what they do.
    pub fn without_host_flags(mut self) -> Self {
        self.settings_only = true;
        self
    }

    /// The program's version, for `--version`: `env!("CARGO_PKG_VERSION")` in most. Without it only
    /// that of kestrel is told.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Names the application after the content root's folder if nothing else names it: the binary
    /// serves many, and its own name says nothing.
    #[cfg(feature = "cli")]
    pub(crate) fn named_after_content_root(mut self) -> Self {
        self.named_after_content_root = true;
        self
    }

    /// These environment variables in the place of the process's.
    pub fn environment_variables(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        self.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// This folder in the place of the process's current directory.
    pub fn current_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current_directory = Some(folder.into());
        self
    }

    /// Listens on an IP address, over everything that `urls` says. Port 0 lets the system choose.
    pub fn listen(self, address: SocketAddr) -> Self {
        self.listen_on(ip_target(address), "listen")
    }

    /// Listens on an IP address for HTTPS.
    ///
    /// ```no_run
    /// use std::net::SocketAddr;
    ///
    /// use kestrel::tls::{CertificateSource, TlsOptions};
    ///
    /// let address = SocketAddr::from(([127, 0, 0, 1], 5001));
    /// let certificate = CertificateSource::pem("certificate.pem", "key.pem");
    /// let builder = kestrel::Host::builder().listen_https(address, TlsOptions::with(certificate));
    /// ```
    pub fn listen_https(mut self, address: SocketAddr, options: TlsOptions) -> Self {
        self = self.listen_on(ip_target(address), "listen_https");
        if let Some(endpoint) = self.endpoints.listen.last_mut() {
            endpoint.tls = Some(options.into());
        }
        self
    }

    /// Listens on both loopback addresses. The port cannot be 0: the two would differ.
    pub fn listen_localhost(self, port: u16) -> Self {
        self.listen_on(ListenTarget::Localhost(port), "listen_localhost")
    }

    /// Listens on all interfaces, IPv6 and IPv4.
    pub fn listen_any_ip(self, port: u16) -> Self {
        self.listen_on(ListenTarget::AnyIp(port), "listen_any_ip")
    }

    /// Listens on a Unix socket. Who may connect is for the process's umask to say, or see
    /// [`listen_unix_socket_with`](Self::listen_unix_socket_with).
    pub fn listen_unix_socket(self, path: impl Into<PathBuf>) -> Self {
        self.listen_on(ListenTarget::UnixSocket(path.into()), "listen_unix_socket")
    }

    /// Listens on a Unix socket whose file has this mode, this owner and this group.
    pub fn listen_unix_socket_with(
        mut self,
        path: impl Into<PathBuf>,
        options: UnixSocketOptions,
    ) -> Self {
        let target = ListenTarget::UnixSocket(path.into());
        self = self.listen_on(target, "listen_unix_socket_with");
        if let Some(endpoint) = self.endpoints.listen.last_mut() {
            endpoint.unix_socket = options;
        }
        self
    }

    fn listen_on(mut self, target: ListenTarget, call: &'static str) -> Self {
        self.endpoints.listen.push(ConfiguredEndpoint {
            name: target.to_string(),
            key: call.to_owned(),
            target: Sourced::new(target, Origin::Code(call)),
            protocols: None,
            tls: None,
            unix_socket: UnixSocketOptions::default(),
        });
        self
    }

    /// Listens on what a command line's `--listen` says; see [`parse_listen_spec`].
    pub fn listen_spec(mut self, spec: &str, origin: Origin) -> Self {
        match parse_listen_spec(spec) {
            Ok(ListenSpec { target, unix_socket }) => {
                let short = short_ip_of_spec(spec);
                self.problems.extend(short.map(|it| it.key("--listen").origin(origin.clone())));
                self.endpoints.listen.push(ConfiguredEndpoint {
                    name: target.to_string(),
                    key: "--listen".to_owned(),
                    target: Sourced::new(target, origin),
                    protocols: None,
                    tls: None,
                    unix_socket,
                })
            }
            Err(fix) => {
                let spec = address_without_user_info(spec);
                self.problems.push(
                    Problem::error(format!("'{spec}' is nothing to listen on."))
                        .key("--listen")
                        .origin(origin.clone())
                        .fix(fix),
                );
                self.endpoints.refused.push(ConfiguredEndpoint {
                    name: spec.to_string(),
                    key: "--listen".to_owned(),
                    unix_socket: readable_rights(&spec),
                    target: Sourced::new(ListenTarget::Url(spec.into_owned()), origin),
                    protocols: None,
                    tls: None,
                });
            }
        }
        self
    }

    /// Binds these addresses, a `;` list as in key `urls`, over what the configuration says.
    pub fn use_urls(self, urls: &str) -> Self {
        self.setting("urls", urls, "use_urls")
    }

    /// Adds an address to the host's own list, which beats every `urls` (what `app.Urls` is).
    pub fn add_url(mut self, url: impl Into<String>) -> Self {
        self.endpoints.added_urls.push(Sourced::new(url.into(), Origin::Code("add_url")));
        self
    }

    /// Whether addresses win over `listen` calls and `Kestrel:Endpoints`.
    pub fn prefer_hosting_urls(self, prefer: bool) -> Self {
        let text = if prefer { "true" } else { "false" };
        self.setting("preferHostingUrls", text, "prefer_hosting_urls")
    }

    /// Sets a key of the configuration over every source.
    pub fn use_setting(self, key: &str, value: &str) -> Self {
        self.setting(key, value, "use_setting")
    }

    fn setting(mut self, key: &str, value: &str, call: &'static str) -> Self {
        self.code.settings.push((key.to_owned(), value.to_owned(), call));
        self
    }

    /// The environment, over variables and command line.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.code.environment = Some(environment.into());
        self
    }

    /// The content root, over variables and command line.
    pub fn content_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.code.content_root = Some(folder.into());
        self
    }

    /// The application's name, over variables and command line. Without any of them it is the
    /// name of the program.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.code.application_name = Some(name.into());
        self
    }

    /// The id of the user's secrets, which are read in Development.
    pub fn user_secrets_id(mut self, id: impl Into<String>) -> Self {
        self.code.user_secrets_id = Some(id.into());
        self
    }

    /// Changes the options of the server, on top of what the configuration says: code wins. A limit
    /// that is out of its range is refused as one in a file is. May be called more than once; each
    /// reload calls what was given here again.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use kestrel::{Host, Limits};
    ///
    /// let host = Host::builder()
    ///     .configure_kestrel(|options| {
    ///         options.add_server_header = false;
    ///         options.limits.max_request_body_size = Some(100 * 1024 * 1024);
    ///         options.limits.min_request_body_data_rate = None;
    ///         options.limits.keep_alive_timeout = Limits::NEVER;
    ///         options.limits.http2.keep_alive_ping_delay = Some(Duration::from_secs(30));
    ///     })
    ///     .without_logging()
    ///     .build();
    /// assert!(host.is_ok());
    /// ```
    pub fn configure_kestrel(
        mut self,
        configure: impl FnMut(&mut ServerOptions) + Send + 'static,
    ) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// How long a stop may take, over the key `shutdownTimeoutSeconds`. Default: 30 seconds.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// Lets whatever would only be warned about end the start: of the configuration, the endpoints and
    /// the certificates, and of addresses that can be bound in part only.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Leaves the log to the app: no subscriber is installed. (One that the app has installed
    /// itself is left alone in any case.)
    pub fn without_logging(mut self) -> Self {
        self.no_logging = true;
        self
    }

    /// Loads the configuration, reads the settings, computes the plan and reads the certificates.
    /// Binds nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong and can be known without binding, together; or the
    /// [`Answer`](HostError::Answered) that the command line asked for instead.
    pub fn build(self) -> Result<Host, HostError> {
        self.prepare().map_err(Refusal::logged)
    }

    fn prepare(mut self) -> Result<Host, Refusal> {
        let command_line = match self.settings_only {
            true => command_line::settings_only(&self.arguments),
            false => command_line::read(&self.arguments),
        };
        let named = self.code.application_name.clone();
        let program =
            || named.or_else(process::program_name).unwrap_or_else(|| "PROGRAM".to_owned());
        match command_line.asked {
            Some(Asked::Help { .. }) => {
                return Err(Refusal::answer(usage::help(&program()), String::new()));
            }
            Some(Asked::Version) => {
                let version = usage::version(&program(), self.version.as_deref());
                return Err(Refusal::answer(version, String::new()));
            }
            Some(Asked::Plan) | None => {}
        }
        if !command_line.mistakes.is_empty() {
            return Err(Refusal::silent(HostError::Usage(command_line.mistakes)));
        }
        for (position, spec) in &command_line.listen {
            let argument = "--listen".to_owned();
            let origin = Origin::CommandLine { position: *position, argument };
            self = self.listen_spec(spec, origin);
        }
        self.problems.extend(command_line.warnings);
        self.strict |= command_line.strict;
        let (variables, unreadable_variables) = match self.variables {
            Some(variables) => (variables, Vec::new()),
            None => (process::environment_variables(), process::unreadable_variables()),
        };
        let places = Places::new(&variables, process::account_home());
        let terminal = process::terminal(&variables);
        let mut endpoints = self.endpoints;
        endpoints.container = process::container(&variables);
        let mut code = self.code;
        if !self.named_after_content_root {
            code.default_application_name = process::program_name();
        }
        code.host_alone = self.named_after_content_root;
        let inputs = Inputs {
            variables,
            unreadable_variables,
            arguments: command_line.settings,
            current_directory: self
                .current_directory
                .or_else(process::current_directory)
                .unwrap_or_default(),
            code,
        };
        let mut sources =
            Sources { inputs, endpoints, configure: self.configure, strict: self.strict };
        let read_at = SystemTime::now();
        let (loaded, settings) = sources.read();
        let plan = plan(&settings.endpoints);
        let application = loaded.application_name.value.clone();
        let environment = loaded.environment.value.clone();
        let surroundings = Surroundings { places, application, environment };

        let incomplete = loaded.problems.iter().any(Problem::is_error);
        // What nobody configured may stand in what could not be read.
        let of_default = |warning: &&Problem| warning.origin == Some(Origin::Default);
        let of_plan = plan.warnings.iter().filter(|warning| !(incomplete && of_default(warning)));
        // What was said of an argument already, is not said again of the key that it sets.
        let of_arguments: Vec<_> =
            self.problems.iter().filter_map(|it| it.origin.clone()).collect();
        let is_told = |problem: &Problem| {
            let twice = |origin: &Origin| {
                matches!(origin, Origin::CommandLine { .. }) && of_arguments.contains(origin)
            };
            !problem.is_error() && problem.origin.as_ref().is_some_and(twice)
        };
        let of_settings = settings.problems.iter().filter(|problem| !is_told(problem));
        let odd = of_settings.chain(of_plan).cloned();
        let problems = self.problems.into_iter().chain(odd);
        let of_settings: Vec<_> =
            problems.map(|problem| Finding::of_problem(Subject::Configuration, problem)).collect();
        let web_root = settings.web_root.as_ref().filter(|web_root| !web_root.value.exists());
        let mut of_plan: Vec<_> = web_root
            .and_then(web_root_problem)
            .map(|problem| Finding::of_problem(Subject::Configuration, problem))
            .into_iter()
            .collect();
        of_plan.extend(explain::before_binding(&plan.notes));
        of_plan.extend(plan.problems.iter().map(Finding::of_plan));
        // Another server has certificates of its own, if it has any.
        let (certificates, mut of_certificates) = match &self.server {
            Some(_) => Default::default(),
            None => certificates::load(
                &plan,
                &settings.certificates,
                &loaded.configuration,
                &surroundings,
                SystemTime::now(),
            ),
        };

        of_certificates.retain(|finding| {
            let none_found = certificates.none_found.contains(finding.problem());
            !(none_found && is_consequence(finding.problem(), &of_settings, incomplete))
        });

        let (fatal, of_settings) = judged(of_settings, self.strict);
        let (more, of_plan) = judged(of_plan, self.strict);
        let (of_certificates_alone, of_certificates) = judged(of_certificates, self.strict);
        let fatal: Vec<_> = fatal.into_iter().chain(more).collect();
        // What is planned although its configuration is wrong would not be.
        let table =
            fatal.is_empty().then(|| plan_table(&plan, &certificates, self.server.is_some()));
        let fatal = fatal.into_iter().chain(of_certificates_alone).collect();
        let error = finding::error(fatal);
        let remarks = || of_settings.iter().chain(&of_plan).chain(&of_certificates);
        if command_line.asked == Some(Asked::Plan) {
            let missing =
                web_root.map(|it| events::web_root_missing(&it.value.display().to_string()));
            let missing = missing.map(|it| Finding::of_notice(Subject::Configuration, it));
            let remarks: Vec<_> = remarks().cloned().chain(missing).collect();
            let table = table.unwrap_or_default();
            return Err(match error {
                Some(error) => Refusal { error, remarks, voice: Voice::Plan { table } },
                None => Refusal::answer(table, report::remarks_text(&remarks)),
            });
        }
        let logging =
            (!self.no_logging).then(|| logging::install(settings.logging.clone(), terminal));
        tell_files(&loaded);
        let complete = settings.logging.console.formatter != FormatterName::Simple;
        if let Some(error) = error {
            let remarks = remarks().cloned().collect();
            return Err(Refusal {
                error,
                remarks,
                voice: Voice::of(logging.map(Arc::new), complete),
            });
        }
        of_settings.iter().for_each(|finding| finding.notice().log());
        if let Some(web_root) = web_root
            && let Err(problem) = make_web_root(web_root)
        {
            let error = HostError::Configuration(vec![problem]);
            let remarks = of_plan.into_iter().chain(of_certificates).collect();
            return Err(Refusal {
                error,
                remarks,
                voice: Voice::of(logging.map(Arc::new), complete),
            });
        }
        let live = Published::new(loaded.configuration.clone());
        let context = AppContext {
            live_configuration: live.handle(),
            configuration: loaded.configuration.clone(),
            environment: loaded.environment.value.clone(),
            content_root: loaded.content_root.value.clone(),
            addresses: ServerAddresses::default(),
            stop: self.stop,
        };
        let app = match self.app {
            Some(AppSource::Ready(app)) => app,
            Some(AppSource::Made(make)) => make(&context),
            None => welcome_page::app(Welcome {
                environment: context.environment.clone(),
                addresses: context.addresses.clone(),
                version: env!("CARGO_PKG_VERSION"),
            }),
        };
        Ok(Host {
            shutdown_timeout: self.shutdown_timeout.unwrap_or(settings.shutdown_timeout),
            configured: Configured { sources, surroundings, read_at, loaded, settings, plan, live },
            certificates,
            remarks: of_plan.into_iter().chain(of_certificates).collect(),
            addresses: context.addresses,
            stop: context.stop,
            app,
            server: self.server,
            logging,
        })
    }

    /// Builds, starts, serves until a signal or a [`StopHandle`] asks for the stop, and stops. A
    /// start that is refused is told once: in the log, if its format was chosen, else on standard
    /// error. The exit code is the one that `docs/diagnostics.md` tells.
    ///
    /// Signals are taken over with the call. Until the host runs, and once this has returned, one
    /// that asks to stop ends the process: a start that waits for files or code of the program does
    /// not keep it. The table of signals is in `docs/diagnostics.md`. A program that wants them for
    /// itself uses [`build`](Self::build), [`start`](Host::start) and
    /// [`stop`](super::RunningHost::stop), which leave them alone.
    pub async fn run(self) -> ExitCode {
        // Before the start: whatever holds it, a signal ends it.
        let signals = match Signals::register() {
            Ok(signals) => signals,
            Err(error) => return Refusal::internal(error).tell(),
        };
        let host = match self.prepare() {
            Ok(host) => host,
            Err(refusal) => return refusal.tell(),
        };
        match host.launch(Some(&signals)).await {
            Ok(running) => running.run(signals).await,
            Err(refusal) => refusal.tell(),
        }
    }
}

fn ip_target(address: SocketAddr) -> ListenTarget {
    let scope = match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => Scope::Index(v6.scope_id()),
        _ => Scope::None,
    };
    ListenTarget::Ip(IpLiteral { address: address.ip(), scope }, address.port())
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments may hold secrets.
        f.debug_struct("HostBuilder").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Whether an endpoint may lack its certificate only because settings could not be read: all of a file,
/// if the sources are `incomplete`, or those of the endpoint or of certificates.
fn is_consequence(none_found: &Problem, of_settings: &[Finding], incomplete: bool) -> bool {
    let key = none_found.key.as_deref().map(fold_key).unwrap_or_default();
    let node = key.strip_suffix(&*fold_key(":Url"));
    let nodes = [node.map(str::to_owned), Some(fold_key("Kestrel:Certificates"))];
    let is_cause = |key: &str| {
        let key = fold_key(key);
        let below = |node: &String| key.strip_prefix(&**node).is_some_and(|it| it.starts_with(':'));
        nodes.iter().flatten().any(below)
    };
    let wrong = of_settings.iter().map(Finding::problem).filter(|problem| problem.is_error());
    incomplete || wrong.filter_map(|problem| problem.key.as_deref()).any(is_cause)
}

fn tell_files(loaded: &Loaded) {
    for file in &loaded.files {
        events::configuration_file(&file.path.display().to_string(), file.found);
    }
}

/// The plan as a table, with the certificates that would be served.
fn plan_table(plan: &EndpointPlan, certificates: &Certificates, another_server: bool) -> String {
    plan.table(|place| match certificates.served(place).split_first() {
        // Another server may have one, and nobody knows.
        None if another_server => Vec::new(),
        None => vec!["no certificate".to_owned()],
        Some(((_, own), of_names)) => {
            let of_names = of_names.iter().map(|(of, text)| format!("{of}: {text}"));
            std::iter::once(own.clone()).chain(of_names).collect()
        }
    })
}

/// Why a web root that is not there cannot be made, as far as that is known without trying.
fn web_root_problem(web_root: &Sourced<PathBuf>) -> Option<Problem> {
    let there = web_root.value.ancestors().find(|folder| folder.exists())?;
    let in_the_way = format!("{} is no folder", there.display());
    (!there.is_dir()).then(|| web_root_refused(web_root, &in_the_way))
}

fn web_root_refused(web_root: &Sourced<PathBuf>, why: &str) -> Problem {
    let shown = web_root.value.display();
    Problem::error(format!("The web root {shown} cannot be created: {why}."))
        .key("webroot")
        .origin(web_root.origin.clone())
        .fix("create it, or name an existing folder")
}

/// Makes a web root that was named but is not there, as Kestrel does.
fn make_web_root(web_root: &Sourced<PathBuf>) -> Result<(), Problem> {
    std::fs::create_dir_all(&web_root.value)
        .map_err(|error| web_root_refused(web_root, &error.to_string()))?;
    events::web_root_created(&web_root.value.display().to_string()).log();
    Ok(())
}
