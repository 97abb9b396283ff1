//! The addresses the server really bound.

use std::sync::{Arc, PoisonError, RwLock};

/// The addresses the server listens on, with the ports the system chose, in the order they were
/// bound (what `IServerAddressesFeature` tells in ASP.NET Core). Empty until the server started; a
/// reload that adds or removes endpoints changes them.
///
/// ```
/// let addresses = kestrel::ServerAddresses::default();
/// assert!(addresses.list().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerAddresses(Arc<RwLock<Vec<String>>>);

impl ServerAddresses {
    /// The bound addresses of this moment, such as `http://127.0.0.1:40123`.
    pub fn list(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the list.
    pub(crate) fn publish(&self, addresses: Vec<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }
}
