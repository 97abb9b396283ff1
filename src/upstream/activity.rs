//! How long nothing may happen on a connection.
//!
//! Every read and write restarts that time, so that it has to be cheap: it is noted by the coarse clock,
//! and the timer, which a connection keeps from one request to the next, is only looked at once it is over.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::server::{Moment, moment_after};

/// When something last happened on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    last: Moment,
    /// Made once it is waited. It is that of a request before, mostly: early, or late.
    timer: Option<(Moment, Pin<Box<Sleep>>)>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { last: Moment::now(), timer: None }
    }

    /// Something happened.
    pub(super) fn touch(&mut self) {
        self.last = Moment::now();
    }

    /// When something last happened.
    pub(super) fn last(&self) -> Moment {
        self.last
    }

    /// Nothing happens; ready once that has been so for `timeout`.
    pub(super) fn poll_quiet(&mut self, timeout: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.last + timeout;
        let (at, timer) = self.timer.get_or_insert_with(|| (deadline, Box::pin(sleep(timeout))));
        if *at > deadline {
            // That of a request with more time.
            timer.as_mut().reset(moment_after(Moment::now().until(deadline)));
            *at = deadline;
        }
        while timer.as_mut().poll(cx).is_ready() {
            let left = Moment::now().until(deadline);
            if left.is_zero() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(moment_after(left));
            *at = deadline;
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Instant;

    use super::*;

    const SHORT: Duration = Duration::from_millis(60);

    #[tokio::test]
    async fn what_happens_restarts_the_time() {
        let mut activity = Activity::new();
        let begun = Instant::now();
        for _ in 0..4 {
            let quiet = poll_fn(|cx| activity.poll_quiet(SHORT, cx));
            // On a busy machine it may be over already.
            let _ = tokio::time::timeout(SHORT / 2, quiet).await;
            activity.touch();
        }
        poll_fn(|cx| activity.poll_quiet(SHORT, cx)).await;
        assert!(begun.elapsed() + Duration::from_millis(20) >= SHORT * 3, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_timer_of_a_request_before_is_used_again() {
        let mut activity = Activity::new();
        let begun = Instant::now();
        let long = Duration::from_secs(600);
        let waits = poll_fn(|cx| Poll::Ready(activity.poll_quiet(long, cx))).await;
        assert!(waits.is_pending());
        activity.touch();
        poll_fn(|cx| activity.poll_quiet(SHORT, cx)).await;
        // The next request begins later than the timer that is there.
        activity.touch();
        poll_fn(|cx| activity.poll_quiet(SHORT, cx)).await;
        let elapsed = begun.elapsed();
        assert!(elapsed + Duration::from_millis(20) >= SHORT * 2 && elapsed < long, "{elapsed:?}");
    }
}
