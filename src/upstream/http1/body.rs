//! The body of an answer of HTTP/1.1, read as it is asked for.

use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Frame, SizeHint};

use super::connection::MOST_ROOM;
use super::exchange::{Exchange, broken};
use super::read_head::{Framing, Malformed, take_trailers};
use crate::server::{Chunks, Moment};
use crate::upstream::failure::{Failure, FailureKind};

/// The rest of an answer, and of its request if that is not all out yet. Dropped before its end, it closes
/// the connection.
#[derive(Debug)]
pub(in crate::upstream) struct Http1Body {
    exchange: Option<Exchange>,
    state: Reading,
    /// A frame was handed on: until the next one is asked for, it is the client's time that passes.
    handed_on: bool,
}

#[derive(Debug)]
pub(super) enum Reading {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    End,
}

impl Reading {
    pub(super) fn of(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            // Trailers are read elsewhere.
            Framing::Chunked => Self::Chunked(Chunks::new((0, 0))),
            Framing::UntilClose => Self::UntilClose,
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Failure>>>;

impl Http1Body {
    pub(super) fn new(exchange: Exchange, framing: Framing) -> Self {
        Self { exchange: Some(exchange), state: Reading::of(framing), handed_on: false }
    }

    pub(in crate::upstream) fn is_end_stream(&self) -> bool {
        self.exchange.is_none()
    }

    pub(in crate::upstream) fn size_hint(&self) -> SizeHint {
        match self.state {
            Reading::Length(length) => SizeHint::with_exact(length),
            Reading::End => SizeHint::with_exact(0),
            Reading::Chunked(_) | Reading::UntilClose => SizeHint::default(),
        }
    }

    pub(in crate::upstream) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled {
        let Some(exchange) = &mut self.exchange else {
            return Poll::Ready(None);
        };
        let polled = poll(exchange, &mut self.state, &mut self.handed_on, cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Err(_))) => {
                (self.exchange, self.state) = (None, Reading::End);
            }
            Poll::Ready(None | Some(Ok(_))) => {
                if matches!(self.state, Reading::End)
                    && let Some(exchange) = self.exchange.take()
                {
                    exchange.finish();
                }
            }
        }
        polled
    }
}

fn poll(
    exchange: &mut Exchange,
    state: &mut Reading,
    handed_on: &mut bool,
    cx: &mut Context<'_>,
) -> Polled {
    if std::mem::take(handed_on) {
        let activity = &mut exchange.connection.activity;
        if activity.last().until(Moment::now()) > exchange.timeout {
            return Poll::Ready(Some(Err(Failure::client_stalled(exchange.timeout))));
        }
        activity.touch();
    }
    // An error of the connection shows when it is read.
    if let Err(failure) = exchange.poll_send(cx) {
        return Poll::Ready(Some(Err(failure)));
    }
    loop {
        match next(&mut exchange.connection.read, state) {
            Ok(Some(frame)) => {
                exchange.connection.activity.touch();
                *handed_on = true;
                return Poll::Ready(Some(Ok(frame)));
            }
            Ok(None) if matches!(state, Reading::End) => return Poll::Ready(None),
            Ok(None) => {}
            Err(failure) => return Poll::Ready(Some(Err(failure))),
        }
        match exchange.connection.poll_read(cx, room(state)) {
            Poll::Pending => return exchange.poll_quiet(cx).map(|failure| Some(Err(failure))),
            Poll::Ready(Ok(0)) if matches!(state, Reading::UntilClose) => *state = Reading::End,
            Poll::Ready(Ok(0)) => {
                return failed(
                    FailureKind::BodyCutOff,
                    "the server closed the connection before the end of the answer's body",
                );
            }
            Poll::Ready(Ok(_)) => exchange.connection.activity.touch(),
            Poll::Ready(Err(error)) => {
                let failure = broken(&error);
                return failed(FailureKind::BodyCutOff, failure.to_string());
            }
        }
    }
}

fn failed(kind: FailureKind, text: impl Into<String>) -> Polled {
    Poll::Ready(Some(Err(Failure::new(kind, text))))
}

/// How much may come at once: what was not handed on yet is not read.
fn room(state: &Reading) -> usize {
    match state {
        Reading::Length(left) => {
            usize::try_from(*left).unwrap_or(MOST_ROOM).saturating_add(1).clamp(2048, MOST_ROOM)
        }
        _ => MOST_ROOM,
    }
}

/// The next frame of what came.
pub(super) fn next(
    read: &mut BytesMut,
    state: &mut Reading,
) -> Result<Option<Frame<Bytes>>, Failure> {
    match state {
        Reading::End => Ok(None),
        Reading::Length(0) => {
            *state = Reading::End;
            Ok(None)
        }
        _ if read.is_empty() => Ok(None),
        Reading::Length(left) => {
            let length = usize::try_from(*left).map_or(read.len(), |left| left.min(read.len()));
            *left -= length as u64;
            let data = read.split_to(length).freeze();
            if *left == 0 {
                *state = Reading::End;
            }
            Ok(Some(Frame::data(data)))
        }
        Reading::UntilClose => Ok(Some(Frame::data(read.split().freeze()))),
        Reading::Chunked(chunks) => {
            let (framing, data) = chunks.next_data(read).map_err(|_| {
                let text = "the chunks of the answer's body are malformed";
                Failure::new(FailureKind::MalformedBody, text)
            })?;
            read.advance(framing);
            if data > 0 {
                return Ok(Some(Frame::data(read.split_to(data).freeze())));
            }
            if !chunks.is_at_trailers() {
                return Ok(None);
            }
            let trailers = take_trailers(read).map_err(|malformed| {
                let what = match malformed {
                    Malformed::TooLarge => "they are larger than 64 KiB",
                    Malformed::Is(what) => what,
                };
                let text = format!("the trailers of the answer are malformed: {what}");
                Failure::new(FailureKind::MalformedBody, text)
            })?;
            Ok(trailers.and_then(|trailers| {
                *state = Reading::End;
                (!trailers.is_empty()).then(|| Frame::trailers(trailers))
            }))
        }
    }
}
