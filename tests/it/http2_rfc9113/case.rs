//! A row of the table: what is sent, and how a server has to react; and how it is played.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::http2_frames::{
    ACK, COMPRESSION_ERROR, DATA, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS, Http2,
    NO_ERROR, PING, PROTOCOL_ERROR, RST_STREAM, SETTINGS, STREAM_CLOSED, frame,
};
use crate::support::Wire;

/// How long a server may take to react.
const PATIENCE: Duration = Duration::from_secs(60);

/// A row of the table.
pub(super) struct Case {
    section: &'static str,
    what: &'static str,
    steps: Vec<Step>,
    reaction: Reaction,
}

pub(super) enum Step {
    Send(Vec<u8>),
    /// Waits until the server has seen all of that.
    Seen,
    /// Waits until the answer on this stream has ended.
    Ended(u32),
    /// Waits for so much of a body.
    Takes(usize),
}

#[derive(Debug)]
pub(super) enum Reaction {
    /// The request on this stream is answered.
    Answer(u32),
    /// The connection goes on.
    GoesOn,
    /// It goes on, or ends without an error.
    GoesOnOrEnds,
    /// The next DATA frame is so long.
    Data(u32),
    /// SETTINGS are acknowledged.
    Acknowledged,
    /// The stream is reset with one of these errors and the connection goes on; or it ends with
    /// one of them (section 5.4.2).
    Stream(u32, &'static [u32]),
    /// The connection ends with one of these errors.
    Connection(&'static [u32]),
    /// The connection ends.
    Closed,
}

pub(super) use Reaction::{
    Acknowledged, Answer, Closed, Connection, Data, GoesOn, GoesOnOrEnds, Stream as Reset,
};

pub(super) const PROTOCOL: &[u32] = &[PROTOCOL_ERROR];
pub(super) const CLOSED: &[u32] = &[STREAM_CLOSED];
pub(super) const CLOSED_OR_PROTOCOL: &[u32] = &[STREAM_CLOSED, PROTOCOL_ERROR];
pub(super) const SIZE: &[u32] = &[FRAME_SIZE_ERROR];
pub(super) const FLOW: &[u32] = &[FLOW_CONTROL_ERROR];
pub(super) const COMPRESSION: &[u32] = &[COMPRESSION_ERROR];

pub(super) fn case(
    section: &'static str,
    what: &'static str,
    sent: &[Vec<u8>],
    reaction: Reaction,
) -> Case {
    Case { section, what, steps: vec![Step::Send(sent.concat())], reaction }
}

pub(super) fn stepwise(
    section: &'static str,
    what: &'static str,
    steps: impl Into<Vec<Step>>,
    reaction: Reaction,
) -> Case {
    Case { section, what, steps: steps.into(), reaction }
}

/// How bytes are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pieces {
    One,
    Bytes,
}

impl Case {
    /// Plays the case on a connection that has not begun.
    pub(super) async fn play<S>(self, wire: Wire<S>, pieces: Pieces) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let what = format!("{}, {} ({pieces:?})", self.section, self.what);
        let played = timeout(PATIENCE, async {
            let mut http2 = Http2::over(wire).await;
            for step in &self.steps {
                step.take(&mut http2, pieces).await;
            }
            self.reaction.is_seen(&mut http2).await
        });
        match played.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(seen)) => Err(format!("{what}: {:?}, but {seen}", self.reaction)),
            Err(_) => Err(format!("{what}: {:?}, but nothing", self.reaction)),
        }
    }
}

impl Step {
    async fn take<S: AsyncRead + AsyncWrite + Unpin>(&self, http2: &mut Http2<S>, pieces: Pieces) {
        match (self, pieces) {
            (Self::Send(bytes), Pieces::One) => http2.send_until_closed(bytes).await,
            (Self::Send(bytes), Pieces::Bytes) => {
                for byte in bytes.chunks(1 + bytes.len() / 100) {
                    http2.send_until_closed(byte).await;
                    tokio::task::yield_now().await;
                }
            }
            (Self::Seen, _) => http2.seen().await,
            (Self::Ended(stream), _) => drop(http2.body_of(*stream).await),
            (Self::Takes(length), _) => {
                let mut taken = 0;
                while taken < *length {
                    taken += http2.next_of_kind(DATA).await.payload.len();
                }
            }
        }
    }
}

impl Reaction {
    async fn is_seen<S>(&self, http2: &mut Http2<S>) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if matches!(self, GoesOn | GoesOnOrEnds) {
            http2.send_until_closed(&frame(PING, 0, 0, b"are you?")).await;
        }
        let mut goaway = None;
        loop {
            let Some(frame) = http2.next_or_end().await else {
                return match (self, goaway) {
                    (Closed, _) | (GoesOnOrEnds, None | Some(NO_ERROR)) => Ok(()),
                    (Connection(codes) | Reset(_, codes), Some(code)) if codes.contains(&code) => {
                        Ok(())
                    }
                    (_, code) => Err(format!("the end, with {code:?}")),
                };
            };
            match (self, frame.kind) {
                (_, GOAWAY) => goaway = Some(frame.error_code()),
                (Answer(stream), HEADERS) if frame.stream == *stream => return Ok(()),
                (Acknowledged, SETTINGS) if frame.flags & ACK != 0 => return Ok(()),
                (GoesOn | GoesOnOrEnds, PING) if frame.payload == b"are you?" => return Ok(()),
                (Data(length), DATA) if frame.payload.len() == *length as usize => return Ok(()),
                (Data(_), DATA) => return Err(format!("{frame:?}")),
                (Reset(stream, codes), RST_STREAM) if frame.stream == *stream => {
                    if !codes.contains(&frame.number(0)) {
                        return Err(format!("{frame:?}"));
                    }
                    http2.seen().await;
                    return Ok(());
                }
                (Answer(_) | Data(_) | Connection(_), RST_STREAM) => {
                    return Err(format!("{frame:?}"));
                }
                _ => {}
            }
        }
    }
}
