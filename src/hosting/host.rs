//! The host: from a plan to a running server, and back.

use std::fmt;
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::app::{App, AppContext, AppSource, Exit, Lives, Making};
use super::error::HostError;
use super::finding::{self, Finding, judged};
use super::lifetime::{Asked, Signals, StopSignal};
use super::live_configuration::{LiveConfiguration, Published};
use super::prepare::Prepared;
use super::reload::{self, Reloaded, Running, Serving, Started, Watch, Wish, Wishes, follow};
use super::report::{self, Refusal, Voice, begin};
use super::request_logs::RequestLogs;
use super::service_manager::ServiceManager;
use super::services::{Registration, Services};
use super::settings::{missing_site, stop_delay};
use super::sources::Sources;
use super::{explain, pipeline};
use crate::addresses::{EndpointPlan, also_reachable};
use crate::configuration::{Configuration, Problem};
use crate::diagnostics::{LogContext, Notice, events, in_log_boxed};
use crate::features::{Lifetime, Living, ServerAddresses};
use crate::logging::{Log, Logging};
use crate::middleware::HealthCheckOptions;
use crate::pipeline::{Application, Layers, Pipeline};
use crate::server::{Counters, KestrelServer, Server, ServerStart, moment_after};

/// A host that is configured but not started: nothing is bound yet.
pub struct Host {
    pub(super) sources: Box<Sources>,
    pub(super) prepared: Box<Prepared>,
    pub(super) live: Published,
    /// What is to be said before the endpoints are bound.
    pub(super) remarks: Vec<Finding>,
    pub(super) shutdown_timeout: Duration,
    pub(super) context: AppContext,
    pub(super) living: Living,
    pub(super) app: Making,
    pub(super) layers: Layers,
    pub(super) services: Vec<Registration>,
    pub(super) server: Option<Box<dyn Server>>,
    pub(super) log: Log,
    /// What is to be said when the start begins.
    pub(super) unsaid: Vec<Notice>,
    /// What nobody might hear, since there is no log.
    pub(super) unheard: Option<Problem>,
}

impl Host {
    /// What will be bound, and who said so. It prints as a table.
    pub fn plan(&self) -> &EndpointPlan {
        &self.prepared.plan
    }

    /// The merged configuration, with the origin of every value.
    pub fn configuration(&self) -> &Configuration {
        &self.prepared.loaded.configuration
    }

    /// The environment, such as `Production`.
    pub fn environment(&self) -> &str {
        &self.prepared.loaded.environment.value
    }

    /// The folder that files are looked up in.
    pub fn content_root(&self) -> &Path {
        &self.prepared.loaded.content_root.value
    }

    /// The name of the application.
    pub fn application_name(&self) -> &str {
        &self.prepared.loaded.application_name.value
    }

    /// What the app is to know of this host; see [`HostBuilder::app_with`](super::HostBuilder::app_with).
    pub fn context(&self) -> &AppContext {
        &self.context
    }

    /// The life of this host: asks it to stop, and tells how far it is.
    pub fn lifetime(&self) -> Lifetime {
        self.context.lifetime.clone()
    }

    /// The log, for a program with a subscriber of its own: the console as a layer of it, and the levels
    /// as a filter.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The app that answers the requests, in the place of one that the builder was given. So an app can
    /// be made of what the configuration says, by code that waits and may fail:
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use kestrel::Host;
    ///
    /// # async fn run() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    /// let host = Host::from_args().build_or_exit();
    /// let path = host.configuration().value("Greeting:File").unwrap_or("greeting.txt");
    /// let greeting = tokio::fs::read_to_string(host.content_root().join(path)).await?;
    /// let app = Router::new().route("/", get(async move || greeting));
    /// Ok(host.app(app).run().await)
    /// # }
    /// ```
    pub fn app(mut self, app: impl Into<App>) -> Self {
        self.app = Making::ToDo(AppSource::Ready(app.into()));
        self
    }

