//! Looks after answers under way: one whose client takes nothing of it is polled by nobody, and cannot see by itself that
//! its time is over. One task looks at all of a cluster, as a task and a timer for each would cost more than many an
//! answer does.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::diagnostics::in_log_boxed;

/// An answer under way.
pub(super) trait UnderWatch: Send + Sync {
    /// Does what is to be done about it now.
    fn look(&self, now: Instant);
}

/// Looks after the answers of a cluster.
pub(super) struct Lookout {
    answers: Mutex<Answers>,
    every: Duration,
}

#[derive(Default)]
struct Answers {
    places: Vec<Option<Weak<dyn UnderWatch>>>,
    /// The numbers of those that are empty.
    free: Vec<usize>,
    /// Somebody looks.
    is_watched: bool,
}

/// The place of an answer, which is under watch until this is dropped.
pub(super) struct Watched {
    lookout: Arc<Lookout>,
    number: usize,
}

impl Lookout {
    /// For answers that may stand still for `timeout`, which is kept to an eighth of it, or to a second.
    pub(super) fn new(timeout: Duration) -> Arc<Self> {
        let every = (timeout / 8).clamp(Duration::from_millis(10), Duration::from_secs(1));
        Arc::new(Self { answers: Mutex::default(), every })
    }

    pub(super) fn watch(self: &Arc<Self>, answer: Weak<dyn UnderWatch>) -> Watched {
        let mut answers = self.answers();
        let number = match answers.free.pop() {
            Some(number) => number,
            None => {
                answers.places.push(None);
                answers.places.len() - 1
            }
        };
        answers.places[number] = Some(answer);
        if !std::mem::replace(&mut answers.is_watched, true) {
            tokio::spawn(in_log_boxed(look(Arc::downgrade(self), self.every)));
        }
        drop(answers);
        Watched { lookout: Arc::clone(self), number }
    }

    /// Those that are under watch. `None`, and nobody looks any more, if there are none.
    fn all(&self) -> Option<Vec<Weak<dyn UnderWatch>>> {
        let mut answers = self.answers();
        let all: Vec<_> = answers.places.iter().flatten().cloned().collect();
        if all.is_empty() {
            *answers = Answers::default();
            return None;
        }
        Some(all)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        // Nothing in there can be half done.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookout").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut answers = self.lookout.answers();
        let left = answers.places.get_mut(self.number).and_then(Option::take);
        answers.free.push(self.number);
        drop(answers);
        drop(left);
    }
}

/// Looks at all of them again and again, as long as there are any.
async fn look(lookout: Weak<Lookout>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(all) = lookout.upgrade().and_then(|it| it.all()) else { return };
        let now = Instant::now();
        all.iter().filter_map(Weak::upgrade).for_each(|answer| answer.look(now));
    }
}
