//! What code says of a host.

use std::convert::Infallible;
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
pub struct HostBuilder(pub(super) Box<Given>);

impl Host {
    /// A builder with the settings of the process: its variables and its current directory. The
    /// command line counts only if it is given to [`args`](HostBuilder::args).
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// A builder that reads nothing: no file, no variable, no argument, and no certificate of the
    /// user's, whether for development or trusted; and it writes no log, unless
    /// [`with_logging`](HostBuilder::with_logging) asks for it. There is what code says, and
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
        HostBuilder(Box::new(Given::nothing()))
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
        self.0.log_to = Some(LogTo::Program);
        self
    }

    /// The log of the host, where it would write none: that of [`Host::empty_builder`] and of
    /// [`hermetic`](Self::hermetic). `Logging:*` says what it has. Other hosts have it by themselves.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), kestrel::HostError> {
    /// let admin = kestrel::Host::empty_builder().with_logging().use_setting("Logging:LogLevel:Default", "Debug");
    /// let admin = admin.use_urls("http://localhost:5001").start().await?;
    /// # admin.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_logging(mut self) -> Self {
        self.0.log_to = Some(LogTo::Console);
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
        self.0.log_to = Some(LogTo::Captured);
        self
    }

    /// Loads the configuration, reads the settings, computes the plan and reads the certificates.
    /// Binds nothing, and installs nothing: what there is to log is told to the subscriber that the
    /// program has, or when the host starts.
    ///
    /// # Errors
    ///
    /// Everything that is wrong and can be known without binding, together; or the
    /// [`Answer`](HostError::Answered) that the command line asked for instead. With `?` in `main` that
    /// is an error, too, with exit code 1: a program with a command line takes
    /// [`build_or_exit`](Self::build_or_exit), or [`HostError::tell`].
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
        Draft::read(*self.0).and_then(Draft::judge)
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
        Ok(Box::pin(running.run(signals)).await)
    }

    async fn launch(self, signals: Option<&Signals>) -> Result<RunningHost, Refusal> {
        check_runtime()?;
        let mut draft = Draft::read(*self.0)?;
        // The app may have something to say while it is made.
        let log = draft.begin_log();
        // On the heap: the caller's future would hold all of it, and a few of those fill a thread's stack.
        let launched = Box::pin(async { draft.make_app().await.judge()?.launch(signals).await });
        log.around(launched).await
    }
}

impl std::fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments may hold secrets.
        f.debug_struct("HostBuilder").field("code", &self.0.code).finish_non_exhaustive()
    }
}