    /// Starts, serves until a signal or the [`Lifetime`] asks for the stop, and stops. Everything else
    /// is as with [`HostBuilder::run`](super::HostBuilder::run).
    pub async fn run(self) -> ExitCode {
        self.serve_signalled().await.unwrap_or_else(Refusal::tell)
    }

    /// As [`run`](Self::run), for a program that has a word of its own for a start that is refused.
    ///
    /// # Errors
    ///
    /// As those of [`start`](Self::start). The log has been told.
    pub async fn try_run(self) -> Result<ExitCode, HostError> {
        self.serve_signalled().await.map_err(Refusal::logged)
    }

    async fn serve_signalled(self) -> Result<ExitCode, Refusal> {
        let signals = Signals::register().map_err(Refusal::internal)?;
        let running = self.launch(Some(&signals)).await?;
        Ok(Box::pin(running.run(signals)).await)
    }

    /// Makes the app if it is not made yet, binds the endpoints, announces them and starts to serve.
    ///
    /// # Errors
    ///
    /// The app cannot be made, or endpoints cannot be bound: every one of them. Nothing is left bound.
    pub async fn start(self) -> Result<RunningHost, HostError> {
        self.launch(None).await.map_err(Refusal::logged)
    }

    /// The same, with what it takes to tell a failure. The signals are told how far it is.
    pub(super) async fn launch(
        mut self,
        signals: Option<&Signals>,
    ) -> Result<RunningHost, Refusal> {
        check_runtime()?;
        let log = begin(&mut self.log);
        log.around(Box::pin(self.launch_told(signals, log.clone()))).await
    }

    async fn launch_told(
        mut self,
        signals: Option<&Signals>,
        log: LogContext,
    ) -> Result<RunningHost, Refusal> {
        let logging = self.log.running().cloned();
        let logs = self.context.of_host.logs.clone();
        let remarks = self.tell(&logs, logging.as_ref());
        let (serving, watch) = match self.serve_watched(signals).await {
            Ok(serving) => serving,
            Err(error) => return Err(self.refusal(error)),
        };
        let (watcher, changes) = watch.unzip();
        if let Some(signals) = signals {
            signals.running(logging.clone());
        }
        self.announce();
        let (stopping, stops) = watch::channel(false);
        let wishes = Wishes::new();
        let (lifetime, addresses) = (self.context.lifetime.clone(), self.context.addresses.clone());
        self.living.started();
        let (exit, counters) = (serving.exit.clone(), serving.server.counters());
        let live_configuration = self.live.handle();
        let pushes = self.sources.pushes.take();
        let service_manager = ServiceManager::of(&self.sources.inputs.variables);
        let running = Running::new(Started {
            sources: *self.sources,
            prepared: *self.prepared,
            // A reload does not tell of them again.
            told: remarks.into_iter().map(|remark| remark.problem().clone()).collect(),
            live: self.live,
            context: self.context,
            serving,
            logging: logging.clone(),
            levels: self.log.filter(),
            watcher,
            heard: wishes.heard(),
            stopping: stops.clone(),
        });
        let health = running.health();
        let running = Arc::new(Mutex::new(running));
        follow([(changes, Wish::Notice), (pushes, Wish::Follow)], &running, &wishes, &stops);
        Ok(RunningHost {
            running,
            wishes,
            logging,
            logs,
            log,
            stopping,
            health,
            addresses,
            live: live_configuration,
            counters,
            shutdown_timeout: self.shutdown_timeout,
            lifetime,
            _living: self.living,
            exit,
            service_manager,
        })
    }

    /// Tells what there is to tell before anything is bound, and gives what is odd about the settings.
    fn tell(&mut self, logs: &RequestLogs, logging: Option<&Arc<Logging>>) -> Vec<Finding> {
        std::mem::take(&mut self.unsaid).iter().for_each(Notice::log);
        self.unheard.take().iter().for_each(report::tell_if_unheard);
        events::hosting_starting();
        logs.console(logging);
        let remarks = std::mem::take(&mut self.remarks);
        remarks.iter().for_each(|remark| remark.notice().log());
        remarks
    }

