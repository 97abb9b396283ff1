//! A connection under TLS as a kind of socket.

use std::io;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::io::{HangUp, Socket};
use crate::tls::TlsStream;

impl<S: Socket> Socket for TlsStream<S> {
    fn reset_on_close(&self) {
        self.socket().reset_on_close();
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_readable(cx) {
            return Poll::Ready(Ok(()));
        }
        // What comes may be less than a record: then the next read waits.
        self.socket_mut().poll_readable(cx)
    }

    fn hang_up(&self) -> Option<HangUp> {
        self.socket().hang_up()
    }

    fn has_unread(&self) -> bool {
        self.socket().has_unread()
    }

    fn unsent(&self) -> usize {
        Self::unsent(self)
    }

    fn unseen(&self, bound: Option<usize>, last: usize) -> u64 {
        // More is encrypted once the system has all that is.
        self.socket().unseen(bound, last).saturating_add(Self::unsent(self) as u64)
    }

    fn poll_raw(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // There is no use in decrypting it, and nothing to be said any more if it is damaged.
        self.socket_mut().poll_raw(cx, buffer)
    }

    fn refuse(self) {
        self.into_socket().refuse();
    }
}
