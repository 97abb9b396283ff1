//! A host that runs, and how it goes over to another configuration.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch as signal};

use super::report;
use super::watching::{Files, Watcher};
use super::wishes::{Heard, Wish};
use crate::addresses::{Difference, EndpointPlan, PlannedEndpoint, difference, fixed};
use crate::configuration::{Configuration, Loaded, Problem, keys_equal};
use crate::diagnostics::{LogContext, events};
use crate::hosting::app::{App, AppContext, Exit, Lives, MakeApp};
use crate::hosting::certificates::{Certificates, OfSites};
use crate::hosting::error::HostError;
use crate::hosting::finding::{self, Finding, judged};
use crate::hosting::live_configuration::Published;
use crate::hosting::pipeline;
use crate::hosting::prepare::{self, Left, Prepared};
use crate::hosting::services::Services;
use crate::hosting::settings::{HostSettings, StageSettings};
use crate::hosting::settings_monitor::Readings;
use crate::hosting::sites::{self, Materials};
use crate::hosting::sources::Sources;
use crate::logging::{LogFilter, Logging, Rule};
use crate::middleware::HealthCheckOptions;
use crate::pipeline::{Application, Layers, Pipeline, Stage};
use crate::server::{Server, ServerOptions, ServerReload, moment_after};

/// How long certificates that cannot be read are tried again: who renews them replaces one file after
/// the other, and mostly not both at once.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How long until the next attempt.
const NEXT_ATTEMPT: Duration = Duration::from_millis(500);

/// What a reload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reloaded {
    /// Everything is as it was: no value is different, and no certificate.
    Unchanged,
    /// Something is different, and in effect.
    Changed,
}

/// Whether a reload may succeed in a moment, since files are replaced one after the other.
fn may_pass(error: &HostError) -> bool {
    match error {
        // What is only told under --strict, such as an end in a week, is read well.
        HostError::Certificate(problems) => problems.iter().any(Problem::is_error),
        _ => false,
    }
}

/// What is left of a stop when tasks are told of it, if requests take the rest: not more than a tenth.
const LAST_PART: Duration = Duration::from_secs(1);

/// A host that serves, and what it takes to configure it again.
pub(in crate::hosting) struct Running {
    pub(super) serving: Serving,
    pub(in crate::hosting) logging: Option<Arc<Logging>>,
    levels: LogFilter,
    /// A reading that is given up has them still.
    sources: Arc<Mutex<Sources>>,
    /// Whether warnings are errors.
    strict: bool,
    pub(super) live: Published,
    /// How health is told, which the stop heeds.
    health: signal::Sender<Option<HealthCheckOptions>>,
    /// What the first app was made with.
    pub(super) context: AppContext,
    /// The endpoints that stay whatever is configured; `None` if all do.
    fixed: Option<Vec<PlannedEndpoint>>,
    /// What is in effect.
    pub(super) current: Current,
    /// The configuration of the start: what is read only there, is in effect as it says.
    of_start: Configuration,
    /// The warnings of the last reload, or of the start.
    pub(super) told: Vec<Problem>,
    pub(super) heard: Heard,
    /// The sites of which this reload takes nothing.
    pub(super) left: Vec<Left>,
    /// What this reload is asked for.
    pub(super) wish: Wish,
    /// Whether the app is to be made anew whatever is different: one that was asked for it gave way.
    pub(super) renewal_due: bool,
    /// Whether this reload gave way to the next.
    pub(super) gave_way: bool,
    /// Whether the last reload was refused, and that was told.
    refused: bool,
    /// Whether what was wrong with certificates then could be put right by files that are still to come.
    may_pass: bool,
    watcher: Option<Watcher>,
    /// Whether the stop has begun, or the host is gone.
    pub(super) stopping: signal::Receiver<bool>,
}

/// The files that a configuration was read from.
fn found_files(loaded: &Loaded) -> Vec<PathBuf> {
    loaded.files.iter().filter(|file| file.found).map(|file| file.path.clone()).collect()
}

fn of_health(stages: &StageSettings) -> Option<HealthCheckOptions> {
    stages.health_checks.as_ref().map(|it| it.value.clone())
}

