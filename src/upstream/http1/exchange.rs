//! A request and its answer, on one connection: whoever has it polls it.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;

use super::connection::{Connection, ROOM};
use super::pool::Pool;
use super::read_head::{Asked, Framing, Head, Malformed, Reader};
use super::sender::{Sender, Stop};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::outgoing::{Content, Interim};
use crate::upstream::upgraded::UpgradedStream;

/// More interim answers than this are no answer.
const MOST_INTERIM: u8 = 32;

/// A request and its answer, on one connection.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) connection: Box<Connection>,
    sender: Sender,
    reader: Reader,
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    pub(super) timeout: Duration,
    /// A byte of an answer came.
    heard: bool,
    interim: u8,
    keeps: bool,
    keeps_for: Option<u64>,
}

/// Where connections come from and go to.
#[derive(Debug)]
pub(in crate::upstream) struct Home {
    pub(in crate::upstream) pool: Arc<Pool>,
    /// That there may be this one.
    pub(in crate::upstream) permit: Option<OwnedSemaphorePermit>,
}

/// An exchange that failed before there was a head.
pub(in crate::upstream) struct Broken {
    pub(in crate::upstream) failure: Failure,
    /// What it can be tried again with: no byte of an answer came, and nothing of the body was read.
    pub(in crate::upstream) rest: Option<Rest>,
}

/// What a request can be tried again with.
pub(in crate::upstream) struct Rest {
    pub(in crate::upstream) content: Option<Content>,
    pub(in crate::upstream) permit: Option<OwnedSemaphorePermit>,
    /// Whether a byte of the request was taken by the system.
    pub(in crate::upstream) has_left: bool,
}

impl Exchange {
    /// The head of the request is in the connection's buffer.
    pub(super) fn new(
        connection: Box<Connection>,
        sender: Sender,
        home: Home,
        timeout: Duration,
    ) -> Self {
        Self {
            connection,
            sender,
            reader: Reader::default(),
            pool: home.pool,
            permit: home.permit,
            timeout,
            heard: false,
            interim: 0,
            keeps: false,
            keeps_for: None,
        }
    }

