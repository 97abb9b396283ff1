//! Checks of the program's, and what they come to. Anybody may have them run, so what is wrong is told once
//! a minute for each of them, and at Debug each time. (ASP.NET Core tells it each time.)

use super::categories::HEALTH_CHECKS;
use crate::diagnostics::repeated::Telling;

pub(crate) fn health_checks_begin() {
    emit!(HEALTH_CHECKS, DEBUG, 100, "Running health checks");
}

pub(crate) fn health_checks_end(status: &str, milliseconds: f64) {
    emit!(HEALTH_CHECKS, DEBUG, 101,
        "Health check processing with combined status {HealthStatus} completed after {ElapsedMilliseconds}ms";
        HealthStatus = status, ElapsedMilliseconds = milliseconds);
}

pub(crate) fn health_check_begins(name: &str) {
    emit!(HEALTH_CHECKS, DEBUG, 102, "Running health check {HealthCheckName}"; HealthCheckName = name);
}

pub(crate) fn health_check_ended(name: &str, milliseconds: f64) {
    emit!(HEALTH_CHECKS, DEBUG, 103,
        "Health check {HealthCheckName} with status Healthy completed after {ElapsedMilliseconds}ms";
        HealthCheckName = name, ElapsedMilliseconds = milliseconds);
}

/// What a check tells.
#[derive(Debug)]
pub(crate) struct HealthCheckTold<'a> {
    pub(crate) name: &'a str,
    pub(crate) milliseconds: f64,
    pub(crate) words: &'a str,
}

pub(crate) fn health_check_degraded(told: &HealthCheckTold<'_>, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(HEALTH_CHECKS, WARN, 103,
            "Health check {HealthCheckName} with status Degraded completed after {ElapsedMilliseconds}ms with message '{HealthCheckDescription}'. Told since this was told last: {More}.";
            HealthCheckName = told.name, ElapsedMilliseconds = told.milliseconds, HealthCheckDescription = told.words, More = more),
        Telling::Counted => emit!(HEALTH_CHECKS, DEBUG, 103,
            "Health check {HealthCheckName} with status Degraded completed after {ElapsedMilliseconds}ms with message '{HealthCheckDescription}'";
            HealthCheckName = told.name, ElapsedMilliseconds = told.milliseconds, HealthCheckDescription = told.words),
    }
}

pub(crate) fn health_check_unhealthy(told: &HealthCheckTold<'_>, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(HEALTH_CHECKS, ERROR, 103,
            "Health check {HealthCheckName} with status Unhealthy completed after {ElapsedMilliseconds}ms with message '{HealthCheckDescription}'. Told since this was told last: {More}.";
            HealthCheckName = told.name, ElapsedMilliseconds = told.milliseconds, HealthCheckDescription = told.words, More = more),
        Telling::Counted => emit!(HEALTH_CHECKS, DEBUG, 103,
            "Health check {HealthCheckName} with status Unhealthy completed after {ElapsedMilliseconds}ms with message '{HealthCheckDescription}'";
            HealthCheckName = told.name, ElapsedMilliseconds = told.milliseconds, HealthCheckDescription = told.words),
    }
}

/// A check failed, panicked or took too long.
pub(crate) fn health_check_failed(name: &str, milliseconds: f64, error: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(HEALTH_CHECKS, ERROR, 104,
            "Health check {HealthCheckName} threw an unhandled exception after {ElapsedMilliseconds}ms. Told since this was told last: {More}.",
            detail: error; HealthCheckName = name, ElapsedMilliseconds = milliseconds, More = more),
        Telling::Counted => emit!(HEALTH_CHECKS, DEBUG, 104,
            "Health check {HealthCheckName} threw an unhandled exception after {ElapsedMilliseconds}ms",
            detail: error; HealthCheckName = name, ElapsedMilliseconds = milliseconds),
    }
}
