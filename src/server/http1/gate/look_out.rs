//! Whether the client is still there, while it has an answer to wait for.
//!
//! A reset ends the request at once, the end of the stream after a second. Where nobody reads,
//! because the app does not want the body yet or because enough was read ahead, only what the system
//! tells of the socket is looked at, five times a second. What that cannot show is the goodbye of TLS
//! without one of the socket, and a client that is gone while its own system still has something to
//! send.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::sleep;

use super::state::{Gate, Input};
use crate::server::activity::Cut;
use crate::server::io::{HangUp, Socket};

/// How long behind the end of what a client sends its answers may still go out: it may be one that
/// only will not send more. If they take longer, it is one that is gone.
const FAREWELL: Duration = Duration::from_secs(1);

impl<S: Socket> Gate<S> {
    /// Looks whether the client is still there, while it has an answer to wait for.
    pub(super) fn look_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if matches!(self.input, Input::Head | Input::Undecided)
            && !self.has_passed()
            && self.pending.len() < self.options.read_ahead
        {
            self.look_ahead(cx)?;
        } else if self.activity.take_look_out() && !self.ended {
            match self.stream.hang_up() {
                None => {}
                Some(HangUp::End) => self.hung_up = true,
                Some(HangUp::Reset) => self.activity.cut(Cut::Gone),
            }
        }
        if self.ended || self.hung_up {
            let farewell = self.farewell.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
            if farewell.as_mut().poll(cx).is_ready() {
                self.activity.cut(Cut::Gone);
            }
        }
        Ok(())
    }

    /// The client sends or takes something: its time begins anew.
    pub(super) fn is_there(&mut self) {
        self.hung_up = false;
        self.farewell = None;
    }

    /// Looks for the end of the stream while a request is answered: a client that is gone needs no
    /// answer. More of the stream may come instead, and is kept for later.
    ///
    /// hyper would look for itself, with a buffer of its own for every request.
    fn look_ahead(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.ended && self.pending.len() < self.options.read_ahead {
            if self.stream.poll_readable(cx)?.is_pending() {
                break;
            }
            let mut came = [0; 4096];
            let mut buffer = ReadBuf::new(&mut came);
            if Pin::new(&mut self.stream).poll_read(cx, &mut buffer)?.is_pending() {
                continue;
            }
            self.pending.extend_from_slice(buffer.filled());
            if buffer.filled().is_empty() {
                self.set_ended();
            } else if self.hung_up {
                self.is_there();
            }
            self.tell_ahead();
        }
        Ok(())
    }
}
