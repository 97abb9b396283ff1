//! What stands for a secured connection to another server in a build without the feature `tls`: there is none.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client::ClientTls;

/// What may be agreed on in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    Http1,
    Http2,
    Either,
}

/// Why there was no handshake.
#[derive(Debug)]
#[expect(dead_code, reason = "there is no handshake that could fail")]
pub(crate) enum NoHandshake {
    Broken(io::Error),
    Refused(String),
}

impl ClientTls {
    pub(crate) async fn connect<S>(
        &self,
        _: S,
        _: &str,
        _: Alpn,
    ) -> Result<(ClientStream<S>, bool), NoHandshake> {
        match *self {}
    }
}

/// A secured connection to another server.
#[derive(Debug)]
pub(crate) struct ClientStream<S>(Infallible, PhantomData<S>);

impl<S> ClientStream<S> {
    pub(crate) fn socket(&self) -> &S {
        match self.0 {}
    }
}

impl<S: Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl<S: Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
