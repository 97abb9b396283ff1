//! Where a stage behind another leaves who the client is.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// A place in a request for the address that a proxy tells of, for a stage that the request has gone through
/// before anybody knew.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientSlot(Arc<OnceLock<SocketAddr>>);

impl ClientSlot {
    /// The first that is told counts.
    pub(crate) fn set(&self, client: SocketAddr) {
        let _ = self.0.set(client);
    }

    pub(crate) fn get(&self) -> Option<SocketAddr> {
        self.0.get().copied()
    }
}
