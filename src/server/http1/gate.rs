//! The gate of a connection: what stands between its stream and hyper.
//!
//! It hands hyper one message at a time, after its head passed all rules, and knows where the
//! message ends, so that nothing of the next one gets in. The bytes of a message that comes in one
//! piece are looked at where hyper reads them, and are not copied. A message that is not to be
//! served is replaced by a harmless one, which the service answers with the rejection: so the
//! answer goes out in its turn, behind those to earlier requests.
//!
//! On the way out it holds answers back while the next request is here already, so that many of
//! them leave in one write; and it times a client that does not take what was written.
//!
//! While an answer is waited for, it looks whether the client is still there. A reset ends the
//! request at once, the end of the stream after a second. Where nobody reads, because the app does
//! not want the body yet or because enough was read ahead, only what the system tells of the socket
//! is looked at, five times a second. What that cannot show is the goodbye of TLS without one of the
//! socket, and a client that is gone while its own system still has something to send.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::chunks::Chunks;
use super::head::{Framing, Head, Progress, Scan, Upgrade};
use super::options::Options;
use crate::diagnostics::events;
use crate::server::activity::{Cut, Http1Activity, Note};
use crate::server::clock::TICK;
use crate::server::drain::Phase;
use crate::server::io::{HangUp, Socket, Stream};
use crate::server::pace::Stall;
use crate::server::rejection::{Reason, Rejection};

/// Answers that are held back go out once they are this many bytes.
const HELD_MOST: usize = 16 * 1024;

/// How long behind the end of what a client sends its answers may still go out: it may be one that
/// only will not send more. If they take longer, it is one that is gone.
const FAREWELL: Duration = Duration::from_secs(1);

/// What hyper gets instead of a request that is rejected.
const HARMLESS: &[u8] = b"GET / HTTP/1.1\r\nhost:\r\n\r\n";

/// The stream of a connection, between the socket and hyper.
pub(super) struct Gate<S: Socket> {
    stream: Stream<S>,
    activity: Arc<Http1Activity>,
    options: Arc<Options>,
    input: Input,
    /// What was read and not handed on.
    pending: BytesMut,
    /// How much of `pending` passed, and is to be handed on.
    passed: usize,
    /// The scan of the head at the beginning of `pending`, of which more has to come.
    scan: Option<Box<Scan>>,
    /// What is handed on instead of what came.
    instead: Option<(Vec<u8>, usize)>,
    /// How many heads hyper was given.
    handed: u32,
    /// The last of them is one of HTTP/1.0, and nothing of its answer has come.
    old: bool,
    /// Behind the body of the last of them may come bytes of another protocol.
    undecided_behind: bool,
    /// More of the stream is here than the message that was handed on, as the activity was told.
    ahead: bool,
    /// The client will send no more.
    ended: bool,
    /// The same, as the system tells; what came before is not read yet.
    hung_up: bool,
    /// Until when a client that sends no more is waited for. Only made if it has to be.
    farewell: Option<Pin<Box<Sleep>>>,
    headers_timer: Option<Pin<Box<Sleep>>>,
    /// Answers that wait for company.
    held: BytesMut,
    stall: Option<Box<Stall>>,
    /// How much the system took last.
    last: usize,
}

#[derive(Debug)]
enum Input {
    /// A head comes, or nothing.
    Head,
    /// The body of the request that was handed on comes.
    Length(u64),
    Chunked(Chunks),
    /// The app decides whether what comes next is HTTP.
    Undecided,
    /// No more is handed on.
    Closed,
}

impl<S: Socket> Gate<S> {
    pub(super) fn new(
        mut stream: Stream<S>,
        activity: Arc<Http1Activity>,
        options: Arc<Options>,
    ) -> Self {
        let pending = stream.take_first();
        Self {
            stream,
            activity,
            options,
            input: Input::Head,
            pending,
            passed: 0,
            scan: None,
            instead: None,
            handed: 0,
            old: false,
            undecided_behind: false,
            ahead: false,
            ended: false,
            hung_up: false,
            farewell: None,
            headers_timer: None,
            held: BytesMut::new(),
            stall: None,
            last: 0,
        }
    }

    pub(super) fn stream(&mut self) -> &mut Stream<S> {
        &mut self.stream
    }

