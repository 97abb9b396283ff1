//! A connection within the process: two streams, each other's end. It tells what sockets tell: whether
//! something is unread, and how the other end has gone.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

/// How much of each direction waits to be read before the writer has to wait: as with sockets, a client
/// that takes nothing can be told from one that does.
const WAITING: usize = 64 * 1024;

/// Both ends of a new connection.
pub(crate) fn memory_pipe() -> (MemoryStream, MemoryStream) {
    let (first, second) = duplex(WAITING);
    let (one, other) = (Arc::new(Side::default()), Arc::new(Side::default()));
    let end = |stream, mine: &Arc<Side>, peer: &Arc<Side>| MemoryStream {
        stream,
        ahead: BytesMut::new(),
        at_end: false,
        read: 0,
        mine: Arc::clone(mine),
        peer: Arc::clone(peer),
    };
    (end(first, &one, &other), end(second, &other, &one))
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct MemoryStream {
    stream: DuplexStream,
    /// What came when it was asked whether something has come.
    ahead: BytesMut,
    /// Nothing comes behind that.
    at_end: bool,
    /// How much was read.
    read: u64,
    mine: Arc<Side>,
    peer: Arc<Side>,
}

/// What one end has done, as the other one can see it.
#[derive(Debug, Default)]
struct Side {
    written: AtomicU64,
    /// It sends no more.
    has_ended: AtomicBool,
    /// It has broken the connection off.
    was_reset: AtomicBool,
}

impl MemoryStream {
    /// Waits until there is something to read, or the end of the stream.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() && !self.at_end {
            let mut came = [0; 4096];
            let mut buffer = ReadBuf::new(&mut came);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            self.ahead.extend_from_slice(buffer.filled());
            self.at_end = buffer.filled().is_empty();
        }
        Poll::Ready(Ok(()))
    }

    /// Whether something is here to be read.
    pub(crate) fn has_unread(&self) -> bool {
        self.peer.written.load(Ordering::Acquire) > self.read
    }

    /// Whether the other end sends no more.
    pub(crate) fn peer_has_ended(&self) -> bool {
        self.peer.has_ended.load(Ordering::Acquire)
    }

    /// Whether the other end has broken the connection off.
    pub(crate) fn was_reset(&self) -> bool {
        self.peer.was_reset.load(Ordering::Acquire)
    }

    /// Ends the connection as if everything had been read.
    pub(crate) fn close_cleanly(mut self) {
        self.read = u64::MAX;
    }

    /// Breaks the connection off, once it is dropped.
    pub(crate) fn reset_on_close(&self) {
        self.mine.was_reset.store(true, Ordering::Release);
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        if self.has_unread() {
            // As TCP does: the other end learns that its bytes were not read.
            self.reset_on_close();
        }
        self.mine.has_ended.store(true, Ordering::Release);
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..length]);
            self.ahead.advance(length);
        } else if !self.at_end {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        }
        let came = buffer.filled().len() - before;
        self.read += came as u64;
        self.at_end |= came == 0;
        match came == 0 && self.was_reset() {
            true => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.mine.written.fetch_add(written as u64, Ordering::AcqRel);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.mine.written.fetch_add(written as u64, Ordering::AcqRel);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.mine.has_ended.store(true, Ordering::Release);
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_is_looked_for_is_read_afterwards_and_counts_as_unread_until_then() {
        let (mut one, mut other) = memory_pipe();
        one.write_all(b"hello").await.unwrap();
        assert!(other.has_unread());
        poll_fn(|cx| other.poll_readable(cx)).await.unwrap();
        assert!(other.has_unread());
        let mut read = [0; 3];
        other.read_exact(&mut read).await.unwrap();
        assert!(other.has_unread() && &read == b"hel");
        other.read_exact(&mut read[..2]).await.unwrap();
        assert!(!other.has_unread() && read.starts_with(b"lo"));
        assert!(!other.peer_has_ended());
        one.shutdown().await.unwrap();
        assert!(other.peer_has_ended());
        poll_fn(|cx| other.poll_readable(cx)).await.unwrap();
        assert_eq!(other.read(&mut read).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_end_that_goes_without_having_read_all_resets_the_connection() {
        for (unread, is_reset) in [(&b""[..], false), (b"x", true)] {
            let (mut one, mut other) = memory_pipe();
            other.write_all(b"ab").await.unwrap();
            other.write_all(unread).await.unwrap();
            one.read_exact(&mut [0; 2]).await.unwrap();
            drop(one);
            assert_eq!(other.was_reset(), is_reset);
            assert_eq!(other.read(&mut [0]).await.is_err(), is_reset);
        }
    }
}
