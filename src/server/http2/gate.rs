//! The stream between a connection's socket and hyper, and what it knows.
//!
//! hyper owns one end, the driver of the connection ([`super::serve`]) the other; both run in one
//! task, so that the lock between them is never waited for. What passes is followed, not copied;
//! see [`super::incoming`] for the few frames that are held back or rewritten. Nothing of hyper's
//! ends the connection on its own: its GOAWAY is stopped here and becomes an [`Ending`], and the
//! driver says goodbye, so that there is one way to end.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Duration, Instant};

use super::block;
use super::clocks::{Clocks, later};
use super::ending::Ending;
use super::frame::{self, ANY_STREAM, Code, HEAD_LENGTH, Head};
use super::incoming::{Bounds, Incoming, Step};
use super::outgoing::Outgoing;
use super::streams::{Overdue, Streams};
use super::table::Fault;
use crate::diagnostics::events;
use crate::features::ConnectionId;
use crate::server::activity::Http2Activity;
use crate::server::clock::TICK;
use crate::server::io::{Socket, Stream};
use crate::server::limits::Limits;
use crate::server::pace::Pace;

/// How long the frame that is going out when a connection has to end may take to get there.
const LAST_FRAME: Duration = Duration::from_secs(1);

/// The driver's end.
pub(super) struct Gate<S: Socket>(Arc<Mutex<Inner<S>>>);

/// hyper's end.
pub(super) struct GatedStream<S: Socket>(Arc<Mutex<Inner<S>>>);

/// What is left of a connection when hyper has let go of it.
pub(super) struct Rest<S: Socket> {
    pub(super) stream: Stream<S>,
    /// The last stream of a request that was handed on.
    pub(super) highest: u32,
    /// The same, or that of a request that is not whole.
    pub(super) begun: u32,
    /// A stream is open.
    pub(super) busy: bool,
    /// Another frame may be sent: the last one was sent whole.
    pub(super) at_boundary: bool,
}

impl<S: Socket> Gate<S> {
    pub(super) fn new(stream: Stream<S>, limits: &Limits, activity: Arc<Http2Activity>) -> Self {
        let max_size = limits.max_request_headers_total_size;
        let max_field_size = limits.http2.max_request_header_field_size as usize;
        let bounds = Bounds {
            max_frame_size: limits.http2.max_frame_size as usize,
            // What is less is answered with 431. Kestrel ends the connection at twice the list.
            max_block_size: max_size.max(max_field_size).saturating_mul(4),
            table_size: limits.http2.header_table_size as usize,
            fields: block::Bounds {
                max_field_size,
                max_count: limits.max_request_header_count,
                max_size,
                // What is longer is no target for the library.
                max_line: limits.max_request_line_size.min(usize::from(u16::MAX) - 1),
            },
        };
        // The system tells of progress in steps of about what it holds: a client that is just fast
        // enough is seen to take nothing for as long as it takes to take that.
        let step = limits.max_response_buffer_size.unwrap_or(64 * 1024) as u64;
        let rate = limits.min_response_data_rate;
        let pace = rate.map(|rate| Pace { rate, step });
        let unseen = stream.unseen(limits.max_response_buffer_size, 0);
        Self(Arc::new(Mutex::new(Inner {
            stream,
            id: activity.id(),
            activity,
            max_streams: limits.http2.max_streams_per_connection as usize,
            max_list: u32::try_from(max_size).unwrap_or(u32::MAX),
            clocks: Clocks::new(limits, rate.map(|rate| Pace { rate, step: unseen })),
            incoming: Incoming::new(bounds),
            outgoing: Outgoing::default(),
            streams: Streams::new(pace),
            rest: BytesMut::new(),
            ready: BytesMut::new(),
            injected: None,
            begun: false,
            stopping: Stopping::No,
            ending: None,
            ended: None,
            given_up: false,
        })))
    }

    /// The end for hyper.
    pub(super) fn stream(&self) -> GatedStream<S> {
        GatedStream(Arc::clone(&self.0))
    }

    /// The server stops: what runs may finish, then the connection ends.
    pub(super) fn stop(&self) {
        let mut inner = lock(&self.0);
        if inner.stopping == Stopping::No {
            inner.stopping = Stopping::Asked;
        }
    }

    /// Ready when the connection is to end; asked after hyper had its turn.
    pub(super) fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Ending> {
        lock(&self.0).poll_ending(cx)
    }

    /// When to look at the clock, if ever.
    pub(super) fn due(&self) -> Option<Instant> {
        lock(&self.0).due()
    }

