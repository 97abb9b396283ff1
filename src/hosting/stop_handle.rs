//! Asking a host to stop.

use std::sync::Arc;

use tokio::sync::Notify;

/// Asks a host to stop.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<Notify>);

impl StopHandle {
    /// Asks for the stop; more than once is no harm, and so is asking before the start.
    pub fn stop(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asks. One wish is for one who waits.
    pub(super) async fn asked(&self) {
        self.0.notified().await;
    }
}