    /// Serves, and watches the files.
    async fn serve_watched(
        &mut self,
        signals: Option<&Signals>,
    ) -> Result<(Serving, Option<Watch>), HostError> {
        // Nothing is bound by a strict host that what is odd about the watch refuses. In others it refuses nothing, and
        // what runs behind them is not to wait for it.
        let early = self.sources.strict.then(|| self.watch()).transpose()?;
        let serving = self.serve(signals).await?;
        // Before the announcement: what is edited after it does not go unnoticed, nor what was edited since it was read.
        let watch = early.map_or_else(|| self.watch(), Ok)?;
        Ok((serving, watch))
    }

    /// Starts to watch the files, and tells what is odd about that.
    ///
    /// # Errors
    ///
    /// What is told refuses the start of a strict host.
    fn watch(&self) -> Result<Option<Watch>, HostError> {
        let variables = &self.sources.inputs.variables;
        let (watch, odd) = reload::watch_files(&self.prepared, variables);
        let (fatal, odd) = judged(odd, self.sources.strict);
        odd.iter().for_each(|odd| odd.notice().log());
        finding::error(fatal).map_or(Ok(watch), Err)
    }

    fn refusal(self, error: HostError) -> Refusal {
        Refusal { error, remarks: Vec::new(), voice: Voice::of(self.log, Vec::new()) }
    }

    /// Makes the app, starts the services, and serves.
    async fn serve(&mut self, signals: Option<&Signals>) -> Result<Serving, HostError> {
        let app = std::mem::replace(&mut self.app, Making::Failed(Vec::new()));
        let made = match app.make(&self.context).await {
            Making::Done(made) => made,
            Making::Failed(problems) => return Err(HostError::App(problems)),
            Making::ToDo(_) => return Err(HostError::App(Vec::new())),
        };
        let exit = Exit::new(self.context.lifetime.clone());
        let (services, patience) = (std::mem::take(&mut self.services), self.shutdown_timeout);
        let services = Services::start(services, &self.context, &exit, patience).await;
        let mut services = services.map_err(HostError::Service)?;
        if let Some(signals) = signals {
            signals.binding();
        }
        let Prepared { settings, plan, certificates, materials, .. } = &*self.prepared;
        let options = settings.server.clone();
        let mut server =
            self.server.take().unwrap_or_else(|| Box::new(KestrelServer::new(options)));
        let (app, life) = made.app.into_parts(&self.layers);
        let stages = pipeline::stages(&settings.stages, materials, &self.context.of_host);
        let application = Application::new(Pipeline::new(stages, app));
        let start = ServerStart::new(plan.clone(), application.clone())
            .within(self.context.lifetime.clone())
            .secured(certificates.endpoints())
            .strict(self.sources.strict)
            .on(self.sources.network.clone())
            .published_by(self.context.addresses.clone());
        match server.start(start).await {
            Ok(addresses) => {
                self.context.addresses.publish(addresses, server.socket_addresses());
                // Behind it: whoever finds a port taken has started nothing.
                self.context.of_host.begin_children();
            }
            Err(error) => {
                services.stop(moment_after(patience)).await;
                return Err(error.into());
            }
        }
        let lives = Lives::begin(life, exit.clone(), self.shutdown_timeout);
        let layers = std::mem::take(&mut self.layers);
        Ok(Serving { server, application, make_app: made.again, layers, lives, services, exit })
    }

