//! What goes out: answers, which are held back while the next request is here already, so that many
//! of them leave in one write, and the time of a client that does not take what was written.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use super::state::{Gate, Input};
use crate::diagnostics::events;
use crate::features::Completed;
use crate::server::activity::Cut;
use crate::server::drain::Phase;
use crate::server::io::Socket;
use crate::server::pace::Stall;
use crate::server::pieces::is_stand_in;

/// Answers that are held back go out once they are this many bytes.
const HELD_MOST: usize = 16 * 1024;

impl<S: Socket> Gate<S> {
    /// Ends what is sent, behind answers that wait for company.
    pub(in crate::server::http1) async fn end_sending(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_release(cx)).await?;
        self.stream.end().await
    }

    pub(super) fn poll_release(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.held);
            let length = ready!(self.timed(cx, written))?;
            self.held.advance(length);
        }
        while !self.behind.is_empty() {
            if self.failed {
                // That was told.
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let body = self.behind.clone();
            let length = ready!(self.poll_write_answer(cx, &[], &body))?;
            self.behind.advance(length);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes an answer that did not come by hyper.
    pub(super) fn send(
        &mut self,
        cx: &mut Context<'_>,
        head: &[u8],
        body: Bytes,
    ) -> io::Result<()> {
        if self.put_interim() {
            let _ = self.poll_release(cx)?;
        }
        // The next request may be here already, and its answer can go out with this one.
        let is_alone = self.held.is_empty() && self.pending.len() == self.passed;
        let length = head.len() + body.len();
        if !is_alone && !is_stand_in(&body) && self.held.len() + length <= HELD_MOST {
            self.held.extend_from_slice(head);
            self.held.extend_from_slice(&body);
            self.tell_unwritten(0);
            return Ok(());
        }
        self.tell_unwritten(length);
        let mut written = 0;
        if self.poll_release(cx)?.is_ready()
            && let Poll::Ready(sent) = self.poll_write_answer(cx, head, &body)?
        {
            written = sent;
        }
        if written < length {
            let of_head = written.min(head.len());
            self.held.extend_from_slice(&head[of_head..]);
            self.behind = body;
            self.behind.advance(written - of_head);
        }
        // Up to where the client takes no more; the rest goes when it does.
        let released = self.poll_release(cx);
        self.tell_unwritten(0);
        let _ = released?;
        Ok(())
    }

    fn poll_write_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &[u8],
        body: &[u8],
    ) -> Poll<io::Result<usize>> {
        let slices = &[IoSlice::new(head), IoSlice::new(body)];
        let written = if is_stand_in(body) {
            self.poll_send_file(cx, &slices[..usize::from(!head.is_empty())], body.len())
        } else {
            self.bound_again(head.len() + body.len());
            match body.is_empty() {
                true => Pin::new(&mut self.stream).poll_write(cx, head),
                false => Pin::new(&mut self.stream).poll_write_vectored(cx, slices),
            }
        };
        let written = self.timed(cx, written);
        if let Poll::Ready(Err(_)) = written {
            self.failed = true;
        }
        written
    }

    /// Bounds again what waits unsent, behind a file, for what is written from memory.
    fn bound_again(&mut self, length: usize) {
        if self.unbounded && length > HELD_MOST {
            self.unbounded = false;
            self.stream.bound_unsent(self.options.bound);
        }
    }

    /// Takes the version off the beginning of an answer to HTTP/1.0, and keeps the one that goes out
    /// with the rest; how many bytes were taken.
    ///
    /// A server says the version that it speaks, whatever the client's is (RFC 9110 section 2.5), but
    /// hyper can only say the client's, and frames the answer by the same switch.
    fn hold_version(&mut self, bytes: &[u8]) -> Option<usize> {
        const CLIENTS: &[u8] = b"HTTP/1.0";
        const OURS: &[u8] = b"HTTP/1.1";
        // What was left of the answer before went out before the request was handed on.
        if !std::mem::take(&mut self.old) || !bytes.starts_with(CLIENTS) {
            return None;
        }
        self.held.extend_from_slice(OURS);
        Some(CLIENTS.len())
    }

    /// Whether the answers so far may wait, as the next request is here.
    fn may_hold(&mut self) -> bool {
        if self.activity.is_running() || self.activity.ends() || self.held.len() >= HELD_MOST {
            return false;
        }
        self.handed != self.activity.begun()
            || matches!(self.input, Input::Head)
                && !self.pending.is_empty()
                // Of a body the app does not read, a part may stand there yet.
                && !self.has_passed()
                && self.scan_pending()
    }

    /// Lets be known how much of an answer that breaks off is not written: hyper has offered all that it has left.
    /// Puts answers before the answer where they go, if there are any; whether there are. What hyper has left of
    /// the answer before them, for a client that takes nothing, would come behind them: then they are not sent.
    fn put_interim(&mut self) -> bool {
        let Some(interim) = self.activity.take_interim() else { return false };
        let is_in_time = !self.activity.is_blocked();
        if is_in_time {
            self.held.extend_from_slice(&interim);
        }
        is_in_time
    }

    fn wrote(&self, offered: usize, written: &Poll<io::Result<usize>>) {
        let taken = if let Poll::Ready(Ok(taken)) = written { *taken } else { 0 };
        self.tell_unwritten(offered.saturating_sub(taken));
    }

    /// Lets be known that so much is not written, besides what waits here.
    pub(super) fn tell_unwritten(&self, more: usize) {
        let waiting = self.held.len() + self.behind.len();
        self.activity.completions().set_unwritten(more + waiting);
    }

    fn poll_write_bytes(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(length) = self.hold_version(bytes) {
            return Poll::Ready(Ok(length));
        }
        if self.behind.is_empty() && self.may_hold() {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        if !self.is_released() {
            if self.behind.is_empty() && self.held.len() + bytes.len() <= HELD_MOST {
                // One write for all of them.
                self.held.extend_from_slice(bytes);
                return Poll::Ready(Ok(bytes.len()));
            }
            ready!(self.poll_release(cx))?;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.timed(cx, written)
    }

    fn poll_write_slices(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        length: usize,
    ) -> Poll<io::Result<usize>> {
        if self.old
            && let Some(length) = self.hold_version(slices.first().map_or(&[], |slice| slice))
        {
            return Poll::Ready(Ok(length));
        }
        if let Some(place) = slices.iter().position(|slice| is_stand_in(slice)) {
            ready!(self.poll_release(cx))?;
            let sent = self.poll_send_file(cx, &slices[..place], slices[place].len());
            return self.timed(cx, sent);
        }
        if length <= HELD_MOST && (!self.is_released() || self.may_hold()) {
            if !self.behind.is_empty() || self.held.len() + length > HELD_MOST {
                ready!(self.poll_release(cx))?;
            }
            for slice in slices {
                self.held.extend_from_slice(slice);
            }
            return Poll::Ready(Ok(length));
        }
        self.bound_again(length);
        ready!(self.poll_release(cx))?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.timed(cx, written)
    }

    /// Sends `before`, then of a file what the first `most` bytes behind it stand for.
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        before: &[IoSlice<'_>],
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let head: usize = before.iter().map(|slice| slice.len()).sum();
        let Some(piece) = self.activity.pieces().first() else {
            return Poll::Ready(Err(io::Error::other("nobody knows what these bytes stand for")));
        };
        if !self.unbounded {
            // What waits is the system's copy of a file, not one of ours, and the system sends it without us.
            self.unbounded = true;
            self.stream.bound_unsent(None);
        }
        let sent = ready!(self.stream.poll_send_file(cx, before, &piece, most));
        match &sent {
            Ok(sent) => self.activity.pieces().sent(sent.saturating_sub(head)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                events::static_file_ended(&piece.name, error, piece.behind + piece.length as u64);
                self.activity.completions().ends(Completed::Failed);
            }
            Err(_) => {}
        }
        Poll::Ready(sent)
    }

    /// Times a write the client does not take.
    fn timed(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !self.activity.is_upgraded() {
            if written.is_pending() {
                self.activity.set_blocked(true);
                self.look_out(cx)?;
            } else if self.farewell.is_some() && self.activity.is_blocked() {
                // It takes what waited for it.
                self.is_there();
            }
        }
        let Some(rate) = self.options.response_rate.filter(|_| !self.activity.is_upgraded()) else {
            return written;
        };
        match written {
            Poll::Ready(Ok(length)) => {
                self.last = length;
                if let Some(stall) = &mut self.stall {
                    stall.took(length, rate);
                }
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let request = self.activity.begun();
                if self.stall.as_ref().is_some_and(|stall| !stall.is_of(request)) {
                    self.stall = None;
                }
                let (stream, bound) = (&self.stream, self.options.bound);
                let unseen = || match self.unbounded {
                    true => stream.unseen_of_file(self.last),
                    false => stream.unseen(bound, self.last),
                };
                let stall = self.stall.get_or_insert_with(|| Stall::begin(request, unseen(), rate));
                ready!(stall.poll_waiting(cx));
                self.activity.cut(Cut::ResponseRate);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: Socket> AsyncWrite for Gate<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.activity.is_upgraded() && this.stream.phase() == Phase::Aborting {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        this.put_interim();
        if is_stand_in(bytes) {
            let slices = &[IoSlice::new(bytes)];
            return Pin::new(this).poll_write_vectored(cx, slices);
        }
        let written = this.poll_write_bytes(cx, bytes);
        this.wrote(bytes.len(), &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let length = slices.iter().map(|slice| slice.len()).sum();
        this.put_interim();
        let written = this.poll_write_slices(cx, slices, length);
        this.wrote(length, &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.activity.piece_is_written() {
            cx.waker().wake_by_ref();
        }
        if this.put_interim() {
            let _ = this.poll_release(cx)?;
        }
        // What waits for the client waits for no company.
        if !this.is_released() && (this.activity.is_blocked() || !this.may_hold()) {
            let released = this.poll_release(cx);
            this.wrote(0, &Poll::Pending);
            ready!(released)?;
        }
        if this.is_released() && this.activity.is_blocked() {
            this.activity.set_blocked(false);
            // It may have asked for a head meanwhile.
            cx.waker().wake_by_ref();
        }
        if this.activity.is_running() && !this.activity.is_upgraded() {
            this.look_out(cx)?;
        }
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        if flushed.is_pending() && !this.activity.is_upgraded() {
            // What TLS has left goes out whenever the stream is asked, as the system would send
            // it: like there, a client that takes nothing is timed by the next write.
            return Poll::Ready(Ok(()));
        }
        if this.is_released() && !this.failed && matches!(flushed, Poll::Ready(Ok(()))) {
            this.activity.completions().written();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_release(cx))?;
        if self.activity.is_upgraded() && self.stream.phase() == Phase::Aborting {
            // A reset is to tell that the end came too early, not a proper end.
            return Poll::Ready(Ok(()));
        }
        if !self.activity.is_upgraded() {
            // The connection's task ends the stream once hyper is done with it, and times that.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
