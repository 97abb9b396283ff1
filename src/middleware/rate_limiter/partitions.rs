//! What has passed of each partition, and who waits for its turn there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::limit::{Exhausted, Limit, Passed};
use super::recent::Recent;

/// Parts with a lock each. There are not more than there may be partitions.
const PARTS: usize = 16;

/// Who of those that wait is the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueueOrder {
    #[default]
    OldestFirst,
    NewestFirst,
}

impl QueueOrder {
    /// As settings name them.
    pub(crate) const NAMES: [(&'static str, Self); 2] =
        [("OldestFirst", Self::OldestFirst), ("NewestFirst", Self::NewestFirst)];
}

/// How many may wait in a partition, and whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) most: u32,
    pub(crate) order: QueueOrder,
}

/// The partitions of a limit, as many as may be remembered.
#[derive(Debug)]
pub(super) struct Partitions {
    limit: Limit,
    queue: Queue,
    parts: Box<[Mutex<Recent<Partition>>]>,
    begun: Instant,
    tickets: AtomicU64,
}

#[derive(Debug)]
struct Partition {
    passed: Passed,
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    turn: oneshot::Sender<()>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Asked {
    /// It passes; it is over when this is dropped, if that matters.
    Passes(Option<Permit>),
    /// It waits for its turn.
    Waits(Waiting),
    /// It does not, and may try again after a while, if that is known.
    Rejected(Option<Duration>),
}

impl Partitions {
    /// For `most` partitions, about: each of the parts has its share.
    pub(super) fn new(limit: Limit, queue: Queue, most: usize) -> Arc<Self> {
        let most = most.max(1);
        let parts = PARTS.min(most);
        let part = |_| Mutex::new(Recent::new(most.div_ceil(parts)));
        let parts = (0..parts).map(part).collect();
        let (begun, tickets) = (Instant::now(), AtomicU64::new(0));
        Arc::new(Self { limit, queue, parts, begun, tickets })
    }

    /// Asks for a request of this partition.
    pub(super) fn ask(self: &Arc<Self>, key: u64) -> Asked {
        let now = self.begun.elapsed();
        let mut part = self.part(key);
        let begin = || Partition { passed: self.limit.begin(now), waiting: VecDeque::new() };
        let Some(partition) = part.used(key, begin, Partition::may_go) else {
            // Every partition that could make room is in use.
            return Asked::Rejected(None);
        };
        self.let_pass(partition, now);
        let exhausted = match partition.waiting.is_empty() {
            true => match self.limit.take(&mut partition.passed, now) {
                Ok(()) => return Asked::Passes(self.permit(key)),
                Err(exhausted) => exhausted,
            },
            false => Exhausted { until: self.limit.next(&partition.passed) },
        };
        if partition.waiting.len() >= self.queue.most as usize {
            match self.queue.order {
                // The one that has waited longest gives up its place.
                QueueOrder::NewestFirst if self.queue.most > 0 => {
                    drop(partition.waiting.pop_front());
                }
                QueueOrder::NewestFirst | QueueOrder::OldestFirst => {
                    return Asked::Rejected(exhausted.until.map(|until| until.saturating_sub(now)));
                }
            }
        }
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let (turn, comes) = oneshot::channel();
        partition.waiting.push_back(Waiter { ticket, turn });
        Asked::Waits(Waiting { partitions: Arc::clone(self), key, ticket, comes, is_over: false })
    }

    /// Lets those pass that wait, as many as may.
    fn let_pass(&self, partition: &mut Partition, now: Duration) {
        while !partition.waiting.is_empty() && self.limit.take(&mut partition.passed, now).is_ok() {
            let next = match self.queue.order {
                QueueOrder::OldestFirst => partition.waiting.pop_front(),
                QueueOrder::NewestFirst => partition.waiting.pop_back(),
            };
            // Who waits is in the queue for as long as it listens.
            let hears = next.is_some_and(|waiter| waiter.turn.send(()).is_ok());
            if !hears {
                self.limit.over(&mut partition.passed);
            }
        }
    }

    /// Lets those pass that wait in a partition; when the next may, if time alone decides that.
    fn look_again(&self, key: u64) -> Option<Instant> {
        let now = self.begun.elapsed();
        let mut part = self.part(key);
        let partition = part.get(key)?;
        self.let_pass(partition, now);
        let until = self.limit.next(&partition.passed)?;
        self.begun.checked_add(until)
    }

