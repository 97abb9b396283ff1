//! How a destination is, by probes and by what becomes of requests.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one kind of check says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Health {
    /// Nothing yet, or it is not checked.
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    const fn of(number: u8) -> Self {
        match number {
            1 => Self::Healthy,
            2 => Self::Unhealthy,
            _ => Self::Unknown,
        }
    }
}

/// What became of a request says of a destination what was not known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It does well, for all that is known.
    Better,
    /// It answers again, which one request was to see.
    Back,
    /// It does not do well.
    Worse,
    /// It still does not: the request that was to see how it does has failed, too.
    StillBad,
}

/// Whether a destination that did not do well is tried with one request, before it gets its share again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Trial {
    /// No.
    None,
    /// The next request is the one.
    Waits,
    UnderWay,
}

/// How a destination is. It outlives reloads that leave the destination as it is.
#[derive(Debug, Default)]
pub(crate) struct DestinationHealth {
    active: AtomicU8,
    passive: AtomicU8,
    failed_probes: AtomicU32,
    /// Nothing else than `None` only as long as `passive` says unhealthy.
    trial: AtomicU8,
    window: Mutex<Window>,
    /// Since when probes, and requests, say that it is unhealthy.
    unhealthy_since: Mutex<[Option<Instant>; 2]>,
}

/// Places in what both kinds of checks have.
const ACTIVE: usize = 0;
const PASSIVE: usize = 1;

impl DestinationHealth {
    /// What probes say.
    pub(crate) fn active(&self) -> Health {
        Health::of(self.active.load(Ordering::Relaxed))
    }

    /// What became of requests.
    pub(crate) fn passive(&self) -> Health {
        Health::of(self.passive.load(Ordering::Relaxed))
    }

    /// Whether requests may go there: neither says that it is unhealthy.
    pub(crate) fn is_available(&self) -> bool {
        self.active() != Health::Unhealthy && self.passive() != Health::Unhealthy
    }

    /// The check that says that it is unhealthy, the one that says so for longer, and for how long it has.
    pub(crate) fn unhealthy(&self) -> Option<(&'static str, Duration)> {
        let since = *self.unhealthy_since.lock().unwrap_or_else(PoisonError::into_inner);
        let checks = ["active", "passive"].into_iter().zip(since);
        let bad = checks.filter_map(|(check, since)| Some((check, since?.elapsed())));
        bad.max_by_key(|(_, time)| *time)
    }

    fn note(&self, check: usize, since: Option<Instant>) {
        let mut all = self.unhealthy_since.lock().unwrap_or_else(PoisonError::into_inner);
        all[check] = since;
    }

    /// Takes the outcome of a probe; whether that changes what probes say. So many failures in a row make it
    /// unhealthy. A first one that failed says nothing yet.
    pub(crate) fn probed(&self, succeeded: bool, threshold: u32) -> bool {
        let now = match succeeded {
            true => {
                self.failed_probes.store(0, Ordering::Relaxed);
                Health::Healthy
            }
            false => {
                let failed = self.failed_probes.load(Ordering::Relaxed).saturating_add(1);
                self.failed_probes.store(failed, Ordering::Relaxed);
                match failed >= threshold {
                    true => Health::Unhealthy,
                    false => self.active(),
                }
            }
        };
        let has_changed = self.active.swap(now as u8, Ordering::Relaxed) != now as u8;
        if has_changed {
            self.note(ACTIVE, (now == Health::Unhealthy).then(Instant::now));
        }
        has_changed
    }

    /// Takes what became of a request; what that changes, if it does.
    pub(crate) fn answered(&self, failed: bool, limit: f64, now: Instant) -> Option<Change> {
        let is_tried = self.is_on_trial();
        if is_tried && !failed {
            return self.passes_trial().then_some(Change::Back);
        }
        let rate = self.window.lock().unwrap_or_else(PoisonError::into_inner).add(failed, now);
        if is_tried {
            let was = self.trial.swap(Trial::None as u8, Ordering::Relaxed);
            return (was != Trial::None as u8).then_some(Change::StillBad);
        }
        let (health, change) = match rate >= limit {
            true => (Health::Unhealthy, Change::Worse),
            false => (Health::Healthy, Change::Better),
        };
        let has_changed = self.passive.swap(health as u8, Ordering::Relaxed) != health as u8;
        if has_changed {
            self.note(PASSIVE, (health == Health::Unhealthy).then_some(now));
        }
        has_changed.then_some(change)
    }

