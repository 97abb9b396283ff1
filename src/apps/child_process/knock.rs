//! Whether somebody listens at an address of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects, and lets go at once; `None` if there is no answer in time, as of one whose queue is full.
pub(super) async fn is_open(address: SocketAddr, patience: Duration) -> Option<bool> {
    match timeout(patience, connect(address)).await {
        Ok(connected) => Some(connected.is_ok()),
        Err(_) => None,
    }
}

/// On Linux, the answer of the machine itself is there when the call returns, mostly. Waiting for it as for one from far away
/// would cost a look as much again, and the start of a program takes many.
#[cfg(target_os = "linux")]
async fn connect(address: SocketAddr) -> io::Result<()> {
    use socket2::{Domain, Socket, Type};

    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    match socket.connect(&address.into()) {
        Ok(()) => return Ok(()),
        Err(error)
            if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) =>
        {
            return Err(error);
        }
        Err(_) => {}
    }
    match socket.take_error()? {
        Some(error) => return Err(error),
        None if socket.peer_addr().is_ok() => return Ok(()),
        None => {}
    }
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    stream.take_error()?.map_or(Ok(()), Err)
}

#[cfg(not(target_os = "linux"))]
async fn connect(address: SocketAddr) -> io::Result<()> {
    TcpStream::connect(address).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "it is no host that listens here")]
    #[tokio::test]
    async fn who_listens_is_told_from_who_does_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_secs(10);
        assert_eq!(is_open(address, patience).await, Some(true));
        drop(listener);
        assert_eq!(is_open(address, patience).await, Some(false));
    }
}
