//! The connections that nobody uses now, of all servers of a host: whoever finds no descriptor left for a connection of
//! his own can have theirs.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::http1::Pool;

/// Knows the pools of all servers.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    pools: Mutex<Vec<Weak<Pool>>>,
}

impl Spare {
    /// Takes notice of a pool, for as long as it is there.
    pub(super) fn add(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools();
        pools.retain(|known| known.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// Closes the half of what is idle that was used the longest time ago, by each server; whether there was anything.
    /// (All would have to be made anew in the next moment, and one alone may be taken by somebody else before.)
    pub(super) fn free(&self) -> bool {
        let pools: Vec<_> = self.pools().iter().filter_map(Weak::upgrade).collect();
        pools.iter().map(|pool| pool.drop_older_half()).sum::<usize>() > 0
    }

    fn pools(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Pool>>> {
        // Nothing in there can be half done.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
