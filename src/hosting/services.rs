//! Work that a host does beside its requests: services that start before it binds its addresses, and stop
//! after its last request.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::future::{Future, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::app::{AppContext, Ending, Exit};
use super::app_error::AppError;
use super::error::ExitKind;
use super::patience::patiently;
use crate::configuration::{Origin, Problem};
use crate::diagnostics::{events, in_log, in_log_boxed, panic_message};
use crate::server::{BoxFuture, moment_after};

/// A part of a program that lives as long as its host: a pool, a connection, a worker. (What
/// `IHostedService` is in ASP.NET Core.)
///
/// Services start one after the other, in the order in which they were given, before an address is
/// bound; and stop in the opposite order, once the last request has ended, within the shutdown timeout.
/// One that does not start refuses the start of the host, and those before it are stopped.
///
/// ```no_run
/// use kestrel::{AppContext, AppError, Host, HostedService};
///
/// struct Queue { url: String }
///
/// impl HostedService for Queue {
///     async fn start(&mut self, context: AppContext) -> Result<(), AppError> {
///         self.url = context.configuration.value("Queue:Url").ok_or("Queue:Url is missing")?.to_owned();
///         // connect
///         Ok(())
///     }
///
///     async fn stop(&mut self) {
///         // send what is left
///     }
/// }
///
/// let builder = Host::from_args().service("queue", Queue { url: String::new() });
/// ```
pub trait HostedService: Send + 'static {
    /// Starts it. The host waits for that.
    ///
    /// # Errors
    ///
    /// Why it cannot start: the host does not, either, and ends with exit code 7.
    fn start(&mut self, context: AppContext) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Stops it. Is dropped if the shutdown timeout is over. Default: there is nothing to do.
    fn stop(&mut self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// What a background service that fails does to its host. (What `BackgroundServiceExceptionBehavior` is
/// in ASP.NET Core.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The host stops, with exit code 7.
    #[default]
    Stop,
    /// The failure is told in the log, and the host goes on without it.
    Tell,
}

/// A service that is not started.
pub(super) struct Registration {
    name: String,
    kind: Kind,
}

enum Kind {
    Hosted(Box<dyn Startable>),
    Background { work: Work, on_failure: OnFailure },
}

type Work = Box<dyn FnOnce(AppContext, Ending) -> BoxFuture<'static, Result<(), AppError>> + Send>;

/// A service whose type has no name.
trait Startable: Send {
    fn start(&mut self, context: AppContext) -> BoxFuture<'_, Result<(), AppError>>;
    fn stop(&mut self) -> BoxFuture<'_, ()>;
}

impl<S: HostedService> Startable for S {
    fn start(&mut self, context: AppContext) -> BoxFuture<'_, Result<(), AppError>> {
        Box::pin(HostedService::start(self, context))
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(HostedService::stop(self))
    }
}

impl Registration {
    pub(super) fn hosted(name: String, service: impl HostedService) -> Self {
        Self { name, kind: Kind::Hosted(Box::new(service)) }
    }

    pub(super) fn background<F>(
        name: String,
        on_failure: OnFailure,
        work: impl FnOnce(AppContext, Ending) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        let work: Work = Box::new(|context, ending| Box::pin(work(context, ending)));
        Self { name, kind: Kind::Background { work, on_failure } }
    }

    /// What is wrong with services that cannot be told from one another.
    pub(super) fn called_alike(services: &[Self]) -> Vec<Problem> {
        let mut names = HashSet::new();
        let twice = services.iter().map(|it| &*it.name).filter(|name| !names.insert(*name));
        let told: BTreeSet<_> = twice.collect();
        let problem = |name| {
            Problem::error(format!("Several services are called '{name}'."))
                .origin(Origin::Code("service"))
                .fix("give each a name of its own")
        };
        told.into_iter().map(problem).collect()
    }

