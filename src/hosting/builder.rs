//! What code says of a host.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower_layer::Layer;
use tower_service::Service;

use super::app::{App, AppContext, AppSource, Ending};
use super::app_error::AppError;
use super::error::HostError;
use super::given::Given;
use super::host::{Host, RunningHost, check_runtime};
use super::lifetime::Signals;
use super::process;
use super::report::Refusal;
use super::services::{HostedService, OnFailure, Registration};
use super::start::Draft;
use crate::configuration::{AddedSource, ConfigurationSource, Origin, SourcePlace, Sourced};
use crate::features::Lifetime;
use crate::logging::LogTo;
use crate::pipeline::ClientAddress;
use crate::server::{Server, ServerOptions};

/// Builds a [`Host`]: the app, and what code says beside the configuration.
///
/// ```no_run
/// use axum::{Router, routing::get};
///
/// #[tokio::main]
/// async fn main() -> std::process::ExitCode {
///     let app = Router::new().route("/", get(|| async { "Hello, World!" }));
///     kestrel::Host::from_args().app(app).run().await
/// }
/// ```
#[must_use = "a builder does nothing until it is built or run"]
#[derive(Default)]
pub struct HostBuilder(pub(super) Given);

impl Host {
    /// A builder with the settings of the process: its variables and its current directory. The
    /// command line counts only if it is given to [`args`](HostBuilder::args).
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// A builder that reads nothing: no file, no variable, no argument, and no certificate of the
    /// user's, whether for development or trusted; and it writes no log. There is what code says, and
    /// where code says nothing, what is built in: the environment is `Production`, the content root the
    /// current directory, and the address `http://localhost:5000`. (What `CreateEmptyBuilder` is in
    /// ASP.NET Core.)
    ///
    /// ```
    /// use kestrel::{Endpoint, Host};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let any_port = Endpoint::ip(([127, 0, 0, 1], 0).into());
    /// let running = Host::empty_builder().listen_on(any_port).start().await?;
    /// running.stop().await;
    /// # Ok::<(), kestrel::HostError>(())
    /// # }).unwrap();
    /// ```
    pub fn empty_builder() -> HostBuilder {
        HostBuilder(Given::nothing())
    }

    /// The same with the command line of the process.
    pub fn from_args() -> HostBuilder {
        let mut builder = Self::builder().args(process::arguments());
        builder.0.arguments_of_process = true;
        builder
    }
}

impl HostBuilder {
    /// The app that answers the requests: a [`Router`](axum::Router), or an [`App`]. Without one, the
    /// welcome page does.
    pub fn app(mut self, app: impl Into<App>) -> Self {
        self.0.app = Some(AppSource::Ready(app.into()));
        self
    }

