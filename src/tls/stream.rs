//! A connection after its handshake: what is read is decrypted, what is written encrypted.
//!
//! It holds no buffer while there is nothing in it. Bytes are read, decrypted, joined and
//! encrypted in the room of the thread, which all its connections share; a connection only keeps
//! the beginning of a record whose end has not come, what was decrypted and not read yet, and what
//! was encrypted and not taken by the system yet.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::{Buf, BytesMut};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::accepted::Accepted;
use super::session::{Negotiation, Session, encode, last_words};

/// How much is encrypted at once: four records of the largest size.
const MOST_PLAINTEXT: usize = 64 * 1024;

/// The same with what four records and a change of keys add to it.
const MOST_CIPHERTEXT: usize = MOST_PLAINTEXT + 1024;

/// How much is read at once. A record of the largest size fits twice.
const MOST_READ: usize = 40 * 1024;

/// What a connection may keep that is not a whole message yet: the largest of a handshake that
/// rustls takes, and a record. A peer that wants more is no client.
const MOST_KEPT: usize = 96 * 1024;

thread_local! {
    static ROOM: RefCell<Room> = const { RefCell::new(Room::new()) };
}

/// The room of a thread. It is made when it is first needed.
struct Room {
    incoming: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Room {
    const fn new() -> Self {
        Self { incoming: Vec::new(), plaintext: Vec::new(), ciphertext: Vec::new() }
    }
}

/// A connection after its handshake, with a client if nothing else is said.
pub(crate) struct TlsStream<S, C = UnbufferedServerConnection> {
    socket: S,
    /// On its own, so that the stream is cheap to move.
    session: Box<C>,
    /// What came and was not looked at to its end: half a record mostly.
    incoming: BytesMut,
    /// There is more than that half in it.
    unread: bool,
    /// What was decrypted and not read.
    plaintext: BytesMut,
    /// What was encrypted and not sent.
    outgoing: BytesMut,
    /// Who waits to write: it may be another task than the one that reads.
    writer: Option<Waker>,
    /// The client will send no more.
    ended: bool,
    /// We said that we will send no more.
    told_end: bool,
    /// The session is broken: rustls must not be asked again.
    failed: bool,
}

impl<S, C> std::fmt::Debug for TlsStream<S, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsStream").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// What was found in what came.
enum Found {
    /// All of it was looked at.
    All,
    /// The reader has no more room.
    Enough,
}

impl Accepted {
    /// The stream for HTTP.
    pub(crate) fn into_stream<S>(self, socket: S) -> TlsStream<S> {
        TlsStream::new(socket, self)
    }
}

impl<S> TlsStream<S> {
    /// The stream behind a handshake.
    pub(super) fn new(socket: S, accepted: Accepted) -> Self {
        let Accepted { session, incoming, plaintext, ended, .. } = accepted;
        Self::with(socket, session, incoming, (plaintext, ended))
    }
}

impl<S, C: Session> TlsStream<S, C> {
    /// The stream behind a handshake that is done.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "a client uses it"))]
    pub(super) fn of(socket: S, negotiation: Negotiation<C>) -> Self {
        let Negotiation { session, incoming, plaintext, ended, .. } = negotiation;
        Self::with(socket, session, incoming, (plaintext, ended))
    }

    fn with(
        socket: S,
        session: Box<C>,
        incoming: BytesMut,
        (plaintext, ended): (BytesMut, bool),
    ) -> Self {
        Self {
            socket,
            session,
            incoming: if incoming.is_empty() { BytesMut::new() } else { incoming },
            unread: false,
            plaintext,
            outgoing: BytesMut::new(),
            writer: None,
            ended,
            told_end: false,
            failed: false,
        }
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket below, without a word of goodbye.
    pub(crate) fn into_socket(self) -> S {
        self.socket
    }

    /// How much is encrypted and was not taken by the system yet.
    pub(crate) fn unsent(&self) -> usize {
        self.outgoing.len()
    }

    /// Looks at what came until the reader has no more room. What it reads goes into `buffer`.
    fn look(
        &mut self,
        incoming: &mut [u8],
        buffer: &mut ReadBuf<'_>,
    ) -> io::Result<(usize, Found)> {
        let mut done = 0;
        loop {
            // rustls wants to be shown the same bytes again until it is done with them.
            let here = incoming.get_mut(done..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.session.process(here);
            let mut found = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        let payload = record.payload;
                        let (now, later) = payload.split_at(payload.len().min(buffer.remaining()));
                        buffer.put_slice(now);
                        self.plaintext.extend_from_slice(later);
                    }
                    if buffer.remaining() == 0 {
                        found = Some(Found::Enough);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    encode(&mut message, &mut self.outgoing);
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    // What comes behind it must not be looked at (RFC 8446 section 6.1).
                    self.ended = true;
                    return Ok((incoming.len(), Found::All));
                }
                Ok(_) => found = Some(Found::All),
                Err(error) => {
                    (self.failed, self.ended, self.unread) = (true, true, false);
                    done += discard;
                    let rest = incoming.get_mut(done..).unwrap_or_default();
                    last_words(&mut *self.session, rest, &mut self.outgoing);
                    return Err(broken(error));
                }
            }
            done += discard;
            if let Some(found) = found {
                return Ok((done, found));
            }
        }
    }

