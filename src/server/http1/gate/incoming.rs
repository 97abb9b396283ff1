//! What comes in: heads, each of which waits for its turn, bodies, and what follows an upgrade.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::past_hyper::MOST_IN_A_ROW;
use super::state::{Gate, Input};
use crate::server::clock::TICK;
use crate::server::drain::Phase;
use crate::server::http1::head::{Progress, Scan};
use crate::server::http1::read_head::request_of;
use crate::server::io::Socket;
use crate::server::rejection::Reason;

/// Where a head is that was accepted.
#[derive(Clone, Copy)]
enum NextHead {
    /// At the beginning of what was read, as what passed.
    Passed,
    /// In hyper's buffer, from here on.
    InPlace(usize),
    /// hyper has what there is: a rejection, or the end of the stream.
    HandedOn,
}

impl<S: Socket> AsyncRead for Gate<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.has_passed() {
            this.hand_on(buffer);
            return Poll::Ready(Ok(()));
        }
        match this.input {
            Input::Head => this.poll_head(cx, buffer),
            Input::Length(_) | Input::Chunked(_) => this.poll_body(cx, buffer),
            Input::Undecided if this.activity.is_upgraded() => this.poll_upgraded(cx, buffer),
            Input::Undecided if this.is_answered() => {
                this.input = Input::Head;
                this.poll_head(cx, buffer)
            }
            Input::Undecided | Input::Closed => Poll::Pending,
        }
    }
}