    /// Gives it another chance, a request; whether it needed one.
    pub(crate) fn reactivate(&self) -> bool {
        self.passive() == Health::Unhealthy && self.change_trial(Trial::None, Trial::Waits)
    }

    /// Whether it is seen by one request how it does now.
    pub(crate) fn is_on_trial(&self) -> bool {
        self.trial.load(Ordering::Relaxed) != Trial::None as u8
    }

    /// Whether a request is to be the one that sees how it does. There is one at a time.
    pub(crate) fn takes_trial(&self) -> bool {
        self.active() != Health::Unhealthy && self.change_trial(Trial::Waits, Trial::UnderWay)
    }

    /// A request ended. If it was to see how this does, and has not, another one is.
    pub(crate) fn gives_back_trial(&self) {
        if self.is_on_trial() {
            self.change_trial(Trial::UnderWay, Trial::Waits);
        }
    }

    /// It answers; whether that was to be seen. What was before counts no more.
    pub(crate) fn passes_trial(&self) -> bool {
        if self.trial.swap(Trial::None as u8, Ordering::Relaxed) == Trial::None as u8 {
            return false;
        }
        *self.window.lock().unwrap_or_else(PoisonError::into_inner) = Window::default();
        self.passive.store(Health::Unknown as u8, Ordering::Relaxed);
        self.note(PASSIVE, None);
        true
    }

    fn change_trial(&self, from: Trial, to: Trial) -> bool {
        let (from, to) = (from as u8, to as u8);
        self.trial.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Forgets what a check said that is switched off now.
    pub(crate) fn forget(&self, active: bool, passive: bool) {
        if active {
            self.active.store(Health::Unknown as u8, Ordering::Relaxed);
            self.failed_probes.store(0, Ordering::Relaxed);
            self.note(ACTIVE, None);
        }
        if passive {
            self.note(PASSIVE, None);
            self.trial.store(Trial::None as u8, Ordering::Relaxed);
            self.passive.store(Health::Unknown as u8, Ordering::Relaxed);
        }
    }
}

/// How far back requests count.
pub(crate) const WINDOW: Duration = Duration::from_secs(SECONDS as u64);
const SECONDS: usize = 60;

/// Fewer requests than this say nothing.
const FEWEST: u32 = 10;

/// The requests of the last minute, by the second. (What `ProxiedRequestHistory` is in YARP.)
#[derive(Debug)]
struct Window {
    /// All, and those that failed.
    seconds: Box<[(u32, u32); SECONDS]>,
    all: u32,
    failed: u32,
    begun: Option<Instant>,
    /// The second of the last request, counted from the first.
    last: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { seconds: Box::new([(0, 0); SECONDS]), all: 0, failed: 0, begun: None, last: 0 }
    }
}

