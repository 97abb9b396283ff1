//! How often a client may do what costs it less than us.

use tokio::time::{Duration, Instant};

use super::ending::{Ending, Flood};

/// The time that what may happen is counted in.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

/// A number of things that may happen in [`WINDOW`]. The clock is asked only when it is used up.
#[derive(Debug)]
pub(super) struct Bucket {
    left: u32,
    size: u32,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(size: u32) -> Self {
        Self { left: size, size, filled: Instant::now() }
    }

    pub(super) fn credit(&mut self, more: u32) {
        if self.left < self.size {
            self.left = self.size.min(self.left + more);
        }
    }

    pub(super) fn spend(&mut self, flood: Flood) -> Result<(), Ending> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Ok(());
        }
        let now = Instant::now();
        if now - self.filled < WINDOW {
            return Err(Ending::Flood(flood));
        }
        self.filled = now;
        self.left = self.size - 1;
        Ok(())
    }
}
