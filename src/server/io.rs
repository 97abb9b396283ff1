//! The stream of a connection, between the socket and hyper.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf, Ready};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::drain::{Counted, Phase, Watch};
use super::pieces::Piece;
use super::send_file::send_file;
use super::unsent;

/// A kind of socket.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Whether the system sends files on it by itself.
    const SENDS_FILES: bool = false;

    /// Sends `before`, then up to `most` bytes of a piece of a file, as far as the system takes it: how much of
    /// both. Only asked where it sends files.
    fn poll_send_file(
        &mut self,
        _cx: &mut Context<'_>,
        _before: &[IoSlice<'_>],
        _piece: &Piece,
        _most: usize,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Makes closing the socket tell the peer that the answer was cut off.
    fn reset_on_close(&self);

    /// Waits until there is something to read, or the end of the stream.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// What the system knows of the peer's end without anything being read, as far as it tells.
    fn hang_up(&self) -> Option<HangUp> {
        None
    }

    /// Whether something is here to be read, by the system's word: the runtime may not have heard of
    /// it yet.
    fn has_unread(&self) -> bool {
        false
    }

    /// How much was written that the system has not got yet; it goes out while something is read
    /// or waited for.
    fn unsent(&self) -> usize {
        0
    }

    /// How much the peer may have to take before the system asks for more, once it asks for none:
    /// until then a peer that takes something looks like one that takes nothing. `bound` is what may
    /// wait unsent, as the listening socket was told; `last` is how much the last write was.
    fn unseen(&self, bound: Option<usize>, _last: usize) -> u64 {
        bound.map_or(0, |bound| bound as u64)
    }

    /// The same while the system sends a file, and holds as much unsent as it likes.
    fn unseen_of_file(&self, last: usize) -> u64 {
        self.unseen(None, last)
    }

    /// Bounds what may wait unsent; `None` leaves it to the system.
    fn bound_unsent(&self, _most: Option<usize>) {}

    /// Reads what nobody will look at, as it comes over the wire.
    fn poll_raw(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_read(cx, buffer)
    }

    /// Closes the socket as one that will not be served, at once.
    fn refuse(self);
}

/// Sends files on a socket of the runtime's, of which this waits and that tries.
fn poll_sending(
    mut wait: impl FnMut() -> Poll<io::Result<()>>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(wait())?;
        match send() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return Poll::Ready(sent),
        }
    }
}

/// How a peer ended its side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HangUp {
    /// It will send no more than what is here.
    End,
    /// The connection is gone.
    Reset,
}

/// What the runtime has heard of a socket. There is no other way to ask without reading: as long as
/// something is unread, nobody is woken for what comes behind it.
fn heard(ready: impl Future<Output = io::Result<Ready>>) -> Option<HangUp> {
    let cx = &mut Context::from_waker(Waker::noop());
    match pin!(ready).poll(cx) {
        // The other direction is ours to close, and is not while an answer is waited for.
        Poll::Ready(Ok(ready)) if ready.is_write_closed() => Some(HangUp::Reset),
        Poll::Ready(Ok(ready)) if ready.is_read_closed() => Some(HangUp::End),
        _ => None,
    }
}

fn has_unread(socket: SockRef<'_>) -> bool {
    socket.peek(&mut [MaybeUninit::uninit()]).is_ok_and(|length| length > 0)
}

/// Tells the peer that nothing will come. What it sent already is read: unread, it would make a
/// reset of the close, and the peer could take that for a broken network.
fn refuse<'a>(socket: SockRef<'a>, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) {
    let mut dropped = [0; 4096];
    for _ in 0..4 {
        if !read(&mut dropped).is_ok_and(|length| length > 0) {
            break;
        }
    }
    let _ = socket.shutdown(Shutdown::Write);
}

/// What is the same for TCP and Unix sockets of the runtime, which share no trait that says so.
macro_rules! same_for_sockets_of_the_runtime {
    () => {
        const SENDS_FILES: bool = cfg!(target_os = "linux");

        fn poll_send_file(
            &mut self,
            cx: &mut Context<'_>,
            before: &[IoSlice<'_>],
            piece: &Piece,
            most: usize,
        ) -> Poll<io::Result<usize>> {
            let most = most.min(piece.length);
            let send = || send_file(&*self, before, (piece.file.file(), piece.at), most);
            // Within `try_io`, which knows what readiness it was that came to its end.
            poll_sending(|| self.poll_write_ready(cx), || self.try_io(Interest::WRITABLE, send))
        }

        fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_read_ready(cx)
        }

        fn hang_up(&self) -> Option<HangUp> {
            heard(self.ready(Interest::READABLE | Interest::WRITABLE))
        }

        fn has_unread(&self) -> bool {
            has_unread(SockRef::from(self))
        }

        fn refuse(self) {
            refuse(SockRef::from(&self), |buffer| self.try_read(buffer));
        }
    };
}

