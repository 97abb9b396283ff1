//! How much the log keeps, and how long it waits.

use std::time::Duration;

/// Buffers that grew beyond this are given back to the system instead of being used again.
pub(super) const LARGEST_KEPT_BUFFER: usize = 256 * 1024;

/// How long the last lines may wait for an output that takes nothing: a reader that has stopped must not keep a process
/// alive.
pub(crate) const LAST_WAIT: Duration = Duration::from_millis(1500);
