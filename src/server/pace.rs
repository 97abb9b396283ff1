//! How slow a peer may send, or take, what was asked for (`MinRequestBodyDataRate`,
//! `MinResponseDataRate`).
//!
//! Three clocks go by it: that of a request's body ([`BodyClock`]), that of an answer the socket takes
//! no more of ([`Stall`]), and that of a window the client does not open ([`Pace`]). The rule is the
//! same: bytes earn time at the rate, and at least the grace period is always there. What a client
//! takes earns no more than a wait has from its beginning: what was fast long ago does not excuse a
//! client that reads nothing now. What it sends does, as on Kestrel: there the average counts.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::clock::TICK;
use crate::features::MinDataRate;

/// A wait for a peer, which may go on for some time.
#[derive(Debug, Default)]
struct Wait {
    since: Option<Instant>,
    /// Only made once it is waited.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// Nothing comes; ready when that has been so for longer than `left`.
    fn poll(&mut self, left: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        let Some(deadline) = since.checked_add(left) else {
            // A rate close to zero earns more time than there is.
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        while timer.as_mut().poll(cx).is_ready() {
            if deadline <= now {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Something came; how long it was waited for.
    fn end(&mut self) -> Duration {
        self.since.take().map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// How long the app has waited for the body of a request.
#[derive(Debug, Default)]
pub(super) struct BodyClock {
    waited: Duration,
    wait: Wait,
}

impl BodyClock {
    /// Some of it came.
    pub(super) fn came(&mut self) {
        self.waited += self.wait.end();
    }

    /// The app waits for more than the `bytes` that came; ready when it has for too long. Without a
    /// rate it may wait for ever.
    pub(super) fn poll_waiting(
        &mut self,
        bytes: u64,
        rate: Option<MinDataRate>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // It counts even if the app sets a rate later.
        self.wait.since.get_or_insert_with(Instant::now);
        match rate {
            Some(rate) => self.wait.poll(rate.allowed(bytes).saturating_sub(self.waited), cx),
            None => Poll::Pending,
        }
    }
}

/// An answer the client does not take as fast as it comes. (On HTTP/1.)
pub(super) struct Stall {
    /// The request it answers.
    request: u32,
    /// How much longer it may be waited for.
    left: Duration,
    most: Duration,
    wait: Wait,
}

impl Stall {
    /// A client that does not take more of the answer to `request` for the first time, when up to
    /// `unseen` bytes are taken before it is seen: see [`Socket::unseen`].
    ///
    /// [`Socket::unseen`]: super::io::Socket::unseen
    pub(super) fn begin(request: u32, unseen: u64, rate: MinDataRate) -> Box<Self> {
        let left = rate.allowed(unseen).saturating_add(TICK);
        let most = left.saturating_add(rate.grace_period());
        Box::new(Self { request, left, most, wait: Wait::default() })
    }

    /// Whether it is one of the answer to `request`.
    pub(super) fn is_of(&self, request: u32) -> bool {
        self.request == request
    }

    /// The client took some, which earns it time.
    pub(super) fn took(&mut self, bytes: usize, rate: MinDataRate) {
        let left = self.left.saturating_sub(self.wait.end());
        self.left = left.saturating_add(rate.earned(bytes as u64)).min(self.most);
    }

    /// The client takes nothing; ready when it has for too long.
    pub(super) fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wait.poll(self.left, cx)
    }
}

/// How fast a client has to take what it asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) rate: MinDataRate,
    /// The most bytes for which it may seem to take nothing.
    pub(super) step: u64,
}

impl Pace {
    /// By when something has to be taken, where `by` was the time and `length` bytes were taken:
    /// they earn time at the rate, but no more than a stall has from its beginning, when the client
    /// has `held` bytes. What was fast long ago does not excuse a client that reads nothing now.
    pub(super) fn earn(self, by: Instant, length: u64, held: u64) -> Instant {
        let by = by.checked_add(self.rate.earned(length));
        [by, Some(self.by_when(held))].into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    /// By when something has to be taken if the wait begins now, and `held` bytes are on their way
    /// or with the client.
    pub(super) fn by_when(self, held: u64) -> Instant {
        // A patience that is no date is none.
        const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
        Instant::now() + self.rate.allowed(held.min(self.step)).min(NEVER)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_body_counts_as_a_whole() {
        let rate = MinDataRate::new(100.0, Duration::from_secs(2)).ok();
        let cx = &mut Context::from_waker(Waker::noop());
        let seconds = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let mut clock = BodyClock::default();
        assert!(clock.poll_waiting(0, rate, cx).is_pending());
        seconds(1).await;
        clock.came();
        // While it is not waited for, no time passes; 1,000 bytes are ten seconds.
        seconds(60).await;
        assert!(clock.poll_waiting(1000, rate, cx).is_pending());
        seconds(8).await;
        assert!(clock.poll_waiting(1000, rate, cx).is_pending());
        assert!(clock.poll_waiting(1000, None, cx).is_pending());
        seconds(1).await;
        assert!(clock.poll_waiting(1000, rate, cx).is_ready());
    }

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