    /// Settles down to wait for a request, if there is nothing between two of them: no byte of
    /// one, none of an answer.
    pub(super) fn settle(&mut self) -> bool {
        if matches!(self.input, Input::Undecided) && !self.activity.is_upgraded() {
            self.input = Input::Head;
        }
        if self.held.is_empty() {
            // Gives the memory back, as for `pending`.
            self.held = BytesMut::new();
        }
        matches!(self.input, Input::Head)
            && self.pending.is_empty()
            && self.instead.is_none()
            && self.held.is_empty()
            && self.handed == self.activity.begun()
            && !self.activity.is_running()
            && !self.ended
    }

    /// Ends what is sent, behind answers that wait for company.
    pub(super) async fn end_sending(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_release(cx)).await?;
        self.stream.end().await
    }

    /// Whether the client will send no more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the client will send no more, and has no answer to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.activity.ends() || matches!(self.input, Input::Closed)
    }

    /// Whether the client may still be sending: then its reading the answer needs the connection
    /// to be read to its end.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.ended
            && (self.activity.ends()
                || !matches!(self.input, Input::Head)
                || !self.pending.is_empty())
    }

    fn set_ended(&mut self) {
        self.ended = true;
        events::received_end(&self.activity.id());
    }

    /// Whether all that hyper was given is answered.
    fn is_answered(&self) -> bool {
        self.handed == self.activity.begun() && !self.activity.is_running()
    }

    /// Hands on what passed.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        if let Some((bytes, at)) = &mut self.instead {
            let length = buffer.remaining().min(bytes.len() - *at);
            buffer.put_slice(&bytes[*at..*at + length]);
            *at += length;
            if *at == bytes.len() {
                self.instead = None;
            }
            return;
        }
        let length = buffer.remaining().min(self.passed);
        buffer.put_slice(&self.pending[..length]);
        self.pending.advance(length);
        self.passed -= length;
        if self.pending.is_empty() {
            // Gives the memory back: a connection may live for hours.
            self.pending = BytesMut::new();
        }
    }

    fn has_passed(&self) -> bool {
        self.passed > 0 || self.instead.is_some()
    }

    /// A head passed; its bytes are the first of `pending`, or in hyper's buffer already.
    fn accept(&mut self, head: &mut Head) {
        self.handed = self.handed.wrapping_add(1);
        if self.headers_timer.take().is_some() {
            self.activity.set_head_begun(false);
        }
        self.old = head.old;
        self.undecided_behind = head.upgrade == Upgrade::Asked;
        self.activity.set_switchable(
            head.upgrade == Upgrade::Asked && matches!(head.framing, Framing::Length(0)),
        );
        self.input = match head.framing {
            Framing::Length(0) if head.upgrade == Upgrade::Asked => Input::Undecided,
            Framing::Length(0) => Input::Head,
            Framing::Length(length) => Input::Length(length),
            Framing::Chunked => {
                self.activity.set_body_bytes(0);
                Input::Chunked(Chunks::new(head.left))
            }
        };
        if let Some(rewritten) = head.rewritten.take() {
            self.activity.note(Note::RawTarget(rewritten.raw_target));
            self.instead = Some((rewritten.bytes, 0));
        }
        self.tell_ahead();
    }

    /// Tells whether more of the stream is here than the message that was handed on.
    fn tell_ahead(&mut self) {
        let ahead = self.pending.len() > self.passed
            && matches!(self.input, Input::Head | Input::Undecided);
        if ahead != self.ahead {
            self.ahead = ahead;
            self.activity.set_ahead(ahead);
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        self.activity.note(Note::Rejected(rejection));
        self.handed = self.handed.wrapping_add(1);
        if self.headers_timer.take().is_some() {
            self.activity.set_head_begun(false);
        }
        self.passed = 0;
        self.old = false;
        self.instead = Some((HARMLESS.to_vec(), 0));
        self.input = Input::Closed;
    }

    /// Goes on with the head at the beginning of `pending`; whether there is something to hand on.
    fn scan_pending(&mut self) -> bool {
        let rules = &self.options.rules;
        let mut fresh = Scan::default();
        let scan = self.scan.as_deref_mut().unwrap_or(&mut fresh);
        match scan.advance(&self.pending, rules) {
            Progress::Partial => {
                let blank = scan.blank();
                if blank > 0 && !scan.has_begun(&self.pending) {
                    // Empty lines are gone; they could be sent without end.
                    self.pending.advance(blank);
                    self.scan = None;
                } else if self.scan.is_none() {
                    self.scan = Some(Box::new(fresh));
                }
                false
            }
            Progress::Complete(mut head) => {
                self.scan = None;
                self.pending.advance(head.start);
                self.passed = head.end - head.start;
                if head.rewritten.is_some() {
                    self.pending.advance(self.passed);
                    self.passed = 0;
                }
                self.accept(&mut head);
                true
            }
            Progress::Rejected(rejection) => {
                self.reject(rejection);
                true
            }
        }
    }

    /// Whether a head has begun and is not complete.
    pub(super) fn has_begun(&self) -> bool {
        self.scan.as_ref().is_some_and(|scan| scan.has_begun(&self.pending))
    }

    /// A head, as hyper waits for it.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
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
        if !self.pending.is_empty() && self.scan_pending() {
            self.hand_on(buffer);
            return Poll::Ready(Ok(()));
        }
        if self.ended {
            return self.end(buffer);
        }
        loop {
            if !self.held.is_empty() {
                // Nothing more is here: now the answers have to go. What cannot be written goes
                // with the next flush; hyper polls again when the client takes it.
                let _ = self.poll_release(cx)?;
            }
            let before = buffer.filled().len();
            match Pin::new(&mut self.stream).poll_read(cx, buffer)? {
                Poll::Ready(()) => {}
                Poll::Pending => return self.poll_headers_timer(cx, buffer),
            }
            let came = &buffer.filled()[before..];
            if came.is_empty() {
                self.set_ended();
                return self.end(buffer);
            }
            if self.pending.is_empty() {
                let mut scan = Scan::default();
                if let Progress::Complete(mut head) = scan.advance(came, &self.options.rules)
                    && head.start == 0
                    && head.rewritten.is_none()
                {
                    let end = before + head.end;
                    if end < buffer.filled().len() {
                        self.pending.extend_from_slice(&buffer.filled()[end..]);
                        buffer.set_filled(end);
                    }
                    self.accept(&mut head);
                    return Poll::Ready(Ok(()));
                }
            }
            self.pending.extend_from_slice(&buffer.filled()[before..]);
            buffer.set_filled(before);
            if self.scan_pending() {
                self.hand_on(buffer);
                return Poll::Ready(Ok(()));
            }
        }
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

    /// Looks whether the client is still there, while it has an answer to wait for.
    fn look_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
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
    fn is_there(&mut self) {
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

    fn poll_release(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.held);
            let length = ready!(self.timed(cx, written))?;
            self.held.advance(length);
        }
        Poll::Ready(Ok(()))
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
                let stall = self.stall.get_or_insert_with(|| {
                    Stall::begin(request, stream.unseen(bound, self.last), rate)
                });
                ready!(stall.poll_waiting(cx));
                self.activity.cut(Cut::ResponseRate);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
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
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            self.activity.set_waker(cx.waker());
        }
        read
    }
}

