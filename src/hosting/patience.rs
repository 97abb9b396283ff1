//! Code of the program that a start waits for, and what is told while it takes its time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

/// How long a start waits before it tells what it waits for: as long as a reload does.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Waits for `work`, and tells once if it takes longer than that.
pub(super) async fn patiently<T>(work: impl Future<Output = T>, tell: impl FnOnce(Duration)) -> T {
    let mut work = pin!(work);
    match timeout(PATIENCE, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            tell(PATIENCE);
            work.await
        }
    }
}
