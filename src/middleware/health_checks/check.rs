//! One check of the program's, and all of them together.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::diagnostics::{Repeated, events, in_log, panic_message};

/// How well a part of a program does, as a check of it tells. (What `HealthCheckResult` is in ASP.NET
/// Core.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// It does less than it should, and that is told in the log; requests may still come.
    Degraded(String),
    /// It does not, and no requests should come. The reason is told in the log alone.
    Unhealthy(String),
}

/// All of a check's outcome that a client is told, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

impl Status {
    /// The word for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Degraded => "Degraded",
            Self::Unhealthy => "Unhealthy",
        }
    }
}

/// What a check comes to, or why it fails.
pub(crate) type Checking = Pin<Box<dyn Future<Output = Result<Health, String>> + Send>>;

/// A check of the program's: how well does a part of it do?
pub(crate) struct HealthCheck {
    name: String,
    /// How long it may take.
    limit: Duration,
    check: Box<dyn Fn() -> Checking + Send + Sync>,
    told: Repeated,
}

impl HealthCheck {
    pub(crate) fn new(
        name: String,
        limit: Duration,
        check: impl Fn() -> Checking + Send + Sync + 'static,
    ) -> Self {
        Self { name, limit, check: Box::new(check), told: Repeated::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks, and tells the log what came of it.
    async fn run(self: Arc<Self>) -> Status {
        events::health_check_begins(&self.name);
        let begun = Instant::now();
        let outcome = timeout(self.limit, self.guarded()).await;
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        let failed = match outcome {
            Ok(Ok(health)) => return self.ended(health, milliseconds),
            Ok(Err(error)) => error,
            Err(_) => format!("it took longer than {:?}", self.limit),
        };
        let telling = self.told.happened(Instant::now());
        events::health_check_failed(&self.name, milliseconds, &failed, telling);
        Status::Unhealthy
    }

    fn ended(&self, health: Health, milliseconds: f64) -> Status {
        let (status, words) = match health {
            Health::Healthy => {
                events::health_check_ended(&self.name, milliseconds);
                return Status::Healthy;
            }
            Health::Degraded(words) => (Status::Degraded, words),
            Health::Unhealthy(words) => (Status::Unhealthy, words),
        };
        let telling = self.told.happened(Instant::now());
        let told = events::HealthCheckTold { name: &self.name, milliseconds, words: &words };
        match status {
            Status::Degraded => events::health_check_degraded(&told, telling),
            _ => events::health_check_unhealthy(&told, telling),
        }
        status
    }

    /// The program's code, in a task of its own: a panic is a failure like any other.
    async fn guarded(&self) -> Result<Health, String> {
        let begin = std::panic::AssertUnwindSafe(|| (self.check)());
        let checking = std::panic::catch_unwind(begin)
            .map_err(|panic| format!("it panicked: {}", panic_message(&*panic)))?;
        let mut running = JoinSet::new();
        running.spawn(in_log(checking));
        match running.join_next().await {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => Err(match error.try_into_panic() {
                Ok(panic) => format!("it panicked: {}", panic_message(&*panic)),
                Err(_) => "it was given up".to_owned(),
            }),
            None => Err("it was given up".to_owned()),
        }
    }
}

impl fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck")
            .field("name", &self.name)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The checks of a program.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    checks: Vec<Arc<HealthCheck>>,
    /// When they were asked last, and what came of it.
    last: Mutex<Option<(Instant, Status)>>,
}

impl Checks {
    pub(crate) fn new(checks: Vec<HealthCheck>) -> Self {
        Self { checks: checks.into_iter().map(Arc::new).collect(), last: Mutex::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// The worst that one of them comes to. Whoever comes while they are asked waits, and all of them
    /// share the next answer: anybody may ask, as often as they like.
    pub(super) async fn worst(&self) -> Status {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((begun, status)) = *last
            && begun >= asked
        {
            return status;
        }
        let begun = Instant::now();
        let status = self.run().await;
        *last = Some((begun, status));
        status
    }

    /// All of them at once.
    async fn run(&self) -> Status {
        events::health_checks_begin();
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for check in &self.checks {
            running.spawn(in_log(Arc::clone(check).run()));
        }
        let mut worst = Status::Healthy;
        while let Some(status) = running.join_next().await {
            worst = worst.max(status.unwrap_or(Status::Unhealthy));
        }
        events::health_checks_end(worst.name(), begun.elapsed().as_secs_f64() * 1000.0);
        worst
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    fn check(check: impl Fn() -> Checking + Send + Sync + 'static) -> HealthCheck {
        HealthCheck::new("it".to_owned(), LIMIT, check)
    }

    fn is(health: Health) -> HealthCheck {
        check(move || {
            let health = health.clone();
            Box::pin(async move { Ok(health) })
        })
    }

    async fn panics() -> Result<Health, String> {
        panic!("this one is for the test")
    }

    #[tokio::test(start_paused = true)]
    async fn the_worst_counts_and_none_is_healthy() {
        let degraded = || is(Health::Degraded("so so".to_owned()));
        let unhealthy = || is(Health::Unhealthy("broken".to_owned()));
        let fails = || check(|| Box::pin(async { Err("it failed".to_owned()) }));
        let panics = || check(|| Box::pin(panics()));
        let begins = || check(|| panic!("so is this one"));
        let slow = |time: Duration| {
            check(move || {
                Box::pin(async move {
                    tokio::time::sleep(time).await;
                    Ok(Health::Healthy)
                })
            })
        };
        for (checks, expected) in [
            (vec![], Status::Healthy),
            (vec![is(Health::Healthy)], Status::Healthy),
            (vec![is(Health::Healthy), degraded()], Status::Degraded),
            (vec![unhealthy(), degraded(), is(Health::Healthy)], Status::Unhealthy),
            (vec![fails()], Status::Unhealthy),
            (vec![panics()], Status::Unhealthy),
            (vec![begins()], Status::Unhealthy),
            (vec![slow(LIMIT / 2), slow(LIMIT / 2)], Status::Healthy),
            (vec![slow(LIMIT * 2)], Status::Unhealthy),
        ] {
            let checks = Checks::new(checks);
            let begun = tokio::time::Instant::now();
            assert_eq!(checks.worst().await, expected, "{checks:?}");
            assert!(begun.elapsed() <= LIMIT + Duration::from_millis(3), "{checks:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_an_answer() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let checks = Arc::new(Checks::new(vec![check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                tokio::time::sleep(LIMIT / 3).await;
                Ok(Health::Healthy)
            })
        })]));
        let mut all = JoinSet::new();
        for _ in 0..100 {
            let checks = Arc::clone(&checks);
            all.spawn(async move { checks.worst().await });
        }
        while let Some(status) = all.join_next().await {
            assert_eq!(status.expect("no panic"), Status::Healthy);
        }
        assert!(asked.load(Ordering::Relaxed) <= 2, "{asked:?}");
        checks.worst().await;
        assert!(asked.load(Ordering::Relaxed) >= 2, "an old answer is none");
    }
}
