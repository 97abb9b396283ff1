//! Where a gate comes back to when hyper is done with it.
//!
//! hyper owns the stream of the connection it speaks on and gives it back in no simple way, least
//! of all after an upgrade. What it is given here is a loan: dropped, the gate goes home.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::gate::Gate;
use crate::server::io::Socket;

/// Where a gate comes back to.
pub(super) struct Home<S: Socket> {
    gate: Mutex<Option<Box<Gate<S>>>>,
    returned: Notify,
}

/// A gate away from home.
pub(super) struct Loan<S: Socket> {
    gate: Option<Box<Gate<S>>>,
    home: Arc<Home<S>>,
}

impl<S: Socket> Home<S> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { gate: Mutex::new(None), returned: Notify::new() })
    }

    /// Lends the gate out.
    pub(super) fn lend(home: &Arc<Self>, gate: Box<Gate<S>>) -> Loan<S> {
        Loan { gate: Some(gate), home: Arc::clone(home) }
    }

    /// The gate, if it is here.
    pub(super) fn take(&self) -> Option<Box<Gate<S>>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the gate is here, and takes it.
    pub(super) async fn returned(&self) -> Box<Gate<S>> {
        loop {
            let returned = self.returned.notified();
            if let Some(gate) = self.take() {
                return gate;
            }
            returned.await;
        }
    }
}

impl<S: Socket> Drop for Loan<S> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            *self.home.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(gate);
            self.home.returned.notify_one();
        }
    }
}

impl<S: Socket> Loan<S> {
    fn gate(&mut self) -> io::Result<Pin<&mut Gate<S>>> {
        // It is only gone once the loan is dropped.
        self.gate.as_deref_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S: Socket> AsyncRead for Loan<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.gate()?.poll_read(cx, buffer)
    }
}

impl<S: Socket> AsyncWrite for Loan<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.gate()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.gate()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.gate()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.gate()?.poll_shutdown(cx)
    }
}
