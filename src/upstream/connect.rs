//! How a connection comes to be: the name, TCP or a Unix socket, and TLS.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::destination::{Place, authority};
use super::failure::{Failure, FailureKind};
use super::names::Addresses;
use super::stream::{Io, Socket};
use super::through;
use crate::tls::{Alpn, ClientTls, NoHandshake};

/// How long an address has before the next one is tried beside it (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Where a socket leads to, with what is known of it.
#[derive(Debug)]
pub(super) enum Way {
    Tcp(Arc<Addresses>),
    /// By a proxy that is there, to this server.
    Through(Arc<Addresses>, String),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    #[cfg(not(unix))]
    NoUnix,
}

impl Way {
    pub(super) fn to(place: &Place) -> Self {
        match place {
            Place::Host { name, port } => Self::Tcp(Arc::new(Addresses::new(name, *port))),
            Place::Through { name, port, proxy: (proxy, its_port) } => {
                let addresses = Arc::new(Addresses::new(proxy, *its_port));
                Self::Through(addresses, authority(name, *port))
            }
            #[cfg(unix)]
            Place::Unix(path) => Self::Unix(path.clone()),
            #[cfg(not(unix))]
            Place::Unix(_) => Self::NoUnix,
        }
    }

    /// The addresses that are connected to, if it goes by some.
    pub(super) fn addresses(&self) -> Option<&Arc<Addresses>> {
        match self {
            Self::Tcp(addresses) | Self::Through(addresses, _) => Some(addresses),
            #[cfg(unix)]
            Self::Unix(_) => None,
            #[cfg(not(unix))]
            Self::NoUnix => None,
        }
    }

    /// A socket that leads there.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(super) async fn socket(&self) -> Result<Socket, Failure> {
        match self {
            Self::Tcp(addresses) => tcp(addresses).await,
            Self::Through(addresses, authority) => {
                through::connect(tcp(addresses).await?, authority).await
            }
            #[cfg(unix)]
            Self::Unix(path) => match tokio::net::UnixStream::connect(path).await {
                Ok(socket) => Ok(Socket::Unix(socket)),
                Err(error) => Err(failure(&path.display(), &error)),
            },
            #[cfg(not(unix))]
            Self::NoUnix => {
                let text = "there are no Unix sockets on this system";
                Err(Failure::new(FailureKind::Unreachable, text))
            }
        }
    }
}

/// Secures a socket, and tells whether HTTP/2 was agreed on.
///
/// # Errors
///
/// The handshake fails.
pub(super) async fn secure(
    socket: Socket,
    tls: Option<&ClientTls>,
    name: &str,
    alpn: Alpn,
) -> Result<(Io, bool), Failure> {
    let failure = |what: &dyn fmt::Display| {
        Failure::new(FailureKind::Tls, format!("the connection could not be secured: {what}"))
    };
    let tls = tls.ok_or_else(|| failure(&ClientTls::MISSING))?;
    match tls.connect(socket, name, alpn).await {
        Ok((stream, http2)) => Ok((Io::Tls(Box::new(stream)), http2)),
        Err(NoHandshake::Refused(reason)) => Err(failure(&reason)),
        Err(NoHandshake::Broken(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(failure(&"the server closed the connection in the middle of the handshake"))
        }
        Err(NoHandshake::Broken(error)) => Err(failure(&error)),
    }
}

/// The name in a Host field, which a certificate has to have: without port and brackets.
pub(super) fn name_of(host: &[u8]) -> &str {
    let host = std::str::from_utf8(host).unwrap_or_default();
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    }
}

/// An address that does not answer may be one that the name has not any more: it is asked for once more.
async fn tcp(addresses: &Addresses) -> Result<Socket, Failure> {
    let known = addresses.get().await?;
    let mut connected = race(&known).await;
    // That there is no descriptor says nothing of the address.
    if connected.as_ref().is_err_and(|(_, error)| !no_descriptors(error)) {
        addresses.forget();
        let fresh = addresses.get().await?;
        if fresh[..] != known[..] {
            connected = race(&fresh).await;
        }
    }
    let socket = connected.map_err(|(address, error)| failure(&address, &error))?;
    // What is written is written whole: there is nothing that waiting would add.
    let nodelay = socket.set_nodelay(true);
    nodelay.map_err(|error| Failure::new(FailureKind::Reset, error.to_string()))?;
    Ok(Socket::Tcp(socket))
}

/// The first address that answers. Each has a moment before the next one is tried, too.
async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, (SocketAddr, io::Error)> {
    if let [only] = addresses {
        return attempt(*only).await;
    }
    let mut attempts = JoinSet::new();
    let mut rest = addresses.iter();
    let mut failed = None;
    loop {
        match rest.next() {
            Some(address) => {
                attempts.spawn(attempt(*address));
            }
            None if attempts.is_empty() => return Err(failed.unwrap_or_else(no_address)),
            None => {}
        }
        let ended = match rest.as_slice() {
            [] => attempts.join_next().await,
            _ => match timeout(HEAD_START, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok(Ok(socket))) => return Ok(socket),
            // What the first one says is what is told.
            Some(Ok(Err(error))) => drop(failed.get_or_insert(error)),
            Some(Err(_)) | None => {}
        }
    }
}

async fn attempt(address: SocketAddr) -> Result<TcpStream, (SocketAddr, io::Error)> {
    TcpStream::connect(address).await.map_err(|error| (address, error))
}

fn no_address() -> (SocketAddr, io::Error) {
    (SocketAddr::from(([0, 0, 0, 0], 0)), io::ErrorKind::AddrNotAvailable.into())
}

/// Whether the process, or the system, has no more of them.
#[cfg(unix)]
fn no_descriptors(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let number = error.raw_os_error();
    [Errno::EMFILE, Errno::ENFILE].into_iter().any(|none| number == Some(none as i32))
}

#[cfg(not(unix))]
fn no_descriptors(_: &io::Error) -> bool {
    false
}

fn failure(place: &dyn fmt::Display, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        _ if no_descriptors(error) => FailureKind::NoDescriptors,
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => FailureKind::Refused,
        io::ErrorKind::TimedOut => FailureKind::ConnectTimedOut,
        _ => FailureKind::Unreachable,
    };
    Failure::new(kind, format!("{place} cannot be connected to: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn that_there_are_no_descriptors_left_is_not_the_servers_doing() {
        let failure = failure(&"a.test", &io::Error::from_raw_os_error(nix::libc::EMFILE));
        assert_eq!(failure.kind(), FailureKind::NoDescriptors);
        assert!(!failure.is_of_server());
    }

    #[test]
    fn the_name_of_a_certificate_is_that_of_the_host() {
        for (host, name) in [
            ("a.test", "a.test"),
            ("a.test:8443", "a.test"),
            ("127.0.0.1:5000", "127.0.0.1"),
            ("[::1]:5000", "::1"),
            ("[::1]", "::1"),
            ("", ""),
        ] {
            assert_eq!(name_of(host.as_bytes()), name, "{host}");
        }
        assert_eq!(name_of(b"\xff"), "");
    }
}
