//! Checks of the program's, and what is to be said of them.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use super::app_error::AppError;
use crate::configuration::{Configuration, Origin, Problem};
use crate::middleware::{Checking, Health, HealthCheck};

const IN_CODE: Origin = Origin::Code("health_check");

/// A check of the program's, by its name.
pub(super) fn check<F>(
    name: String,
    limit: Duration,
    check: impl Fn() -> F + Send + Sync + 'static,
) -> HealthCheck
where
    F: Future<Output = Result<Health, AppError>> + Send + 'static,
{
    let check = move || -> Checking {
        let checking = check();
        Box::pin(async move { checking.await.map_err(|error| error.to_string()) })
    };
    HealthCheck::new(name, limit, check)
}

/// What is wrong with checks that cannot be told from one another.
pub(super) fn called_alike(checks: &[HealthCheck]) -> Vec<Problem> {
    let mut names = HashSet::new();
    let twice = checks.iter().map(HealthCheck::name).filter(|name| !names.insert(*name));
    let problem = |name| {
        Problem::error(format!("Several health checks are called '{name}'."))
            .origin(IN_CODE)
            .fix("give each a name of its own")
    };
    twice.map(problem).collect()
}

/// What is to be said of checks that nobody can ask for.
pub(super) fn unasked(checks: &[HealthCheck], configuration: &Configuration) -> Option<Problem> {
    const ENABLED: &str = "HealthChecks:Enabled";
    if checks.is_empty() || configuration.setting(ENABLED).is_some() {
        return None;
    }
    Some(
        Problem::information(format!(
            "The health checks of the program have no effect: {ENABLED} is not set."
        ))
        .origin(IN_CODE)
        .fix(format!("set {ENABLED} to true; to false, if they are meant to be off")),
    )
}