    /// A request that has passed is over.
    fn over(&self, key: u64) {
        let now = self.begun.elapsed();
        let mut part = self.part(key);
        if let Some(partition) = part.get(key) {
            self.limit.over(&mut partition.passed);
            self.let_pass(partition, now);
        }
    }

    fn permit(self: &Arc<Self>, key: u64) -> Option<Permit> {
        let counts = self.limit.counts_running();
        counts.then(|| Permit { partitions: Arc::clone(self), key })
    }

    fn part(&self, key: u64) -> MutexGuard<'_, Recent<Partition>> {
        let place = key % self.parts.len() as u64;
        self.parts[place as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Partition {
    /// Whether it may be forgotten.
    fn may_go(&self) -> bool {
        self.waiting.is_empty() && !Limit::is_busy(&self.passed)
    }
}

/// A request that runs, and has to be over before another may pass.
#[derive(Debug)]
pub(super) struct Permit {
    partitions: Arc<Partitions>,
    key: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.partitions.over(self.key);
    }
}

/// A request that waits for its turn. Dropping it gives up the place.
#[derive(Debug)]
pub(super) struct Waiting {
    partitions: Arc<Partitions>,
    key: u64,
    ticket: u64,
    comes: oneshot::Receiver<()>,
    is_over: bool,
}

/// The place of a request that waited was given to a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Displaced;

impl Waiting {
    /// Waits until it passes.
    ///
    /// # Errors
    ///
    /// A newer one has its place.
    pub(super) async fn turn(mut self) -> Result<Option<Permit>, Displaced> {
        loop {
            let again = self.partitions.look_again(self.key);
            let time = async {
                match again {
                    Some(again) => sleep_until(again).await,
                    None => std::future::pending().await,
                }
            };
            let turn = tokio::select! {
                biased;
                turn = &mut self.comes => turn,
                () = time => continue,
            };
            self.is_over = true;
            return match turn {
                Ok(()) => Ok(self.partitions.permit(self.key)),
                Err(_) => Err(Displaced),
            };
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut part = self.partitions.part(self.key);
        let Some(partition) = part.get(self.key) else { return };
        let before = partition.waiting.len();
        partition.waiting.retain(|waiter| waiter.ticket != self.ticket);
        let was_waiting = partition.waiting.len() < before;
        drop(part);
        // Its turn has come, and nobody has seen it.
        if !was_waiting && self.comes.try_recv().is_ok() {
            self.partitions.over(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn queue(most: u32, order: QueueOrder) -> Queue {
        Queue { most, order }
    }

    fn passes(asked: Asked) -> Option<Permit> {
        match asked {
            Asked::Passes(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    fn waits(asked: Asked) -> Waiting {
        match asked {
            Asked::Waits(waiting) => waiting,
            other => panic!("{other:?}"),
        }
    }

    fn is_rejected(asked: &Asked) -> bool {
        matches!(asked, Asked::Rejected(_))
    }

    #[tokio::test(start_paused = true)]
    async fn partitions_do_not_know_of_each_other() {
        let limit = Limit::FixedWindow { permits: 1, window: 10 * SECOND };
        let partitions = Partitions::new(limit, Queue::default(), 100);
        for key in 0..50 {
            assert!(passes(partitions.ask(key)).is_none());
        }
        tokio::time::advance(3 * SECOND).await;
        for key in 0..50 {
            let asked = partitions.ask(key);
            assert!(
                matches!(asked, Asked::Rejected(Some(left)) if left == 7 * SECOND),
                "{asked:?}"
            );
        }
        tokio::time::advance(7 * SECOND).await;
        assert!(passes(partitions.ask(0)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_pass_in_their_order_when_time_lets_them() {
        for (order, expected) in [
            (QueueOrder::OldestFirst, [(0, 1), (1, 1), (2, 2)]),
            (QueueOrder::NewestFirst, [(2, 1), (1, 1), (0, 2)]),
        ] {
            let limit = Limit::FixedWindow { permits: 2, window: SECOND };
            let partitions = Partitions::new(limit, queue(3, order), 100);
            let begun = Instant::now();
            for _ in 0..2 {
                passes(partitions.ask(1));
            }
            let (seen, mut all) = tokio::sync::mpsc::unbounded_channel();
            for number in 0..3 {
                let (waiting, seen) = (waits(partitions.ask(1)), seen.clone());
                tokio::spawn(async move {
                    assert!(matches!(waiting.turn().await, Ok(None)));
                    seen.send((number, begun.elapsed().as_millis() / 1000)).unwrap();
                });
            }
            if order == QueueOrder::OldestFirst {
                assert!(is_rejected(&partitions.ask(1)), "the queue is full");
            }
            let mut told = Vec::new();
            for _ in 0..3 {
                told.push(all.recv().await.unwrap());
            }
            told.sort_by_key(|(number, after)| {
                (*after, expected.iter().position(|(one, _)| one == number))
            });
            assert_eq!(told, expected, "{order:?}");
        }
    }

    #[tokio::test]
    async fn the_end_of_one_is_the_turn_of_the_next() {
        let limit = Limit::Concurrency { permits: 1 };
        let partitions = Partitions::new(limit, queue(2, QueueOrder::OldestFirst), 100);
        let first = passes(partitions.ask(1)).expect("it runs");
        let mut second = pin!(waits(partitions.ask(1)).turn());
        let third = waits(partitions.ask(1));
        assert!(is_rejected(&partitions.ask(1)));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(cx).is_pending());
        drop(first);
        let Poll::Ready(Ok(second)) = second.as_mut().poll(cx) else { panic!("it is its turn") };
        drop(third);
        drop(second);
        assert!(passes(partitions.ask(1)).is_some(), "nothing runs, and nobody waits");
    }

    #[tokio::test]
    async fn who_goes_away_gives_up_the_place_and_a_turn_that_has_come() {
        let limit = Limit::Concurrency { permits: 1 };
        let partitions = Partitions::new(limit, queue(1, QueueOrder::OldestFirst), 100);
        let first = passes(partitions.ask(1)).expect("it runs");
        drop(waits(partitions.ask(1)));
        let second = waits(partitions.ask(1));
        // Its turn comes before it looks.
        drop(first);
        assert!(partitions.ask(1).is_waiting_or_rejected());
        drop(second);
        assert!(passes(partitions.ask(1)).is_some());
    }

    impl Asked {
        fn is_waiting_or_rejected(&self) -> bool {
            matches!(self, Self::Waits(_) | Self::Rejected(_))
        }
    }

    #[tokio::test]
    async fn the_newest_takes_the_place_of_the_oldest_where_it_goes_first() {
        let limit = Limit::Concurrency { permits: 1 };
        let partitions = Partitions::new(limit, queue(1, QueueOrder::NewestFirst), 100);
        let first = passes(partitions.ask(1)).expect("it runs");
        let (old, new) = (waits(partitions.ask(1)), waits(partitions.ask(1)));
        assert_eq!(old.turn().await.err(), Some(Displaced));
        drop(first);
        assert!(matches!(new.turn().await, Ok(Some(_))));
    }

    #[tokio::test]
    async fn what_is_in_use_is_not_forgotten_and_the_rest_is() {
        let limit = Limit::Concurrency { permits: 1 };
        let partitions = Partitions::new(limit, Queue::default(), 1);
        let running = passes(partitions.ask(1)).expect("it runs");
        assert!(is_rejected(&partitions.ask(2)), "there is no room");
        drop(running);
        assert!(passes(partitions.ask(2)).is_some());
        let window = Limit::FixedWindow { permits: 1, window: SECOND };
        let partitions = Partitions::new(window, Queue::default(), 1);
        passes(partitions.ask(1));
        assert!(is_rejected(&partitions.ask(1)));
        passes(partitions.ask(2));
        passes(partitions.ask(1));
    }

    #[test]
    fn many_at_once_never_pass_more_than_may() {
        let limit = Limit::FixedWindow { permits: 1000, window: Duration::from_secs(3600) };
        let partitions = Partitions::new(limit, Queue::default(), 4);
        let passed: usize = std::thread::scope(|scope| {
            let ask = || (0..1000).filter(|_| !is_rejected(&partitions.ask(7))).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 1000);
    }
}
