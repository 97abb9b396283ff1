//! The app of a host, and its life: how it is made, what runs beside it, when it ends.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::app_error::AppError;
use super::error::ExitKind;
use super::live_configuration::LiveConfiguration;
use super::patience::patiently;
use super::pipeline::OfHost;
use crate::apps::welcome_page::{Welcome, WelcomePage};
use crate::configuration::{Configuration, Problem};
use crate::diagnostics::{events, in_log, in_log_boxed, panic_message};
use crate::features::{Lifetime, ServerAddresses};
use crate::pipeline::{InUse, Layers, Responder, Retired};
use crate::server::{BoxFuture, moment_after};

/// A task that runs beside an app.
type Task = Box<dyn FnOnce(Ending) -> BoxFuture<'static, ()> + Send>;

/// What answers requests, and what lives with it.
///
/// An [`axum::Router`] is one as it is; [`App::service`] makes one of any service of tower's.
///
/// ```no_run
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use kestrel::{App, Host};
///
/// let router = Router::new().route("/", get(|| async { "Hello" }));
/// let app = App::from(router).background(|mut ending| async move {
///     let mut minutes = tokio::time::interval(Duration::from_secs(60));
///     loop {
///         tokio::select! {
///             _ = minutes.tick() => { /* look for work */ }
///             () = ending.begun() => return,
///         }
///     }
/// });
/// let builder = Host::builder().app(app);
/// ```
#[must_use = "an app does nothing until a host runs it"]
pub struct App {
    responder: Responder,
    tasks: Vec<Task>,
    exit: Option<BoxFuture<'static, ExitCode>>,
}

impl App {
    /// A service of tower's as an app. It is asked whether it is ready before each request, which
    /// waits for that.
    pub fn service<S>(service: S) -> Self
    where
        S: Service<axum::extract::Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        Self::of(Responder::service(service))
    }

    pub(super) fn of(responder: Responder) -> Self {
        Self { responder, tasks: Vec::new(), exit: None }
    }

    /// Runs a task beside the app: it begins when the app answers requests, and is to end when the
    /// app does, which [`Ending::begun`] tells. That is when its last request has been answered: at
    /// the stop of the host, or after a reload has replaced it. Where requests take all of the shutdown
    /// timeout, it is told when a tenth of that is left, a second at most. It is waited for within the
    /// timeout and dropped then. A panic in it is told in the log.
    pub fn background<F>(mut self, task: impl FnOnce(Ending) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.push(Box::new(|ending| Box::pin(task(ending))));
        self
    }

    /// Ends the host with an exit code, once `exit` is ready: requests finish as at any stop. It does
    /// not count any more once a reload has replaced the app. Called again, it replaces what was
    /// given before. A panic in it is told, and ends the host with 1. The codes of the host itself,
    /// which are below 8, had better not be used.
    pub fn exit_with(mut self, exit: impl Future<Output = ExitCode> + Send + 'static) -> Self {
        self.exit = Some(Box::pin(exit));
        self
    }

    /// What answers requests, with the program's layers around it, and the life beside it, which has
    /// not begun.
    pub(super) fn into_parts(self, layers: &Layers) -> (Arc<InUse>, Life) {
        let (in_use, retired) = InUse::new(layers.around(self.responder), layers.client);
        let life = Life {
            retired,
            ending: watch::Sender::new(false),
            told: None,
            to_begin: self.tasks,
            tasks: JoinSet::new(),
            to_exit: self.exit,
            exit: None,
        };
        (in_use, life)
    }
}

