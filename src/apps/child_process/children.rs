//! The processes of a host, or of a site of it. They outlive reloads that leave them as they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::environment::Around;
use super::options::{ChildOptions, Listen};
use super::orders::Orders;
use super::pool::Pool;
use crate::diagnostics::in_log_boxed;

/// The processes that answer requests in the place of an app, if there are any.
#[derive(Debug, Default)]
pub(crate) struct Children {
    current: Mutex<Option<Arc<Pool>>>,
    /// Those that nobody needs any more, and that have not ended yet.
    leaving: Mutex<JoinSet<()>>,
    /// What is ordered of them.
    orders: watch::Sender<Orders>,
}

impl Children {
    /// Makes the processes what the options say. Those that run answer until one of the new ones can, and end then;
    /// nothing is started before [`begin`](Self::begin).
    pub(crate) fn change_to(&self, options: Option<&ChildOptions>, around: &Arc<Around>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().map(|pool| pool.options()) == options {
            return;
        }
        let was = current.take();
        let Some(options) = options else {
            was.into_iter().for_each(|pool| self.end_later(pool));
            return;
        };
        // One that never answered has nothing to hand over but those before it; and its port, if there is no other.
        let has_its_place = matches!(options.listen, Listen::ThisPort(_));
        let before = match &was {
            Some(pool) if pool.is_serving() || has_its_place => Some(Arc::clone(pool)),
            Some(pool) => {
                let answers = pool.before();
                // They go on.
                pool.let_go_of_those_before();
                self.end_later(Arc::clone(pool));
                answers
            }
            None => None,
        };
        let next = Pool::new(options.clone(), Arc::clone(around), before);
        // Requests that came before the change are still theirs.
        let last = was.iter().chain(next.before().iter()).cloned().collect::<Vec<_>>();
        last.iter().for_each(|last| last.hand_over_to(&next));
        *current = Some(next);
    }

    /// Starts those that are not started yet.
    pub(crate) fn begin(&self) {
        if let Some(pool) = self.pool() {
            pool.begin();
        }
    }

    /// Those that there are.
    pub(crate) fn pool(&self) -> Option<Arc<Pool>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long those that there are may take to end.
    pub(crate) fn longest_end(&self) -> Duration {
        self.pool().map_or(Duration::ZERO, |pool| pool.options().shutdown_time_limit)
    }

    /// Ends all, by then at the latest.
    pub(crate) async fn end(&self, by: Instant) {
        self.orders.send_modify(|orders| orders.end(Some(by)));
        let pool = self.current.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut leaving = {
            let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *leaving)
        };
        if let Some(pool) = pool {
            pool.end(Some(by)).await;
        }
        while leaving.join_next().await.is_some() {}
    }

    /// Whether some have not ended yet that nobody needs any more.
    pub(crate) fn are_leaving(&self) -> bool {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        while leaving.try_join_next().is_some() {}
        !leaving.is_empty()
    }

    /// Ends processes that nobody needs any more, once they have answered what they have.
    fn end_later(&self, pool: Arc<Pool>) {
        let orders = self.orders.subscribe();
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        while leaving.try_join_next().is_some() {}
        leaving.spawn(in_log_boxed(async move { pool.leave(orders).await }));
    }
}