impl Window {
    /// Adds a request; the share of those that failed, as far as there is something to say.
    fn add(&mut self, failed: bool, now: Instant) -> f64 {
        let begun = *self.begun.get_or_insert(now);
        let second = now.saturating_duration_since(begun).as_secs().max(self.last);
        // What stands there is from a minute ago.
        for passed in (self.last + 1..=second).take(SECONDS) {
            let (all, failed) = std::mem::take(&mut self.seconds[passed as usize % SECONDS]);
            self.all -= all;
            self.failed -= failed;
        }
        self.last = second;
        let of_second = &mut self.seconds[second as usize % SECONDS];
        let failures = u32::from(failed);
        *of_second = (of_second.0 + 1, of_second.1 + failures);
        self.all += 1;
        self.failed += failures;
        match self.all < FEWEST {
            true => 0.0,
            false => f64::from(self.failed) / f64::from(self.all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_failed_probes_in_a_row_make_it_unhealthy_and_one_good_one_healthy() {
        let health = DestinationHealth::default();
        for (succeeded, says, changes) in [
            (false, Health::Unknown, false),
            (true, Health::Healthy, true),
            (false, Health::Healthy, false),
            (true, Health::Healthy, false),
            (false, Health::Healthy, false),
            (false, Health::Unhealthy, true),
            (false, Health::Unhealthy, false),
            (true, Health::Healthy, true),
        ] {
            assert_eq!(health.probed(succeeded, 2), changes);
            assert_eq!(health.active(), says);
            assert_eq!(health.is_available(), says != Health::Unhealthy);
        }
    }

    /// One that does not do well.
    fn unhealthy(now: Instant) -> DestinationHealth {
        let health = DestinationHealth::default();
        for failed in [true, true, true, false, false, false, false, false, false] {
            health.answered(failed, 0.3, now);
            assert!(health.is_available());
        }
        assert_eq!(health.answered(false, 0.3, now), Some(Change::Worse), "three of ten");
        assert!(!health.is_available());
        health
    }

    #[test]
    fn a_third_of_ten_failures_makes_it_unhealthy_until_one_request_sees_that_it_answers() {
        let now = Instant::now();
        let health = unhealthy(now);
        assert!(!health.takes_trial(), "its time has not come");
        assert!(health.reactivate() && !health.reactivate());
        assert!(!health.is_available() && health.takes_trial() && !health.takes_trial());
        assert_eq!(health.answered(false, 0.3, now), Some(Change::Back));
        assert_eq!(health.passive(), Health::Unknown);
        assert!(health.is_available() && !health.is_on_trial() && !health.reactivate());
        // What was before does not count any more.
        for _ in 0..9 {
            let change = health.answered(true, 0.3, now);
            assert!(change != Some(Change::Worse) && health.is_available());
        }
        assert_eq!(health.answered(true, 0.3, now), Some(Change::Worse));
    }

    #[test]
    fn one_that_fails_again_waits_again() {
        let now = Instant::now();
        let health = unhealthy(now);
        for _ in 0..3 {
            assert!(health.reactivate() && health.takes_trial());
            assert_eq!(health.answered(true, 0.3, now), Some(Change::StillBad));
            assert!(!health.is_available() && !health.is_on_trial() && !health.takes_trial());
        }
        // A request that is given up has seen nothing.
        assert!(health.reactivate() && health.takes_trial());
        health.gives_back_trial();
        assert!(health.takes_trial() && !health.takes_trial());
        assert!(health.passes_trial() && !health.passes_trial());
        health.gives_back_trial();
        assert!(health.is_available() && !health.is_on_trial());
        // Nothing is tried that probes know better of.
        let health = unhealthy(now);
        health.probed(false, 1);
        assert!(health.reactivate() && !health.takes_trial());
        health.probed(true, 1);
        assert!(health.takes_trial());
        // A check that is switched off forgets it.
        let health = unhealthy(now);
        health.reactivate();
        health.forget(false, true);
        assert!(health.is_available() && !health.takes_trial());
    }

    #[test]
    fn a_minute_later_only_new_requests_count() {
        let now = Instant::now();
        let health = unhealthy(now);
        for second in 60..69 {
            let change = health.answered(true, 0.3, now + Duration::from_secs(second));
            assert!(change.is_none() || second == 60 && change == Some(Change::Better));
        }
        let change = health.answered(true, 0.3, now + Duration::from_secs(69));
        assert_eq!(change, Some(Change::Worse));
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let (mut window, now) = (Window::default(), Instant::now());
        for _ in 0..10 {
            window.add(true, now);
        }
        assert_eq!(window.add(true, now + Duration::from_secs(59)), 1.0);
        assert_eq!((window.all, window.failed), (11, 11));
        assert_eq!(window.add(false, now + Duration::from_secs(60)), 0.0);
        assert_eq!((window.all, window.failed), (2, 1));
        assert_eq!(window.add(false, now + Duration::from_secs(600)), 0.0);
        assert_eq!((window.all, window.failed), (1, 0));
    }
}
