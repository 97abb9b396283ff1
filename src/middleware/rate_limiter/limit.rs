//! How many requests pass, of one partition: decided by what passed before and the time. Pure.

use std::time::Duration;

/// How many requests pass. (The limiters of `System.Threading.RateLimiting` in .NET.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many in a window, which begins with the first request behind the last one.
    FixedWindow { permits: u32, window: Duration },
    /// So many in any window, which moves on by segments.
    SlidingWindow { permits: u32, window: Duration, segments: u32 },
    /// So many at once at most, and so many more in each period.
    TokenBucket { tokens: u32, per_period: u32, period: Duration },
    /// So many at the same time.
    Concurrency { permits: u32 },
}

/// What has passed of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Window { begun: Duration, requests: u32 },
    Segments(Segments),
    Tokens { replenished: Duration, left: u32 },
    Running(u32),
}

/// The requests of each segment of a window that moves on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segments {
    /// The number of the segment of the moment, from the first moment on.
    current: u64,
    /// By the number of the segment, modulo how many there are.
    requests: Box<[u32]>,
    total: u32,
}

/// Why a request does not pass: when the next one may, if time alone decides that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted {
    pub(super) until: Option<Duration>,
}

impl Limit {
    /// A partition of which nothing has passed.
    pub(super) fn begin(&self, now: Duration) -> Passed {
        match *self {
            Self::FixedWindow { .. } => Passed::Window { begun: now, requests: 0 },
            Self::SlidingWindow { segments, .. } => {
                let requests = vec![0; segments as usize].into();
                Passed::Segments(Segments { current: self.segment_of(now), requests, total: 0 })
            }
            Self::TokenBucket { tokens, .. } => Passed::Tokens { replenished: now, left: tokens },
            Self::Concurrency { .. } => Passed::Running(0),
        }
    }

    /// Lets a request pass, if it may. Moments only count up.
    ///
    /// # Errors
    ///
    /// When the next one may.
    pub(super) fn take(&self, passed: &mut Passed, now: Duration) -> Result<(), Exhausted> {
        self.move_on(passed, now);
        let may = match (self, &mut *passed) {
            (Self::FixedWindow { permits, .. }, Passed::Window { begun, requests }) => {
                if *requests == 0 {
                    *begun = now;
                }
                count(requests, *permits)
            }
            (Self::SlidingWindow { permits, .. }, Passed::Segments(it)) => it.count(*permits),
            (Self::TokenBucket { .. }, Passed::Tokens { left, .. }) => {
                let some_left = *left > 0;
                *left = left.saturating_sub(1);
                some_left
            }
            (Self::Concurrency { permits }, Passed::Running(running)) => count(running, *permits),
            // What has passed is always of this limit.
            _ => true,
        };
        match may {
            true => Ok(()),
            false => Err(Exhausted { until: self.next(passed) }),
        }
    }

    /// A request that has passed is over.
    pub(super) fn over(&self, passed: &mut Passed) {
        if let Passed::Running(running) = passed {
            *running = running.saturating_sub(1);
        }
    }

    /// Whether requests run that have to be over first.
    pub(super) fn is_busy(passed: &Passed) -> bool {
        matches!(passed, Passed::Running(1..))
    }

    /// Whether a request that has passed is to be told when it is over.
    pub(super) fn counts_running(&self) -> bool {
        matches!(self, Self::Concurrency { .. })
    }

    /// Forgets what is long enough ago.
    fn move_on(&self, passed: &mut Passed, now: Duration) {
        match (self, passed) {
            (Self::FixedWindow { window, .. }, Passed::Window { begun, requests }) => {
                let goes_on = now < begun.saturating_add(*window);
                *requests *= u32::from(goes_on);
            }
            (Self::SlidingWindow { .. }, Passed::Segments(it)) => it.move_on(self.segment_of(now)),
            (
                Self::TokenBucket { tokens, per_period, period },
                Passed::Tokens { replenished, left },
            ) => {
                let periods = whole(now.saturating_sub(*replenished), *period);
                let more = periods.saturating_mul(u64::from(*per_period));
                let all = u64::from(*left).saturating_add(more).min(u64::from(*tokens));
                *left = u32::try_from(all).unwrap_or(*tokens);
                *replenished = replenished.saturating_add(times(*period, periods));
            }
            _ => {}
        }
    }

    /// When the next request may pass of a partition of which none may now.
    pub(super) fn next(&self, passed: &Passed) -> Option<Duration> {
        match (self, passed) {
            (Self::FixedWindow { window, .. }, Passed::Window { begun, .. }) => {
                Some(begun.saturating_add(*window))
            }
            (Self::SlidingWindow { .. }, Passed::Segments(it)) => {
                Some(times(self.segment(), it.first_to_leave()))
            }
            (Self::TokenBucket { period, .. }, Passed::Tokens { replenished, .. }) => {
                Some(replenished.saturating_add(*period))
            }
            _ => None,
        }
    }

    /// How long a segment of a window is.
    fn segment(&self) -> Duration {
        match self {
            Self::SlidingWindow { window, segments, .. } => *window / (*segments).max(1),
            _ => Duration::ZERO,
        }
    }

    fn segment_of(&self, now: Duration) -> u64 {
        whole(now, self.segment())
    }
}

impl Segments {
    fn move_on(&mut self, now: u64) {
        let gone = now.saturating_sub(self.current).min(self.requests.len() as u64);
        for number in self.current + 1..=self.current + gone {
            if let Some(requests) = self.of(number) {
                let left = std::mem::take(requests);
                self.total -= left;
            }
        }
        self.current = self.current.max(now);
    }

