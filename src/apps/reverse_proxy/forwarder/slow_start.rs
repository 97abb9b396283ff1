//! A destination that comes, or comes back, gets its share over a time (the metadata `SlowStart` of a cluster): it
//! may have to fill its caches, or to compile what it runs. Of the time, the share is a pure function.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// All of a share.
const WHOLE: u64 = 100;

/// What one begins with: enough for it to get warm.
const LEAST: u64 = 10;

/// Shares are multiples of this, so that the order of turns that they lead to stays short.
const STEP: u64 = 5;

/// The share of a destination that has been there for `elapsed`, in hundredths of what it gets once `time` is over.
pub(super) fn share(elapsed: Duration, time: Duration) -> u64 {
    if elapsed >= time {
        return WHOLE;
    }
    let hundredths = elapsed.as_nanos() * u128::from(WHOLE) / time.as_nanos().max(1);
    let hundredths = u64::try_from(hundredths).unwrap_or(WHOLE);
    (hundredths / STEP * STEP).clamp(LEAST, WHOLE)
}

/// How long a share stays as it is.
pub(super) fn step(time: Duration) -> Duration {
    // Who writes a few milliseconds is not to keep a processor busy.
    const SHORTEST: Duration = Duration::from_millis(10);
    (time * STEP as u32 / WHOLE as u32).max(SHORTEST)
}

/// After how many steps a share is the whole one.
pub(super) const STEPS: u64 = WHOLE / STEP;

/// Since when a destination has been there.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_away: bool,
    /// It was not there before. `None`: it always was, for all that is known.
    since: Option<Instant>,
}

impl Presence {
    /// It was not there before.
    pub(super) fn begin(&self, now: Instant) {
        self.state().since = Some(now);
    }

    /// Takes whether it can get requests; whether it can again.
    pub(super) fn notice(&self, is_there: bool, now: Instant) -> bool {
        let mut state = self.state();
        let was_away = std::mem::replace(&mut state.is_away, !is_there);
        let is_back = was_away && is_there;
        if is_back {
            state.since = Some(now);
        }
        is_back
    }

    /// Its share, in hundredths, where shares take this time to become whole.
    pub(super) fn share(&self, time: Option<Duration>, now: Instant) -> u64 {
        match (time, self.state().since) {
            (Some(time), Some(since)) => share(now.saturating_duration_since(since), time),
            _ => WHOLE,
        }
    }

    /// Whether its share will be a larger one.
    pub(super) fn is_growing(&self, time: Duration, now: Instant) -> bool {
        self.share(Some(time), now) < WHOLE
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing in there can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_grows_from_a_tenth_to_the_whole() {
        let time = Duration::from_secs(100);
        for (seconds, hundredths) in
            [(0, 10), (10, 10), (14, 10), (15, 15), (50, 50), (99, 95), (100, 100), (5000, 100)]
        {
            assert_eq!(share(Duration::from_secs(seconds), time), hundredths, "{seconds}");
        }
    }

    #[test]
    fn who_was_away_begins_anew() {
        let (presence, now) = (Presence::default(), Instant::now());
        let time = Some(Duration::from_secs(100));
        assert_eq!(presence.share(time, now), WHOLE);
        assert!(!presence.notice(true, now) && !presence.notice(false, now));
        assert!(presence.notice(true, now) && !presence.notice(true, now));
        assert_eq!((presence.share(time, now), presence.share(None, now)), (LEAST, WHOLE));
        let later = now + Duration::from_secs(60);
        assert_eq!(presence.share(time, later), 60);
        presence.notice(false, later);
        presence.notice(true, later);
        assert_eq!(presence.share(time, later), LEAST);
    }

    proptest! {
        #[test]
        fn a_share_never_becomes_smaller(
            one: u64, more: u64, time in 1_u64..,
        ) {
            let time = Duration::from_nanos(time);
            let (early, late) = (Duration::from_nanos(one), Duration::from_nanos(one) + Duration::from_nanos(more));
            let (first, second) = (share(early, time), share(late, time));
            prop_assert!(LEAST <= first && first <= second && second <= WHOLE);
            prop_assert!(first % STEP == 0 && second % STEP == 0);
            prop_assert_eq!(share(time, time), WHOLE);
            // It takes no longer than it is to, and no steps more than there are.
            prop_assert!(step(time) * u32::try_from(STEPS).unwrap() + Duration::from_nanos(20) >= time);
        }
    }
}
