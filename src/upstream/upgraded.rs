//! A connection, or a stream of one, that speaks another protocol now.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::http2::Tunnel;
use super::stream::Io;

/// A connection that speaks another protocol now, in both directions, or a stream of HTTP/2. It holds no
/// buffer once what came with the head is read.
#[derive(Debug)]
pub(crate) struct UpgradedStream(Kind);

#[derive(Debug)]
enum Kind {
    Http1 {
        io: Io,
        /// What came behind the head.
        first: Bytes,
        /// It counts as a connection for as long as it lives.
        _permit: Option<OwnedSemaphorePermit>,
    },
    Http2(Box<Tunnel>),
}

impl UpgradedStream {
    /// `first` came behind the head. It is copied: a slice would hold the whole block it is in for as long
    /// as the stream lives.
    pub(super) fn of_http1(io: Io, first: &[u8], permit: Option<OwnedSemaphorePermit>) -> Self {
        let first = if first.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(first) };
        Self(Kind::Http1 { io, first, _permit: permit })
    }

    pub(super) fn of_http2(tunnel: Tunnel) -> Self {
        Self(Kind::Http2(Box::new(tunnel)))
    }
}

impl AsyncRead for UpgradedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (io, first) = match &mut self.get_mut().0 {
            Kind::Http1 { io, first, .. } => (io, first),
            Kind::Http2(tunnel) => return Pin::new(&mut **tunnel).poll_read(cx, buffer),
        };
        if first.is_empty() {
            return Pin::new(io).poll_read(cx, buffer);
        }
        let length = first.len().min(buffer.remaining());
        buffer.put_slice(&first[..length]);
        first.advance(length);
        if first.is_empty() {
            // An empty slice holds its memory, too.
            *first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UpgradedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Kind::Http1 { io, .. } => Pin::new(io).poll_write(cx, bytes),
            Kind::Http2(tunnel) => Pin::new(&mut **tunnel).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Kind::Http1 { io, .. } => Pin::new(io).poll_write_vectored(cx, slices),
            Kind::Http2(tunnel) => Pin::new(&mut **tunnel).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self.0, Kind::Http1 { .. })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Http1 { io, .. } => Pin::new(io).poll_flush(cx),
            Kind::Http2(tunnel) => Pin::new(&mut **tunnel).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Http1 { io, .. } => {
                ready!(Pin::new(&mut *io).poll_flush(cx))?;
                Pin::new(io).poll_shutdown(cx)
            }
            Kind::Http2(tunnel) => Pin::new(&mut **tunnel).poll_shutdown(cx),
        }
    }
}
