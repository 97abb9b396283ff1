//! What a gate knows of its connection, and the steps that neither read nor write: which bytes go
//! to hyper, as which message.

use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::ReadBuf;
use tokio::time::Sleep;

use crate::diagnostics::events;
use crate::server::activity::{Http1Activity, Note};
use crate::server::http1::answerer::Answerer;
use crate::server::http1::chunks::Chunks;
use crate::server::http1::head::{Framing, Head, Progress, Scan, Upgrade};
use crate::server::http1::options::Options;
use crate::server::io::{Socket, Stream};
use crate::server::pace::Stall;
use crate::server::rejection::Rejection;

/// What hyper gets instead of a request that is rejected, or was answered.
const HARMLESS: &[u8] = b"GET / HTTP/1.1\r\nhost:\r\n\r\n";

/// The stream of a connection, between the socket and hyper.
pub(in crate::server::http1) struct Gate<S: Socket> {
    pub(super) stream: Stream<S>,
    pub(super) activity: Arc<Http1Activity>,
    pub(super) options: Arc<Options>,
    pub(super) input: Input,
    /// What was read and not handed on.
    pub(super) pending: BytesMut,
    /// How much of `pending` passed, and is to be handed on.
    pub(super) passed: usize,
    /// The scan of the head at the beginning of `pending`, of which more has to come.
    pub(super) scan: Option<Box<Scan>>,
    /// What is handed on instead of what came.
    pub(super) instead: Option<(Vec<u8>, usize)>,
    /// How many heads hyper was given.
    pub(super) handed: u32,
    /// The last of them is one of HTTP/1.0, and nothing of its answer has come.
    pub(super) old: bool,
    /// The last of them has no body and leaves HTTP as it is.
    pub(super) plain: bool,
    /// Behind the body of the last of them may come bytes of another protocol.
    pub(super) undecided_behind: bool,
    /// More of the stream is here than the message that was handed on, as the activity was told.
    pub(super) ahead: bool,
    /// The client will send no more.
    pub(super) ended: bool,
    /// The same, as the system tells; what came before is not read yet.
    pub(super) hung_up: bool,
    /// Until when a client that sends no more is waited for. Only made if it has to be.
    pub(super) farewell: Option<Pin<Box<Sleep>>>,
    pub(super) headers_timer: Option<Pin<Box<Sleep>>>,
    /// What answers without hyper, while there is one to fall back on. A connection that waits has none.
    pub(super) answerer: Option<Box<Answerer>>,
    /// Answers that wait for company, or for the client.
    pub(super) held: BytesMut,
    /// What comes behind them: a body that waits for the client.
    pub(super) behind: Bytes,
    /// What did not come by hyper cannot be written: it is not out, and never will be.
    pub(super) failed: bool,
    pub(super) stall: Option<Box<Stall>>,
    /// How much the system took last.
    pub(super) last: usize,
    /// The system holds as much unsent as it likes: what it sends last is a file.
    pub(super) unbounded: bool,
}

