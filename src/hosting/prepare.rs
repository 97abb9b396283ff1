//! One preparation, for the start and for every reload: everything is read, and what is wrong with it
//! is put into words. Nothing is judged, bound or switched here: the start and the reload do that.

use std::time::SystemTime;

use super::certificates::{self, Certificates, OfSites};
use super::explain;
use super::finding::{Finding, Subject};
use super::pipeline;
use super::settings::{
    HostSettings, SiteSettings, StageSettings, is_password_file, of_site, password_files, site_of,
    site_section, told_of_delay,
};
use super::sites::{self, Materials};
use super::sources::Sources;
use crate::addresses::{EndpointPlan, Note, PlannedEndpoint, plan, replan};
use crate::configuration::{Configuration, Loaded, Problem, Severity};
use crate::middleware::SiteTable;

/// What a configuration means.
pub(super) struct Prepared {
    /// When the reading began: a file that changed since then is another one.
    #[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a watch asks for it"))]
    pub(super) read_at: SystemTime,
    pub(super) loaded: Loaded,
    pub(super) settings: HostSettings,
    pub(super) plan: EndpointPlan,
    pub(super) certificates: Certificates,
    /// What the clusters of the reverse proxy need.
    pub(super) materials: Materials,
    /// What is wrong with certificates, or odd, and with what else is read from files for clusters.
    pub(super) of_certificates: Vec<Finding>,
    /// The sites that are left as they are, for what is wrong with them.
    #[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "a start leaves none"))]
    pub(super) left: Vec<Left>,
}

/// A site of which a reload takes nothing, and why.
pub(super) struct Left {
    pub(super) site: String,
    pub(super) problems: Vec<Problem>,
}

/// The endpoints of a host that runs, as far as a reload has to heed them.
#[derive(Clone)]
pub(super) enum Running {
    /// These are no endpoints of the configuration, and stay.
    Fixed(Vec<PlannedEndpoint>),
    /// All of them stay as they are.
    All(Box<EndpointPlan>),
}

/// The problems of sites, by their names.
fn by_site<'a>(problems: impl Iterator<Item = &'a Problem>) -> Vec<Left> {
    let mut left: Vec<Left> = Vec::new();
    for problem in problems {
        let Some(site) = problem.key.as_deref().and_then(site_of) else { continue };
        match left.iter_mut().find(|left| left.site.eq_ignore_ascii_case(site)) {
            Some(left) => left.problems.push(problem.clone()),
            None => left.push(Left { site: site.to_owned(), problems: vec![problem.clone()] }),
        }
    }
    left
}

impl Left {
    /// Whether all that is wrong with the site is wrong with its file of users.
    fn is_of_password_file(&self) -> bool {
        self.problems.iter().all(|it| it.key.as_deref().is_some_and(is_password_file))
    }
}

/// Puts sites that are in effect in the place of those whose files of users cannot be taken now. Those, and why.
fn with_users_in_effect(settings: &mut HostSettings, in_effect: &StageSettings) -> Vec<Left> {
    let errors = settings.problems.iter().filter(|problem| problem.is_error());
    let mut wrong = by_site(errors);
    let site_in_effect = |it: &Left| {
        let mut sites = in_effect.sites.iter().flat_map(|sites| &sites.sites);
        sites.find(|site| site.name.eq_ignore_ascii_case(&it.site)).cloned()
    };
    wrong.retain(|it| it.is_of_password_file() && site_in_effect(it).is_some());
    for it in &wrong {
        let is_it = |site: &str| site.eq_ignore_ascii_case(&it.site);
        settings.problems.retain(|problem| {
            let key = problem.key.as_deref().unwrap_or_default();
            !(is_password_file(key) && site_of(key).is_some_and(is_it))
        });
        let is_last = settings.stages.sites.as_ref().is_some_and(|sites| sites.is_last);
        if let Some(sites) = &mut settings.stages.sites {
            sites.sites.retain(|site| !is_it(&site.name));
        }
        settings.stages.add_sites(site_in_effect(it).into_iter().collect(), is_last);
    }
    if let Some(sites) = settings.stages.sites.as_mut().filter(|_| !wrong.is_empty()) {
        sites.sites.sort_by(|one, other| one.name.cmp(&other.name));
    }
    wrong
}

