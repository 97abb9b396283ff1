//! The addresses the server really bound.

use std::sync::{Arc, OnceLock};

/// The addresses the server listens on, with the ports the system chose, in the order they were
/// bound (what `IServerAddressesFeature` tells in ASP.NET Core). Empty until the server started.
///
/// ```
/// let addresses = kestrel::ServerAddresses::default();
/// assert!(addresses.list().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerAddresses(Arc<OnceLock<Vec<String>>>);

impl ServerAddresses {
    /// The bound addresses, such as `http://127.0.0.1:40123`.
    pub fn list(&self) -> &[String] {
        self.0.get().map_or(&[], Vec::as_slice)
    }

    /// Fills the list, once: the addresses of a running server do not change.
    pub(crate) fn publish(&self, addresses: Vec<String>) {
        // A second start of the same host is refused before this could be reached.
        let _ = self.0.set(addresses);
    }
}