    fn announce(&self) {
        explain::after_binding(&self.prepared.plan.notes).iter().for_each(Notice::log);
        for address in self.context.addresses.list() {
            events::listening(&address);
            if let Some(also) = also_reachable(&address) {
                events::listening(&also);
            }
        }
        events::application_started();
        events::hosting_environment(self.environment());
        events::content_root_path(&self.content_root().display().to_string());
        // Beside the folder in which it was looked for. A start that is refused has no need of it.
        let answers = self.prepared.settings.stages.answers_without_files();
        if let Some(notice) = missing_site(&self.prepared.loaded).filter(|_| !answers) {
            notice.log();
        }
        events::hosting_started();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("environment", &self.environment())
            .field("plan", &self.prepared.plan)
            .finish_non_exhaustive()
    }
}

/// Whether there is a runtime to start in, with its drivers: without them, the first task would panic.
pub(super) fn check_runtime() -> Result<(), Refusal> {
    const NONE: &str = "a host starts in a runtime of tokio's, such as #[tokio::main] makes one; there is none here.";
    let refusal = |why: String| Refusal::internal(std::io::Error::other(why));
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(refusal(NONE.to_owned()));
    }
    // tokio tells it by a panic and by nothing else.
    let timer = || drop(tokio::time::sleep(Duration::ZERO));
    let sockets = || drop(a_socket());
    let lacks = [
        ("timers (enable_time)", catch_unwind(timer)),
        ("sockets (enable_io)", catch_unwind(sockets)),
    ];
    let lacks: Vec<_> =
        lacks.into_iter().filter(|(_, it)| it.is_err()).map(|(what, _)| what).collect();
    match lacks.is_empty() {
        true => Ok(()),
        false => Err(refusal(format!(
            "the runtime that the host starts in was built without {}: call enable_all() on its builder.",
            lacks.join(" and ")
        ))),
    }
}

/// A socket of tokio's that costs nothing and is nobody's.
#[cfg(unix)]
fn a_socket() -> std::io::Result<tokio::net::UnixDatagram> {
    tokio::net::UnixDatagram::unbound()
}

#[cfg(not(unix))]
fn a_socket() -> std::io::Result<tokio::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0))?;
    socket.set_nonblocking(true)?;
    tokio::net::UdpSocket::from_std(socket)
}

/// A host that serves. Dropping it cuts off whatever it serves: call [`stop`](Self::stop) for a clean
/// end.
pub struct RunningHost {
    running: Arc<Mutex<Running>>,
    wishes: Wishes,
    logging: Option<Arc<Logging>>,
    /// Those of requests.
    logs: RequestLogs,
    log: LogContext,
    /// True once the stop has begun.
    stopping: watch::Sender<bool>,
    health: watch::Receiver<Option<HealthCheckOptions>>,
    addresses: ServerAddresses,
    live: LiveConfiguration,
    counters: Option<Counters>,
    shutdown_timeout: Duration,
    lifetime: Lifetime,
    /// Tells the end of the host to whoever waits for it.
    _living: Living,
    exit: Exit,
    /// Who is told of a process that this host is the whole of.
    service_manager: Option<ServiceManager>,
}

impl RunningHost {
    /// The addresses that are bound at this moment, with the ports the system chose (what
    /// `IServerAddressesFeature` tells).
    pub fn addresses(&self) -> Vec<String> {
        self.addresses.list()
    }

    /// The addresses of the sockets that listen at this moment: two for `http://localhost:5000`, none
    /// for a Unix socket. Another server may tell none.
    pub fn socket_addresses(&self) -> Vec<SocketAddr> {
        self.addresses.sockets()
    }

    /// The configuration that is in effect at this moment.
    pub fn configuration(&self) -> Configuration {
        self.live.current()
    }

