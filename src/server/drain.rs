//! The stop of an endpoint, as every connection sees it: that of the whole server, or of one
//! endpoint that a reload removes.
//!
//! There are three phases. Each connection holds a [`Watch`]; the stop is complete when all of
//! them are gone. Looking at the phase costs a connection one atomic load per wake-up: it
//! registers for the change once, and asks again only when the phase says so.
//!
//! A client that does not know of the stop yet may have sent a request that is on its way. So a
//! connection that waits for one lingers for a moment before it ends.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::clock::moment_after;
use super::open_requests::{self, ANSWERS, Answers, Inquiry, PATIENCE};

/// How long a connection that waits for a request goes on to do so once the stop has begun. A
/// client that always has a request under way has sent the next one by then.
const LINGER: Duration = Duration::from_millis(200);

/// How far the stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub(super) enum Phase {
    /// No stop yet.
    Running,
    /// Idle connections end after a moment, running requests go on.
    Stopping,
    /// Everything ends now.
    Aborting,
}

/// The endpoint's end: it moves the phase and waits for the connections.
#[derive(Debug)]
pub(super) struct Drain {
    sender: watch::Sender<Phase>,
    phase: PhaseFlag,
}

/// The phase as one byte, to be looked at on every wake-up, and the number of open connections.
#[derive(Clone, Debug)]
pub(super) struct PhaseFlag(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    connections: AtomicUsize,
    inquiry: Inquiry,
    stop: OnceLock<Stop>,
}

/// When a stop began, and how long connections linger.
#[derive(Clone, Copy, Debug)]
struct Stop {
    begun: Instant,
    linger: Duration,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PhaseFlag {
    pub(super) fn get(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Stopping,
            _ => Phase::Aborting,
        }
    }

    /// How long connections linger in the stop that has begun; without one they do not.
    pub(super) fn linger(&self) -> Duration {
        self.0.stop.get().map_or(Duration::ZERO, |stop| stop.linger)
    }

    /// Whether connections linger no more at `now` that have waited since before the stop.
    pub(super) fn has_lingered(&self, now: Instant) -> bool {
        self.0.stop.get().is_some_and(|stop| stop.begun + stop.linger <= now)
    }

    /// Until when a connection lingers that has waited for a request since `since`.
    pub(super) fn lingers_until(&self, since: Instant) -> Instant {
        self.0.stop.get().map_or(since, |stop| stop.begun.max(since) + stop.linger)
    }
}

impl PhaseFlag {
    /// The question which requests are open.
    pub(super) fn inquiry(&self) -> &Inquiry {
        &self.0.inquiry
    }
}

/// A connection's end. The stop waits until it is dropped.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    receiver: watch::Receiver<Phase>,
    phase: PhaseFlag,
}

impl Watch {
    pub(super) fn phase(&self) -> &PhaseFlag {
        &self.phase
    }

    /// Counts one more connection.
    pub(super) fn count(&self) -> Counted {
        self.phase.0.connections.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.phase.0))
    }

    /// Waits until it is asked which requests are open.
    pub(super) async fn asked(&mut self) {
        let phase = self.phase.clone();
        let _ = self.receiver.wait_for(|_| phase.inquiry().is_asked()).await;
    }

    /// Waits until the stop has come at least as far as `phase`.
    pub(super) async fn reached(&mut self, phase: Phase) {
        // An error would mean that the server is gone, which is the furthest a stop can come.
        let _ = self.receiver.wait_for(|now| *now >= phase).await;
    }

    /// Waits for the stop, and for as long as a connection lingers that has waited for a request
    /// since `since`.
    pub(super) async fn lingered(&mut self, since: Instant) {
        self.reached(Phase::Stopping).await;
        let until = self.phase.lingers_until(since);
        // Boxed, or every idle connection would keep the room of it.
        let _ = Box::pin(timeout_at(until, self.reached(Phase::Aborting))).await;
    }
}

/// An endpoint that is dropped without a stop ends everything it serves.
impl Drop for Drain {
    fn drop(&mut self) {
        self.advance(Phase::Aborting);
    }
}

impl Drain {
    pub(super) fn new() -> Self {
        let shared = Shared {
            phase: AtomicU8::new(Phase::Running as u8),
            connections: AtomicUsize::new(0),
            inquiry: Inquiry::default(),
            stop: OnceLock::new(),
        };
        let phase = PhaseFlag(Arc::new(shared));
        Self { sender: watch::Sender::new(Phase::Running), phase }
    }

    pub(super) fn watch(&self) -> Watch {
        Watch { receiver: self.sender.subscribe(), phase: self.phase.clone() }
    }

    /// Moves on to `phase`; there is no way back.
    fn advance(&self, phase: Phase) {
        self.phase.0.phase.fetch_max(phase as u8, Ordering::AcqRel);
        self.sender.send_if_modified(|now| {
            let further = *now < phase;
            *now = if further { phase } else { *now };
            further
        });
    }

    /// Asks the connections which requests are open, and wakes them for it.
    fn ask(&self) {
        self.phase.inquiry().ask();
        self.sender.send_modify(|_| {});
    }

    /// The stop begins. Of the `grace` that running requests have, at most half is spent on waiting
    /// for others.
    pub(super) fn begin(&self, grace: Duration) {
        self.phase
            .0
            .stop
            .get_or_init(|| Stop { begun: Instant::now(), linger: LINGER.min(grace / 2) });
        self.advance(Phase::Stopping);
    }

