//! A socket that listens already: a program opened it, or was handed it.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::ip_literal::{IpLiteral, Scope};

/// A socket that listens already. The first host that starts on it takes it; a clone is the same socket.
#[derive(Clone)]
pub struct GivenSocket {
    held: Arc<Mutex<Option<Held>>>,
    address: SocketPlace,
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
        Self { held: Arc::new(Mutex::new(Some(held))), address }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &SocketPlace {
        &self.address
    }

    /// The socket, the first time.
    pub(super) fn take(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
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
        Arc::ptr_eq(&self.held, &other.held)
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
