//! The processes of a host, or of a site of it. They outlive reloads that leave them as they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::environment::Around;
use super::options::ChildOptions;
use super::pool::Pool;
use crate::diagnostics::in_log_boxed;

/// The processes that answer requests in the place of an app, if there are any.
#[derive(Debug, Default)]
pub(crate) struct Children(Mutex<Option<Arc<Pool>>>);

impl Children {
    /// Makes the processes what the options say. Those that run answer until one of the new ones can, and end then;
    /// nothing is started before [`begin`](Self::begin).
    pub(crate) fn change_to(&self, options: Option<&ChildOptions>, around: &Arc<Around>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().map(|pool| pool.options()) == options {
            return;
        }
        let was = current.take();
        let Some(options) = options else {
            was.into_iter().for_each(end_later);
            return;
        };
        // One that never answered has nothing to hand over but those before it.
        let before = match &was {
            Some(pool) if pool.is_serving() => Some(Arc::clone(pool)),
            Some(pool) => {
                let answers = pool.before();
                end_later_alone(pool);
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all, by then at the latest.
    pub(crate) async fn end(&self, by: Instant) {
        let pool = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pool) = pool {
            pool.end(by).await;
        }
    }
}

/// Ends processes that nobody needs any more, once they have answered what they have.
fn end_later(pool: Arc<Pool>) {
    let limit = pool.options().shutdown_time_limit;
    tokio::spawn(in_log_boxed(async move { pool.drain(limit).await }));
}

/// The same, but for those that answer in their place.
fn end_later_alone(pool: &Arc<Pool>) {
    let pool = Arc::clone(pool);
    pool.let_go_of_those_before();
    end_later(pool);
}
