//! How slow a client may be.

use std::time::Duration;

/// The slowest a client may send a request's body, or take an answer.
///
/// The rate is an average since the transfer began, so that a client may stall for as long as it
/// has been faster before; it is not looked at before the grace period is over.
///
/// Source: "MinDataRate Class" in the ASP.NET Core API reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinDataRate {
    bytes_per_second: f64,
    grace_period: Duration,
}

/// Why there is no such [`MinDataRate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MinDataRateError {
    /// The rate is zero, negative or no number.
    #[error(
        "Value must be a positive number. To disable a minimum data rate, use null where a MinDataRate instance is expected."
    )]
    Rate,
    /// The grace period is one second or less.
    #[error("The request body rate enforcement grace period must be greater than 1 second.")]
    GracePeriod,
}

impl MinDataRate {
    /// Kestrel's default for both directions: 240 bytes per second after five seconds, low enough
    /// for a modem and high enough for an attacker to notice.
    pub const DEFAULT: Self =
        Self { bytes_per_second: 240.0, grace_period: Duration::from_secs(5) };

    /// A rate of `bytes_per_second`, more than zero, that is looked at after `grace_period`, more
    /// than a second.
    ///
    /// # Errors
    ///
    /// One of the two is out of its range.
    pub fn new(bytes_per_second: f64, grace_period: Duration) -> Result<Self, MinDataRateError> {
        if !bytes_per_second.is_finite() || bytes_per_second <= 0.0 {
            return Err(MinDataRateError::Rate);
        }
        if grace_period <= Duration::from_secs(1) {
            return Err(MinDataRateError::GracePeriod);
        }
        Ok(Self { bytes_per_second, grace_period })
    }

    /// The rate in bytes per second.
    pub fn bytes_per_second(self) -> f64 {
        self.bytes_per_second
    }

    /// How long a transfer may be slower.
    pub fn grace_period(self) -> Duration {
        self.grace_period
    }

    /// How long a transfer that has moved `bytes` may have taken.
    pub(crate) fn allowed(self, bytes: u64) -> Duration {
        self.earned(bytes).max(self.grace_period)
    }

    /// How long `bytes` take at the rate.
    pub(crate) fn earned(self, bytes: u64) -> Duration {
        // Exact up to 2^53 bytes, which is 8 PiB.
        let earned = bytes as f64 / self.bytes_per_second;
        // A rate close to zero earns more seconds than a duration holds.
        Duration::try_from_secs_f64(earned).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_to_be_one() {
        let seconds = Duration::from_secs;
        for (rate, grace, error) in [
            (240.0, seconds(5), None),
            (0.1, Duration::from_millis(1001), None),
            (0.0, seconds(5), Some(MinDataRateError::Rate)),
            (-1.0, seconds(5), Some(MinDataRateError::Rate)),
            (f64::NAN, seconds(5), Some(MinDataRateError::Rate)),
            (f64::INFINITY, seconds(5), Some(MinDataRateError::Rate)),
            (1.0, seconds(1), Some(MinDataRateError::GracePeriod)),
        ] {
            assert_eq!(MinDataRate::new(rate, grace).err(), error, "{rate} {grace:?}");
        }
    }

    #[test]
    fn what_was_fast_earns_time() {
        let rate = MinDataRate::DEFAULT;
        assert_eq!(rate.allowed(0), Duration::from_secs(5));
        assert_eq!(rate.allowed(2400), Duration::from_secs(10));
        let slowest = MinDataRate::new(f64::MIN_POSITIVE, Duration::from_secs(2)).unwrap();
        assert_eq!(slowest.allowed(u64::MAX), Duration::MAX);
    }
}
