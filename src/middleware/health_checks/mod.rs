//! Tells load balancers and the like how the host does (`HealthChecks`).

mod check;

use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA};
use http::{HeaderValue, StatusCode};

use super::without_length::without_length;
use crate::features::Lifetime;
use crate::pipeline::{Enter, Request, Responding, Response, Stage};
pub use check::Health;
use check::Status;
pub(crate) use check::{Checking, Checks, HealthCheck};

/// Where health is told, and how long the stop waits for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HealthCheckOptions {
    /// The path that answers as long as the process does.
    pub(crate) live: String,
    /// The path that tells whether requests should come.
    pub(crate) ready: String,
    /// How long the host serves on, once it is to stop and says so at `ready`.
    pub(crate) stop_delay: Duration,
}

/// Answers at two paths, whatever the method is: at one as long as there is a process that answers, at
/// the other whether requests should come, which they should not once the host is to stop, or if a check
/// of the program's says so. (What `HealthCheckMiddleware` is in ASP.NET Core, twice.)
#[derive(Debug)]
pub(crate) struct HealthChecks {
    options: HealthCheckOptions,
    lifetime: Lifetime,
    checks: Arc<Checks>,
}

impl HealthChecks {
    pub(crate) fn new(
        options: HealthCheckOptions,
        lifetime: Lifetime,
        checks: Arc<Checks>,
    ) -> Self {
        Self { options, lifetime, checks }
    }
}

impl Stage for HealthChecks {
    fn enter(&self, request: &mut Request) -> Enter {
        let path = request.uri().path();
        if is(path, &self.options.live) {
            return Enter::Answer(answer(Status::Healthy));
        }
        if !is(path, &self.options.ready) {
            return Enter::Next;
        }
        if self.lifetime.is_leaving() {
            return Enter::Answer(answer(Status::Unhealthy));
        }
        if self.checks.is_empty() {
            return Enter::Answer(answer(Status::Healthy));
        }
        let checks = Arc::clone(&self.checks);
        Enter::Around(Box::new(move |_, _| {
            Responding::later(async move { answer(checks.worst().await) })
        }))
    }

    fn is_noise(&self, request: &Request) -> bool {
        let path = request.uri().path();
        is(path, &self.options.live) || is(path, &self.options.ready)
    }
}

/// Whether a path is this one, in any case, with a slash at its end or without.
fn is(path: &str, own: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path).eq_ignore_ascii_case(own)
}

/// As ASP.NET Core has it, headers and all: no cache keeps it.
fn answer(status: Status) -> Response {
    let mut response = Response::new(without_length(status.name()));
    *response.status_mut() = match status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn stage(lifetime: &Lifetime) -> HealthChecks {
        let options = HealthCheckOptions {
            live: "/healthz/live".to_owned(),
            ready: "/healthz/ready".to_owned(),
            stop_delay: Duration::ZERO,
        };
        HealthChecks::new(options, lifetime.clone(), Arc::default())
    }

    /// The status at a path, if the stage answers there at once.
    fn status(stage: &HealthChecks, path: &str) -> Option<u16> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        let is_noise = stage.is_noise(&request);
        let status = match stage.enter(&mut request) {
            Enter::Answer(response) => Some(response.status().as_u16()),
            _ => None,
        };
        assert_eq!(is_noise, status.is_some(), "{path}");
        status
    }

    #[test]
    fn a_host_that_is_to_stop_is_alive_and_not_ready() {
        let lifetime = Lifetime::new();
        let stage = stage(&lifetime);
        for (path, running, leaving) in [
            ("/healthz/live", Some(200), Some(200)),
            ("/healthz/ready", Some(200), Some(503)),
            ("/HealthZ/Ready/?verbose", Some(200), Some(503)),
            ("http://a.example/healthz/ready", Some(200), Some(503)),
            ("/healthz", None, None),
            ("/healthz/ready//", None, None),
            ("/healthz/readyz", None, None),
            ("/", None, None),
            ("*", None, None),
        ] {
            let of_other = Lifetime::new();
            assert_eq!(status(&self::stage(&of_other), path), running, "{path}");
            of_other.leave();
            assert_eq!(status(&self::stage(&of_other), path), leaving, "{path}");
        }
        lifetime.stop();
        assert_eq!(status(&stage, "/healthz/ready"), Some(503));
    }
}
