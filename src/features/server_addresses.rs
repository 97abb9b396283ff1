//! The addresses the server really bound.

use std::net::SocketAddr;
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
pub struct ServerAddresses(Arc<RwLock<Bound>>);

#[derive(Debug, Default)]
struct Bound {
    addresses: Vec<String>,
    sockets: Vec<SocketAddr>,
}

impl ServerAddresses {
    /// The bound addresses of this moment, such as `http://127.0.0.1:40123`.
    pub fn list(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).addresses.clone()
    }

    /// The addresses of the sockets that listen at this moment: two for `http://localhost:5000`, none
    /// for a Unix socket. A server that is not the built-in one may tell none.
    pub fn sockets(&self) -> Vec<SocketAddr> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).sockets.clone()
    }

    /// Replaces the lists.
    pub(crate) fn publish(&self, addresses: Vec<String>, sockets: Vec<SocketAddr>) {
        let bound = Bound { addresses, sockets };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = bound;
    }
}
