//! One preparation, for the start and for every reload: everything is read, and what is wrong with it
//! is put into words. Nothing is judged, bound or switched here: the start and the reload do that.

use std::time::SystemTime;

use super::certificates::{self, Certificates};
use super::explain;
use super::finding::{Finding, Subject};
use super::pipeline;
use super::reverse_proxy::{self, Material};
use super::settings::{HostSettings, told_of_delay};
use super::sources::Sources;
use crate::addresses::{EndpointPlan, Note, PlannedEndpoint, plan, replan};
use crate::configuration::{Loaded, Problem};

/// What a configuration means.
pub(super) struct Prepared {
    /// When the reading began: a file that changed since then is another one.
    #[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a watch asks for it"))]
    pub(super) read_at: SystemTime,
    pub(super) loaded: Loaded,
    pub(super) settings: HostSettings,
    pub(super) plan: EndpointPlan,
    pub(super) certificates: Certificates,
    /// What the clusters of the reverse proxy need, in their order.
    pub(super) materials: Vec<Material>,
    /// What is wrong with certificates, or odd.
    pub(super) of_certificates: Vec<Finding>,
}

/// The endpoints of a host that runs, as far as a reload has to heed them.
#[derive(Clone)]
pub(super) enum Running {
    /// These are no endpoints of the configuration, and stay.
    Fixed(Vec<PlannedEndpoint>),
    /// All of them stay as they are.
    All(Box<EndpointPlan>),
}

impl Prepared {
    /// Reads everything: for a start, or for the reload of a host that runs.
    pub(super) fn read(sources: &mut Sources, running: Option<Running>) -> Self {
        let read_at = SystemTime::now();
        let (loaded, settings) = sources.read();
        let plan = match running {
            None => plan(&settings.endpoints),
            Some(Running::Fixed(fixed)) => replan(&fixed, &settings.endpoints),
            Some(Running::All(plan)) => *plan,
        };
        let (mut certificates, mut problems) = match sources.another_server {
            true => Default::default(),
            false => certificates::read(
                &plan,
                &settings.certificates,
                &loaded.configuration,
                &sources.surroundings(&loaded),
                SystemTime::now(),
            ),
        };
        let (materials, of_upstreams) = reverse_proxy::read(
            &settings.stages,
            &loaded.configuration,
            &sources.surroundings(&loaded),
            &mut certificates.files,
        );
        problems.extend(of_upstreams);
        let wrong = |problem| Finding::of_problem(Subject::Certificate, problem);
        let of_certificates = problems.into_iter().map(wrong).collect();
        Self { read_at, loaded, settings, plan, certificates, materials, of_certificates }
    }

    /// What is wrong with settings, or odd, and what is odd about the plan, or beside it, for a reload. (A start
    /// makes a web root that is missing.)
    pub(super) fn of_settings(&self) -> Vec<Finding> {
        let problems = self.settings.problems.iter().chain(&self.plan.warnings).cloned();
        let root = self.settings.web_root.as_ref().filter(|root| !root.value.is_dir());
        let root = root.filter(|_| self.settings.stages.static_files.is_some());
        let gone = root.map(|root| {
            Problem::warning(format!(
                "The web root {} is not there: nothing is served from it.",
                root.value.display()
            ))
            .key("webroot")
            .origin(root.origin.clone())
            .fix("create the folder, or name another one; only a start makes it")
        });
        let all = problems.chain(self.of_stages()).chain(gone);
        all.map(|it| Finding::of_problem(Subject::Configuration, it)).collect()
    }

    /// What is odd about the stages where they listen, and when they stop.
    pub(super) fn of_stages(&self) -> impl Iterator<Item = Problem> {
        let Self { loaded, settings, plan, .. } = self;
        let of_health = settings
            .stages
            .health_checks
            .as_ref()
            .and_then(|it| told_of_delay(it, settings.shutdown_timeout, &loaded.configuration));
        let of_proxies = [
            pipeline::believes_everybody(&settings.stages, plan),
            pipeline::limits_proxies(&settings.stages, plan),
            pipeline::leads_nowhere(&settings.stages, plan),
            pipeline::shows_passwords(&settings.stages, plan),
            pipeline::asks_itself(&settings.stages, plan),
        ];
        of_proxies.into_iter().flatten().chain(of_health)
    }

    /// What is to be said of the plan, but for what `said` holds, before it is bound.
    pub(super) fn notes(&self, said: &[Note]) -> Vec<Finding> {
        explain::before_binding(self.plan.notes.iter().filter(|note| !said.contains(note)))
    }

    /// What is wrong with the plan.
    pub(super) fn of_plan(&self) -> impl Iterator<Item = Finding> {
        self.plan.problems.iter().map(Finding::of_plan)
    }
}