    /// The app, made once the configuration is known. What is wrong with it is told with all other
    /// mistakes, and refuses the start. Reloads leave it as it is; see
    /// [`reloadable_app`](Self::reloadable_app) for one that follows them, and [`Host::app`] for one
    /// that is made between the configuration and the start.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use kestrel::{AppContext, AppError, Host};
    ///
    /// async fn app(context: AppContext) -> Result<Router, AppError> {
    ///     let path = context.content_root().join("greeting.txt");
    ///     let greeting = tokio::fs::read_to_string(path).await?;
    ///     Ok(Router::new().route("/", get(async move || greeting)))
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> std::process::ExitCode {
    ///     Host::from_args().app_with(app).run().await
    /// }
    /// ```
    pub fn app_with<A, F>(mut self, make: impl FnOnce(AppContext) -> F + Send + 'static) -> Self
    where
        A: Into<App>,
        F: Future<Output = Result<A, AppError>> + Send + 'static,
    {
        self.0.app = Some(AppSource::Once(Box::new(|context| {
            let app = make(context);
            Box::pin(async { app.await.map(Into::into) })
        })));
        self
    }

    /// The app, made from the configuration: for the start, and again by every reload that finds
    /// another one, keys that only the host uses aside (`docs/configuration.md` has them all). What it
    /// reads besides, such as a file, is for it to watch; SIGHUP and
    /// [`RunningHost::renew`] make it anew in any case. What is wrong with it is told with all other mistakes, and refuses the start, or
    /// the reload. A reload makes the new app first, and puts it in the place of the old one together
    /// with endpoints and certificates; the next request on any connection gets it. The old one ends
    /// when its last request has.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use kestrel::{AppContext, AppError, Host};
    ///
    /// async fn app(context: AppContext) -> Result<Router, AppError> {
    ///     let path = context.configuration.value("Greeting:File").ok_or("Greeting:File is missing")?;
    ///     let path = context.content_root().join(path);
    ///     let greeting = std::fs::read_to_string(&path)
    ///         .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    ///     Ok(Router::new().route("/", get(async move || greeting.clone())))
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> std::process::ExitCode {
    ///     Host::from_args().reloadable_app(app).run().await
    /// }
    /// ```
    pub fn reloadable_app<A, F>(
        mut self,
        make: impl Fn(AppContext) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: Into<App>,
        F: Future<Output = Result<A, AppError>> + Send + 'static,
    {
        self.0.app = Some(AppSource::EachTime(Arc::new(move |context| {
            let app = make(context);
            Box::pin(async { app.await.map(Into::into) })
        })));
        self
    }

    /// A layer of tower's around the app, whatever kind of app it is and whenever it is made: inside all
    /// stages that the configuration switches on (`--plan` lists them), outside the app as a whole. It
    /// sees a request before a router chooses a route, and is there once for all of them; a layer for
    /// some routes, or one that wants to know the route, is for
    /// [`Router::layer`](axum::Router::layer). Another call puts another layer around the ones before:
    /// the last one sees a request first, as with `Router::layer`, which takes the same layers.
    ///
    /// ```no_run
    /// use axum::extract::Request;
    /// use axum::middleware::{Next, from_fn};
    /// use axum::response::Response;
    /// use axum::{Router, routing::get};
    ///
    /// async fn timed(request: Request, next: Next) -> Response {
    ///     let begun = std::time::Instant::now();
    ///     let response = next.run(request).await;
    ///     tracing::info!(milliseconds = begun.elapsed().as_millis(), "answered");
    ///     response
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> std::process::ExitCode {
    ///     let app = Router::new().route("/", get(|| async { "Hello, World!" }));
    ///     kestrel::Host::builder().app(app).layer(from_fn(timed)).run().await
    /// }
    /// ```
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.0.layers.add(layer);
        self
    }

    /// Tells the app, and the program's layers, the client's address in axum's own way, too: the extractor
    /// `ConnectInfo<SocketAddr>` works, and rate limiters by address with it. It is the address that a proxy
    /// tells of, if it is believed. There is none on a Unix socket, where that extractor answers 500. (What
    /// `into_make_service_with_connect_info` is with `axum::serve`; it costs as much, an allocation for each
    /// request, which [`Connection`](crate::Connection) and [`EffectiveRequest`](crate::EffectiveRequest) do
    /// not.)
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use axum::extract::ConnectInfo;
    /// use axum::{Router, routing::get};
    ///
    /// async fn who(ConnectInfo(client): ConnectInfo<SocketAddr>) -> String {
    ///     format!("you are {client}\n")
    /// }
    ///
    /// let app = Router::new().route("/", get(who));
    /// let builder = kestrel::Host::builder().app(app).connect_info();
    /// ```
    pub fn connect_info(mut self) -> Self {
        self.0.layers.client = ClientAddress::AsConnectInfo;
        self
    }

    /// A service that starts before the host binds its addresses, and stops after its last request; see
    /// [`HostedService`]. The name is for messages.
    pub fn service(mut self, name: impl Into<String>, service: impl HostedService) -> Self {
        self.0.services.push(Registration::hosted(name.into(), service));
        self
    }

    /// Work that goes on as long as the host does: it begins before the host binds its addresses, and is
    /// to end after its last request, which [`Ending::begun`] tells; it is waited for within the
    /// shutdown timeout and dropped then. An error or a panic stops the host, with exit code 7; see
    /// [`background_service_with`](Self::background_service_with) for work that may fail. (What
    /// `BackgroundService` is in ASP.NET Core.) Work that is to be another one when a reload makes
    /// another app is for [`App::background`].
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use kestrel::{AppContext, AppError, Ending, Host};
    ///
    /// async fn clean_up(context: AppContext, mut ending: Ending) -> Result<(), AppError> {
    ///     let folder = context.content_root().join("uploads");
    ///     let mut hours = tokio::time::interval(Duration::from_secs(3600));
    ///     loop {
    ///         tokio::select! {
    ///             _ = hours.tick() => { tokio::fs::remove_dir_all(&folder).await?; }
    ///             () = ending.begun() => return Ok(()),
    ///         }
    ///     }
    /// }
    ///
    /// let builder = Host::from_args().background_service("clean-up", clean_up);
    /// ```
    pub fn background_service<F>(
        self,
        name: impl Into<String>,
        work: impl FnOnce(AppContext, Ending) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        self.background_service_with(name, OnFailure::Stop, work)
    }

    /// The same, and what a failure does to the host.
    ///
    /// ```
    /// use kestrel::{Host, OnFailure};
    ///
    /// let builder = Host::builder().background_service_with("warm-up", OnFailure::Tell, async |context, _| {
    ///     let hints = tokio::fs::read_to_string(context.content_root().join("hints.txt")).await?;
    ///     tracing::info!("{} hints", hints.lines().count());
    ///     Ok(())
    /// });
    /// ```
    pub fn background_service_with<F>(
        mut self,
        name: impl Into<String>,
        on_failure: OnFailure,
        work: impl FnOnce(AppContext, Ending) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        self.0.services.push(Registration::background(name.into(), on_failure, work));
        self
    }

    /// The life of this host, made before it: asks it to stop, and tells how far it is.
    ///
    /// ```
    /// use kestrel::{Endpoint, Host, Lifetime};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let lifetime = Lifetime::new();
    /// let any_port = Endpoint::ip(([127, 0, 0, 1], 0).into());
    /// let host = Host::empty_builder().listen_on(any_port).lifetime(lifetime.clone());
    /// tokio::spawn(async move {
    ///     lifetime.started().await;
    ///     // its work, then:
    ///     lifetime.stop();
    /// });
    /// host.try_run().await?;
    /// # Ok::<(), kestrel::HostError>(())
    /// # }).unwrap();
    /// ```
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.0.lifetime = lifetime;
        self
    }

    /// Another server in the place of the built-in one. What the built-in one does is changed by
    /// [`configure_kestrel`](Self::configure_kestrel), and by `Kestrel:*` in the configuration; what it
    /// counts is in [`RunningHost::counters`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use kestrel::{BoxFuture, Host, Server, ServerError, ServerStart};
    ///
    /// /// Serves nobody. `examples/custom_server.rs` is one that answers.
    /// struct NoServer;
    ///
    /// impl Server for NoServer {
    ///     fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
    ///         drop(start.application); // a service of tower's
    ///         Box::pin(async { Ok(vec!["nowhere://".to_owned()]) })
    ///     }
    ///
    ///     fn stop(&mut self, _grace: Duration) -> BoxFuture<'_, ()> {
    ///         Box::pin(async {})
    ///     }
    /// }
    ///
    /// let builder = Host::builder().server(NoServer);
    /// ```
    pub fn server(mut self, server: impl Server + 'static) -> Self {
        self.0.server = Some(Box::new(server));
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
        self.0.arguments = arguments
            .into_iter()
            .enumerate()
            .map(|(place, argument)| (place + 1, argument.into()))
            .collect();
        self.0.arguments_of_process = false;
        self
    }

    /// As [`args`](Self::args), each argument with its place on the whole command line.
    #[cfg(feature = "cli")]
    pub(crate) fn numbered_args(mut self, arguments: Vec<(usize, OsString)>) -> Self {
        self.0.arguments = arguments;
        self
    }

    /// The program reads its own command line: what it hands to [`args`](Self::args) are settings and
    /// nothing else, as on ASP.NET Core. `--help` and the other flags of the host mean nothing then;
    /// [`listen_spec`](Self::listen_spec) and [`strict`](Self::strict) do what they do.
    ///
    /// ```
    /// let words = std::env::args().skip(1).collect::<Vec<_>>();
    /// let (own, settings) = words.split_at(words.len().min(1)); // such as a subcommand
    /// let builder = kestrel::Host::builder().args(settings).without_host_flags();
    /// # let _ = own;
    /// ```
    pub fn without_host_flags(mut self) -> Self {
        self.0.settings_only = true;
        self
    }

    /// The program's version, for `--version`: `env!("CARGO_PKG_VERSION")` in most. Without it only
    /// that of kestrel is told.
    ///
    /// ```
    /// let builder = kestrel::Host::from_args().version(env!("CARGO_PKG_VERSION"));
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = Some(version.into());
        self
    }

    /// Names the application after the content root's folder if nothing else names it: the binary
    /// serves many, and its own name says nothing.
    #[cfg(feature = "cli")]
    pub(crate) fn named_after_content_root(mut self) -> Self {
        self.0.named_after_content_root = true;
        self
    }

    /// These environment variables in the place of the process's.
    ///
    /// ```
    /// let host = kestrel::Host::builder()
    ///     .environment_variables([("Greeting__Text", "Hello"), ("ASPNETCORE_URLS", "http://127.0.0.1:0")])
    ///     .without_logging()
    ///     .build()?;
    /// assert_eq!(host.configuration().value("Greeting:Text"), Some("Hello"));
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    pub fn environment_variables(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        self.0.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// This folder in the place of the process's current directory, from which a relative one counts.
    ///
    /// ```
    /// let builder = kestrel::Host::builder().current_directory("/srv/shop");
    /// ```
    pub fn current_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.current_directory = Some(folder.into());
        self
    }

    /// Binds these addresses, a `;` list as in key `urls`, over what the configuration says.
    ///
    /// ```
    /// let builder = kestrel::Host::from_args().use_urls("http://localhost:5000;http://[::1]:5001");
    /// ```
    pub fn use_urls(self, urls: &str) -> Self {
        self.setting("urls", urls, "use_urls")
    }

    /// Adds an address to the host's own list, which beats every `urls` (what `app.Urls` is).
    ///
    /// ```
    /// let builder = kestrel::Host::builder().add_url("http://*:5000").add_url("http://unix:/run/app.sock");
    /// ```
    pub fn add_url(mut self, url: impl Into<String>) -> Self {
        self.0.endpoints.added_urls.push(Sourced::new(url.into(), Origin::Code("add_url")));
        self
    }

    /// Whether addresses win over `listen` calls and `Kestrel:Endpoints`.
    ///
    /// ```
    /// // A platform that dictates the address by ASPNETCORE_URLS is right, whatever is listed here.
    /// let builder = kestrel::Host::builder().listen_localhost(5000).prefer_hosting_urls(true);
    /// ```
    pub fn prefer_hosting_urls(self, prefer: bool) -> Self {
        let text = if prefer { "true" } else { "false" };
        self.setting("preferHostingUrls", text, "prefer_hosting_urls")
    }

    /// Sets a key of the configuration over every source.
    pub fn use_setting(self, key: &str, value: &str) -> Self {
        self.setting(key, value, "use_setting")
    }

    fn setting(mut self, key: &str, value: &str, call: &'static str) -> Self {
        self.0.code.settings.push((key.to_owned(), value.to_owned(), call));
        self
    }

    /// Adds a source of configuration in this place of the order: a file, pairs, a function, or one of the
    /// program's. Messages and `--plan` tell what it set by its name. Each reload reads it again; what
    /// is wrong with it refuses the reload, or the start.
    ///
    /// ```
    /// use kestrel::Host;
    /// use kestrel::configuration::{JsonFile, Pairs, SourcePlace};
    ///
    /// let defaults = Pairs::new("defaults", [("Urls", "http://localhost:5080")]);
    /// let builder = Host::builder()
    ///     .configuration_source(SourcePlace::BelowFiles, defaults)
    ///     .configuration_source(SourcePlace::AboveFiles, JsonFile::optional("local.json"));
    /// ```
    pub fn configuration_source(
        mut self,
        place: SourcePlace,
        source: impl ConfigurationSource + 'static,
    ) -> Self {
        self.0.added_sources.push(AddedSource::new(place, source));
        self
    }

    /// The environment, over variables and command line.
    ///
    /// ```
    /// use kestrel::Host;
    ///
    /// let tool = Host::builder()
    ///     .environment("Development")
    ///     .content_root(env!("CARGO_MANIFEST_DIR"))
    ///     .application_name("shop")
    ///     .user_secrets_id("shop-5f3a")
    ///     .without_logging()
    ///     .build()?;
    /// assert_eq!(tool.environment(), "Development");
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.0.code.environment = Some(environment.into());
        self
    }

    /// The content root, over variables and command line.
    pub fn content_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.code.content_root = Some(folder.into());
        self
    }