/// What is in effect.
pub(super) struct Current {
    pub(super) configuration: Configuration,
    /// The files it was read from.
    files: Vec<PathBuf>,
    pub(super) plan: EndpointPlan,
    pub(super) certificates: Certificates,
    options: ServerOptions,
    stages: Box<StageSettings>,
    /// What the clusters of the reverse proxy are made of.
    materials: Materials,
    rules: Vec<Rule>,
}

/// A configuration that nothing speaks against.
struct Next {
    loaded: Loaded,
    settings: HostSettings,
    plan: EndpointPlan,
    certificates: Certificates,
    /// What the clusters of the reverse proxy need.
    materials: Materials,
    /// The app, `None` if it stays, and what apps monitor.
    app: (Option<App>, Readings),
    difference: Difference,
    /// What is odd about settings and certificates.
    problems: Vec<Finding>,
    /// What is to be said before the server goes over to it.
    notes: Vec<Finding>,
    /// What is to be said of certificates once they are served.
    served: Vec<Finding>,
}

/// What a reload was to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OfServer {
    Unchanged,
    Changed,
}

/// A server with its application, and the lives of its apps.
pub(in crate::hosting) struct Serving {
    pub(in crate::hosting) server: Box<dyn Server>,
    pub(in crate::hosting) application: Application,
    /// How another configuration gets another app; `None` if the app stays.
    pub(in crate::hosting) make_app: Option<MakeApp>,
    /// What every app gets around it.
    pub(in crate::hosting) layers: Layers,
    pub(in crate::hosting) lives: Lives,
    pub(in crate::hosting) services: Services,
    pub(in crate::hosting) exit: Exit,
}

impl Serving {
    /// Answers requests with other stages from now on, and with another app, if there is one.
    fn go_over_to(&mut self, app: Option<App>, stages: Box<[Box<dyn Stage>]>) {
        match app.map(|app| app.into_parts(&self.layers)) {
            Some((app, life)) => {
                self.application.replace(Pipeline::new(stages, app));
                self.lives.replace(life);
            }
            None => self.application.replace_stages(stages),
        }
    }
}

/// A host that has just been started.
pub(in crate::hosting) struct Started {
    pub(in crate::hosting) sources: Sources,
    pub(in crate::hosting) prepared: Prepared,
    /// What was said besides what is wrong with settings.
    pub(in crate::hosting) told: Vec<Problem>,
    pub(in crate::hosting) live: Published,
    pub(in crate::hosting) context: AppContext,
    pub(in crate::hosting) serving: Serving,
    pub(in crate::hosting) logging: Option<Arc<Logging>>,
    pub(in crate::hosting) levels: LogFilter,
    pub(in crate::hosting) watcher: Option<Watcher>,
    /// What is asked of it.
    pub(in crate::hosting) heard: Heard,
    /// Tells when the stop begins: a reload that reads files then is given up.
    pub(in crate::hosting) stopping: signal::Receiver<bool>,
}

impl Running {
    pub(in crate::hosting) fn new(started: Started) -> Self {
        let Started { sources, prepared, mut told, .. } = started;
        told.extend(prepared.of_stages());
        let Prepared { loaded, settings, plan, certificates, materials, .. } = prepared;
        told.extend(settings.problems);
        told.extend(plan.warnings.iter().cloned());
        Self {
            serving: started.serving,
            logging: started.logging,
            levels: started.levels,
            strict: sources.strict,
            sources: Arc::new(Mutex::new(sources)),
            live: started.live,
            health: signal::Sender::new(of_health(&settings.stages)),
            context: started.context,
            fixed: fixed(&plan, &settings.endpoints),
            of_start: loaded.configuration.clone(),
            current: Current {
                files: found_files(&loaded),
                configuration: loaded.configuration,
                plan,
                certificates,
                options: settings.server,
                stages: settings.stages,
                materials,
                rules: settings.logging.rules,
            },
            told,
            heard: started.heard,
            left: Vec::new(),
            wish: Wish::Follow,
            renewal_due: false,
            gave_way: false,
            refused: false,
            may_pass: false,
            watcher: started.watcher,
            stopping: started.stopping,
        }
    }

    /// How health is told at any moment.
    pub(in crate::hosting) fn health(&self) -> signal::Receiver<Option<HealthCheckOptions>> {
        self.health.subscribe()
    }

    /// Reads the configuration again and goes over to it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, which is logged, too. Everything is as it was.
    pub(in crate::hosting) async fn reload(&mut self, wish: Wish) -> Result<Reloaded, HostError> {
        self.wish = wish;
        let outcome = self.try_reload(OfSites::default()).await;
        let outcome = self.or_without_sites(outcome).await;
        self.told(outcome)
    }