impl Prepared {
    /// Reads everything, for a start.
    pub(super) fn read(sources: &mut Sources) -> Self {
        let read_at = SystemTime::now();
        let (loaded, settings) = sources.read();
        Self::of(sources, (loaded, settings), None, &OfSites::default(), read_at)
    }

    /// Reads everything, for the reload of a host that runs. Of a site that something is wrong with, what is in
    /// effect is taken in the place of what was read: it is to stop no other. One that is new answers nothing below its
    /// path, so that what it is to protect is not open. `served` is what may serve on where a site's certificate cannot be read.
    #[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a reload does"))]
    pub(super) fn again(
        sources: &mut Sources,
        running: Running,
        (in_effect, stages): (&Configuration, &StageSettings),
        served: &OfSites,
    ) -> Self {
        let read_at = SystemTime::now();
        let read = sources.read();
        let mut first = Self::of(sources, read, Some(running.clone()), served, read_at);
        let wrong = first.wrong_sites(sources.strict);
        // What is as it was is no better as it was, but for files that it names.
        let differs =
            |it: &Left| first.loaded.configuration.differs_at(in_effect, &site_section(&it.site));
        let (mut left, same): (Vec<_>, Vec<_>) = wrong.into_iter().partition(differs);
        if left.is_empty() && !same.iter().any(Left::is_of_password_file) {
            first.left = by_site(first.certificates.left.iter());
            return first;
        }
        let mut loaded = first.loaded;
        for Left { site, .. } in &left {
            let section = site_section(site);
            loaded.configuration = loaded.configuration.with_section_of(in_effect, &section);
        }
        let mut settings = sources.settings(&loaded);
        for of_file in with_users_in_effect(&mut settings, stages) {
            if !left.iter().any(|it| it.site.eq_ignore_ascii_case(&of_file.site)) {
                left.push(of_file);
            }
        }
        // Without a path it would close a whole host, which others may have served before.
        let is_new = |site: &&SiteSettings| {
            let is_it = |it: &Left| it.site.eq_ignore_ascii_case(&site.name);
            !site.place.path.is_empty()
                && left.iter().any(is_it)
                && !in_effect.section(&site_section(&site.name)).exists()
        };
        if let Some(read) = &first.settings.stages.sites {
            let closed = read.sites.iter().filter(is_new).map(SiteSettings::closed);
            settings.stages.add_sites(closed.collect(), read.is_last);
        }
        let read = (loaded, settings);
        let mut again = Self::of(sources, read, Some(running), served, read_at);
        left.extend(by_site(again.certificates.left.iter()));
        // What is wrong may be put right in them.
        again.certificates.files.extend(first.certificates.files);
        Self { left, ..again }
    }

    /// The sites that something is wrong with, with all that is.
    fn wrong_sites(&self, strict: bool) -> Vec<Left> {
        let of_certificates = self.of_certificates.iter().map(Finding::problem);
        let of_programs = self.settings.stages.cannot_start();
        let all = self.settings.problems.iter().chain(of_certificates).chain(of_programs);
        by_site(all.filter(|problem| {
            problem.is_error() || strict && problem.severity == Severity::Warning
        }))
    }

