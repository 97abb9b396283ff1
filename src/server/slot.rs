//! A place among a limited number of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One of the connections an endpoint, or the server, may have.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicU64>);

impl Slot {
    /// Takes a slot, if one is free.
    pub(super) fn take(taken: &Arc<AtomicU64>, limit: Option<u64>) -> Option<Self> {
        let before = taken.fetch_add(1, Ordering::Relaxed);
        let slot = Self(Arc::clone(taken));
        limit.is_none_or(|limit| before < limit).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let taken = Arc::new(AtomicU64::new(0));
        let first = Slot::take(&taken, Some(1));
        assert!(first.is_some());
        assert!(Slot::take(&taken, Some(1)).is_none());
        drop(first);
        assert!(Slot::take(&taken, Some(1)).is_some());
        assert!(Slot::take(&taken, Some(0)).is_none());
        assert!(Slot::take(&taken, None).is_some());
    }
}