    /// Looks at what was kept.
    fn look_at_kept(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let (done, found) = self.look(&mut incoming, buffer)?;
        incoming.advance(done);
        self.keep(&found, incoming)
    }

    fn keep(&mut self, found: &Found, incoming: BytesMut) -> io::Result<()> {
        self.unread = matches!(found, Found::Enough) && !incoming.is_empty();
        // An empty one is not kept, and with it no memory.
        self.incoming = if incoming.is_empty() { BytesMut::new() } else { incoming };
        if self.incoming.len() > MOST_KEPT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message of TLS is too long"));
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session> TlsStream<S, C> {
    /// Whether there is something to read without asking the system, or the end of the stream. It
    /// sends what is left to be sent, as the system would.
    pub(crate) fn is_readable(&mut self, cx: &mut Context<'_>) -> bool {
        // An error shows when something is written or read.
        self.send_beside(cx);
        !self.plaintext.is_empty() || self.unread || self.ended
    }

    /// The socket below, to wait for.
    pub(crate) fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Sends what is encrypted for as far as the system takes it, for a task that reads. Errors
    /// show when something is written or read.
    fn send_beside(&mut self, cx: &mut Context<'_>) {
        if self.outgoing.is_empty() {
            return;
        }
        // A socket knows one task that waits to write. The reader must not take that place.
        let other = self.writer.as_ref().filter(|writer| !writer.will_wake(cx.waker()));
        let both =
            other.map(|writer| Waker::from(Arc::new(Both([writer.clone(), cx.waker().clone()]))));
        let _ = match both {
            Some(both) => self.poll_send(&mut Context::from_waker(&both)),
            None => self.poll_send(cx),
        };
    }

    /// Remembers a task that waits to write.
    fn remember<T>(&mut self, cx: &Context<'_>, polled: Poll<T>) -> Poll<T> {
        match (&polled, &self.writer) {
            (Poll::Ready(_), None) => {}
            (Poll::Ready(_), Some(_)) => self.writer = None,
            (Poll::Pending, Some(writer)) if writer.will_wake(cx.waker()) => {}
            (Poll::Pending, _) => self.writer = Some(cx.waker().clone()),
        }
        polled
    }

    /// Sends what is encrypted.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let sent = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.outgoing))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(sent);
        }
        if self.outgoing.capacity() > 0 {
            self.outgoing = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what the system has, behind what was kept, and looks at it.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut Vec<u8>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let kept = self.incoming.len();
        room.resize(room.len().max(kept + MOST_READ), 0);
        let mut read = ReadBuf::new(room);
        read.put_slice(&self.incoming);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read))?;
        let came = read.filled_mut();
        if came.len() == kept {
            // As it is with many clients, the end of the stream came without a word: whether a
            // message is whole is HTTP's to know.
            self.ended = true;
            return Poll::Ready(Ok(()));
        }
        self.incoming = BytesMut::new();
        let (done, found) = self.look(came, buffer)?;
        let rest = came.get(done..).unwrap_or_default();
        let rest = if rest.is_empty() { BytesMut::new() } else { BytesMut::from(rest) };
        Poll::Ready(self.keep(&found, rest))
    }

