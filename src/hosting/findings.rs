//! What a start has to say of what was read, and what of it ends the start.

use std::path::PathBuf;
use std::time::SystemTime;

use super::error::HostError;
use super::finding::{self, Finding, Subject, judged};
use super::prepare::Prepared;
use super::report::{self, Refusal, Voice};
use super::settings::missing_site;
use super::web_root::web_root_problem;
use crate::configuration::{Origin, Problem, Sourced, fold_key};
use crate::diagnostics::events;

/// What is to be said, in the order in which it is.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) of_settings: Vec<Finding>,
    pub(super) of_plan: Vec<Finding>,
    pub(super) of_certificates: Vec<Finding>,
    /// What only a plan says: a start finds out by itself.
    pub(super) of_sockets: Vec<Finding>,
    pub(super) of_app: Vec<Finding>,
}

impl Findings {
    /// What a start says of a configuration, besides what is wrong with code and arguments.
    pub(super) fn of(
        prepared: &Prepared,
        of_code: Vec<Problem>,
        web_root: Option<&Sourced<PathBuf>>,
    ) -> Self {
        let Prepared { loaded, settings, plan, certificates, .. } = prepared;
        let incomplete = loaded.is_incomplete();
        // What nobody configured may stand in what could not be read.
        let of_default = |warning: &&Problem| warning.origin == Some(Origin::Default);
        let of_plan = plan.warnings.iter().filter(|warning| !(incomplete && of_default(warning)));
        // What was said of an argument already, is not said again of the key that it sets.
        let of_arguments: Vec<_> = of_code.iter().filter_map(|it| it.origin.clone()).collect();
        let is_told = |problem: &Problem| {
            let twice = |origin: &Origin| {
                matches!(origin, Origin::CommandLine { .. }) && of_arguments.contains(origin)
            };
            !problem.is_error() && problem.origin.as_ref().is_some_and(twice)
        };
        let of_settings = settings.problems.iter().filter(|problem| !is_told(problem));
        let odd = of_settings.chain(of_plan).cloned().chain(prepared.of_stages());
        let wrong = |problem| Finding::of_problem(Subject::Configuration, problem);
        let of_settings: Vec<_> = of_code.into_iter().chain(odd).map(wrong).collect();
        let web_root = web_root.and_then(web_root_problem).map(wrong);
        let of_plan = web_root.into_iter().chain(prepared.notes(&[])).chain(prepared.of_plan());
        let mut of_certificates = certificates.of_development();
        of_certificates.extend(prepared.of_certificates.iter().cloned());
        of_certificates.extend(certificates.of_all(SystemTime::now()));
        of_certificates.retain(|finding| {
            let none_found = certificates.none_found.contains(finding.problem());
            !(none_found && is_consequence(finding.problem(), &of_settings, incomplete))
        });
        Self {
            of_plan: of_plan.collect(),
            of_certificates,
            of_settings,
            of_sockets: Vec::new(),
            of_app: prepared.of_programs(),
        }
    }

    /// The error that they are, if they are one, and what is only said.
    pub(super) fn judge(self, strict: bool) -> (Option<HostError>, Self) {
        let (mut fatal, of_settings) = judged(self.of_settings, strict);
        let mut judge = |findings| {
            let (more, said) = judged(findings, strict);
            fatal.extend(more);
            said
        };
        let of_plan = judge(self.of_plan);
        let of_certificates = judge(self.of_certificates);
        let of_sockets = judge(self.of_sockets);
        let of_app = judge(self.of_app);
        let said = Self { of_settings, of_plan, of_certificates, of_sockets, of_app };
        (finding::error(fatal), said)
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Finding> {
        self.of_settings.iter().cloned().chain(self.behind_settings()).collect()
    }

    /// What is said behind what is odd about settings.
    pub(super) fn behind_settings(&self) -> Vec<Finding> {
        [&self.of_plan, &self.of_certificates, &self.of_sockets, &self.of_app]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// An answer in the place of a start, such as that to `--plan`, with what a start would say.
    pub(super) fn answer(
        mut self,
        prepared: &Prepared,
        strict: bool,
        web_root: Option<&Sourced<PathBuf>>,
        text: impl FnOnce(&Prepared) -> Result<String, Problem>,
    ) -> Refusal {
        // What is planned although its configuration is wrong would not be.
        let is_planned = [&self.of_settings, &self.of_plan]
            .into_iter()
            .all(|findings| judged(findings.clone(), strict).0.is_empty());
        let table = match is_planned.then(|| text(prepared)) {
            None => String::new(),
            Some(Ok(table)) => table,
            Some(Err(problem)) => {
                self.of_settings.push(Finding::of_problem(Subject::Configuration, problem));
                String::new()
            }
        };
        let (error, said) = self.judge(strict);
        let missing = web_root.map(|it| events::web_root_missing(&it.value.display().to_string()));
        // Nothing is made, and nothing served, by a start that is refused.
        let answers = prepared.settings.stages.answers_without_files();
        let no_site = || missing_site(&prepared.loaded).filter(|_| !answers);
        let missing = missing.or_else(no_site);
        let missing = missing.filter(|_| error.is_none());
        let missing = missing.map(|it| Finding::of_notice(Subject::Configuration, it));
        let remarks: Vec<_> = said.all().into_iter().chain(missing).collect();
        match error {
            Some(error) => Refusal { error, remarks, voice: Voice::Plan { table } },
            None => Refusal::answer(table, report::remarks_text(&remarks)),
        }
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
