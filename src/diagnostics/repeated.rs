//! What clients can bring about without end: told once, then counted, and told with the count at
//! most once a minute, so that nobody can fill the log.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the same is only counted.
const PAUSE: Duration = Duration::from_secs(60);

/// Something that may happen again and again.
#[derive(Debug, Default)]
pub(crate) struct Repeated(Mutex<Option<Told>>);

#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    /// How often it has happened since.
    more: u64,
}

/// Whether something that happened is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Now, and that it happened so often before without being told.
    Now { more: u64 },
    /// It is counted, for those who want to know each.
    Counted,
}

impl Repeated {
    /// It happened `now`.
    pub(crate) fn happened(&self, now: Instant) -> Telling {
        let mut told = self.told();
        match &mut *told {
            Some(told) if now < told.at + PAUSE => {
                told.more = told.more.saturating_add(1);
                Telling::Counted
            }
            _ => {
                let more = told.map_or(0, |told| told.more);
                *told = Some(Told { at: now, more: 0 });
                Telling::Now { more }
            }
        }
    }

    /// When what was only counted is to be told, if nothing of the kind happens any more.
    pub(crate) fn due(&self) -> Option<Instant> {
        (*self.told()).filter(|told| told.more > 0).map(|told| told.at + PAUSE)
    }

    /// How often it happened without being told; that is told `now`.
    pub(crate) fn take(&self, now: Instant) -> u64 {
        let mut told = self.told();
        let more = told.map_or(0, |told| told.more);
        if more > 0 {
            *told = Some(Told { at: now, more: 0 });
        }
        more
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_is_counted_and_told_once_a_minute() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let repeated = Repeated::default();
        assert_eq!((repeated.due(), repeated.take(begin)), (None, 0));
        assert_eq!(repeated.happened(begin), Telling::Now { more: 0 });
        assert_eq!(repeated.due(), None, "nothing is left to be told");
        for seconds in [0, 19, 59] {
            assert_eq!(repeated.happened(after(seconds)), Telling::Counted);
            assert_eq!(repeated.due(), Some(begin + PAUSE));
        }
        assert_eq!(repeated.happened(after(60)), Telling::Now { more: 3 });
        assert_eq!((repeated.due(), repeated.take(after(60))), (None, 0));
    }

    #[test]
    fn what_was_counted_can_be_told_when_it_is_over() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let repeated = Repeated::default();
        repeated.happened(begin);
        repeated.happened(begin);
        assert_eq!(repeated.take(after(60)), 1);
        assert_eq!((repeated.due(), repeated.take(after(60))), (None, 0));
        // That was a telling, too.
        assert_eq!(repeated.happened(after(61)), Telling::Counted);
        assert_eq!(repeated.take(after(120)), 1);
        assert_eq!(repeated.happened(after(180)), Telling::Now { more: 0 });
    }
}
