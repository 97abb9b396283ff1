//! What is to be said about a start, or a reload, as one list: pure data.
//!
//! Readers of settings, the plan and the certificates find mistakes, warnings and notes. All of them
//! end up here in the order in which they are found, so that a start, `--plan`, `--strict`, a reload
//! and the report of a refused start say the same things in the same words. Nothing is said here:
//! `report` does that.

use super::error::HostError;
use crate::addresses::PlanProblem;
use crate::configuration::{Problem, Severity};
use crate::diagnostics::{Notice, events};

/// One thing that is to be said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// What it is about: the kind of error it is if it refuses the start.
    pub(super) subject: Subject,
    /// How it is said if it refuses the start. A note is a warning here: it never does, and its
    /// notice says that it is none.
    problem: Problem,
    /// How it is said if the start goes on.
    notice: Notice,
}

/// What a finding is about. In a refused start the first of them that has an error gives the exit
/// code: what comes first has to be put right first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Configuration,
    Certificate,
    Endpoints,
    App,
}

impl Finding {
    /// A mistake, or a warning, in the form of settings.
    pub(super) fn of_problem(subject: Subject, problem: Problem) -> Self {
        let notice = odd(&problem);
        Self { subject, problem, notice }
    }

    /// A note or a warning with an event of its own.
    pub(super) fn of_notice(subject: Subject, notice: Notice) -> Self {
        let mut problem = Problem::warning(notice.message());
        if !notice.detail().is_empty() {
            problem = problem.cause(notice.detail());
        }
        Self { subject, problem, notice }
    }

    /// A mistake of a plan.
    pub(super) fn of_plan(PlanProblem { problem, unbindable }: &PlanProblem) -> Self {
        let subject = match unbindable {
            true => Subject::Endpoints,
            false => Subject::Configuration,
        };
        Self::of_problem(subject, problem.clone())
    }

    /// The notice, for a start that goes on.
    pub(super) fn notice(&self) -> &Notice {
        &self.notice
    }

    /// In words, as in a report.
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Whether it ends the start. Under `strict`, whatever would be told as a warning does.
    fn is_fatal(&self, strict: bool) -> bool {
        self.problem.is_error() || (strict && self.notice.is_warning())
    }
}

/// Splits findings into what refuses a start, or a reload, and what is only said.
pub(super) fn judged(findings: Vec<Finding>, strict: bool) -> (Vec<Finding>, Vec<Finding>) {
    findings.into_iter().partition(|finding| finding.is_fatal(strict))
}

/// The error that these findings are; `None` if there are none. A warning that is fatal stays one by
/// its severity.
pub(super) fn error(fatal: Vec<Finding>) -> Option<HostError> {
    let of = |subject| -> Vec<Problem> {
        let about = fatal.iter().filter(|finding| finding.subject == subject);
        about.map(|finding| finding.problem.clone()).collect()
    };
    let kinds = [
        (HostError::Configuration as fn(Vec<Problem>) -> HostError, of(Subject::Configuration)),
        (HostError::Certificate, of(Subject::Certificate)),
        (HostError::Endpoints, of(Subject::Endpoints)),
        (HostError::App, of(Subject::App)),
    ];
    let mut errors: Vec<_> = kinds
        .into_iter()
        .filter(|(_, problems)| !problems.is_empty())
        .map(|(kind, problems)| kind(problems))
        .collect();
    match errors.len() {
        0 | 1 => errors.pop(),
        _ => Some(HostError::Several(errors)),
    }
}

/// What is odd about the configuration, for a start that goes on.
fn odd(problem: &Problem) -> Notice {
    let notice = match problem.severity {
        Severity::Information => events::configuration_note,
        Severity::Warning | Severity::Error => events::configuration_warning,
    };
    notice(&problem.message, &problem.details())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::events;
    use crate::hosting::ExitKind;

    fn warned(subject: Subject, message: &str) -> Finding {
        Finding::of_problem(subject, Problem::warning(message))
    }

    fn wrong(subject: Subject, message: &str) -> Finding {
        Finding::of_problem(subject, Problem::error(message))
    }

    #[test]
    fn strict_makes_an_error_of_every_warning_and_of_no_note() {
        let findings = vec![
            warned(Subject::Configuration, "a"),
            Finding::of_notice(Subject::Configuration, events::addresses_overridden("b", "won: c")),
            Finding::of_notice(Subject::Configuration, events::urls_shadowed("used: d")),
            Finding::of_notice(Subject::Certificate, events::certificate_expired("e", "f", "g")),
            Finding::of_notice(Subject::Certificate, events::development_certificate_missing()),
        ];
        let (fatal, said) = judged(findings.clone(), false);
        assert_eq!((fatal.len(), said.len()), (0, 5));
        let (fatal, said) = judged(findings, true);
        assert_eq!((fatal.len(), said.len()), (3, 2));
        let error = error(fatal).unwrap();
        assert_eq!(error.exit_kind(), ExitKind::Configuration);
        let text = error.to_string();
        assert!(text.contains("\n  won: c\n"), "{text}");
        assert!(error.problems().iter().all(|problem| !problem.is_error()));
    }

    #[test]
    fn the_exit_code_is_that_of_what_comes_first() {
        use Subject::{Certificate, Configuration, Endpoints};
        for (subjects, kind) in [
            (&[Endpoints, Certificate, Configuration][..], Some(ExitKind::Configuration)),
            (&[Endpoints, Certificate], Some(ExitKind::Certificate)),
            (&[Endpoints], Some(ExitKind::Binding)),
            (&[], None),
        ] {
            let fatal: Vec<_> = subjects.iter().map(|subject| wrong(*subject, "x")).collect();
            let error = error(fatal);
            assert_eq!(error.as_ref().map(HostError::exit_kind), kind, "{subjects:?}");
            let told = error.map_or(0, |error| error.problems().len());
            assert_eq!(told, subjects.len(), "{subjects:?}");
        }
    }
}