    /// The time is `now`; something may have taken too long. True if hyper is to read what came of
    /// that.
    pub(super) fn expire(&self, now: Instant) -> bool {
        let mut inner = lock(&self.0);
        inner.expire(now);
        !inner.ready.is_empty()
    }

    /// The stream itself, once hyper has let go of its end.
    pub(super) fn into_rest(self) -> Option<Rest<S>> {
        let inner = Arc::into_inner(self.0)?;
        let inner = inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let highest = inner.streams.highest();
        Some(Rest {
            highest,
            begun: highest.max(inner.incoming.in_block(&inner.rest).unwrap_or(0)),
            busy: inner.streams.count() > 0,
            at_boundary: inner.at_boundary() && !inner.given_up,
            stream: inner.stream,
        })
    }
}

fn lock<S: Socket>(inner: &Mutex<Inner<S>>) -> MutexGuard<'_, Inner<S>> {
    // A panic under the lock has ended the task that it belongs to.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    Asked,
    /// The client has been told.
    Told,
}

/// Where bytes are that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In hyper's buffer.
    InPlace,
    /// In one of ours.
    Aside,
}

struct Inner<S: Socket> {
    stream: Stream<S>,
    id: ConnectionId,
    activity: Arc<Http2Activity>,
    max_streams: usize,
    /// What the client is told of the longest list of fields.
    max_list: u32,
    clocks: Clocks,
    incoming: Incoming,
    outgoing: Outgoing,
    streams: Streams,
    /// Read, and held back until more is there.
    rest: BytesMut,
    /// For hyper, before anything else.
    ready: BytesMut,
    /// A frame of ours between hyper's, and how much of it is sent.
    injected: Option<(Vec<u8>, usize)>,
    /// Our first frame was looked at.
    begun: bool,
    stopping: Stopping,
    ending: Option<Ending>,
    /// When that was.
    ended: Option<Instant>,
    /// The frame that was going out then never will be complete.
    given_up: bool,
}

impl<S: Socket> Inner<S> {
    fn end(&mut self, ending: Ending) {
        if self.ending.is_none() {
            self.ending = Some(ending);
            self.ended = Some(Instant::now());
        }
    }