impl From<Router> for App {
    fn from(router: Router) -> Self {
        Self::of(Responder::router(router))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("responder", &self.responder)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// Tells a background task that its app has answered its last request.
#[derive(Clone, Debug)]
pub struct Ending(watch::Receiver<bool>);

impl Ending {
    pub(super) fn of(ending: &watch::Sender<bool>) -> Self {
        Self(ending.subscribe())
    }

    /// Waits until the end begins. It may be asked again, and dropped at any time.
    pub async fn begun(&mut self) {
        // Without a sender the app is gone, which is an end, too.
        let _ = self.0.wait_for(|ending| *ending).await;
    }
}

/// What an app can know about its host when it is made. Cloning it is cheap: a handler may have it as
/// its state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppContext {
    /// The merged configuration that the app is made from.
    pub configuration: Configuration,
    /// The merged configuration of any moment: reloads change it.
    pub live_configuration: LiveConfiguration,
    /// The bound addresses, once the host has started.
    pub addresses: ServerAddresses,
    /// Asks the host to stop, and tells how far it is.
    pub lifetime: Lifetime,
    /// What stages know of the host.
    pub(super) of_host: OfHost,
    pub(super) environment: Arc<str>,
    pub(super) content_root: Arc<Path>,
}

impl AppContext {
    /// The environment, such as `Production`.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The folder that files are looked up in.
    pub fn content_root(&self) -> &Path {
        &self.content_root
    }
}

/// How an app is made.
pub(super) enum AppSource {
    /// It is there, and stays.
    Ready(App),
    /// It is made once, and stays.
    Once(MakeAppOnce),
    /// It is made for the start, and again by every reload that changes the configuration.
    EachTime(MakeApp),
}

/// Makes an app from the configuration, once.
type MakeAppOnce = Box<dyn FnOnce(AppContext) -> MakingApp + Send>;

/// Makes an app from the configuration.
pub(super) type MakeApp = Arc<dyn Fn(AppContext) -> MakingApp + Send + Sync>;

/// An app that is being made.
pub(super) type MakingApp = BoxFuture<'static, Result<App, AppError>>;

/// An app that was made, and how the next one is; `None` if it stays.
pub(super) struct Made {
    pub(super) app: App,
    pub(super) again: Option<MakeApp>,
}

/// An app that may be made already.
pub(super) enum Making {
    ToDo(AppSource),
    Done(Made),
    /// It could not be made.
    Failed(Vec<Problem>),
}

impl Making {
    /// Makes the app, unless somebody tried that already.
    pub(super) async fn make(self, context: &AppContext) -> Self {
        match self {
            Self::ToDo(source) => {
                let tell = |waited: Duration| events::first_app_takes_time(waited.as_secs());
                let made = patiently(source.first(context), tell).await;
                made.map_or_else(Self::Failed, Self::Done)
            }
            tried => tried,
        }
    }
}

impl AppSource {
    /// What answers where nothing else does.
    pub(super) fn welcome_page() -> Self {
        Self::Once(Box::new(|context| {
            let page = WelcomePage::new(Welcome {
                environment: context.environment().to_owned(),
                addresses: context.addresses.clone(),
                version: env!("CARGO_PKG_VERSION"),
            });
            let app = App::of(Responder::Handler(Arc::new(page)));
            Box::pin(std::future::ready(Ok(app)))
        }))
    }

    /// Makes the first app.
    ///
    /// # Errors
    ///
    /// Why it cannot be made.
    async fn first(self, context: &AppContext) -> Result<Made, Vec<Problem>> {
        match self {
            Self::Ready(app) => Ok(Made { app, again: None }),
            Self::Once(make) => Ok(Made { app: made(make, context.clone()).await?, again: None }),
            Self::EachTime(make) => {
                let again = Arc::clone(&make);
                let app = made(move |context| again(context), context.clone()).await?;
                Ok(Made { app, again: Some(make) })
            }
        }
    }
}

/// Makes an app, in a task of its own: a panic is a mistake like any other, and no end of whoever waits.
///
/// # Errors
///
/// Why it cannot be made.
pub(super) async fn made(
    make: impl FnOnce(AppContext) -> MakingApp + Send + 'static,
    context: AppContext,
) -> Result<App, Vec<Problem>> {
    let mut making = JoinSet::new();
    making.spawn(in_log(async move { make(context).await }));
    let error = match making.join_next().await {
        Some(Ok(made)) => return made.map_err(AppError::into_problems),
        Some(Err(error)) => error,
        None => return Err(AppError::from("nothing makes it").into_problems()),
    };
    let problem = match error.try_into_panic() {
        Ok(panic) => Problem::error("The app cannot be made: the code that makes it panicked.")
            .cause(panic_message(&*panic)),
        Err(_) => Problem::error("The app cannot be made: the code that makes it was given up."),
    };
    Err(vec![problem])
}

/// The life of an app beside its requests.
pub(super) struct Life {
    retired: Retired,
    ending: watch::Sender<bool>,
    /// When the tasks were told that they are to end.
    told: Option<Instant>,
    to_begin: Vec<Task>,
    tasks: JoinSet<()>,
    to_exit: Option<BoxFuture<'static, ExitCode>>,
    exit: Option<JoinHandle<()>>,
}

impl Life {
    /// The app answers requests from now on.
    fn begin(&mut self, exit: &Exit) {
        for task in std::mem::take(&mut self.to_begin) {
            self.tasks.spawn(in_log_boxed(watched(task, Ending::of(&self.ending))));
        }
        if let Some(code) = self.to_exit.take() {
            self.exit = Some(tokio::spawn(in_log_boxed(exits(code, exit.clone()))));
        }
    }

    /// Another app is in its place: it ends the host no more.
    fn replaced(&mut self) {
        if let Some(exit) = self.exit.take() {
            exit.abort();
        }
    }

