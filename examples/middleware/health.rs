//! The health of the app: checks, and the paths that tell of them.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::time::{sleep, timeout};

use crate::body::piece;

/// How well something does, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Healthy,
    Degraded,
    Unhealthy,
}

/// All checks, by name.
const CHECKS: [&str; 5] = ["ok", "degraded", "bad", "throws", "slow"];

/// How long the slow one may take.
const LIMIT: Duration = Duration::from_millis(300);

/// What a check fails with.
struct Failed;

async fn check(name: &str) -> Result<Health, Failed> {
    match name {
        "ok" => Ok(Health::Healthy),
        "degraded" => Ok(Health::Degraded),
        "bad" => Ok(Health::Unhealthy),
        "slow" => timeout(LIMIT, sleep(Duration::from_secs(3)))
            .await
            .map(|()| Health::Healthy)
            .map_err(|_| Failed),
        _ => Err(Failed),
    }
}

/// The answer at one of the paths of health.
pub(crate) async fn answer(path: &str) -> Option<Response> {
    let lower = path.to_ascii_lowercase();
    let (checks, cached): (&[&str], _) = match lower.strip_suffix('/').unwrap_or(&lower) {
        _ if lower == "/uhealth" => (&["ok"], false),
        "/health/none" => (&[], false),
        "/health/ok" => (&["ok"], false),
        "/health/degraded" | "/health/codes" => (&["degraded"], false),
        "/health/bad" => (&["bad"], false),
        "/health/throws" => (&["throws"], false),
        "/health/slow" => (&["slow"], false),
        "/health/two" => (&["ok", "degraded"], false),
        "/health/all" => (&CHECKS, false),
        "/health/cache" => (&["ok"], true),
        _ => return None,
    };
    let mut worst = Health::Healthy;
    for name in checks {
        worst = worst.max(check(name).await.unwrap_or(Health::Unhealthy));
    }
    let (word, status) = match worst {
        Health::Healthy => ("Healthy", StatusCode::OK),
        Health::Degraded if lower.starts_with("/health/codes") => {
            ("Degraded", StatusCode::TOO_MANY_REQUESTS)
        }
        Health::Degraded => ("Degraded", StatusCode::OK),
        Health::Unhealthy => ("Unhealthy", StatusCode::SERVICE_UNAVAILABLE),
    };
    let mut response = Response::new(piece(word));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if !cached {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    }
    Some(response)
}