impl Socket for TcpStream {
    same_for_sockets_of_the_runtime!();

    fn reset_on_close(&self) {
        // The worst that a refusal means is a plain close.
        let _ = self.set_zero_linger();
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn unseen(&self, bound: Option<usize>, _: usize) -> u64 {
        unsent::unseen_of_tcp(bound)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn unseen(&self, _: Option<usize>, last: usize) -> u64 {
        unsent::unseen_elsewhere(&SockRef::from(self), last)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn unseen_of_file(&self, _: usize) -> u64 {
        unsent::unseen_of_unbounded(&SockRef::from(self))
    }

    fn bound_unsent(&self, most: Option<usize>) {
        unsent::bound(&SockRef::from(self), most);
    }
}

#[cfg(unix)]
impl Socket for tokio::net::UnixStream {
    same_for_sockets_of_the_runtime!();

    /// A Unix socket has no reset; its peer sees the end of the stream.
    fn reset_on_close(&self) {}

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn unseen(&self, _: Option<usize>, _: usize) -> u64 {
        // It is asked of an open socket; the default of the system.
        unsent::unseen_of_unix(SockRef::from(self).send_buffer_size().unwrap_or(208 * 1024) as u64)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn unseen(&self, _: Option<usize>, last: usize) -> u64 {
        unsent::unseen_elsewhere(&SockRef::from(self), last)
    }
}

#[cfg(feature = "testing")]
impl Socket for crate::addresses::memory_stream::MemoryStream {
    fn reset_on_close(&self) {
        Self::reset_on_close(self);
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_readable(self, cx)
    }

    fn hang_up(&self) -> Option<HangUp> {
        match self.was_reset() {
            true => Some(HangUp::Reset),
            false => self.peer_has_ended().then_some(HangUp::End),
        }
    }

    fn has_unread(&self) -> bool {
        Self::has_unread(self)
    }

    /// It takes more as soon as the peer has read a byte.
    fn unseen(&self, _: Option<usize>, _: usize) -> u64 {
        0
    }

    fn refuse(self) {
        // What the peer has sent is left unread, and it is not to see a reset.
        self.close_cleanly();
    }
}

/// A socket whose first bytes have been looked at and are read again.
pub(super) struct Stream<S: Socket> {
    first: BytesMut,
    /// When the first byte came.
    begun: Option<Instant>,
    socket: S,
    /// Held to the end, also by a connection that was upgraded: the stop waits for it.
    watch: Watch,
    _counted: Counted,
}

impl<S: Socket> Stream<S> {
    pub(super) fn new(socket: S, watch: Watch) -> Self {
        let counted = watch.count();
        Self { first: BytesMut::new(), begun: None, socket, watch, _counted: counted }
    }

    /// Reads more of the first bytes; false at the end of the stream.
    pub(super) async fn read_first(&mut self) -> io::Result<bool> {
        // A connection that says nothing needs no room for it.
        poll_fn(|cx| self.socket.poll_readable(cx)).await?;
        // Most request heads fit, so that hyper need not read again.
        self.first.reserve(2048);
        let came = self.socket.read_buf(&mut self.first).await? > 0;
        self.begun.get_or_insert_with(Instant::now);
        Ok(came)
    }

    /// The first bytes, which are not read again.
    pub(super) fn take_first(&mut self) -> BytesMut {
        std::mem::take(&mut self.first)
    }

    /// When the first byte came.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.begun
    }

    /// How far the stop is.
    pub(super) fn phase(&self) -> Phase {
        self.watch.phase().get()
    }

    /// Makes closing the stream tell the peer that the answer was cut off.
    pub(super) fn reset_on_close(&self) {
        self.socket.reset_on_close();
    }

    /// Waits until there is something to read, or the end of the stream, without a buffer.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_readable(cx)
    }

    /// What the system knows of the peer's end without anything being read.
    pub(super) fn hang_up(&self) -> Option<HangUp> {
        self.socket.hang_up()
    }

    /// Whether something is here to be read that the runtime may not have heard of yet.
    pub(super) fn has_unread(&self) -> bool {
        self.socket.has_unread()
    }

    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// How much the peer may have to take before the system asks for more, once it asks for none.
    pub(super) fn unseen(&self, bound: Option<usize>, last: usize) -> u64 {
        self.socket.unseen(bound, last)
    }

    /// The same while the system sends a file.
    pub(super) fn unseen_of_file(&self, last: usize) -> u64 {
        self.socket.unseen_of_file(last)
    }

    /// Bounds what may wait unsent; `None` leaves it to the system.
    pub(super) fn bound_unsent(&self, most: Option<usize>) {
        self.socket.bound_unsent(most);
    }

    /// Sends `before`, then up to `most` bytes of a piece of a file: see [`Socket::poll_send_file`].
    pub(super) fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        before: &[IoSlice<'_>],
        piece: &Piece,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_send_file(cx, before, piece, most)
    }

    /// Waits until the system has everything that was written, for as long as the client takes
    /// some: only TLS has anything left. A byte now and then would keep it for hours, so that the
    /// client has to be as fast as the default of `MinResponseDataRate` asks, 240 bytes a second.
    async fn settle(&mut self) -> io::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(5);
        const LEAST: usize = 1200;

        while self.socket.unsent() > 0 {
            let before = self.socket.unsent();
            match timeout(PATIENCE, self.socket.flush()).await {
                Ok(flushed) => flushed?,
                Err(_) if self.socket.unsent() + LEAST <= before => {}
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(())
    }

    /// Ends what is sent.
    pub(super) async fn end(&mut self) -> io::Result<()> {
        self.settle().await?;
        // TLS has a few bytes to say.
        let ended = timeout(Duration::from_secs(1), self.socket.shutdown()).await;
        ended.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Sends `bytes`, then the end of the stream, and passes over what still comes until the peer
    /// has ended its side, for a second at most: bytes that nobody reads would make the system
    /// take our last ones back.
    pub(super) async fn end_with(&mut self, bytes: &[u8]) {
        const PATIENCE: Duration = Duration::from_secs(1);

        if self.settle().await.is_err() {
            return;
        }
        let goodbye = async {
            self.socket.write_all(bytes).await?;
            self.socket.shutdown().await?;
            self.pass_over().await
        };
        // The peer may be gone; there is nobody else to tell.
        let _ = timeout(PATIENCE, goodbye).await;
    }

    /// Passes over what still comes until the peer has ended its side.
    pub(super) async fn pass_over(&mut self) -> io::Result<()> {
        let mut dropped = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut dropped);
            poll_fn(|cx| self.socket.poll_raw(cx, &mut buffer)).await?;
            if buffer.filled().is_empty() {
                return Ok(());
            }
        }
    }

    /// The socket itself, the first bytes left out.
    pub(super) fn socket(&mut self) -> &mut S {
        &mut self.socket
    }
}

impl<S: Socket> Drop for Stream<S> {
    fn drop(&mut self) {
        if self.watch.phase().get() == Phase::Aborting {
            self.socket.reset_on_close();
        }
    }
}

impl<S: Socket> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.socket).poll_read(cx, buffer);
        }
        let length = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..length]);
        self.first.advance(length);
        if self.first.is_empty() {
            // Gives the memory back: a connection may live for hours.
            self.first = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Sleep, sleep};

    use super::*;
    use crate::server::drain::Drain;

    /// Has something left to send, of which the client takes a little every second.
    struct Trickle {
        unsent: usize,
        taken_a_second: usize,
        next: Pin<Box<Sleep>>,
    }

    impl AsyncRead for Trickle {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Trickle {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            while self.next.as_mut().poll(cx).is_ready() {
                self.unsent = self.unsent.saturating_sub(self.taken_a_second);
                let second = sleep(Duration::from_secs(1));
                self.next.set(second);
            }
            if self.unsent == 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Socket for Trickle {
        fn reset_on_close(&self) {}

        fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn unsent(&self) -> usize {
            self.unsent
        }

        fn refuse(self) {}
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_not_waited_for_byte_by_byte() {
        for (taken_a_second, seconds, is_sent) in [(1, 5, false), (200, 5, false), (400, 160, true)]
        {
            let next = Box::pin(sleep(Duration::from_secs(1)));
            let socket = Trickle { unsent: 64_000, taken_a_second, next };
            let mut stream = Stream::new(socket, Drain::new().watch());
            let begun = Instant::now();
            assert_eq!(stream.end().await.is_ok(), is_sent, "{taken_a_second}");
            assert_eq!(begun.elapsed().as_secs(), seconds, "{taken_a_second}");
        }
    }
}
