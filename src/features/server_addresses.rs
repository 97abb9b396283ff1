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
    /// The ports of those of https, each once.
    https_ports: Vec<u16>,
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

    /// The first port where https is spoken, and how many others there are.
    pub(crate) fn https_port(&self) -> Option<(u16, usize)> {
        let bound = self.0.read().unwrap_or_else(PoisonError::into_inner);
        bound.https_ports.split_first().map(|(first, others)| (*first, others.len()))
    }

    /// Replaces the lists.
    pub(crate) fn publish(&self, addresses: Vec<String>, sockets: Vec<SocketAddr>) {
        let mut https_ports = Vec::new();
        for port in addresses.iter().filter_map(|address| https_port(address)) {
            if !https_ports.contains(&port) {
                https_ports.push(port);
            }
        }
        let bound = Bound { addresses, sockets, https_ports };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = bound;
    }
}

/// The port of an address of https that has one; that of a Unix socket has none.
fn https_port(address: &str) -> Option<u16> {
    let rest = address.strip_prefix("https://")?;
    let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
    (!host.starts_with("unix")).then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_https_are_known() {
        let addresses = ServerAddresses::default();
        assert_eq!(addresses.https_port(), None);
        for (bound, expected) in [
            (
                &["http://a:1", "https://localhost:2", "https://[::]:2/", "https://b:3"][..],
                Some((2, 1)),
            ),
            (&["http://a:1", "https://unix:/a:80"], None),
        ] {
            let bound = bound.iter().map(|it| (*it).to_owned()).collect();
            addresses.publish(bound, Vec::new());
            assert_eq!(addresses.https_port(), expected);
        }
    }
}
