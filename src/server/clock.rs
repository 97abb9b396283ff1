//! The time, as cheaply as a request can afford it.
//!
//! Timeouts of seconds need no nanoseconds. Linux keeps a clock that is a few milliseconds coarse
//! and costs a fifth of the exact one.

use std::time::Duration;

/// Kestrel's clock ticks once a second, and no timeout is cut short by it: what an option says is
/// over up to two seconds later. Ours is over one second later.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// Milliseconds of a clock that only goes forward. It says nothing about the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    #[cfg(target_os = "linux")]
    pub(crate) fn now() -> Self {
        use nix::time::{ClockId, clock_gettime};

        // The clock is there since Linux 2.6.32; a kernel without it would have no timeouts.
        let now =
            clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map_or(Duration::ZERO, Duration::from);
        Self(millis(now))
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now() -> Self {
        use std::sync::OnceLock;
        use std::time::Instant;

        static START: OnceLock<Instant> = OnceLock::new();
        // As if the machine had run for an hour: 0 is long past.
        Self(millis(START.get_or_init(Instant::now).elapsed() + Duration::from_secs(3600)))
    }

    pub(crate) fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub(crate) fn as_millis(self) -> u64 {
        self.0
    }

    /// How long it is to `later`; nothing if that is earlier.
    pub(crate) fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The second since 1970.
pub(super) fn unix_second() -> u64 {
    #[cfg(target_os = "linux")]
    {
        use nix::time::{ClockId, clock_gettime};

        if let Ok(now) = clock_gettime(ClockId::CLOCK_REALTIME_COARSE) {
            return u64::try_from(now.tv_sec()).unwrap_or_default();
        }
    }
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The moment after a time, of which there may be more than there is.
pub(crate) fn moment_after(time: Duration) -> tokio::time::Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = tokio::time::Instant::now();
    now.checked_add(time).unwrap_or(now + FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_with_the_exact_one() {
        let (coarse, exact) = (Moment::now(), std::time::Instant::now());
        while exact.elapsed() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        let passed = coarse.until(Moment::now());
        assert!(
            passed >= Duration::from_millis(30) && passed < Duration::from_secs(30),
            "{passed:?}"
        );
    }
}
