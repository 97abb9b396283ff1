//! A connection of HTTP/1.1: the socket, and what came and what is to go.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::server::Moment;
use crate::upstream::activity::Activity;
use crate::upstream::stream::Io;

/// How much more than nothing a read has room for.
pub(super) const ROOM: usize = 16 * 1024;

/// The most that is read at once. (Blocks of 64 KiB that come and go at the top of the heap make glibc
/// give memory back to the system and take it again: answers of a megabyte cost twice as much.)
pub(super) const MOST_ROOM: usize = 256 * 1024;

/// The least that a block of a thread has.
const BLOCK_SIZE: usize = 64 * 1024;

/// A buffer that grew larger than this is not kept with an idle connection.
const MOST_KEPT: usize = 16 * 1024;

/// How many pieces are written at once.
pub(super) const MOST_PIECES: usize = 16;

thread_local! {
    /// What every read of this thread reads into; what a read filled is split off without a copy. An idle
    /// connection thereby has no buffer, and the memory is warm: what was handed on and is gone before the
    /// next read gives it back, so that a thread with short answers uses one block for all connections.
    static BLOCK: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// A connection of HTTP/1.1.
#[derive(Debug)]
pub(in crate::upstream) struct Connection {
    pub(super) io: Io,
    /// What came and was not used yet: nothing, when it is idle.
    pub(super) read: BytesMut,
    /// What is to go before the pieces of a body.
    pub(super) write: Vec<u8>,
    /// How much of that is gone.
    written: usize,
    pub(super) activity: Activity,
    /// The system took a byte since a request began.
    pub(super) has_written: bool,
    /// The name that its certificate was judged by.
    pub(super) name: Option<Arc<str>>,
    /// The address that it leads to.
    address: Option<SocketAddr>,
    /// Until when it is kept if nobody uses it.
    pub(super) until: Moment,
}

impl Connection {
    pub(in crate::upstream) fn new(io: Io, name: Option<Arc<str>>) -> Box<Self> {
        let address = io.peer();
        Box::new(Self {
            address,
            io,
            read: BytesMut::new(),
            write: Vec::new(),
            written: 0,
            activity: Activity::new(),
            has_written: false,
            name,
            until: Moment::now(),
        })
    }

    /// Whether it carried a request before.
    pub(in crate::upstream) fn was_used(&self) -> bool {
        self.has_written
    }

    /// Whether it leads to one of these addresses, or to none at all.
    pub(super) fn is_listed(&self, listed: &[SocketAddr]) -> bool {
        self.address.is_none_or(|address| listed.contains(&address))
    }

    /// Whether it can carry another request: it has neither ended nor sent anything out of turn.
    pub(super) fn is_fit(&mut self) -> bool {
        self.read.is_empty() && self.io.is_quiet()
    }

    /// Gives back what an idle connection does not need. An empty slice would hold its block.
    pub(super) fn rest(&mut self) {
        self.read = BytesMut::new();
        self.written = 0;
        match self.write.capacity() > MOST_KEPT {
            true => self.write = Vec::new(),
            false => self.write.clear(),
        }
    }

    /// Reads what is there; 0 is the end. The room is always more than what is expected: a read that fills
    /// its buffer to the brim leaves the runtime believing that more is there, which costs a system call.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        if !self.read.is_empty() {
            self.read.reserve(room);
            return pin!(self.io.read_buf(&mut self.read)).poll(cx);
        }
        BLOCK.with_borrow_mut(|block| {
            // Mostly all that was read before is gone: then this is its place, which is warm.
            if !block.try_reclaim(room.max(BLOCK_SIZE)) && block.capacity() < room {
                block.reserve(room.max(BLOCK_SIZE));
            }
            let length = ready!(pin!(self.io.read_buf(block)).poll(cx))?;
            self.read = block.split();
            Poll::Ready(Ok(length))
        })
    }

    /// Writes what is to go, then the pieces, as far as the system takes it: how much it took. Nothing is
    /// left if it is ready; then what was written is on its way.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.write.len() || !pieces.is_empty() {
            let before = &self.write[self.written..];
            let io = Pin::new(&mut self.io);
            let written = match pieces.is_empty() {
                true => ready!(io.poll_write(cx, before))?,
                false => ready!(poll_write_all(io, cx, before, pieces))?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.has_written = true;
            self.activity.touch();
            let of_before = written.min(before.len());
            self.written += of_before;
            advance(pieces, written - of_before);
        }
        self.write.clear();
        self.written = 0;
        // TLS may have something that the system did not take.
        Pin::new(&mut self.io).poll_flush(cx)
    }
}

/// Writes what stands before pieces, and the pieces, with one system call: how much of it.
fn poll_write_all(
    io: Pin<&mut Io>,
    cx: &mut Context<'_>,
    before: &[u8],
    pieces: &VecDeque<Bytes>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); MOST_PIECES];
    let all = [before].into_iter().chain(pieces.iter().map(|piece| &piece[..]));
    let mut count = 0;
    for (slot, bytes) in slices.iter_mut().zip(all.filter(|bytes| !bytes.is_empty())) {
        *slot = IoSlice::new(bytes);
        count += 1;
    }
    match &slices[..count] {
        [only] => io.poll_write(cx, only),
        several => io.poll_write_vectored(cx, several),
    }
}

/// Takes what was written off the pieces.
fn advance(pieces: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(piece) = pieces.front_mut() {
        let length = written.min(piece.len());
        piece.advance(length);
        written -= length;
        if !piece.is_empty() {
            break;
        }
        pieces.pop_front();
    }
}
