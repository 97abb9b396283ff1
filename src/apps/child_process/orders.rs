//! What the keepers of processes are told to do, and how long what ends may take.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

use crate::features::Lifetime;

/// What a process has to end in, however late it is told.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// How long a stop waits before it says what for, as one that waits for requests does.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a keeper is told to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// How often another process was to take the place, and why it was the last time.
    pub(super) replacements: (u64, &'static str),
    /// All is to be over.
    is_over: bool,
    /// By when, if there is less time than each process has by itself: of a host that stops.
    by: Option<Instant>,
}

impl Orders {
    /// All is to be over, by then if that is said. Of two moments, the earlier one counts.
    pub(super) fn end(&mut self, by: Option<Instant>) {
        self.is_over = true;
        let by = by.map(|by| by.max(Instant::now() + LAST_MOMENT));
        self.by = [self.by, by].into_iter().flatten().min();
    }

    /// By when all is to be over, if that was said.
    pub(super) fn by(&self) -> Option<Instant> {
        self.by
    }
}

/// Waits until all is to be over.
pub(super) async fn over(mut orders: watch::Receiver<Orders>) {
    // Without anybody who could order it, it is over, too.
    let _ = orders.wait_for(|orders| orders.is_over).await;
}

/// Waits until it is said by when all is to be over.
pub(super) async fn hurried(mut orders: watch::Receiver<Orders>) {
    if orders.wait_for(|orders| orders.by.is_some()).await.is_err() {
        std::future::pending().await
    }
}

/// How long a process may take to end: it has a time of its own, and a host that stops may have less, which it may say
/// only meanwhile.
#[derive(Debug)]
pub(super) struct Grace {
    begun: Instant,
    limit: Duration,
    orders: watch::Receiver<Orders>,
    lifetime: Lifetime,
}

impl Grace {
    /// One that begins now.
    pub(super) fn begin(
        limit: Duration,
        orders: &watch::Receiver<Orders>,
        lifetime: &Lifetime,
    ) -> Self {
        let (orders, lifetime) = (orders.clone(), lifetime.clone());
        Self { begun: Instant::now(), limit, orders, lifetime }
    }

    fn until(&self) -> Instant {
        let own = self.begun + self.limit;
        self.orders.borrow().by.map_or(own, |by| by.min(own))
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        let mut orders = self.orders.clone();
        loop {
            orders.mark_unchanged();
            let end = sleep_until(self.until().into());
            let changed = async {
                if orders.changed().await.is_err() {
                    std::future::pending().await
                }
            };
            tokio::select! {
                () = end => return,
                () = changed => {}
            }
        }
    }

    /// How long it was, and the key that says so.
    pub(super) fn told(&self) -> (Duration, &'static str) {
        let until = self.until();
        match until < self.begun + self.limit {
            true => (until.saturating_duration_since(self.begun), "shutdownTimeoutSeconds"),
            false => (self.limit, "ShutdownTimeLimit"),
        }
    }

    /// Waits until somebody who has stopped the host wonders what it waits for; how long it still may be.
    pub(super) async fn is_felt(&self) -> Duration {
        over(self.orders.clone()).await;
        self.lifetime.stopping().await;
        sleep(PATIENCE).await;
        self.until().saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_two_moments_the_earlier_one_counts() {
        let (orders, lifetime) = (watch::Sender::<Orders>::default(), Lifetime::new());
        let begun = tokio::time::Instant::now();
        let grace = Grace::begin(Duration::from_secs(60), &orders.subscribe(), &lifetime);
        assert_eq!(grace.told(), (Duration::from_secs(60), "ShutdownTimeLimit"));
        // A reload has all of the time.
        orders.send_modify(|orders| orders.end(None));
        assert_eq!(grace.told().1, "ShutdownTimeLimit");
        let in_seconds = |seconds| Some(Instant::now() + Duration::from_secs(seconds));
        let mut over = std::pin::pin!(grace.over());
        let early = tokio::time::timeout(Duration::from_secs(5), &mut over).await;
        assert!(early.is_err());
        orders.send_modify(|orders| orders.end(in_seconds(20)));
        orders.send_modify(|orders| orders.end(in_seconds(90)));
        over.await;
        let (allowed, key) = grace.told();
        assert_eq!(key, "shutdownTimeoutSeconds");
        assert!(allowed < Duration::from_secs(21), "{allowed:?}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        // However late it is told, there is a moment.
        orders.send_modify(|orders| orders.end(Some(Instant::now())));
        assert!(orders.borrow().by().is_some_and(|by| by > Instant::now()));
    }
}