    /// Tells the tasks that they are to end, and when they were told first.
    fn tell_tasks(&mut self) -> Instant {
        self.ending.send_replace(true);
        *self.told.get_or_insert_with(Instant::now)
    }

    /// Ends the tasks, by `deadline` at the latest, but not before they could know it. Gives how many did
    /// not end.
    async fn end(mut self, deadline: Instant) -> usize {
        self.replaced();
        let deadline = deadline.max(self.tell_tasks() + LAST_MOMENT);
        while let Ok(Some(_)) = timeout_at(deadline, self.tasks.join_next()).await {}
        if !self.tasks.is_empty() {
            events::background_tasks_cut_off(self.tasks.len());
        }
        self.tasks.len()
    }
}

/// Ends the host with what the app says. If it cannot say it any more, nothing else would end the host.
async fn exits(code: BoxFuture<'static, ExitCode>, exit: Exit) {
    let mut running = JoinSet::new();
    running.spawn(in_log(code));
    match running.join_next().await {
        Some(Ok(code)) => {
            events::application_exited();
            exit.ask(code);
        }
        Some(Err(error)) => {
            if let Ok(panic) = error.try_into_panic() {
                events::exit_panicked(panic_message(&*panic));
                exit.ask(ExitKind::Internal.into());
            }
        }
        None => {}
    }
}

/// Runs a task, and tells of a panic when it happens: the app may live for weeks after it.
async fn watched(task: Task, ending: Ending) {
    let mut running = JoinSet::new();
    running.spawn(in_log_boxed(async move { task(ending).await }));
    if let Some(Err(error)) = running.join_next().await
        && let Ok(panic) = error.try_into_panic()
    {
        events::background_task_panicked(panic_message(&*panic));
    }
}

/// A task that is told to end when the time is over has this long.
const LAST_MOMENT: Duration = Duration::from_millis(100);

/// The apps of a host that are not over: the one that answers, and those whose last requests run.
pub(super) struct Lives {
    current: Option<Life>,
    leaving: JoinSet<usize>,
    /// By when everything is to be over, once the host stops.
    stop: watch::Sender<Option<Instant>>,
    exit: Exit,
    /// How long the tasks of an app that was replaced have.
    patience: Duration,
}

impl Lives {
    pub(super) fn begin(mut life: Life, exit: Exit, patience: Duration) -> Self {
        life.begin(&exit);
        Self {
            current: Some(life),
            leaving: JoinSet::new(),
            stop: watch::Sender::new(None),
            exit,
            patience,
        }
    }

    /// Another app answers from now on. The one before ends with its last request.
    pub(super) fn replace(&mut self, mut life: Life) {
        while self.leaving.try_join_next().is_some() {}
        life.begin(&self.exit);
        let Some(mut old) = self.current.replace(life) else {
            return;
        };
        old.replaced();
        let (mut stop, patience) = (self.stop.subscribe(), self.patience);
        self.leaving.spawn(in_log_boxed(async move {
            let deadline = tokio::select! {
                () = &mut old.retired => None,
                stop = stop.wait_for(Option::is_some) => stop.ok().and_then(|stop| *stop),
            };
            old.end(deadline.unwrap_or_else(|| moment_after(patience))).await
        }));
    }

    /// Little time is left until `deadline`, whatever requests still run: tasks begin to end.
    pub(super) fn hurry(&mut self, deadline: Instant) {
        self.stop.send_replace(Some(deadline));
        if let Some(life) = &mut self.current {
            life.tell_tasks();
        }
    }

    /// The last request has ended: all apps end, by `deadline` at the latest. Gives how many of their
    /// tasks did not.
    pub(super) async fn stop(&mut self, deadline: Instant) -> usize {
        self.stop.send_replace(Some(deadline));
        if let Some(life) = self.current.take() {
            self.leaving.spawn(in_log_boxed(life.end(deadline)));
        }
        let mut cut_off = 0;
        while let Some(ended) = self.leaving.join_next().await {
            cut_off += ended.unwrap_or(0);
        }
        cut_off
    }
}

/// Ends the host because its app did.
#[derive(Clone, Debug, Default)]
pub(super) struct Exit {
    code: Arc<OnceLock<ExitCode>>,
    lifetime: Lifetime,
}

impl Exit {
    pub(super) fn new(lifetime: Lifetime) -> Self {
        Self { code: Arc::default(), lifetime }
    }

    pub(super) fn ask(&self, code: ExitCode) {
        // The first counts; the host stops once.
        let _ = self.code.set(code);
        self.lifetime.stop();
    }

    /// What the app said, if it did.
    pub(super) fn code(&self) -> Option<ExitCode> {
        self.code.get().copied()
    }
}
