//! How soon a process that has ended is started again, and when it is left alone. Pure.

use std::time::{Duration, Instant};

/// The window in which processes may end so often.
const WINDOW: Duration = Duration::from_secs(60);

/// The pauses before a start behind others that came to nothing: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest unless the last two were never ready: requests wait for the next, and how often is too often is said otherwise.
const LONGEST_AT_FIRST: Duration = Duration::from_secs(1);

/// So long a process has to have been ready for the next start to be one of its own account.
const STEADY: Duration = Duration::from_secs(10);

/// What is known of the ends of the processes in one place.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// Since when ends are counted, and how many there were. A window that is fixed, as the module has it: the first
    /// end behind it begins another.
    window: Option<(Instant, u32)>,
    /// How many processes in a row did not run for long.
    in_vain: u32,
    /// How many of those in a row were never ready.
    never_ready: u32,
}

/// What to do about an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Start again after so long.
    After(Duration),
    /// It has ended too often: leave it alone for so long.
    Pause(Duration),
}

impl Restarts {
    /// A process has ended by itself, or never got ready. `ready_for` is how long it was ready, if it was.
    pub(super) fn ended(&mut self, ready_for: Option<Duration>, limit: u32, now: Instant) -> Next {
        self.in_vain = match ready_for {
            Some(time) if time >= STEADY => 0,
            // One that answered for a moment is worth a start at once, the first time.
            _ => self.in_vain.saturating_add(1),
        };
        self.never_ready = if ready_for.is_some() { 0 } else { self.never_ready.saturating_add(1) };
        let (since, count) = match self.window {
            Some((since, count)) if now.saturating_duration_since(since) < WINDOW => {
                (since, count + 1)
            }
            _ => (now, 1),
        };
        self.window = Some((since, count));
        if count > limit {
            self.window = None;
            let left = WINDOW.saturating_sub(now.saturating_duration_since(since));
            return Next::Pause(left.max(FIRST_PAUSE));
        }
        // The first one that was never ready may have been ended by chance: requests wait for the next as well.
        let longest = if self.never_ready < 2 { LONGEST_AT_FIRST } else { LONGEST_PAUSE };
        Next::After(match self.in_vain {
            0 | 1 => Duration::ZERO,
            more => FIRST_PAUSE.saturating_mul(1 << (more - 2).min(10)).min(longest),
        })
    }

    /// How many starts in a row have come to nothing.
    pub(super) fn never_ready(&self) -> u32 {
        self.never_ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_take_longer() {
        let begun = Instant::now();
        let mut restarts = Restarts::default();
        let pauses: Vec<_> = (0..5).map(|_| restarts.ended(None, 100, begun)).collect();
        let millis = |millis| Next::After(Duration::from_millis(millis));
        assert_eq!(pauses, [millis(0), millis(100), millis(200), millis(400), millis(800)]);
        for _ in 0..20 {
            restarts.ended(None, 100, begun);
        }
        assert_eq!(restarts.ended(None, 100, begun), Next::After(LONGEST_PAUSE));
        let short = Some(Duration::from_secs(1));
        assert_eq!(restarts.ended(short, 100, begun), Next::After(LONGEST_AT_FIRST));
        assert_eq!(restarts.ended(None, 100, begun), Next::After(LONGEST_AT_FIRST));
        assert_eq!(restarts.ended(None, 100, begun), Next::After(LONGEST_PAUSE));
        // It ran well in between.
        assert_eq!(restarts.ended(Some(STEADY), 100, begun), millis(0));
        assert_eq!(restarts.never_ready(), 0);
        assert_eq!(restarts.ended(Some(Duration::ZERO), 100, begun), millis(0));
    }

    #[test]
    fn one_end_more_than_the_limit_within_a_minute_is_too_many() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut restarts = Restarts::default();
        for second in 0..3 {
            assert!(matches!(restarts.ended(Some(STEADY), 3, at(second)), Next::After(_)));
        }
        assert_eq!(restarts.ended(Some(STEADY), 3, at(10)), Next::Pause(Duration::from_secs(50)));
        // A new minute.
        assert!(matches!(restarts.ended(Some(STEADY), 3, at(60)), Next::After(_)));
        assert!(matches!(restarts.ended(Some(STEADY), 3, at(119)), Next::After(_)));
        assert!(matches!(restarts.ended(Some(STEADY), 3, at(121)), Next::After(_)));
        // None at all is allowed.
        assert!(matches!(Restarts::default().ended(None, 0, begun), Next::Pause(_)));
    }
}
