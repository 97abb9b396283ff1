//! A connection to a server, whatever it goes over.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::failure::Failure;
#[cfg(unix)]
use super::failure::FailureKind;
use crate::tls::ClientStream;

/// A socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Whether it leads to a process of this user, if it is a Unix socket.
    ///
    /// # Errors
    ///
    /// It does not.
    pub(super) fn check_user(&self, user: u32) -> Result<(), Failure> {
        #[cfg(unix)]
        if let Self::Unix(socket) = self {
            let found = socket.peer_cred().map(|it| it.uid());
            if !found.is_ok_and(|found| found == user) {
                let text = "the socket is not one of the user that it is to be of";
                return Err(Failure::new(FailureKind::Unreachable, text));
            }
        }
        let _ = user;
        Ok(())
    }
}

/// A connection, in clear text or not.
#[derive(Debug)]
pub(super) enum Io {
    Clear(Socket),
    Tls(Box<ClientStream<Socket>>),
}

impl Io {
    /// The address that it leads to, if it is one.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        let socket = match self {
            Self::Clear(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        };
        match socket {
            Socket::Tcp(socket) => socket.peer_addr().ok(),
            #[cfg(unix)]
            Socket::Unix(_) => None,
        }
    }

    /// Whether the server has neither ended it nor sent anything. As long as nothing came that takes no
    /// system call: the runtime remembers that the last read drained the socket.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut one = [0];
        match self {
            Self::Clear(Socket::Tcp(socket)) => would_block(socket.try_read(&mut one)),
            #[cfg(unix)]
            Self::Clear(Socket::Unix(socket)) => would_block(socket.try_read(&mut one)),
            // Tickets of TLS may come at any time, and are nothing out of turn.
            Self::Tls(stream) => {
                let cx = &mut Context::from_waker(Waker::noop());
                Pin::new(&mut **stream).poll_read(cx, &mut ReadBuf::new(&mut one)).is_pending()
            }
        }
    }

    /// Tells the server at once that what it has sent is here. One that writes head and body apart holds the body back until
    /// then (RFC 896), and the system else waits 40 ms for an answer of ours that could tell it (RFC 1122 section 4.2.3.2).
    pub(super) fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Clear(Socket::Tcp(socket)) = self {
            // Without it, it takes longer.
            let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
        }
    }
}

fn would_block(read: io::Result<usize>) -> bool {
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, buffer),
            #[cfg(unix)]
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            #[cfg(unix)]
            Self::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is written is with the system already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            #[cfg(unix)]
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}