#[derive(Debug)]
pub(super) enum Input {
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
    pub(in crate::server::http1) fn new(
        mut stream: Stream<S>,
        activity: Arc<Http1Activity>,
        options: Arc<Options>,
    ) -> Self {
        let pending = stream.take_first();
        if S::SENDS_FILES {
            activity.set_sends_files();
        }
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
            plain: false,
            undecided_behind: false,
            ahead: false,
            ended: false,
            hung_up: false,
            farewell: None,
            headers_timer: None,
            answerer: None,
            held: BytesMut::new(),
            behind: Bytes::new(),
            failed: false,
            stall: None,
            last: 0,
            unbounded: false,
        }
    }

    /// What answers without hyper, as long as there is one to fall back on.
    pub(in crate::server::http1) fn set_answerer(&mut self, answerer: Option<Answerer>) {
        self.answerer = answerer.map(Box::new);
    }

    pub(in crate::server::http1) fn stream(&mut self) -> &mut Stream<S> {
        &mut self.stream
    }

    /// Settles down to wait for a request, if there is nothing between two of them: no byte of
    /// one, none of an answer.
    pub(in crate::server::http1) fn settle(&mut self) -> bool {
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
            && self.is_released()
            && self.handed == self.activity.begun()
            && !self.activity.is_running()
            && !self.ended
    }

    /// Whether the client will send no more.
    pub(in crate::server::http1) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the client will send no more, and has no answer to wait for.
    pub(in crate::server::http1) fn is_over(&self) -> bool {
        self.ended || self.activity.ends() || matches!(self.input, Input::Closed)
    }

    /// Whether the client may still be sending: then its reading the answer needs the connection
    /// to be read to its end.
    pub(in crate::server::http1) fn is_unfinished(&self) -> bool {
        !self.ended
            && (self.activity.ends()
                || !matches!(self.input, Input::Head)
                || !self.pending.is_empty())
    }

    /// Whether a head has begun and is not complete.
    pub(in crate::server::http1) fn has_begun(&self) -> bool {
        self.scan.as_ref().is_some_and(|scan| scan.has_begun(&self.pending))
    }

    pub(super) fn set_ended(&mut self) {
        self.ended = true;
        events::received_end(&self.activity.id());
    }

    /// Whether all that hyper was given is answered.
    pub(super) fn is_answered(&self) -> bool {
        self.handed == self.activity.begun() && !self.activity.is_running()
    }

    /// Whether all that was to be written is.
    pub(super) fn is_released(&self) -> bool {
        self.held.is_empty() && self.behind.is_empty()
    }

    pub(super) fn has_passed(&self) -> bool {
        self.passed > 0 || self.instead.is_some()
    }

    /// Hands on what passed.
    pub(super) fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
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
        self.drop_passed(length);
    }

    /// So much of what passed needs no handing on.
    pub(super) fn drop_passed(&mut self, length: usize) {
        self.pending.advance(length);
        self.passed -= length;
        if self.pending.is_empty() {
            // Gives the memory back: a connection may live for hours.
            self.pending = BytesMut::new();
        }
    }

    fn count_handed(&mut self) {
        self.handed = self.handed.wrapping_add(1);
        self.activity.set_handed(self.handed);
    }

    /// A head passed; its bytes are the first of `pending`, or in hyper's buffer already.
    pub(super) fn accept(&mut self, head: &mut Head) {
        self.count_handed();
        if self.headers_timer.take().is_some() {
            self.activity.set_head_begun(false);
        }
        self.old = head.old;
        self.plain = !head.old
            && head.upgrade == Upgrade::No
            && head.rewritten.is_none()
            && matches!(head.framing, Framing::Length(0));
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
    pub(super) fn tell_ahead(&mut self) {
        let ahead = self.pending.len() > self.passed
            && matches!(self.input, Input::Head | Input::Undecided);
        if ahead != self.ahead {
            self.ahead = ahead;
            self.activity.set_ahead(ahead);
        }
    }

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.activity.note(Note::Rejected(rejection));
        self.count_handed();
        if self.headers_timer.take().is_some() {
            self.activity.set_head_begun(false);
        }
        self.passed = 0;
        self.old = false;
        self.plain = false;
        self.hand_on_harmless();
        self.input = Input::Closed;
    }

    /// Lets a head be handed on that hyper has nothing to say to. In the place of an answered GET it is one that it
    /// deals with alike.
    pub(super) fn hand_on_harmless(&mut self) {
        self.instead = Some((HARMLESS.to_vec(), 0));
    }

    /// Goes on with the head at the beginning of `pending`; whether there is something to hand on.
    pub(super) fn scan_pending(&mut self) -> bool {
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
}

impl Input {
    /// How many of `bytes` belong to the body, or `None` if it is broken.
    pub(super) fn body(&mut self, bytes: &[u8], activity: &Http1Activity) -> Option<usize> {
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
