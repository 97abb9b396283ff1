//! Checks that a program adds to the health of its host.

use std::future::Future;
use std::time::Duration;

use super::app_error::AppError;
use super::builder::HostBuilder;
use super::health_check::check;
use crate::middleware::Health;

/// How long a check may take of which nobody says it.
const LIMIT: Duration = Duration::from_secs(5);

impl HostBuilder {
    /// A check of the program's health, which has a say in whether the host is ready: it is asked whenever
    /// somebody asks at the path for that (`/healthz/ready`, with `HealthChecks:Enabled`). The worst of all
    /// checks counts: [`Health::Unhealthy`], an error, a panic, or more than five seconds make it 503;
    /// [`Health::Degraded`] is told in the body alone. Reasons are told in the log, once a minute, and
    /// never to clients. Whoever asks while the checks run shares the next answer. (What `AddCheck` is in
    /// ASP.NET Core.)
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use kestrel::{AppError, Health, Host};
    ///
    /// struct Pool;
    ///
    /// impl Pool {
    ///     async fn ping(&self) -> std::io::Result<()> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let pool = Arc::new(Pool);
    /// let builder = Host::builder().health_check("database", move || {
    ///     let pool = Arc::clone(&pool);
    ///     async move {
    ///         pool.ping().await?;
    ///         Ok(Health::Healthy)
    ///     }
    /// });
    /// ```
    pub fn health_check<F>(
        self,
        name: impl Into<String>,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Health, AppError>> + Send + 'static,
    {
        self.health_check_within(name, LIMIT, check)
    }

    /// The same with another limit than five seconds. What asks has one, too: a probe of Kubernetes' waits
    /// for one second unless it says `timeoutSeconds`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use kestrel::{Health, Host};
    ///
    /// let limit = Duration::from_millis(800);
    /// let builder = Host::builder().health_check_within("disk", limit, async || {
    ///     match tokio::fs::try_exists("/srv/data").await? {
    ///         true => Ok(Health::Healthy),
    ///         false => Ok(Health::Degraded("there is no data yet".to_owned())),
    ///     }
    /// });
    /// ```
    pub fn health_check_within<F>(
        mut self,
        name: impl Into<String>,
        limit: Duration,
        health_check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Health, AppError>> + Send + 'static,
    {
        self.0.health_checks.push(check(name.into(), limit, health_check));
        self
    }
}
