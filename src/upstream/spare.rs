//! The connections that nobody uses now, of all servers of a host: whoever finds no descriptor left for a connection of
//! his own can have theirs.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::timeout;

use super::http1::Pool;
use super::http2::Connections;

/// How long a connection of HTTP/2 may take to say goodbye before its descriptor is not waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Knows what all servers keep.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    kept: Mutex<Vec<Kept>>,
}

/// What one server keeps.
#[derive(Debug)]
struct Kept {
    pool: Weak<Pool>,
    shared: Weak<Connections>,
}

impl Spare {
    /// Takes notice of what a server keeps, for as long as it is there.
    pub(super) fn add(&self, pool: &Arc<Pool>, shared: &Arc<Connections>) {
        let mut kept = self.kept();
        kept.retain(|known| known.pool.strong_count() > 0);
        kept.push(Kept { pool: Arc::downgrade(pool), shared: Arc::downgrade(shared) });
    }

    /// Closes the half of what is idle that was used the longest time ago, by each server; whether there was anything.
    /// (All would have to be made anew in the next moment, and one alone may be taken by somebody else before.)
    ///
    /// Those of HTTP/2 come last: many requests may share one in the next moment, and it has a goodbye to say, for
    /// which this waits.
    pub(super) async fn free(&self) -> bool {
        let pools: Vec<_> = self.kept().iter().filter_map(|it| it.pool.upgrade()).collect();
        if pools.iter().map(|pool| pool.drop_older_half()).sum::<usize>() > 0 {
            return true;
        }
        let shared: Vec<_> = self.kept().iter().filter_map(|it| it.shared.upgrade()).collect();
        let leaving: Vec<_> = shared.iter().flat_map(|it| it.drop_older_half()).collect();
        match leaving.into_iter().next() {
            None => false,
            // There is no word but the end of it.
            Some(mut first) => timeout(GOODBYE, first.changed()).await.is_ok(),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        // Nothing in there can be half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