    /// What the server has counted since its start, to be looked at again at any time; `None` if it is
    /// another server that counts nothing.
    ///
    /// ```no_run
    /// # async fn watch() -> Result<(), kestrel::HostError> {
    /// let host = kestrel::Host::builder().build()?.start().await?;
    /// if let Some(counters) = host.counters() {
    ///     println!("{} of {} connections are open", counters.open(), counters.accepted());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn counters(&self) -> Option<Counters> {
        self.counters.clone()
    }

    /// The life of this host: asks it to stop, from anywhere, and tells how far it is.
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime.clone()
    }

    /// Reads the configuration again and goes over to it, as a change of a file and SIGHUP make the
    /// host do: endpoints of `Kestrel:Endpoints` come and go, certificates, limits and log levels
    /// are replaced. Unchanged endpoints keep their sockets and their connections.
    ///
    /// What the reload changed, or refused, is logged. It goes on if this future is dropped. A
    /// certificate that cannot be read is an error at once: whoever calls this knows that the files
    /// are complete. (A change that is noticed, and SIGHUP, try it again for five seconds.)
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, or could not be bound. Everything is as it was.
    pub async fn reload(&self) -> Result<Reloaded, HostError> {
        self.reload_for(Wish::Follow).await
    }

    /// The same, and makes the app anew even if nothing is different in the configuration: what it reads
    /// by itself may be, such as a file that a key names. SIGHUP does this, too.
    ///
    /// # Errors
    ///
    /// As those of [`reload`](Self::reload).
    pub async fn renew(&self) -> Result<Reloaded, HostError> {
        self.reload_for(Wish::Renew).await
    }

    async fn reload_for(&self, wish: Wish) -> Result<Reloaded, HostError> {
        let running = Arc::clone(&self.running);
        self.wishes.ask();
        // In a task of its own: half a reload is none.
        let reload = async move { running.lock().await.reload(wish).await };
        let reload = tokio::spawn(self.log.around(reload));
        reload.await.unwrap_or_else(|error| Err(HostError::Server(Box::new(error))))
    }

    /// The exit code that the app ended the host with, if it did.
    pub fn exit_code(&self) -> Option<ExitCode> {
        self.exit.code()
    }

    /// Waits until somebody asks for the stop by a [`Lifetime`], or the app ends the host. Signals are
    /// not listened to.
    pub async fn stop_requested(&self) {
        self.lifetime.stopping().await;
    }

    /// Stops: no new connections, idle ones closed, running requests finished within the shutdown
    /// timeout and then aborted; then the background tasks of the app end and the services stop, within
    /// what is left of it. `HealthChecks:StopDelay` goes before that, and is a part of the timeout. A log that
    /// nobody reads holds it for a second and a half at most. Tells what had to be cut off.
    pub async fn stop(self) -> Stopped {
        let log = self.log.clone();
        log.around(self.stop_told()).await
    }

    async fn stop_told(self) -> Stopped {
        if let Some(logging) = &self.logging {
            logging.begin_stop();
        }
        // First: who asks whether requests should come is told that they should not.
        self.lifetime.leave();
        events::application_stopping();
        // A reload that waits for files gives way.
        self.stopping.send_replace(true);
        let delay = self.delay_stop().await;
        // Whatever would never end ends itself now.
        self.lifetime.stop();
        events::hosting_stopping();
        let mut running = self.running.lock().await;
        let cut_before = self.counters.as_ref().map_or(0, Counters::cut_off);
        let (tasks, services) = running.stop(self.shutdown_timeout - delay).await;
        let cut_off = self.counters.as_ref().map_or(0, Counters::cut_off);
        self.logs.finish();
        events::hosting_stopped();
        if let Some(logging) = &running.logging {
            logging.finish();
        }
        Stopped { connections: cut_off - cut_before, tasks, services }
    }

    /// Serves on for a while in which nobody new is to be sent here, if settings say so. Gives how long.
    async fn delay_stop(&self) -> Duration {
        let Some(health) = self.health.borrow().clone() else { return Duration::ZERO };
        let delay = stop_delay(health.stop_delay, self.shutdown_timeout);
        if !delay.is_zero() {
            events::stop_delayed(delay.as_secs_f64(), &health.ready);
            sleep(delay).await;
        }
        delay
    }

    /// Serves until a signal or the [`Lifetime`] asks for the stop, and stops, as
    /// [`HostBuilder::run`](super::HostBuilder::run) does; for a program that has started its host by
    /// itself. Gives the exit code: 0, or what the app or a service ended the host with.
    ///
    /// # Errors
    ///
    /// The system does not let signals be watched. The host is cut off then.
    pub async fn wait_for_shutdown(self) -> Result<ExitCode, HostError> {
        let signals = Signals::register().map_err(|error| HostError::Server(Box::new(error)))?;
        signals.running(self.logging.clone());
        Ok(self.run(signals).await)
    }

    /// Serves until a signal or a [`Lifetime`] asks for the stop, and stops. SIGHUP reloads. A
    /// second signal to stop, a second after the first or later, ends at once, with 128 and its
    /// number as the exit code.
    pub(super) async fn run(self, signals: Signals) -> ExitCode {
        let log = self.log.clone();
        log.around(self.run_told(signals)).await
    }

    async fn run_told(self, mut signals: Signals) -> ExitCode {
        let service_manager = self.service_manager.clone();
        service_manager.iter().for_each(ServiceManager::ready);
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop | Asked::StopAgain | Asked::End(_) => break,
                    Asked::StopWithTerminal => {
                        events::terminal_gone();
                        break;
                    }
                    Asked::Reload => {
                        let hangup = hangup(Arc::clone(&self.running), self.wishes.clone());
                        drop(tokio::spawn(in_log_boxed(hangup)));
                    }
                    // Not here: a line may wait for a log that is full, and signals do not.
                    Asked::ReopenLogs => {
                        let logs = self.logs.clone();
                        drop(tokio::spawn(in_log_boxed(async move { logs.reopen() })));
                    }
                },
                () = self.stop_requested() => break,
            }
        }
        service_manager.iter().for_each(ServiceManager::stopping);
        let (last, exit, logs) = (self.logging.clone(), self.exit.clone(), self.logs.clone());
        let mut stop = pin!(self.stop());
        loop {
            let asked = tokio::select! {
                _ = &mut stop => return exit.code().unwrap_or(ExitCode::SUCCESS),
                asked = signals.next() => asked,
            };
            match asked {
                // The stop has begun, whoever asked for it.
                Asked::Stop | Asked::StopWithTerminal | Asked::StopAgain => events::stop_repeated(),
                Asked::End(signal) => return end(last.as_deref(), signal),
                Asked::Reload => events::hangup_ignored(),
                Asked::ReopenLogs => logs.reopen(),
            }
        }
    }
}