impl<S: Socket> Gate<S> {
    /// A head, as hyper waits for it. Requests that can be answered without hyper are.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..MOST_IN_A_ROW {
            if self.answers() && !ready!(self.poll_answer(cx))? {
                self.hand_on(buffer);
                return Poll::Ready(Ok(()));
            }
            if self.handed != self.activity.begun() {
                // hyper has one that is not its turn yet.
                return Poll::Pending;
            }
            if self.activity.is_running() || self.activity.is_blocked() {
                // hyper has no business here before the answer is out.
                return Poll::Pending;
            }
            if self.activity.ends() {
                return Poll::Ready(Ok(()));
            }
            let head = ready!(self.poll_next_head(cx, buffer))?;
            let request = match self.may_answer() {
                false => None,
                true => match head {
                    NextHead::Passed => request_of(&self.pending[..self.passed]),
                    NextHead::InPlace(before) => request_of(&buffer.filled()[before..]),
                    NextHead::HandedOn => None,
                },
            };
            let Some(request) = request else {
                if let NextHead::Passed = head {
                    self.hand_on(buffer);
                }
                return Poll::Ready(Ok(()));
            };
            match head {
                NextHead::Passed => self.drop_passed(self.passed),
                NextHead::InPlace(before) => buffer.set_filled(before),
                NextHead::HandedOn => {}
            }
            self.ask(request);
        }
        // Others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The next head, or whatever hyper is given in its place.
    fn poll_next_head(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<NextHead>> {
        if !self.pending.is_empty() && self.scan_pending() {
            return Poll::Ready(Ok(NextHead::Passed));
        }
        if self.ended {
            return self.end(buffer).map_ok(|()| NextHead::HandedOn);
        }
        loop {
            // Nothing more is here: now the answers have to go. What cannot be written goes with the
            // next flush; hyper polls again when the client takes it.
            if !self.is_released() {
                let released = self.poll_release(cx);
                self.tell_unwritten(0);
                ready!(released)?;
            }
            let before = buffer.filled().len();
            match Pin::new(&mut self.stream).poll_read(cx, buffer)? {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    return self.poll_headers_timer(cx, buffer).map_ok(|()| NextHead::HandedOn);
                }
            }
            let came = &buffer.filled()[before..];
            if came.is_empty() {
                self.set_ended();
                return self.end(buffer).map_ok(|()| NextHead::HandedOn);
            }
            if self.pending.is_empty() && self.accept_in_place(buffer, before) {
                return Poll::Ready(Ok(NextHead::InPlace(before)));
            }
            self.pending.extend_from_slice(&buffer.filled()[before..]);
            buffer.set_filled(before);
            if self.scan_pending() {
                return Poll::Ready(Ok(NextHead::Passed));
            }
        }
    }

    /// Accepts a head that came in one piece and is good as it is, where hyper reads it: behind
    /// `before`. Whether it is one. What came of a body whose length is known stays there, too.
    #[inline]
    fn accept_in_place(&mut self, buffer: &mut ReadBuf<'_>, before: usize) -> bool {
        let came = &buffer.filled()[before..];
        let progress = Scan::default().advance(came, &self.options.rules);
        let Progress::Complete(mut head) = progress else {
            return false;
        };
        if head.start != 0 || head.rewritten.is_some() {
            return false;
        }
        self.accept(&mut head);
        let mut end = before + head.end;
        if end == buffer.filled().len() {
            return true;
        }
        if matches!(self.input, Input::Length(_)) {
            end += self.input.body(&buffer.filled()[end..], &self.activity).unwrap_or_default();
            self.settle_body();
        }
        if end < buffer.filled().len() {
            self.pending.extend_from_slice(&buffer.filled()[end..]);
            buffer.set_filled(end);
        }
        self.tell_ahead();
        true
    }

    /// The stream ended where a head may begin, or within one.
    fn end(&mut self, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.has_begun()
            && let Some(scan) = self.scan.take()
        {
            self.reject(scan.cut_off(&self.pending));
            self.hand_on(buffer);
        }
        Poll::Ready(Ok(()))
    }

    /// The wait for the rest of a head ends at some time.
    fn poll_headers_timer(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.has_begun() {
            return Poll::Pending;
        }
        let limit = self.options.headers_timeout + TICK;
        // The first head began before anybody knew that it is one.
        let begun = self.stream.begun().filter(|_| self.handed == 0);
        let timer = self.headers_timer.get_or_insert_with(|| {
            self.activity.set_head_begun(true);
            Box::pin(sleep_until(begun.unwrap_or_else(Instant::now) + limit))
        });
        ready!(timer.as_mut().poll(cx));
        self.reject(Reason::RequestHeadersTimeout.into());
        self.hand_on(buffer);
        Poll::Ready(Ok(()))
    }

    /// More of a body.
    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pending.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
            let came = &buffer.filled()[before..];
            if came.is_empty() {
                self.set_ended();
                self.activity.break_body(Reason::UnexpectedEndOfRequestContent);
                return Poll::Ready(Ok(()));
            }
            if self.hung_up {
                self.hung_up = false;
                self.farewell = None;
            }
            match self.input.body(came, &self.activity) {
                Some(length) => {
                    let end = before + length;
                    if end < buffer.filled().len() {
                        self.pending.extend_from_slice(&buffer.filled()[end..]);
                        buffer.set_filled(end);
                    }
                    self.settle_body();
                    self.tell_ahead();
                }
                None => {
                    buffer.set_filled(before);
                    return Poll::Ready(Err(self.broken()));
                }
            }
            return Poll::Ready(Ok(()));
        }
        match self.input.body(&self.pending, &self.activity) {
            Some(length) => self.passed = length,
            None => return Poll::Ready(Err(self.broken())),
        }
        self.settle_body();
        self.tell_ahead();
        self.hand_on(buffer);
        Poll::Ready(Ok(()))
    }

    /// Behind the body of a CONNECT may be a tunnel: nothing of that is looked at as a request.
    fn settle_body(&mut self) {
        if self.undecided_behind && matches!(self.input, Input::Head) {
            self.input = Input::Undecided;
        }
    }

    fn broken(&mut self) -> io::Error {
        self.input = Input::Closed;
        io::Error::from(io::ErrorKind::InvalidData)
    }

    /// An upgraded connection is not looked at, but the stop ends it.
    fn poll_upgraded(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.pending.is_empty() {
            self.passed = self.pending.len();
            self.hand_on(buffer);
            return Poll::Ready(Ok(()));
        }
        if self.stream.phase() == Phase::Aborting {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        // There are no requests any more.
        self.answerer = None;
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            self.activity.set_waker(cx.waker());
        }
        read
    }
}