    fn of(
        sources: &mut Sources,
        (loaded, settings): (Loaded, HostSettings),
        running: Option<Running>,
        served: &OfSites,
        read_at: SystemTime,
    ) -> Self {
        let mut plan = match running {
            None => plan(&settings.endpoints),
            Some(Running::Fixed(fixed)) => replan(&fixed, &settings.endpoints),
            Some(Running::All(plan)) => *plan,
        };
        sites::secure(&mut plan, settings.stages.sites.as_ref(), &settings.certificates);
        let (mut certificates, problems) = match sources.another_server {
            true => Default::default(),
            false => certificates::read(
                &plan,
                &settings.certificates,
                &loaded.configuration,
                (&sources.surroundings(&loaded), served),
                SystemTime::now(),
            ),
        };
        let (materials, of_upstreams) = sites::materials(
            &settings.stages,
            &loaded.configuration,
            &sources.surroundings(&loaded),
            &mut certificates.files,
        );
        certificates.files.extend(password_files(&loaded));
        let wrong = |problem| Finding::of_problem(Subject::Certificate, problem);
        let of_certificates = problems.into_iter().map(wrong).chain(of_upstreams).collect();
        let left = Vec::new();
        Self { read_at, loaded, settings, plan, certificates, materials, of_certificates, left }
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
    pub(super) fn of_stages(&self) -> Vec<Problem> {
        let Self { loaded, settings, plan, .. } = self;
        let stages = &settings.stages;
        let sites = stages.sites.as_ref().map_or(&[][..], |it| &it.sites);
        let table = SiteTable::new(sites.iter().map(|site| &site.place));
        let of_health = stages
            .health_checks
            .as_ref()
            .and_then(|it| told_of_delay(it, settings.shutdown_timeout, &loaded.configuration));
        let comes_back = |host: &str, port| table.of_host(host, port).is_none();
        let own = [
            pipeline::believes_everybody(stages, plan),
            pipeline::limits_proxies(stages, plan),
            pipeline::filters_proxies(stages, plan),
            pipeline::takes_own_port(stages, plan),
            pipeline::leads_nowhere(stages, plan),
            pipeline::shows_passwords(stages, plan),
            pipeline::asks_itself(stages, plan, comes_back),
        ];
        let mut problems: Vec<_> = own.into_iter().flatten().chain(of_health).collect();
        for (number, site) in sites.iter().enumerate() {
            // What is done around a site is done for it.
            let around = StageSettings {
                forwarded_headers: stages.forwarded_headers.clone(),
                process_manager: stages.process_manager.clone(),
                https_redirection: site
                    .stages
                    .https_redirection
                    .clone()
                    .or_else(|| stages.https_redirection.clone()),
                ..StageSettings::clone(&site.stages)
            };
            let comes_back = |host: &str, port| table.of_host(host, port) == Some(number);
            let of_one = [
                pipeline::limits_proxies(&around, plan),
                pipeline::filters_proxies(&around, plan),
                pipeline::takes_own_port(&site.stages, plan),
                pipeline::leads_nowhere(&site.stages, plan),
                pipeline::shows_passwords(&around, plan),
                pipeline::asks_itself(&site.stages, plan, comes_back),
                pipeline::serves_no_certificate(site, plan),
            ];
            problems.extend(of_one.into_iter().flatten().map(|it| of_site(&site.name, it)));
        }
        problems
    }

    /// Why what is to run behind the host can never start.
    pub(super) fn of_programs(&self) -> Vec<Finding> {
        let wrong = self.settings.stages.cannot_start();
        wrong.map(|it| Finding::of_problem(Subject::App, it.clone())).collect()
    }

    /// Why programs could not listen at this moment on the ports that they are to have.
    pub(super) fn hindrances_of_programs(&self) -> Vec<Finding> {
        let stages = &self.settings.stages;
        let sites = stages.sites.as_ref().map_or(&[][..], |it| &it.sites);
        let of_sites = sites.iter().filter_map(|site| {
            Some(of_site(&site.name, pipeline::finds_port_taken(&site.stages, &self.plan)?))
        });
        let all = pipeline::finds_port_taken(stages, &self.plan).into_iter().chain(of_sites);
        all.map(|it| Finding::of_problem(Subject::App, it)).collect()
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