/// What a stop had to cut off, because it did not end within the shutdown timeout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// How many connections, with the requests on them. Another server may not tell.
    pub connections: u64,
    /// How many background tasks of the app, and of those before it.
    pub tasks: usize,
    /// The names of the services.
    pub services: Vec<String>,
}

impl Stopped {
    /// Whether everything ended by itself.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Ends at once, but for what the log has to say.
fn end(logging: Option<&Logging>, signal: StopSignal) -> ExitCode {
    events::stop_forced();
    // A reload that waits for its turn keeps the host, and so the log, which nobody would write at
    // the end of the process.
    if let Some(logging) = logging {
        logging.finish();
    }
    ExitCode::from(signal.exit_code())
}

/// Reloads because of SIGHUP: then it is told that nothing is different, too.
async fn hangup(running: Arc<Mutex<Running>>, wishes: Wishes) {
    wishes.ask();
    let mut running = running.lock().await;
    match running.reload_patiently(Wish::Renew, || {}).await {
        Ok(Reloaded::Unchanged) => events::reloaded_by_hangup("nothing changed"),
        Ok(Reloaded::Changed) => events::reloaded_by_hangup("it has changed, and is in effect"),
        // The stop has its own last word.
        Err(_) if running.is_stopping() || running.has_given_way() => {}
        // What is wrong has been logged.
        Err(_) => {
            events::reloaded_by_hangup("it could not be applied, and what runs goes on as it was");
        }
    }
}

impl fmt::Debug for RunningHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningHost").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}