    /// Sends what there is of the request. Errors of the connection are left to whoever reads: an answer
    /// may be here already.
    ///
    /// # Errors
    ///
    /// The body of the request failed.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<Option<io::Error>, Failure> {
        match self.sender.poll(&mut self.connection, cx) {
            Poll::Ready(Err(Stop::Body(failure))) => Err(failure),
            Poll::Ready(Err(Stop::Io(error))) => Ok(Some(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(None),
        }
    }

    /// Sends the request, and waits for the head of its answer.
    pub(super) fn poll_head(
        &mut self,
        asked: Asked<'_>,
        may_upgrade: bool,
        interim: &mut Interim<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Head, Failure>> {
        let mut unsent = self.poll_send(cx)?;
        loop {
            let before = self.interim;
            if let Some(head) = self.take_head(asked, may_upgrade, interim)? {
                self.connection.activity.touch();
                if self.connection.read.is_empty() && head.framing != Framing::Length(0) {
                    self.connection.io.acknowledge();
                }
                (self.keeps, self.keeps_for) = (head.keeps, head.keeps_for);
                return Poll::Ready(Ok(head));
            }
            if self.interim > before && unsent.is_none() {
                // Leave may have been given.
                unsent = self.poll_send(cx)?;
            }
            match self.connection.poll_read(cx, ROOM) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.ended())),
                Poll::Ready(Ok(_)) => self.heard = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(broken(&error))),
                Poll::Pending => break,
            }
        }
        if !self.connection.read.is_empty() {
            // The rest of the head may wait for it.
            self.connection.io.acknowledge();
        }
        if let Some(error) = unsent {
            return Poll::Ready(Err(broken(&error)));
        }
        self.poll_quiet(cx).map(Err)
    }

    /// The head of the answer, if it is all here. Interim ones are told of.
    fn take_head(
        &mut self,
        asked: Asked<'_>,
        may_upgrade: bool,
        interim: &mut Interim<'_>,
    ) -> Result<Option<Head>, Failure> {
        loop {
            if self.connection.read.is_empty() {
                return Ok(None);
            }
            let head = self.reader.take(&mut self.connection.read, asked);
            let Some(head) = head.map_err(malformed)? else {
                return Ok(None);
            };
            match head.status {
                StatusCode::SWITCHING_PROTOCOLS if may_upgrade => return Ok(Some(head)),
                StatusCode::SWITCHING_PROTOCOLS => {
                    let text = "the server changes the protocol (101), which nobody asked for";
                    return Err(Failure::new(FailureKind::MalformedHead, text));
                }
                status if status.is_informational() => {
                    self.interim += 1;
                    if self.interim == MOST_INTERIM {
                        let text = "the server sends interim answers (1xx) and no other";
                        return Err(Failure::new(FailureKind::MalformedHead, text));
                    }
                    if status == StatusCode::CONTINUE {
                        self.sender.give_leave();
                    }
                    interim(status, head.fields);
                }
                _ => return Ok(Some(head)),
            }
        }
    }

    fn ended(&self) -> Failure {
        let text = match self.heard {
            true => "the server closed the connection in the middle of the answer's head",
            false => "the server closed the connection without an answer",
        };
        Failure::new(FailureKind::Ended, text)
    }

    /// Nothing happens; ready with the failure that this is after the activity timeout.
    pub(super) fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        self.connection.activity.poll_quiet(self.timeout, cx).map(|()| {
            let (kind, text) = match self.sender.waits_for_body() {
                true => (FailureKind::ClientTimedOut, "the client sent nothing of its body"),
                false => (FailureKind::TimedOut, "the server did nothing"),
            };
            let seconds = self.timeout.as_secs_f64();
            Failure::new(kind, format!("{text} for the activity timeout of {seconds} s"))
        })
    }

    /// What is left of a failed exchange.
    pub(super) fn into_broken(self, failure: Failure) -> Box<Broken> {
        let (permit, has_left) = (self.permit, self.connection.has_written);
        let content = if self.heard { None } else { self.sender.into_untouched() };
        let rest = content.map(|content| Rest { content, permit, has_left });
        Box::new(Broken { failure, rest })
    }

    /// All of the answer is here: the connection is free for another one, if both sides keep it.
    pub(super) fn finish(self) {
        if self.keeps && self.sender.is_done() && self.connection.read.is_empty() {
            self.pool.put(self.connection, self.keeps_for);
        }
        // Whoever waits for a permit finds the connection.
        drop(self.permit);
    }

    /// The answer's body, if all of it came with its head.
    pub(super) fn whole(&mut self, framing: Framing) -> Option<Bytes> {
        const EMPTY: &[u8] = b"0\r\n\r\n";
        let read = &mut self.connection.read;
        match framing {
            Framing::Length(0) => Some(Bytes::new()),
            Framing::Length(length) if read.len() as u64 >= length => {
                // As long as what is here, and so no more than fits.
                Some(read.split_to(usize::try_from(length).unwrap_or(read.len())).freeze())
            }
            Framing::Chunked if read[..] == *EMPTY => {
                read.clear();
                Some(Bytes::new())
            }
            _ => None,
        }
    }

    /// The connection speaks another protocol now.
    pub(super) fn into_upgraded(self) -> UpgradedStream {
        let Connection { io, read, .. } = *self.connection;
        UpgradedStream::of_http1(io, &read, self.permit)
    }
}

pub(super) fn broken(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Failure::new(FailureKind::Tls, format!("the secured connection broke: {error}"))
        }
        _ => Failure::new(FailureKind::Reset, format!("the connection broke: {error}")),
    }
}

fn malformed(malformed: Malformed) -> Failure {
    match malformed {
        Malformed::TooLarge => {
            let text = "the head of the answer is larger than 64 KiB";
            Failure::new(FailureKind::HeadTooLarge, text)
        }
        Malformed::Is(what) => {
            let text = format!("the head of the answer is malformed: {what}");
            Failure::new(FailureKind::MalformedHead, text)
        }
    }
}