    /// Whether a frame of ours can be sent now.
    fn at_boundary(&self) -> bool {
        self.outgoing.at_boundary() && !matches!(self.injected, Some((_, 1..)))
    }

    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if self.stopping != Stopping::No && self.ending.is_none() {
            if self.streams.count() == 0 {
                // Half a head is no request; it is not waited for.
                self.end(Ending::Stop);
            } else if self.stopping == Stopping::Asked {
                self.stopping = Stopping::Told;
                let goaway = frame::goaway(ANY_STREAM, Code::NO_ERROR);
                self.inject(&goaway);
                events::http2_connection_closing(&self.id);
            }
        }
        if let Some(ending) = self.ending
            && (self.given_up || self.at_boundary())
        {
            return Poll::Ready(ending);
        }
        if self.outgoing.at_boundary() && self.injected.is_some() {
            // An error comes up again when hyper writes.
            let _ = self.poll_injected(cx);
        }
        Poll::Pending
    }

    fn due(&mut self) -> Option<Instant> {
        if let Some(ended) = self.ended {
            return Some(ended + LAST_FRAME);
        }
        let window = self.streams.due().map(|by| later(by, Duration::ZERO));
        self.clocks.due(self.streams.count()).into_iter().chain(window).min()
    }

    fn expire(&mut self, now: Instant) {
        if let Some(ended) = self.ended {
            self.given_up |= now >= ended + LAST_FRAME;
            return;
        }
        if let Some(ending) = self.clocks.overdue(now, self.streams.count()) {
            self.end(ending);
            // It takes nothing, so it will not take a goodbye.
            self.given_up |= ending == Ending::ResponseRate;
        } else if let Some(now) = now.checked_sub(TICK) {
            self.expire_windows(now);
        }
    }

    /// Gives up what waits for a window that the client does not open.
    fn expire_windows(&mut self, now: Instant) {
        // What is not running any more, and not sent either, waits in hyper's library.
        let running = self.activity.running() as usize;
        let mut waiting = self.streams.unended().saturating_sub(running);
        while let Some(overdue) = self.streams.overdue(now, waiting) {
            let stream = match overdue {
                // A frame to hyper cannot come in the middle of another.
                Overdue::Stream(stream) if self.incoming.at_boundary() => stream,
                _ => return self.end(Ending::ResponseRate),
            };
            waiting -= 1;
            events::http2_response_too_slow(&self.id);
            // The client and hyper each are told that it was the other.
            self.streams.reset_by_us(stream);
            self.inject(&frame::reset(stream, Code::INTERNAL_ERROR));
            self.ready.extend_from_slice(&frame::reset(stream, Code::CANCEL));
            if self.streams.count() == 0 {
                self.clocks.idle();
            }
        }
    }

    /// Sends a frame as soon as none of hyper's is in the way.
    fn inject(&mut self, frame: &[u8]) {
        self.injected.get_or_insert_default().0.extend_from_slice(frame);
    }

    // ---- What the client sends --------------------------------------------------------------

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.ready.is_empty() {
                let length = self.ready.len().min(buffer.remaining());
                buffer.put_slice(&self.ready[..length]);
                self.ready.advance(length);
                return Poll::Ready(Ok(()));
            }
            if self.ending.is_some() {
                // Nothing is read any more, and the driver sees to the rest. What came before the
                // end was handed on: it does not matter in which pieces it came.
                return Poll::Pending;
            }
            // The library's preface buffer is the smallest that is not the end of a larger one.
            if self.rest.is_empty() && buffer.remaining() >= HEAD_LENGTH {
                let start = buffer.filled().len();
                ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
                if buffer.filled().len() == start {
                    return Poll::Ready(Ok(()));
                }
                let passed = self.pass(&mut buffer.filled_mut()[start..], Way::InPlace);
                buffer.set_filled(start + passed);
                if passed > 0 {
                    return Poll::Ready(Ok(()));
                }
            } else {
                let mut scratch = [0; 4096];
                let mut scratch = ReadBuf::new(&mut scratch);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scratch))?;
                if scratch.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
                let mut bytes = std::mem::take(&mut self.rest);
                bytes.extend_from_slice(scratch.filled());
                self.pass(&mut bytes, Way::Aside);
            }
        }
    }

    /// Looks at bytes that have come. Those at their beginning that go to hyper as they are stay
    /// where they are, and are counted in the result; unless they are [`Way::Aside`], when everything
    /// for hyper is put into `ready`.
    fn pass(&mut self, bytes: &mut [u8], way: Way) -> usize {
        let open = self.streams.count();
        let id = self.id;
        let mut at = 0;
        // Those that we reset ourselves are no affair of the client's.
        self.streams.take_cut_off();
        let mut diverted = (way == Way::Aside).then_some(0);
        while at < bytes.len() {
            let seen = &mut |head: Head| {
                let (kind, flags) = (frame::KindName(head.kind), frame::FlagNames(head));
                events::http2_frame_received(&id, &kind, head.stream, head.length, &flags);
            };
            let bytes_left = &mut bytes[at..];
            match self.incoming.step(bytes_left, &mut self.ready, &mut self.streams, seen) {
                Ok(Step::Pass(length)) => {
                    if diverted.is_some() {
                        self.ready.extend_from_slice(&bytes[at..at + length]);
                    }
                    at += length;
                }
                Ok(Step::Replace(length)) => {
                    diverted.get_or_insert(at);
                    at += length;
                }
                Ok(Step::More) => {
                    self.rest.extend_from_slice(&bytes[at..]);
                    break;
                }
                Err(ending) => {
                    self.end(ending);
                    break;
                }
            }
        }
        self.clocks.heard();
        if self.streams.take_cut_off() {
            self.activity.completions().reset();
        }
        if self.streams.count() != open {
            self.streams_changed(open);
            if self.streams.count() == 0 {
                self.clocks.idle();
            } else if open < self.max_streams && self.streams.count() >= self.max_streams {
                events::http2_max_streams_reached(&id);
            }
        }
        if self.incoming.take_pinged() {
            self.clocks.idle();
        }
        match self.incoming.in_block(&self.rest) {
            Some(_) => self.clocks.block_begins(),
            None => self.clocks.block_ended(),
        }
        diverted.unwrap_or(at)
    }

    // ---- What we send -----------------------------------------------------------------------

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.at_boundary() {
            ready!(self.poll_injected(cx))?;
            if self.ending.is_some() {
                return Poll::Pending;
            }
        }
        let first = slices.iter().map(|slice| &**slice).find(|slice| !slice.is_empty());
        let first = first.unwrap_or_default();
        if !std::mem::replace(&mut self.begun, true)
            && let Some((settings, length)) = frame::our_settings(first, self.max_list)
        {
            self.injected = Some((settings, 0));
            self.wrote(slices, length);
            return Poll::Ready(Ok(length));
        }
        let goaway = self.outgoing.find_goaway(slices);
        if let Some((0, goaway)) = goaway {
            let code = self.incoming.precise(goaway.code);
            self.end(Ending::Library(code));
            return Poll::Pending;
        }
        let stream = Pin::new(&mut self.stream);
        let written = match goaway {
            Some((before, _)) => stream.poll_write(cx, &first[..before.min(first.len())]),
            None if self.ending.is_some() || self.injected.is_some() => {
                stream.poll_write(cx, &first[..self.outgoing.until_boundary(first)])
            }
            None if slices.len() > 1 => stream.poll_write_vectored(cx, slices),
            None => stream.poll_write(cx, first),
        };
        match written {
            Poll::Ready(Ok(length)) => {
                self.wrote(slices, length);
                Poll::Ready(Ok(length))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => {
                self.clocks.stalls();
                Poll::Pending
            }
        }
    }

    /// So many bytes of `slices` are sent.
    fn wrote(&mut self, slices: &[IoSlice<'_>], length: usize) {
        let id = self.id;
        let open = self.streams.count();
        let (mut pinged, mut of_bodies) = (false, 0);
        let mut left = length;
        for slice in slices {
            let part = left.min(slice.len());
            left -= part;
            let (incoming, streams) = (&mut self.incoming, &mut self.streams);
            let activity = &self.activity;
            self.outgoing.follow(&slice[..part], |head, payload| {
                let (kind, flags) = (frame::KindName(head.kind), frame::FlagNames(head));
                events::http2_frame_sending(&id, &kind, head.stream, head.length, &flags);
                incoming.sent(head, streams);
                of_bodies += if head.kind == frame::DATA { u64::from(head.length) } else { 0 };
                if head.kind == frame::RST_STREAM {
                    tell_reset(activity, head.stream, payload, incoming.take_fault(head.stream));
                }
                pinged |= head.kind == frame::PING && !head.has(frame::ACK);
                false
            });
        }
        self.streams_changed(open);
        if of_bodies > 0 {
            self.activity.completions().wrote(of_bodies);
        }
        if open > 0 && self.streams.count() == 0 {
            self.clocks.idle();
        }
        if pinged {
            self.clocks.pinged();
        }
        self.clocks.took(length as u64);
    }

    /// There were so many streams: whoever waits for the end of one may have to be told.
    fn streams_changed(&self, before: usize) {
        let completions = self.activity.completions();
        if self.streams.count() < before && completions.are_wanted() {
            completions.streams_left(self.streams.count());
        }
    }

    fn poll_injected(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((frame, sent)) = &mut self.injected {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &frame[*sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *sent += written;
            if *sent == frame.len() {
                self.injected = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Tells of a reset that is sent, and whose fault it is: `fault` if it is that of a header block.
fn tell_reset(activity: &Http2Activity, stream: u32, payload: &[u8], fault: Option<Fault>) {
    // The socket was full in the middle of the frame: such a reset is an error of no known kind.
    let code = (payload.len() >= 4).then(|| Code(frame::number(payload, 0)));
    // What the app or the server wanted, not an error of the client.
    const OURS: [Code; 2] = [Code::CANCEL, Code::INTERNAL_ERROR];
    if code == Some(Code::NO_ERROR) {
        // Only that nobody wants the rest of the request.
        return;
    }
    if code.is_some_and(|code| OURS.contains(&code)) {
        activity.take_told_reset();
        return;
    }
    let name = code.map_or_else(|| "unknown".to_owned(), |code| code.to_string());
    events::http2_stream_error(&activity.id(), stream, &name);
    if let Some(fault) = fault {
        activity.context().counters().count_bad_request();
        events::http2_stream_reset(&activity.id(), stream, &name, fault.why());
    } else if code != Some(Code::REFUSED_STREAM) && !activity.take_told_reset() {
        let why = "The request is malformed, or the client broke the rules of its stream.";
        events::http2_stream_reset(&activity.id(), stream, &name, why);
    }
}

impl<S: Socket> AsyncRead for GatedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        lock(&self.0).poll_read(cx, buffer)
    }
}

impl<S: Socket> AsyncWrite for GatedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        lock(&self.0).stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = lock(&self.0);
        if inner.outgoing.at_boundary() {
            ready!(inner.poll_injected(cx))?;
        }
        // hyper flushes when everything is written.
        inner.clocks.all_taken();
        // What TLS has left goes out whenever the stream is asked, as the system would send it:
        // like there, a client that takes nothing is timed by the next write.
        match Pin::new(&mut inner.stream).poll_flush(cx) {
            Poll::Pending => Poll::Ready(Ok(())),
            flushed => {
                let activity = &inner.activity;
                // Where we have something left to send, hyper's library may have it all.
                if activity.completions().are_wanted()
                    && inner.streams.unsent() <= activity.alive() as usize
                {
                    activity.completions().written();
                }
                flushed
            }
        }
    }

    /// The driver shuts down, after its goodbye.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
