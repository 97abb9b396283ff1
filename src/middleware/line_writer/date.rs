//! Moments as logs write them, in UTC. Pure, but for the clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// A second of the clock, and how much of the next has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::middleware) struct Moment {
    pub(in crate::middleware) second: u64,
    pub(in crate::middleware) milliseconds: u32,
}

/// A day and the time on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::middleware) struct Calendar {
    pub(in crate::middleware) year: u64,
    pub(in crate::middleware) month: u64,
    pub(in crate::middleware) day: u64,
    pub(in crate::middleware) hour: u64,
    pub(in crate::middleware) minute: u64,
    pub(in crate::middleware) second: u64,
}

impl Moment {
    pub(in crate::middleware) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { second: since.as_secs(), milliseconds: since.subsec_millis() }
    }

    /// Which day it is, in the calendar that all software uses.
    pub(in crate::middleware) fn calendar(self) -> Calendar {
        let (days, time) = (self.second / 86_400, self.second % 86_400);
        // Counted from a 1 March of a year that 400 divides: leap days are at the end of years then.
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let since_march = (5 * of_year + 2) / 153;
        let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
        Calendar {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: of_year - (153 * since_march + 2) / 5 + 1,
            hour: time / 3600,
            minute: time / 60 % 60,
            second: time % 60,
        }
    }
}

/// This moment as it stands in names of files: `20261129100005`.
#[cfg(feature = "child-process")]
pub(crate) fn stamp() -> String {
    let Calendar { year, month, day, hour, minute, second } = Moment::now().calendar();
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(second: u64) -> [u64; 6] {
        let it = Moment { second, milliseconds: 0 }.calendar();
        [it.year, it.month, it.day, it.hour, it.minute, it.second]
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (second, expected) in [
            (0, [1970, 1, 1, 0, 0, 0]),
            (951_782_400, [2000, 2, 29, 0, 0, 0]),
            (1_795_946_405, [2026, 11, 29, 10, 0, 5]),
            (4_107_542_399, [2100, 2, 28, 23, 59, 59]),
            (4_107_542_400, [2100, 3, 1, 0, 0, 0]),
        ] {
            assert_eq!(of(second), expected, "{second}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let by = |year: u64, years: u64| year.is_multiple_of(years);
        let is_leap = |year| by(year, 4) && (!by(year, 100) || by(year, 400));
        let [mut year, mut month, mut day] = [1970, 1, 1];
        for number in 0..400 * 366 {
            assert_eq!(of(number * 86_400)[..3], [year, month, day], "{number}");
            let days = match month {
                2 => 28 + u64::from(is_leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > days {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }
}
