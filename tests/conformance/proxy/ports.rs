//! Ports of this machine, chosen by the system.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A socket that listens.
pub(super) fn listener() -> io::Result<TcpListener> {
    TcpListener::bind(any())
}

/// A port that is taken and on which nobody listens: who connects is refused.
pub(super) fn held() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&any().into())?;
    Ok(socket)
}

/// The address of a socket.
pub(super) fn address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::other("a socket without an address of the network"))
}

/// A port whose queue is full: who connects hears nothing.
pub(super) fn blackhole() -> io::Result<(SocketAddr, Vec<Socket>)> {
    let socket = held()?;
    socket.listen(0)?;
    let address = address(&socket)?;
    let mut held = vec![socket];
    for _ in 0..3 {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        client.set_nonblocking(true)?;
        // It is under way, which is all that is wanted.
        let _ = client.connect(&address.into());
        held.push(client);
    }
    Ok((address, held))
}