    /// The same once more, if certificates that cannot be served are against it: those of sites that are served may go
    /// on.
    async fn or_without_sites(
        &mut self,
        outcome: Result<Reloaded, HostError>,
    ) -> Result<Reloaded, HostError> {
        match outcome {
            Err(HostError::Certificate(_)) if !self.is_stopping() => {
                self.try_reload(self.current.certificates.of_sites()).await
            }
            outcome => outcome,
        }
    }

    /// The same for somebody who cannot know whether all files are complete: certificates that cannot
    /// be read are tried again for [`PATIENCE`] before that is an error. `begins` is called before
    /// files are read.
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload).
    pub(in crate::hosting) async fn reload_patiently(
        &mut self,
        wish: Wish,
        mut begins: impl FnMut(),
    ) -> Result<Reloaded, HostError> {
        self.wish = wish;
        begins();
        let mut outcome = self.try_reload(OfSites::default()).await;
        let (began, mut waited) = (Instant::now(), false);
        while let Err(error) = &outcome
            && self.may_pass
            && may_pass(error)
            && began.elapsed() < PATIENCE
            && !self.is_stopping()
        {
            if !std::mem::replace(&mut waited, true) {
                events::certificates_not_ready(PATIENCE.as_secs(), &error.to_string());
            }
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => break,
                () = tokio::time::sleep(NEXT_ATTEMPT) => {}
            }
            begins();
            outcome = self.try_reload(OfSites::default()).await;
        }
        if waited && outcome.is_ok() {
            events::certificates_ready();
        }
        let outcome = self.or_without_sites(outcome).await;
        self.told(outcome)
    }

    /// Tells of a reload that was refused.
    fn told(&mut self, outcome: Result<Reloaded, HostError>) -> Result<Reloaded, HostError> {
        if !self.is_stopping() && !self.gave_way {
            self.tell_left();
        }
        if let Err(error) = &outcome
            && !self.is_stopping()
            && !self.gave_way
        {
            self.tell_refused(error);
            self.refused = true;
        }
        outcome
    }

    /// Whether the last reload gave way to the next, which is to follow.
    pub(in crate::hosting) fn has_given_way(&self) -> bool {
        self.gave_way
    }

    /// Whether the stop has begun, or the host is gone.
    pub(in crate::hosting) fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    /// `served` is what may serve on for sites.
    async fn try_reload(&mut self, served: OfSites) -> Result<Reloaded, HostError> {
        // Whatever has changed until the files are read is read.
        self.heard.take();
        self.gave_way = false;
        let sources = Arc::clone(&self.sources);
        let running = match &self.fixed {
            Some(fixed) => prepare::Running::Fixed(fixed.clone()),
            None => prepare::Running::All(Box::new(self.current.plan.clone())),
        };
        let in_effect = (self.current.configuration.clone(), self.current.stages.clone());
        let mut prepared = self
            .away(move || {
                let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                Prepared::again(&mut sources, running, (&in_effect.0, &in_effect.1), &served)
            })
            .await?;
        // What is refused is watched, too: its file may be put right.
        let files = Files::of(&prepared, Some(&self.current.certificates));
        self.may_pass = prepared.certificates.may_pass();
        self.left = std::mem::take(&mut prepared.left);
        let outcome = self.go_over_to(prepared).await;
        if self.watcher.is_some() {
            let found = self.away(move || files.look()).await?;
            if let Some(watcher) = &self.watcher {
                watcher.watch(found);
            }
        }
        outcome
    }

    /// Does what may wait for a file system, on a thread of its own, which neither the stop nor the
    /// end of the process waits for: a network file system may not answer for hours.
    async fn away<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HostError> {
        let (done, outcome) = oneshot::channel();
        let (runtime, log) = (Handle::current(), LogContext::current());
        thread::Builder::new()
            .name("kestrel-reload".to_owned())
            .spawn(move || {
                // Code that changes the options may spawn tasks.
                let _runtime = runtime.enter();
                // Nobody wants it if the stop has begun.
                let _ = done.send(log.run(work));
            })
            .map_err(|error| HostError::Server(Box::new(error)))?;
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => {
                Err(HostError::Server("the host is stopping".into()))
            }
            outcome = outcome => outcome.map_err(|_| {
                HostError::Server("reading the configuration panicked: code that changes the options did, or it is a defect".into())
            }),
        }
    }

    /// Stops the server, then the app, then the services, within `grace`. Nothing is reloaded any more.
    /// Gives how many tasks of apps were cut off, and which services.
    pub(in crate::hosting) async fn stop(&mut self, grace: Duration) -> (usize, Vec<String>) {
        self.watcher = None;
        let deadline = moment_after(grace);
        let Serving { server, lives, services, .. } = &mut self.serving;
        let mut stopped = server.stop(grace);
        // The programs and the tasks are to have some of the time, too.
        let before = |time| deadline.checked_sub(time).unwrap_or(deadline);
        let last = before(LAST_PART.min(grace / 10));
        let of_host = &self.context.of_host;
        let end_of_programs = before(of_host.end_of_children().min(grace / 3)).min(last);
        let is_early = tokio::select! {
            biased;
            () = &mut stopped => true,
            () = tokio::time::sleep_until(end_of_programs) => false,
        };
        let rest = async {
            if is_early {
                return;
            }
            tokio::select! {
                biased;
                () = &mut stopped => {}
                () = tokio::time::sleep_until(last) => {
                    lives.hurry(deadline);
                    stopped.await;
                }
            }
        };
        tokio::join!(rest, of_host.end_children(deadline.into_std()));
        (lives.stop(deadline).await, services.stop(deadline).await)
    }

    async fn go_over_to(&mut self, prepared: Prepared) -> Result<Reloaded, HostError> {
        let next = self.judge(prepared).await?;
        events::reload_token_fired();
        let addresses = self.context.addresses.list();
        let server = match self.for_server(&next) {
            None => OfServer::Unchanged,
            Some(reload) => {
                next.notes.iter().for_each(|note| note.notice().log());
                match self.serving.server.reload(reload).await {
                    Ok(bound) => {
                        let sockets = self.serving.server.socket_addresses();
                        self.context.addresses.publish(bound, sockets);
                    }
                    Err(error) => {
                        self.tell_odd(&next.problems);
                        return Err(error.into());
                    }
                }
                OfServer::Changed
            }
        };
        Ok(self.follow(next, server, &addresses))
    }

    /// Judges what was read, and the app that is made of it.
    ///
    /// # Errors
    ///
    /// Everything that speaks against it.
    async fn judge(&mut self, prepared: Prepared) -> Result<Next, HostError> {
        let (of_settings, notes) =
            (prepared.of_settings(), prepared.notes(&self.current.plan.notes));
        let of_programs = prepared.of_programs();
        let of_plan: Vec<_> = prepared.of_plan().collect();
        let Prepared { loaded, settings, plan, certificates, materials, of_certificates, .. } =
            prepared;
        let (app, readings, of_app) = match loaded.is_incomplete() {
            // What is wrong with it would be a consequence.
            true => Default::default(),
            false => self.read_for_app(&loaded.configuration).await,
        };
        let running = &self.current.certificates;
        let other_certificate = |old, new| running.differ_at(old, &certificates, new);
        let difference =
            difference(&self.current.plan.endpoints, &plan.endpoints, other_certificate);
        let problems = of_settings.into_iter().chain(of_certificates);
        let problems: Vec<_> = problems.chain(of_programs).collect();
        let served = self.said_of(&certificates, &difference);
        let all = problems.iter().chain(&notes).chain(&served).cloned().chain(of_plan);
        let all = all.chain(of_app).chain(self.gone(&loaded));
        let (mut fatal, _) = judged(all.collect(), self.strict);
        if fatal.is_empty() && plan.endpoints.is_empty() {
            fatal.push(report::nothing_left());
        }
        if let Some(error) = finding::error(fatal) {
            if !self.strict {
                self.tell_odd(&problems);
            }
            return Err(error);
        }
        let app = (app, readings);
        Ok(Next {
            loaded,
            settings,
            plan,
            certificates,
            materials,
            app,
            difference,
            problems,
            notes,
            served,
        })
    }

    /// The files that are gone, unless somebody says that this is meant: whoever replaces one may remove it
    /// first, and what it protects must not be open meanwhile.
    fn gone(&self, loaded: &Loaded) -> Vec<Finding> {
        if self.wish != Wish::Notice {
            return Vec::new();
        }
        let found = found_files(loaded);
        let gone = self.current.files.iter().filter(|file| !found.contains(file));
        gone.map(|file| report::file_gone(file)).collect()
    }

    /// What the server goes over to, if that is anything to it.
    fn for_server(&self, next: &Next) -> Option<ServerReload> {
        let Next { settings, plan, certificates, difference, .. } = next;
        // Names and places alone are nothing to the server. What it has lost, it may have back: that
        // an edit is undone is no difference.
        let changed = !difference.is_empty()
            || settings.server != self.current.options
            || self.serving.server.has_lost_endpoints();
        changed.then(|| {
            ServerReload::new(plan.clone(), difference.clone(), settings.server.clone())
                .secured(certificates.endpoints())
                .strict(self.strict)
        })
    }

    /// Answers requests by these stages from now on, and by another app, if there is one. Files that clusters are made of may
    /// be other ones, though no setting is: lines tell of them.
    fn go_on_with(
        &mut self,
        app: Option<App>,
        stages: &StageSettings,
        materials: Materials,
    ) -> Vec<String> {
        let current = (&*self.current.stages, &self.current.materials);
        let renewed = sites::renewed(current, (stages, &materials));
        if app.is_some() || *stages != *self.current.stages || !renewed.is_empty() {
            let made = pipeline::stages(stages, &materials, &self.context.of_host);
            self.serving.go_over_to(app, made);
            self.context.of_host.begin_children();
            self.current.materials = materials;
        }
        renewed.into_iter().map(|it| format!("~ {it}")).collect()
    }

    /// The server has gone over to it: the rest follows, and what happened is told.
    fn follow(&mut self, next: Next, server: OfServer, addresses_before: &[String]) -> Reloaded {
        let Next {
            loaded,
            settings,
            plan,
            certificates,
            materials,
            app,
            difference,
            problems,
            served,
            ..
        } = next;
        let (app, readings) = app;
        let other_options = settings.server != self.current.options;
        let (other_app, other_stages) = (app.is_some(), settings.stages != self.current.stages);
        let renewed = self.go_on_with(app, &settings.stages, materials);
        served.iter().for_each(|said| said.notice().log());
        self.tell_odd(&problems);
        self.told = problems.into_iter().map(|warning| warning.problem().clone()).collect();
        let was_refused = std::mem::take(&mut self.refused);
        let keys = self.current.configuration.differing_keys(&loaded.configuration);
        let other_rules = settings.logging.rules != self.current.rules;
        if other_rules {
            self.levels.replace(settings.logging.rules.clone());
        }
        let other_than_at_start = self.of_start.differing_keys(&loaded.configuration);
        let waiting = report::waiting_for_restart(&keys, |key| {
            !other_than_at_start.iter().any(|other| keys_equal(other, key))
        });
        let mut lines = self.tell(&difference, (&plan, &certificates), addresses_before);
        if other_options || other_rules || other_stages {
            lines.extend(report::setting_lines(&keys));
        }
        lines.extend(renewed);
        let stages = pipeline::changes(&self.current.stages, &settings.stages);
        lines.extend(stages.lines);
        lines
            .extend(readings.changed().into_iter().map(|path| format!("~ the settings at {path}")));
        if other_app {
            lines.push("~ the app (made anew)".to_owned());
        }
        match (lines.is_empty(), was_refused) {
            (true, false) => events::reloaded_without_effect(),
            (true, true) => events::reload_works_again(),
            (false, _) => events::reloaded(&lines.join("\n")),
        }
        stages.losses.iter().for_each(|lost| events::protection_lost(lost));
        if !waiting.is_empty() {
            events::restart_needed(&waiting);
        }
        // Not every difference has a key: a web root that is there now has none.
        let outcome = match (keys.is_empty() && lines.is_empty(), server) {
            (true, OfServer::Unchanged) => Reloaded::Unchanged,
            _ => Reloaded::Changed,
        };
        self.live.replace(loaded.configuration.clone(), readings);
        self.current.files = found_files(&loaded);
        self.current.configuration = loaded.configuration;
        self.current.options = settings.server;
        self.health.send_replace(of_health(&settings.stages));
        self.current.stages = settings.stages;
        self.current.rules = settings.logging.rules;
        if server == OfServer::Changed {
            self.current.plan = plan;
            self.current.certificates = certificates;
        }
        outcome
    }
}
