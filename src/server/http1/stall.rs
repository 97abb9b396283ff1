//! How long a client may take for an answer that is written to it (MinResponseDataRate).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::features::MinDataRate;
use crate::server::clock::TICK;

/// An answer the client does not take as fast as it comes.
pub(super) struct Stall {
    /// The request it answers.
    request: u32,
    /// How much longer it may be waited for, and since when it is now.
    left: Duration,
    since: Option<Instant>,
    /// What `left` may be: what was fast long ago does not excuse a client that reads nothing now.
    most: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Stall {
    /// A client that does not take more of the answer to `request` for the first time, when up to
    /// `unseen` bytes are taken before it is seen: see [`Socket::unseen`].
    ///
    /// [`Socket::unseen`]: crate::server::io::Socket::unseen
    pub(super) fn begin(request: u32, unseen: u64, rate: MinDataRate) -> Box<Self> {
        let timer = Box::pin(sleep_until(Instant::now() + rate.grace_period()));
        let left = rate.allowed(unseen).saturating_add(TICK);
        let most = left.saturating_add(rate.grace_period());
        Box::new(Self { request, left, since: None, most, timer })
    }

    /// Whether it is one of the answer to `request`.
    pub(super) fn is_of(&self, request: u32) -> bool {
        self.request == request
    }

    /// The client took some, which earns it time.
    pub(super) fn took(&mut self, bytes: usize, rate: MinDataRate) {
        if let Some(since) = self.since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.left = self.left.saturating_add(rate.earned(bytes as u64)).min(self.most);
    }

    /// The client takes nothing; ready when it has for too long.
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        let Some(deadline) = since.checked_add(self.left) else {
            // A rate close to zero earns more time than there is.
            return Poll::Pending;
        };
        while self.timer.as_mut().poll(cx).is_ready() {
            if deadline <= now {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_has_the_time_it_earned() {
        let rate = MinDataRate::new(100.0, Duration::from_secs(2)).unwrap();
        let cx = &mut Context::from_waker(Waker::noop());
        let seconds = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        // 1,000 bytes that are not seen are ten seconds, and one is the clock's.
        let mut stall = Stall::begin(1, 1000, rate);
        assert!(stall.poll_waiting(cx).is_pending());
        seconds(10).await;
        assert!(stall.poll_waiting(cx).is_pending());
        stall.took(500, rate);
        // While it is not waited for, no time passes.
        seconds(60).await;
        assert!(stall.poll_waiting(cx).is_pending());
        seconds(5).await;
        assert!(stall.poll_waiting(cx).is_pending());
        seconds(2).await;
        assert!(stall.poll_waiting(cx).is_ready());
        assert!(stall.is_of(1) && !stall.is_of(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_fast_long_ago_does_not_excuse_a_client_that_takes_nothing() {
        let rate = MinDataRate::new(100.0, Duration::from_secs(2)).unwrap();
        let cx = &mut Context::from_waker(Waker::noop());
        let seconds = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let mut stall = Stall::begin(1, 1000, rate);
        assert!(stall.poll_waiting(cx).is_pending());
        stall.took(2_000_000_000, rate);
        assert!(stall.poll_waiting(cx).is_pending());
        // Ten seconds for what is not seen, the grace period, and the clock's second.
        seconds(12).await;
        assert!(stall.poll_waiting(cx).is_pending());
        seconds(2).await;
        assert!(stall.poll_waiting(cx).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_just_fast_enough_is_served_to_the_end() {
        let rate = MinDataRate::new(100.0, Duration::from_secs(2)).unwrap();
        let cx = &mut Context::from_waker(Waker::noop());
        let mut stall = Stall::begin(1, 1000, rate);
        // An hour of steps as large as what is not seen.
        for _ in 0..360 {
            assert!(stall.poll_waiting(cx).is_pending());
            tokio::time::advance(Duration::from_secs(10)).await;
            assert!(stall.poll_waiting(cx).is_pending());
            stall.took(1000, rate);
        }
    }
}