impl Input {
    /// How many of `bytes` belong to the body, or `None` if it is broken.
    fn body(&mut self, bytes: &[u8], activity: &Http1Activity) -> Option<usize> {
        match self {
            Self::Length(left) => {
                let here = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= here as u64;
                if *left == 0 {
                    *self = Self::Head;
                }
                Some(here)
            }
            Self::Chunked(chunks) => {
                let judged = chunks.advance(bytes);
                activity.set_body_bytes(chunks.counted());
                match judged {
                    Ok(here) => {
                        if chunks.is_done() {
                            *self = Self::Head;
                        }
                        Some(here)
                    }
                    Err(reason) => {
                        activity.break_body(reason);
                        None
                    }
                }
            }
            Self::Head | Self::Undecided | Self::Closed => Some(0),
        }
    }
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
        if let Some(length) = this.hold_version(bytes) {
            return Poll::Ready(Ok(length));
        }
        if this.may_hold() {
            this.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        if !this.held.is_empty() {
            if this.held.len() + bytes.len() <= HELD_MOST {
                // One write for all of them.
                this.held.extend_from_slice(bytes);
                return Poll::Ready(Ok(bytes.len()));
            }
            ready!(this.poll_release(cx))?;
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.timed(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.old
            && let Some(length) = this.hold_version(slices.first().map_or(&[], |slice| slice))
        {
            return Poll::Ready(Ok(length));
        }
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if length <= HELD_MOST && (!this.held.is_empty() || this.may_hold()) {
            if this.held.len() + length > HELD_MOST {
                ready!(this.poll_release(cx))?;
            }
            for slice in slices {
                this.held.extend_from_slice(slice);
            }
            return Poll::Ready(Ok(length));
        }
        ready!(this.poll_release(cx))?;
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.timed(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.held.is_empty() && !this.may_hold() {
            ready!(this.poll_release(cx))?;
        }
        if this.held.is_empty() && this.activity.is_blocked() {
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
        if this.held.is_empty() && matches!(flushed, Poll::Ready(Ok(()))) {
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

#[cfg(test)]
mod tests;
