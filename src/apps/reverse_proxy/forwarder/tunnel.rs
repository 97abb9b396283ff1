//! What goes through once client and destination speak another protocol.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::destination::UnderWay;
use crate::diagnostics::{events, in_log};
use crate::upstream::UpgradedStream;

/// Two ends, and what is known of them.
pub(super) struct Tunnel {
    pub(super) client: OnUpgrade,
    pub(super) stream: UpgradedStream,
    /// How long nothing may come from either side.
    pub(super) idle: Duration,
    pub(super) under_way: UnderWay,
}

/// Lets through what comes, until both sides have ended, one has failed, or nothing came for too long. The
/// names are those of the route and of the destination.
pub(super) fn spawn(tunnel: Tunnel, names: (String, String)) {
    let Tunnel { client, mut stream, idle, under_way } = tunnel;
    // There may be thousands of them: no box of its own, and nothing in it twice, as what is moved is.
    tokio::spawn(in_log(async move {
        // A client that went away before the answer asked for nothing.
        let Ok(client) = client.await else { return };
        let mut ends = Ends {
            client: TokioIo::new(client),
            stream: &mut stream,
            there: Direction::default(),
            back: Direction::default(),
            last: Instant::now(),
        };
        match ends.run(idle).await {
            Ended::Well => {}
            Ended::Idle => events::tunnel_idle(&names.0, &names.1, idle.as_secs_f64()),
            Ended::Broken(error) => events::tunnel_broken(&names.0, &names.1, &error),
        }
        drop(under_way);
    }));
}

/// Why nothing goes through any more.
enum Ended {
    Well,
    Idle,
    Broken(io::Error),
}

struct Ends<'a, C> {
    client: C,
    stream: &'a mut UpgradedStream,
    there: Direction,
    back: Direction,
    /// When something came last.
    last: Instant,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Ends<'_, C> {
    async fn run(&mut self, idle: Duration) -> Ended {
        let mut timer = std::pin::pin!(sleep_until(self.last + idle));
        poll_fn(|cx| {
            let polled = self.poll(cx);
            if let Poll::Ready(ended) = polled {
                return Poll::Ready(match ended {
                    Ok(()) => Ended::Well,
                    Err(error) => Ended::Broken(error),
                });
            }
            // The timer is set anew only when it has gone off.
            while timer.as_mut().poll(cx).is_ready() {
                let due = self.last + idle;
                if due <= Instant::now() {
                    return Poll::Ready(Ended::Idle);
                }
                timer.as_mut().reset(due);
            }
            Poll::Pending
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let there = self.there.poll(cx, &mut self.client, self.stream)?;
        let back = self.back.poll(cx, self.stream, &mut self.client)?;
        if self.there.take_moved() | self.back.take_moved() {
            self.last = Instant::now();
        }
        match (there, back) {
            (Poll::Ready(()), Poll::Ready(())) => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }
}

/// One direction. It holds no more than what the other side did not take at once.
#[derive(Default)]
struct Direction {
    rest: Vec<u8>,
    written: usize,
    state: State,
    is_dirty: bool,
    moved: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// There is nothing more to be read.
    Ended,
    /// The other side knows.
    Closed,
}

/// How much is read at once.
const PIECE: usize = 32 * 1024;

thread_local! {
    /// What is read goes on at once, so that all tunnels of a thread do with one buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into());
}

impl Direction {
    fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Lets through what there is; ready once everything is.
    fn poll<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            if self.written < self.rest.len() {
                let polled = Pin::new(&mut *to).poll_write(cx, &self.rest[self.written..]);
                match ready!(polled)? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written += written,
                }
                self.moved = true;
                if self.written == self.rest.len() {
                    // An idle tunnel keeps nothing.
                    (self.rest, self.written) = (Vec::new(), 0);
                }
                continue;
            }
            match self.state {
                State::Closed => return Poll::Ready(Ok(())),
                State::Ended => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.state = State::Closed;
                }
                State::Open => match self.poll_piece(cx, from, to)? {
                    Poll::Ready(()) => {}
                    Poll::Pending => {
                        if self.is_dirty {
                            self.is_dirty = Pin::new(&mut *to).poll_flush(cx)?.is_pending();
                        }
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Reads a piece and writes it.
    fn poll_piece<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(from).poll_read(cx, &mut buffer))?;
            let read = buffer.filled();
            self.moved = true;
            if read.is_empty() {
                self.state = State::Ended;
                return Poll::Ready(Ok(()));
            }
            self.is_dirty = true;
            let written = match Pin::new(to).poll_write(cx, read)? {
                Poll::Ready(written) => written,
                Poll::Pending => 0,
            };
            self.rest.extend_from_slice(&read[written..]);
            Poll::Ready(Ok(()))
        })
    }
}