    /// How many connections are open.
    fn connections(&self) -> usize {
        self.phase.0.connections.load(Ordering::Relaxed)
    }
}

/// Ends the stop of endpoints together: running requests have `grace` to end, then a second passes
/// for their abort. `outlived` is told how many connections that are.
pub(super) async fn stop(drains: &[&Drain], grace: Duration, outlived: impl FnOnce(usize)) {
    for drain in drains {
        drain.begin(grace);
    }
    let until = moment_after(grace);
    if let Some(answers) = waits_for(drains, until).await {
        let left = until.saturating_duration_since(Instant::now());
        open_requests::tell(answers, connections(drains), left);
    }
    if timeout_at(until, closed(drains)).await.is_ok() {
        return;
    }
    outlived(connections(drains));
    for drain in drains {
        drain.advance(Phase::Aborting);
    }
    // Aborting drops what a connection holds; only a handler that blocks its thread stays.
    let _ = timeout(Duration::from_secs(1), closed(drains)).await;
}

/// What a stop waits for, once it has waited for [`PATIENCE`]; `None` if it ends before it can be told.
async fn waits_for(drains: &[&Drain], until: Instant) -> Option<Answers> {
    let patience = until.min(Instant::now() + PATIENCE);
    let is_over = timeout_at(patience, closed(drains)).await.is_ok();
    if is_over || until.saturating_duration_since(Instant::now()) <= ANSWERS {
        return None;
    }
    for drain in drains {
        drain.ask();
    }
    let answered = async {
        for drain in drains {
            drain.phase.inquiry().answered_by(|| drain.connections()).await;
        }
    };
    // Most answer at once; those that end are not asked about any more.
    tokio::select! {
        biased;
        () = closed(drains) => return None,
        () = answered => {}
        () = sleep(ANSWERS) => {}
    }
    let mut answers = Answers::default();
    for drain in drains {
        answers.add(drain.phase.inquiry().take());
    }
    Some(answers)
}

/// Waits until all connections are over.
async fn closed(drains: &[&Drain]) {
    for drain in drains {
        drain.sender.closed().await;
    }
}

fn connections(drains: &[&Drain]) -> usize {
    drains.iter().map(|drain| drain.connections()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::open_requests::Answer;
    use super::*;

    #[test]
    fn a_connection_counts_until_it_is_over() {
        let drain = Drain::new();
        let watch = drain.watch();
        let (first, second) = (watch.count(), watch.clone().count());
        assert_eq!(drain.connections(), 2);
        drop(first);
        assert_eq!(drain.connections(), 1);
        drop(second);
        assert_eq!(drain.connections(), 0);
    }

    /// A connection of `drain` that answers when it is asked, unless its thread is kept busy.
    fn connection(drain: &Drain, answers: bool) -> tokio::task::JoinHandle<()> {
        let (mut watch, count) = (drain.watch(), drain.watch().count());
        tokio::spawn(async move {
            if answers {
                watch.asked().await;
                Answer::default().give(watch.phase().inquiry(), Vec::new);
            }
            watch.reached(Phase::Aborting).await;
            drop(count);
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_stop_waits_for_is_known_once_all_have_answered() {
        const GRACE: Duration = Duration::from_secs(30);
        for (who_answers, is_told, waited) in [
            (&[true, true][..], true, PATIENCE),
            (&[true, false], true, PATIENCE + ANSWERS),
            (&[], false, Duration::ZERO),
        ] {
            let (drain, other) = (Drain::new(), Drain::new());
            let connections: Vec<_> =
                who_answers.iter().map(|answers| connection(&drain, *answers)).collect();
            let begun = Instant::now();
            drain.begin(GRACE);
            other.begin(GRACE);
            let answers = waits_for(&[&other, &drain], begun + GRACE).await;
            assert_eq!(answers.is_some(), is_told, "{who_answers:?}");
            // The clock of the runtime counts milliseconds.
            let over = begun.elapsed().checked_sub(waited).expect("it waits");
            assert!(over < Duration::from_millis(3), "{who_answers:?}: {over:?}");
            drain.advance(Phase::Aborting);
            for connection in connections {
                connection.await.expect("it does not panic");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_lingers_from_the_stop_or_from_when_it_began_to_wait() {
        const SECOND: Duration = Duration::from_secs(1);
        for (grace, waits_at, lingers) in [
            (SECOND, Duration::ZERO, LINGER),
            (SECOND, SECOND + LINGER / 2, LINGER * 3 / 2),
            (LINGER, Duration::ZERO, LINGER / 2),
            (Duration::ZERO, Duration::ZERO, Duration::ZERO),
        ] {
            let drain = Drain::new();
            let mut watch = drain.watch();
            let since = Instant::now() + waits_at;
            let lingered = tokio::spawn(async move { watch.lingered(since).await });
            tokio::time::advance(SECOND).await;
            assert!(!lingered.is_finished(), "there is no stop");
            let stop = Instant::now();
            drain.begin(grace);
            lingered.await.expect("it does not panic");
            // The clock of the runtime counts milliseconds.
            let over = stop.elapsed().checked_sub(lingers);
            let over = over.expect("it lingers");
            assert!(over < Duration::from_millis(3), "{grace:?} {waits_at:?}: {over:?}");
        }
    }
}
