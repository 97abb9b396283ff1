//! A socket that listens already: a program opened it, or was handed it.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::ip_literal::{IpLiteral, Scope};

/// How many connections may wait on a socket that was passed and does not listen yet, as on Kestrel.
#[cfg(target_os = "linux")]
const BACKLOG: i32 = 512;

/// A socket that listens already. The first host that starts on it takes it; a clone is the same socket.
#[derive(Clone)]
pub struct GivenSocket {
    slot: Arc<Mutex<Slot>>,
    address: SocketPlace,
    /// The same for everything that one host has of it.
    claim: Arc<()>,
}

/// The socket, as long as nobody has it.
struct Slot {
    held: Option<Held>,
    /// Whose it is, if it stays here: a host that closes it may open it again.
    owner: Option<Weak<()>>,
}

/// Where a socket listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SocketPlace {
    Ip(IpLiteral, u16),
    #[cfg(unix)]
    Path(PathBuf),
    #[cfg(target_os = "linux")]
    Abstract(String),
    /// The system does not tell it, or it has none.
    Unknown,
}

/// The socket itself.
#[derive(Debug)]
pub(super) enum Held {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl GivenSocket {
    fn new(held: Held, address: SocketPlace) -> Self {
        let slot = Slot { held: Some(held), owner: None };
        Self { slot: Arc::new(Mutex::new(slot)), address, claim: Arc::new(()) }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &SocketPlace {
        &self.address
    }

    /// The socket, the first time; one that was passed, whenever the same host asks.
    ///
    /// # Errors
    ///
    /// Another host has it, or the system has no descriptor left.
    pub(super) fn take(&self) -> io::Result<Held> {
        let taken = || io::Error::other("another host has taken this socket");
        let mut slot = self.slot();
        let Some(owner) = &mut slot.owner else {
            return slot.held.take().ok_or_else(taken);
        };
        if owner.upgrade().is_some_and(|owner| !Arc::ptr_eq(&owner, &self.claim)) {
            return Err(taken());
        }
        *owner = Arc::downgrade(&self.claim);
        slot.held.as_ref().ok_or_else(taken)?.try_clone()
    }
}

#[cfg(target_os = "linux")]
impl GivenSocket {
    /// A socket that whoever started this process opened for it. One that is bound and does not listen
    /// yet does so now.
    ///
    /// # Errors
    ///
    /// In words, why nothing can be served on it.
    pub(crate) fn passed(descriptor: std::os::fd::OwnedFd) -> Result<Self, String> {
        use socket2::{Domain, Socket, Type};

        let socket = Socket::from(descriptor);
        let kind = |error: io::Error| format!("it is no socket ({error})");
        let (domain, kind) = (socket.domain().map_err(kind)?, socket.r#type().map_err(kind)?);
        if kind != Type::STREAM {
            return Err("it is a socket for single messages, such as those of UDP".to_owned());
        }
        if !socket.is_listener().unwrap_or(false) {
            socket.listen(BACKLOG).map_err(|error| format!("it cannot listen ({error})"))?;
        }
        let given: Self = match domain {
            Domain::IPV4 | Domain::IPV6 => TcpListener::from(socket).into(),
            Domain::UNIX => UnixListener::from(socket).into(),
            other => return Err(format!("it is a socket of another kind ({other:?})")),
        };
        given.slot().owner = Some(Weak::new());
        Ok(given)
    }

    /// The same socket for another host, which takes it if nobody has it.
    pub(crate) fn for_another_host(&self) -> Self {
        Self { claim: Arc::new(()), ..self.clone() }
    }
}

impl Held {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            #[cfg(unix)]
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }
}

impl From<TcpListener> for GivenSocket {
    fn from(listener: TcpListener) -> Self {
        let address = match listener.local_addr() {
            Ok(address) => {
                let scope = match address {
                    SocketAddr::V6(v6) if v6.scope_id() != 0 => Scope::Index(v6.scope_id()),
                    _ => Scope::None,
                };
                SocketPlace::Ip(IpLiteral { address: address.ip(), scope }, address.port())
            }
            Err(_) => SocketPlace::Unknown,
        };
        Self::new(Held::Tcp(listener), address)
    }
}

#[cfg(unix)]
impl From<UnixListener> for GivenSocket {
    fn from(listener: UnixListener) -> Self {
        let address = listener.local_addr().ok().and_then(|address| {
            let path = address.as_pathname().map(|path| SocketPlace::Path(path.to_owned()));
            path.or_else(|| abstract_name(&address))
        });
        Self::new(Held::Unix(listener), address.unwrap_or(SocketPlace::Unknown))
    }
}

#[cfg(target_os = "linux")]
fn abstract_name(address: &std::os::unix::net::SocketAddr) -> Option<SocketPlace> {
    use std::os::linux::net::SocketAddrExt;

    let name = address.as_abstract_name()?;
    Some(SocketPlace::Abstract(String::from_utf8_lossy(name).into_owned()))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn abstract_name(_: &std::os::unix::net::SocketAddr) -> Option<SocketPlace> {
    None
}

/// Two are equal if they are one socket.
impl PartialEq for GivenSocket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }
}

impl Eq for GivenSocket {}

impl fmt::Display for GivenSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            SocketPlace::Ip(literal, port) => write!(f, "{literal}:{port}"),
            #[cfg(unix)]
            SocketPlace::Path(path) => write!(f, "unix:{}", path.display()),
            #[cfg(target_os = "linux")]
            SocketPlace::Abstract(name) => write!(f, "unix:@{name}"),
            SocketPlace::Unknown => f.write_str("a socket without an address"),
        }
    }
}

impl fmt::Debug for GivenSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenSocket({self})")
    }
}
