//! What a connection is at: how many requests it runs, and since when it has none.
//!
//! hyper has a timeout of its own for the wait between requests, which makes a timer for each of
//! them and takes it out again. Here a request costs a few stores and a look at the clock; one
//! timer per connection wakes up now and then and sees how long it has been.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Shared by a connection and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    connected: Instant,
    /// How many requests have come; it numbers them, too.
    begun: AtomicU32,
    /// How many answers are not out yet.
    running: AtomicU32,
    /// Milliseconds from `connected` to the end of the last answer.
    idle_since: AtomicU64,
}

impl Activity {
    /// A connection that waits for its first request.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            connected: Instant::now(),
            begun: AtomicU32::new(0),
            running: AtomicU32::new(0),
            idle_since: AtomicU64::new(0),
        })
    }

    /// A request has come, and gets its number. Its answer is out when the first is dropped.
    pub(super) fn begin(activity: &Arc<Self>) -> (Running, u32) {
        let number = activity.begun.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        activity.running.fetch_add(1, Ordering::Relaxed);
        (Running(Arc::clone(activity)), number)
    }

    /// Whether there was a request at all.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
    }

    /// Whether an answer is not out yet.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// When to look again whether the connection has waited for `limit`, or `None` if it has.
    pub(super) fn idle_until(&self, limit: Duration) -> Option<Instant> {
        let now = Instant::now();
        if self.is_running() {
            return Some(now + limit);
        }
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        let ends = self.connected + since + limit;
        (ends > now).then_some(ends)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        let now = self.0.connected.elapsed().as_millis();
        // Rounded up, so that no wait is cut short.
        let now = u64::try_from(now).unwrap_or(u64::MAX).saturating_add(1);
        self.0.idle_since.store(now, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn the_wait_counts_from_the_last_answer() {
        let activity = Activity::new();
        let seconds = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        seconds(9).await;
        assert!(activity.idle_until(LIMIT).is_some());
        let (running, number) = Activity::begin(&activity);
        assert_eq!(number, 1);
        seconds(60).await;
        assert_eq!(activity.idle_until(LIMIT), Some(Instant::now() + LIMIT));
        drop(running);
        seconds(9).await;
        assert!(activity.idle_until(LIMIT).is_some());
        seconds(2).await;
        assert_eq!(activity.idle_until(LIMIT), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_waits_no_longer() {
        let activity = Activity::new();
        tokio::time::advance(LIMIT).await;
        assert_eq!(activity.idle_until(LIMIT), None);
        assert!(!activity.has_begun() && !activity.is_running());
    }
}
