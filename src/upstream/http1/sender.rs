//! The request on its way out: what is left of its head, and its body.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use tokio::time::{Sleep, sleep};

use super::connection::{Connection, MOST_PIECES};
use super::read_head::is_of_framing;
use super::write_head::{Body, put_chunk_size};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::outgoing::Content;

/// How much of a body is collected before it is written: frames of it go out with one system call.
const BATCH: usize = 64 * 1024;

/// How long a server may let a client wait that asked for leave to send its body. Then the body goes all
/// the same: not every server knows of it (RFC 9110 section 10.1.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// The request on its way out.
#[derive(Debug)]
pub(super) struct Sender {
    content: Option<Content>,
    framing: Body,
    /// How much of the length was not read yet.
    left: u64,
    pieces: VecDeque<Bytes>,
    /// Nothing of the body was read.
    untouched: bool,
    leave: Leave,
    state: State,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sending,
    /// All that is to be had of the body is out.
    WaitsForBody,
    Done,
    /// The server takes nothing more. It may have answered all the same.
    Failed,
}

/// Whether the body may be read.
#[derive(Debug)]
enum Leave {
    Given,
    Asked(Option<Pin<Box<Sleep>>>),
}

/// Why no more is sent.
pub(super) enum Stop {
    /// The body failed.
    Body(Failure),
    /// The server takes nothing more.
    Io(io::Error),
}

impl Sender {
    /// The head is in the connection's buffer already.
    pub(super) fn new(content: Option<Content>, framing: Body) -> Self {
        let expects = content.as_ref().is_some_and(|content| content.expects_continue);
        Self {
            content,
            framing,
            left: if let Body::Length(length) = framing { length } else { 0 },
            pieces: VecDeque::new(),
            untouched: true,
            leave: if expects { Leave::Asked(None) } else { Leave::Given },
            state: State::Sending,
        }
    }

    /// All of the request is out.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// All that is to be had of the body is out: it is the client that lets us wait.
    pub(super) fn waits_for_body(&self) -> bool {
        self.state == State::WaitsForBody
    }

    /// The server said that it wants the body.
    pub(super) fn give_leave(&mut self) {
        self.leave = Leave::Given;
    }

    /// The body, if nothing of it was read, or there is none.
    pub(super) fn into_untouched(self) -> Option<Option<Content>> {
        self.untouched.then_some(self.content)
    }

    /// Sends what there is of the request. Ready: all of it is out, or no more of it will be.
    pub(super) fn poll(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stop>> {
        if matches!(self.state, State::Done | State::Failed) {
            return Poll::Ready(Ok(()));
        }
        loop {
            let gathered = match self.pieces.is_empty() && self.content.is_some() {
                true => self.gather(connection, cx).map_err(Stop::Body)?,
                false => Poll::Ready(()),
            };
            self.state = State::Sending;
            if let Err(error) = ready!(connection.poll_write(cx, &mut self.pieces)) {
                self.state = State::Failed;
                self.pieces.clear();
                return Poll::Ready(Err(Stop::Io(error)));
            }
            if self.content.is_none() {
                self.state = State::Done;
                return Poll::Ready(Ok(()));
            }
            if gathered.is_pending() {
                self.state = State::WaitsForBody;
                return Poll::Pending;
            }
        }
    }

    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Leave::Asked(timer) = &mut self.leave {
            let timer = timer.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
            ready!(timer.as_mut().poll(cx));
            self.leave = Leave::Given;
        }
        Poll::Ready(())
    }

    /// Collects what there is of the body. Pending: there is no more for now.
    fn gather(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Failure> {
        if self.poll_leave(cx).is_pending() {
            return Ok(Poll::Pending);
        }
        let mut size = 0;
        let mut trailers = None;
        let mut gathered = Poll::Ready(());
        // Room is left for the ends of chunk and body.
        while size < BATCH && self.pieces.len() < MOST_PIECES - 3 {
            let Some(content) = &mut self.content else {
                break;
            };
            match Pin::new(&mut content.body).poll_frame(cx) {
                Poll::Pending => {
                    gathered = Poll::Pending;
                    break;
                }
                Poll::Ready(None) => self.content = None,
                Poll::Ready(Some(frame)) => {
                    self.untouched = false;
                    connection.activity.touch();
                    match frame.map_err(Failure::of_client)?.into_data() {
                        Ok(data) if data.is_empty() => {}
                        Ok(data) => {
                            self.count(data.len())?;
                            size += data.len();
                            self.pieces.push_back(data);
                        }
                        Err(frame) => trailers = frame.into_trailers().ok(),
                    }
                }
            }
        }
        self.frame(connection, size, trailers.as_ref())?;
        Ok(gathered)
    }

    /// Counts what was read towards the length that the head promised.
    fn count(&mut self, length: usize) -> Result<(), Failure> {
        if let Body::Length(_) = self.framing {
            self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
                let text = "the body of the request is longer than its Content-Length";
                Failure::new(FailureKind::ClientBody, text)
            })?;
        }
        Ok(())
    }

    /// Puts what says where chunk and body end around what was collected.
    fn frame(
        &mut self,
        connection: &mut Connection,
        size: usize,
        trailers: Option<&HeaderMap>,
    ) -> Result<(), Failure> {
        let ended = self.content.is_none();
        match self.framing {
            Body::Chunked => {}
            Body::Length(_) if ended && self.left > 0 => {
                let text = "the body of the request is shorter than its Content-Length";
                return Err(Failure::new(FailureKind::ClientBody, text));
            }
            Body::None | Body::Length(_) => return Ok(()),
        }
        if size > 0 {
            put_chunk_size(&mut connection.write, size);
        }
        let end: &'static [u8] = match (size > 0, ended && trailers.is_none()) {
            (true, false) => b"\r\n",
            (true, true) => b"\r\n0\r\n\r\n",
            (false, true) => b"0\r\n\r\n",
            (false, false) => b"",
        };
        if !end.is_empty() {
            self.pieces.push_back(Bytes::from_static(end));
        }
        if let Some(trailers) = trailers {
            self.pieces.push_back(end_with(trailers));
            // They are the last frame: what is behind it is the end, which has nothing to say.
            self.content = None;
        }
        Ok(())
    }
}

/// The last chunk, with trailers behind it.
fn end_with(trailers: &HeaderMap) -> Bytes {
    let mut out = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers {
        if !is_of_framing(name) {
            out.put_slice(name.as_str().as_bytes());
            out.put_slice(b": ");
            out.put_slice(value.as_bytes());
            out.put_slice(b"\r\n");
        }
    }
    out.put_slice(b"\r\n");
    out.freeze()
}