    /// Encrypts so much of `slices` as is sent at once, and sends what the system takes of it.
    fn poll_encrypt(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        ROOM.with_borrow_mut(|Room { plaintext, ciphertext, .. }| {
            let mut whole = slices.iter().filter(|slice| !slice.is_empty());
            let plaintext = match (whole.next(), whole.next()) {
                (None, _) => return Poll::Ready(Ok(0)),
                (Some(only), None) => &only[..only.len().min(MOST_PLAINTEXT)],
                (Some(_), Some(_)) => {
                    // In one record, so that a head and its body are one packet, too.
                    plaintext.clear();
                    for slice in slices {
                        let left = MOST_PLAINTEXT - plaintext.len();
                        plaintext.extend_from_slice(&slice[..slice.len().min(left)]);
                    }
                    &plaintext[..]
                }
            };
            ciphertext.resize(ciphertext.len().max(MOST_CIPHERTEXT), 0);
            let length = self.write(Outgoing::Data(plaintext), ciphertext)?;
            let mut rest = ciphertext.get(..length).unwrap_or_default();
            // Something of this connection's went out of turn: it has to go first.
            if !self.outgoing.is_empty() {
                self.outgoing.extend_from_slice(rest);
                rest = &[];
                let _ = self.poll_send(cx)?;
            }
            while !rest.is_empty() {
                match Pin::new(&mut self.socket).poll_write(cx, rest)? {
                    Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(sent) => rest = &rest[sent..],
                    Poll::Pending => {
                        self.outgoing.extend_from_slice(rest);
                        break;
                    }
                }
            }
            Poll::Ready(Ok(plaintext.len()))
        })
    }

    /// Sends what is left, and that no more comes.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        if self.told_end || self.failed {
            return Poll::Ready(Ok(()));
        }
        self.told_end = true;
        let mut alert = [0; 128];
        // Without it the client sees an end that anybody could have made.
        let length = self.write(Outgoing::End, &mut alert)?;
        self.outgoing.extend_from_slice(alert.get(..length).unwrap_or_default());
        self.poll_send(cx)
    }

    /// Writes to where nothing of the session's own stands before it: what it had to say itself
    /// is in `outgoing` then.
    fn write(&mut self, what: Outgoing<'_>, ciphertext: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut incoming = std::mem::take(&mut self.incoming);
        let mut done = 0;
        let written = loop {
            let here = incoming.get_mut(done..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.session.process(here);
            done += discard;
            match state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    break match what {
                        Outgoing::Data(plaintext) => traffic.encrypt(plaintext, ciphertext),
                        Outgoing::End => traffic.queue_close_notify(ciphertext),
                    }
                    .map_err(broken);
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        self.plaintext.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    encode(&mut message, &mut self.outgoing);
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => break Err(io::ErrorKind::BrokenPipe.into()),
                Err(error) => {
                    self.failed = true;
                    self.ended = true;
                    let rest = incoming.get_mut(done..).unwrap_or_default();
                    last_words(&mut *self.session, rest, &mut self.outgoing);
                    break Err(broken(error));
                }
            }
        };
        incoming.advance(done.min(incoming.len()));
        self.keep(&Found::All, incoming)?;
        written
    }
}

/// Wakes the task that writes and the task that reads.
struct Both([Waker; 2]);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.iter().for_each(Waker::wake_by_ref);
    }
}

/// What is to be encrypted.
#[derive(Clone, Copy)]
enum Outgoing<'a> {
    Data(&'a [u8]),
    /// That no more comes.
    End,
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session> AsyncRead for TlsStream<S, C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // What is left goes out as the system would send it, whatever is waited for.
        this.send_beside(cx);
        loop {
            if !this.plaintext.is_empty() {
                let length = this.plaintext.len().min(buffer.remaining());
                buffer.put_slice(&this.plaintext[..length]);
                this.plaintext.advance(length);
                if this.plaintext.is_empty() {
                    this.plaintext = BytesMut::new();
                }
                return Poll::Ready(Ok(()));
            }
            let looked = if this.unread {
                this.look_at_kept(buffer)
            } else if this.failed {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            } else if this.ended {
                return Poll::Ready(Ok(()));
            } else {
                let received =
                    ROOM.with_borrow_mut(|room| this.poll_receive(cx, &mut room.incoming, buffer));
                ready!(received)
            };
            // An alert, or the answer to a change of keys.
            this.send_beside(cx);
            // What came before a broken record is whole; the next read tells of the error.
            if buffer.filled().len() == before {
                looked?;
            }
            if buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session> AsyncWrite for TlsStream<S, C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.poll_encrypt(cx, &[IoSlice::new(bytes)]);
        self.remember(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.poll_encrypt(cx, slices);
        self.remember(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.poll_send(cx);
        ready!(self.remember(cx, polled))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let polled = this.poll_goodbye(cx);
        ready!(this.remember(cx, polled))?;
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