    /// The application's name, over variables and command line. Without any of them it is the
    /// name of the program.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.0.code.application_name = Some(name.into());
        self
    }

    /// The id of the user's secrets, which are read in Development.
    pub fn user_secrets_id(mut self, id: impl Into<String>) -> Self {
        self.0.code.user_secrets_id = Some(id.into());
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
        self.0.configure.push(Box::new(configure));
        self
    }

    /// How long a stop may take, over the key `shutdownTimeoutSeconds`. Default: 30 seconds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// // The platform kills after 30 seconds.
    /// let builder = kestrel::Host::from_args().shutdown_timeout(Duration::from_secs(25));
    /// ```
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.0.shutdown_timeout = Some(timeout);
        self
    }

    /// Lets whatever would only be warned about end the start: of the configuration, the endpoints and
    /// the certificates, and of addresses that can be bound in part only.
    ///
    /// ```
    /// let misspelled = ("Kestrel__Limits__MaxConcurentConnections", "100");
    /// let refused = kestrel::Host::builder().environment_variables([misspelled]).strict(true).without_logging().build();
    /// assert!(refused.is_err());
    /// ```
    pub fn strict(mut self, strict: bool) -> Self {
        self.0.strict = strict;
        self
    }

    /// Leaves the log to the app: no subscriber is installed. (One that the app has installed
    /// itself is left alone in any case. One of its own that is to have the host's lines or levels
    /// asks [`Host::log`] for them.)
    pub fn without_logging(mut self) -> Self {
        self.0.log_to = LogTo::Program;
        self
    }

    /// The log for a test: it goes where `print!` does, so that the lines are shown with the test that
    /// fails. It is heard in the tasks of this host alone; nothing is installed for the process, and
    /// tests side by side do not share it.
    ///
    /// The output is that of the thread on which the host starts, which in a `#[tokio::test]` is that
    /// of the test. Levels and layout are as configured.
    ///
    /// ```no_run
    /// # async fn test() -> Result<(), kestrel::HostError> {
    /// let host = kestrel::Host::builder().use_urls("http://127.0.0.1:0").captured_logging().start().await?;
    /// // ...
    /// host.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn captured_logging(mut self) -> Self {
        self.0.log_to = LogTo::Captured;
        self
    }

    /// Loads the configuration, reads the settings, computes the plan and reads the certificates.
    /// Binds nothing, and installs nothing: what there is to log is told to the subscriber that the
    /// program has, or when the host starts.
    ///
    /// # Errors
    ///
    /// Everything that is wrong and can be known without binding, together; or the
    /// [`Answer`](HostError::Answered) that the command line asked for instead.
    pub fn build(self) -> Result<Host, HostError> {
        self.prepare().map_err(Refusal::logged)
    }

    /// The same, and ends the process where there is no host: with the answer to `--help` and its kin, or
    /// with a report of everything that is wrong, and the exit code that [`run`](Self::run) would
    /// give. For the first lines of `main`.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    ///     let host = kestrel::Host::from_args().build_or_exit();
    ///     let path = host.content_root().join("greeting.txt");
    ///     let greeting = tokio::fs::read_to_string(path).await?;
    ///     let app = Router::new().route("/", get(async move || greeting));
    ///     Ok(host.app(app).run().await)
    /// }
    /// ```
    pub fn build_or_exit(self) -> Host {
        self.prepare().unwrap_or_else(|refusal| process::exit(refusal.tell_kind() as u8))
    }

    fn prepare(self) -> Result<Host, Refusal> {
        Draft::read(self.0).and_then(Draft::judge)
    }

    /// Builds, and starts; see [`Host::start`].
    ///
    /// # Errors
    ///
    /// As those of [`build`](Self::build) and [`Host::start`]; what is wrong with the app is told
    /// together with all other mistakes.
    pub async fn start(self) -> Result<RunningHost, HostError> {
        self.launch(None).await.map_err(Refusal::logged)
    }

    /// Builds, starts, serves until a signal or a [`Lifetime`] asks for the stop, and stops. A
    /// start that is refused is told once: in the log, if its format was chosen, else on standard
    /// error. The exit code is the one that `docs/diagnostics.md` tells.
    ///
    /// Signals are taken over with the call. Until the host runs, and once this has returned, one
    /// that asks to stop ends the process: a start that waits for files or code of the program does
    /// not keep it. The table of signals is in `docs/diagnostics.md`. A program that wants them for
    /// itself uses [`build`](Self::build), [`start`](Host::start) and
    /// [`stop`](super::RunningHost::stop), which leave them alone.
    pub async fn run(self) -> ExitCode {
        self.serve().await.unwrap_or_else(Refusal::tell)
    }

    /// As [`run`](Self::run), for a program that has a word of its own for a start that is refused.
    /// The exit code is 0, or what the app ended the host with.
    ///
    /// # Errors
    ///
    /// As those of [`start`](Self::start). The log has been told.
    pub async fn try_run(self) -> Result<ExitCode, HostError> {
        self.serve().await.map_err(Refusal::logged)
    }

    async fn serve(self) -> Result<ExitCode, Refusal> {
        // Before the start: whatever holds it, a signal ends it.
        let signals = Signals::register().map_err(Refusal::internal)?;
        let running = self.launch(Some(&signals)).await?;
        Ok(running.run(signals).await)
    }

    async fn launch(self, signals: Option<&Signals>) -> Result<RunningHost, Refusal> {
        check_runtime()?;
        let mut draft = Draft::read(self.0)?;
        // The app may have something to say while it is made.
        let log = draft.begin_log();
        log.around(async { draft.make_app().await.judge()?.launch(signals).await }).await
    }
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments may hold secrets.
        f.debug_struct("HostBuilder").field("code", &self.0.code).finish_non_exhaustive()
    }
}
