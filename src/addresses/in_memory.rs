//! A network within the process, for tests: endpoints are bound without a socket, and connections to
//! them are streams in memory.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::display::bound_text;
use super::endpoint::{ListenAddr, PlannedEndpoint, Targets};
use super::memory_stream::{MemoryStream, memory_pipe};

/// The first of the ports that a system gives to those who do not care.
const FIRST_PORT: u16 = 49152;

/// A network of its own; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct InMemory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    bound: Mutex<Vec<Bound>>,
    /// How many ports were given away.
    ports: AtomicU16,
}

/// An endpoint that somebody listens on, or did.
#[derive(Debug)]
struct Bound {
    /// The address that is published.
    address: String,
    local: Option<SocketAddr>,
    listener: UnboundedSender<Incoming>,
}

/// The connections of an endpoint that wait to be accepted.
pub(crate) type MemoryListener = UnboundedReceiver<Incoming>;

/// A connection that waits to be accepted.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) stream: MemoryStream,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) remote: Option<SocketAddr>,
}

impl InMemory {
    /// Binds an endpoint; with the address to publish. Nothing is ever taken here.
    pub(super) fn bind(&self, planned: &PlannedEndpoint) -> (String, MemoryListener) {
        let local = match &planned.targets {
            Targets::Exactly(listen) => Some(self.local(listen)),
            Targets::AtLeastOne([first, _]) => Some(self.local(first)),
            Targets::FirstThatWorks([any, _]) => Some(self.local(any)),
            Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => None,
        };
        let address = bound_text(planned, local);
        let (listener, incoming) = unbounded_channel();
        let mut bound = self.bound();
        bound.retain(|bound| !bound.listener.is_closed());
        bound.push(Bound { address: address.clone(), local, listener });
        (address, incoming)
    }

    /// Our end of connections to an address, which has a port.
    fn local(&self, listen: &ListenAddr) -> SocketAddr {
        let port = match listen.port {
            0 => self.free_port(),
            port => port,
        };
        SocketAddr::new(listen.address.address, port)
    }

    /// A port that nobody has.
    fn free_port(&self) -> u16 {
        FIRST_PORT
            .saturating_add(self.0.ports.fetch_add(1, Ordering::Relaxed) % (u16::MAX - FIRST_PORT))
    }

    /// Connects to the endpoint that is published as `address`. Without `remote` the client is one of
    /// this machine.
    ///
    /// # Errors
    ///
    /// Nobody listens there.
    pub(crate) fn connect(
        &self,
        address: &str,
        remote: Option<SocketAddr>,
    ) -> io::Result<MemoryStream> {
        let bound = self.bound();
        let found = bound.iter().find(|it| it.address == address && !it.listener.is_closed());
        let Some(Bound { local, listener, .. }) = found else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let here = || SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.free_port());
        // A Unix socket has no addresses.
        let remote = local.map(|_| remote.unwrap_or_else(here));
        let (local, remote) = match (*local, remote) {
            (Some(local), Some(remote)) => {
                let (local, remote) = by_one_interface(local, remote);
                (Some(local), Some(remote))
            }
            neither => neither,
        };
        let (client, stream) = memory_pipe();
        let sent = listener.send(Incoming { stream, local, remote });
        sent.map(|()| client).map_err(|_| io::ErrorKind::ConnectionRefused.into())
    }

    fn bound(&self) -> MutexGuard<'_, Vec<Bound>> {
        self.0.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ends as a server sees them: to all interfaces a client comes by one of them, and over IPv4 by an
/// address of IPv6 that holds it.
fn by_one_interface(local: SocketAddr, remote: SocketAddr) -> (SocketAddr, SocketAddr) {
    if !local.ip().is_unspecified() {
        return (local, remote);
    }
    let ours = match remote.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let seen = |ip: IpAddr| match (local.ip(), ip) {
        (IpAddr::V6(_), IpAddr::V4(ip)) => IpAddr::V6(ip.to_ipv6_mapped()),
        (_, ip) => ip,
    };
    (SocketAddr::new(seen(ours), local.port()), SocketAddr::new(seen(remote.ip()), remote.port()))
}
