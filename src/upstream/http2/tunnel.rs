//! A stream of HTTP/2 that carries another protocol (RFC 8441).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Place;

/// The most that is handed over at once.
const MOST: usize = 16 * 1024;

/// A stream of HTTP/2 that carries another protocol. Dropped before both sides have ended, it is reset.
#[derive(Debug)]
pub(in crate::upstream) struct Tunnel {
    to: SendStream<Bytes>,
    from: RecvStream,
    /// What came and was not read.
    rest: Bytes,
    ended: bool,
    told_end: bool,
    _place: Place,
}

impl Tunnel {
    pub(super) fn new(to: SendStream<Bytes>, from: RecvStream, place: Place) -> Self {
        Self { to, from, rest: Bytes::new(), ended: false, told_end: false, _place: place }
    }

    /// Waits until there is something to read, or the end.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() && !self.ended {
            match ready!(self.from.poll_data(cx)) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => self.ended = true,
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => self.ended = true,
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(error: h2::Error) -> io::Error {
    match error.is_io() {
        true => error.into_io().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into()),
        false => io::Error::new(io::ErrorKind::ConnectionReset, error),
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_readable(cx))?;
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        // The stream may be gone, and what it may send with it.
        let _ = self.from.flow_control().release_capacity(length);
        if self.rest.is_empty() {
            // An empty slice holds its memory, too.
            self.rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.to.reserve_capacity(bytes.len().min(MOST));
        while self.to.capacity() == 0 {
            match ready!(self.to.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let length = self.to.capacity().min(bytes.len());
        let data = Bytes::copy_from_slice(&bytes[..length]);
        self.to.send_data(data, false).map_err(broken)?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.told_end, true) {
            self.to.send_data(Bytes::new(), true).map_err(broken)?;
        }
        Poll::Ready(Ok(()))
    }
}