    /// Starts it, in a task of its own: a panic is a failure like any other.
    async fn start(self, context: AppContext, exit: &Exit) -> Result<Started, Vec<Problem>> {
        let Self { name, kind } = self;
        match kind {
            Kind::Hosted(mut service) => {
                let started = guarded(async move {
                    let outcome = service.start(context).await;
                    (service, outcome)
                });
                let failed = |error: AppError| error.into_problems_of(&cannot_start(&name));
                match started.await {
                    Ok((service, Ok(()))) => Ok(Started { name, kind: Running::Hosted(service) }),
                    Ok((_, Err(error))) => Err(failed(error)),
                    Err(panic) => {
                        let problem = format!("{}: it panicked.", cannot_start(&name));
                        Err(vec![Problem::error(problem).cause(panic)])
                    }
                }
            }
            Kind::Background { work, on_failure } => {
                let ending = watch::Sender::new(false);
                let mut task = JoinSet::new();
                let watched = Watched { name: name.clone(), on_failure, exit: exit.clone() };
                task.spawn(in_log_boxed(watched.run(work, context, Ending::of(&ending))));
                Ok(Started { name, kind: Running::Background { ending, task } })
            }
        }
    }
}

fn cannot_start(name: &str) -> String {
    format!("The service '{name}' cannot start")
}

/// A background service, and what its failure does.
struct Watched {
    name: String,
    on_failure: OnFailure,
    exit: Exit,
}

impl Watched {
    async fn run(self, work: Work, context: AppContext, ending: Ending) {
        let problems = match guarded(async move { work(context, ending).await }).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                error.into_problems_of(&format!("The service '{}' failed", self.name))
            }
            Err(panic) => {
                let problem = format!("The service '{}' panicked.", self.name);
                vec![Problem::error(problem).cause(panic)]
            }
        };
        for problem in &problems {
            events::service_failed(&problem.message, &problem.details());
        }
        match self.on_failure {
            OnFailure::Stop => {
                events::service_ends_host(&self.name);
                self.exit.ask(ExitKind::Service.into());
            }
            OnFailure::Tell => {}
        }
    }
}

/// Runs code of the program in a task of its own, and gives the message of its panic.
async fn guarded<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, String> {
    let mut running = JoinSet::new();
    running.spawn(in_log(work));
    match running.join_next().await {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) => Err(match error.try_into_panic() {
            Ok(panic) => panic_message(&*panic).to_owned(),
            Err(_) => "it was given up".to_owned(),
        }),
        None => Err("it was given up".to_owned()),
    }
}

/// A service that runs.
struct Started {
    name: String,
    kind: Running,
}

enum Running {
    Hosted(Box<dyn Startable>),
    Background { ending: watch::Sender<bool>, task: JoinSet<()> },
}

/// The services of a host that runs.
#[derive(Default)]
pub(super) struct Services(Vec<Started>);

/// A service whose turn to stop comes when the time is over has this long.
const LAST_MOMENT: Duration = Duration::from_millis(100);

impl Services {
    /// Starts them one after the other.
    ///
    /// # Errors
    ///
    /// Why one did not. Those before it are stopped, within `patience`.
    pub(super) async fn start(
        services: Vec<Registration>,
        context: &AppContext,
        exit: &Exit,
        patience: Duration,
    ) -> Result<Self, Vec<Problem>> {
        let mut started = Self::default();
        for service in services {
            let name = service.name.clone();
            let start = service.start(context.clone(), exit);
            let tell = |waited: Duration| events::service_takes_time(&name, waited.as_secs());
            match patiently(start, tell).await {
                Ok(service) => started.0.push(service),
                Err(problems) => {
                    started.stop(moment_after(patience)).await;
                    return Err(problems);
                }
            }
        }
        Ok(started)
    }

    /// Stops them, the last one first, by `deadline` at the latest. Gives the names of those that did not
    /// stop.
    pub(super) async fn stop(&mut self, deadline: Instant) -> Vec<String> {
        let mut cut_off = Vec::new();
        while let Some(Started { name, kind }) = self.0.pop() {
            // One that does not stop must not take it from the others.
            let deadline = deadline.max(Instant::now() + LAST_MOMENT);
            let ended = match kind {
                Running::Hosted(mut service) => {
                    let stopped = guarded(async move { service.stop().await });
                    match timeout_at(deadline, stopped).await {
                        Ok(Err(panic)) => {
                            let problem =
                                format!("The service '{name}' panicked while it stopped.");
                            events::service_failed(&problem, &panic);
                            true
                        }
                        Ok(Ok(())) => true,
                        Err(_) => false,
                    }
                }
                Running::Background { ending, mut task } => {
                    ending.send_replace(true);
                    timeout_at(deadline, task.join_next()).await.is_ok()
                }
            };
            if !ended {
                events::service_cut_off(&name);
                cut_off.push(name);
            }
        }
        cut_off
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|it| &it.name)).finish()
    }
}