    fn count(&mut self, permits: u32) -> bool {
        if self.total >= permits {
            return false;
        }
        self.total += 1;
        if let Some(requests) = self.of(self.current) {
            *requests += 1;
        }
        true
    }

    /// The number of the segment in which the oldest request leaves the window.
    fn first_to_leave(&self) -> u64 {
        let length = self.requests.len() as u64;
        let oldest = (self.current + 1..self.current + length)
            .find(|number| self.requests[self.place(*number)] > 0);
        oldest.unwrap_or(self.current + length)
    }

    fn of(&mut self, number: u64) -> Option<&mut u32> {
        let place = self.place(number);
        self.requests.get_mut(place)
    }

    fn place(&self, number: u64) -> usize {
        (number % (self.requests.len() as u64).max(1)) as usize
    }
}

/// Counts one more, up to a number.
fn count(number: &mut u32, most: u32) -> bool {
    let may = *number < most;
    *number += u32::from(may);
    may
}

/// How many whole times one length is in another.
fn whole(length: Duration, unit: Duration) -> u64 {
    let times = length.as_nanos().checked_div(unit.as_nanos()).unwrap_or(0);
    u64::try_from(times).unwrap_or(u64::MAX)
}

fn times(unit: Duration, number: u64) -> Duration {
    let nanoseconds = unit.as_nanos().saturating_mul(u128::from(number));
    u64::try_from(nanoseconds).map_or(Duration::MAX, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests at these moments, in tenths of a second, each with whether it passes, or else from when on
    /// the next one may.
    fn play(limit: Limit, requests: &[(u64, Result<(), Option<u64>>)]) {
        let tenths = |moment: u64| Duration::from_millis(100 * moment);
        let mut passed = limit.begin(tenths(0));
        for (number, (at, expected)) in requests.iter().enumerate() {
            let expected = expected.map_err(|until| Exhausted { until: until.map(tenths) });
            let seen = limit.take(&mut passed, tenths(*at));
            assert_eq!(seen, expected, "{limit:?}: request {number} at {at}: {passed:?}");
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_fixed_window_begins_with_the_first_request_behind_the_last_one() {
        let limit = Limit::FixedWindow { permits: 2, window: SECOND };
        play(
            limit,
            &[
                (5, Ok(())),
                (6, Ok(())),
                (6, Err(Some(15))),
                (14, Err(Some(15))),
                (15, Ok(())),
                (24, Ok(())),
                (24, Err(Some(25))),
                (100, Ok(())),
                (100, Ok(())),
                (109, Err(Some(110))),
            ],
        );
    }

    #[test]
    fn a_sliding_window_forgets_segment_by_segment() {
        // Segments of half a second.
        let limit = Limit::SlidingWindow { permits: 3, window: 2 * SECOND, segments: 4 };
        play(
            limit,
            &[
                (0, Ok(())),
                (6, Ok(())),
                (6, Ok(())),
                (7, Err(Some(20))),
                (19, Err(Some(20))),
                (20, Ok(())),
                (20, Err(Some(25))),
                (25, Ok(())),
                (25, Ok(())),
                (26, Err(Some(40))),
                (100, Ok(())),
                (100, Ok(())),
                (100, Ok(())),
                (100, Err(Some(120))),
            ],
        );
    }

    #[test]
    fn a_bucket_gets_tokens_by_the_period_and_never_more_than_it_holds() {
        let limit = Limit::TokenBucket { tokens: 3, per_period: 2, period: SECOND };
        play(
            limit,
            &[
                (0, Ok(())),
                (0, Ok(())),
                (0, Ok(())),
                (1, Err(Some(10))),
                (10, Ok(())),
                (10, Ok(())),
                (10, Err(Some(20))),
                (1005, Ok(())),
                (1005, Ok(())),
                (1005, Ok(())),
                (1005, Err(Some(1010))),
            ],
        );
    }

    #[test]
    fn of_those_at_the_same_time_one_has_to_be_over_before_the_next_may() {
        let limit = Limit::Concurrency { permits: 2 };
        let mut passed = limit.begin(Duration::ZERO);
        assert!(limit.counts_running() && !Limit::is_busy(&passed));
        assert_eq!(limit.take(&mut passed, SECOND), Ok(()));
        assert_eq!(limit.take(&mut passed, SECOND), Ok(()));
        assert_eq!(limit.take(&mut passed, 100 * SECOND), Err(Exhausted { until: None }));
        limit.over(&mut passed);
        assert_eq!(limit.take(&mut passed, SECOND), Ok(()));
        limit.over(&mut passed);
        assert!(Limit::is_busy(&passed));
        limit.over(&mut passed);
        limit.over(&mut passed);
        assert!(!Limit::is_busy(&passed));
    }

    #[test]
    fn never_more_pass_in_any_window_than_a_sliding_one_lets() {
        let (permits, segments) = (5, 4);
        let window = Duration::from_millis(400);
        let limit = Limit::SlidingWindow { permits, window, segments };
        let mut passed = limit.begin(Duration::ZERO);
        let mut at = Vec::new();
        // An uneven pace, made of a number that only looks like chance.
        let (mut now, mut seed) = (Duration::ZERO, 7_u64);
        for _ in 0..5000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += Duration::from_millis(seed >> 58);
            if limit.take(&mut passed, now).is_ok() {
                at.push(now);
            }
        }
        assert!(at.len() > 100, "{}", at.len());
        let most = permits as usize;
        // What is in one segment leaves together, so a window is that much shorter.
        for some in at.windows(most + 1) {
            assert!(some[most] - some[0] > window - window / segments, "{some:?}");
        }
    }
}
