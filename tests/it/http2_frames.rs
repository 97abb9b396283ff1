//! A client that speaks HTTP/2 by hand, frame by frame (RFC 9113).

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::support::{Wire, soon};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A SETTINGS frame without a setting.
pub(crate) const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// The flag of an acknowledgement in SETTINGS and PING, and of the end of a stream elsewhere.
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
/// The flag of a HEADERS frame that also says what it depends on.
pub(crate) const DEPENDS: u8 = 0x20;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const STREAM_CLOSED: u32 = 5;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const COMPRESSION_ERROR: u32 = 9;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 0xb;

/// The stream that a GOAWAY names which names none.
pub(crate) const ANY_STREAM: u32 = 0x7fff_ffff;

/// HPACK: the whole field `:status: 200`, by its place in the static table.
const STATUS_200: u8 = 0x88;

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The error of a GOAWAY frame.
    pub(crate) fn error_code(&self) -> u32 {
        assert_eq!(self.kind, GOAWAY, "{self:?}");
        self.number(4)
    }

    /// Four bytes of the payload.
    pub(crate) fn number(&self, at: usize) -> u32 {
        let number = self.payload[at..at + 4].try_into().expect("four bytes");
        u32::from_be_bytes(number)
    }
}

/// A frame as bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The head of a `GET`: GET and http from the static table; authority and path by their names
/// there, in plain letters, not to be indexed.
pub(crate) fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(1, "test"), (4, path)] {
        block.extend([name, u8::try_from(value.len()).expect("a short text")]);
        block.extend(value.bytes());
    }
    block
}

/// The literal field `name: value`, not to be indexed.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        field.push(u8::try_from(text.len()).expect("a short text"));
        field.extend(text.bytes());
    }
    field
}

/// A client on whatever carries bytes.
pub(crate) struct Http2<S = TcpStream>(pub(crate) Wire<S>);

impl Http2 {
    /// Connects with prior knowledge.
    pub(crate) async fn connect(announced: &str) -> Self {
        Self::over(Wire::connect(announced).await).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http2<S> {
    /// Begins to speak HTTP/2.
    pub(crate) async fn over(mut wire: Wire<S>) -> Self {
        wire.send(PREFACE).await;
        wire.send(EMPTY_SETTINGS).await;
        Self(wire)
    }

    /// The next frame, or the end of the connection.
    pub(crate) async fn next_or_end(&mut self) -> Option<Frame> {
        match self.0.at_end().await {
            true => None,
            false => Some(self.next().await),
        }
    }

    /// Sends a whole `GET`.
    pub(crate) async fn request(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &get(path)).await;
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.send(frame(kind, flags, stream, payload)).await;
    }

    /// Sends as much as is taken: the server may have ended the connection before.
    pub(crate) async fn send_until_closed(&mut self, frames: &[u8]) {
        self.0.send_until_closed(frames).await;
    }

    /// Waits until the server has seen everything that was sent before.
    pub(crate) async fn seen(&mut self) {
        self.send(PING, 0, 0, b"are you?").await;
        loop {
            let frame = self.next().await;
            if frame.kind == PING && frame.flags & ACK != 0 {
                return;
            }
        }
    }

    /// The next GOAWAY: the last stream and the error.
    pub(crate) async fn goaway(&mut self) -> (u32, u32) {
        let frame = self.next_of_kind(GOAWAY).await;
        (frame.number(0), frame.number(4))
    }

    /// The next frame; what wants to be acknowledged is.
    pub(crate) async fn next(&mut self) -> Frame {
        let head = self.0.take(9).await;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let length = usize::try_from(number(&head[..3])).expect("24 bits");
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: number(&head[5..]),
            payload: self.0.take(length).await,
        };
        if matches!(frame.kind, SETTINGS | PING) && frame.flags & ACK == 0 {
            let echo: &[u8] = if frame.kind == PING { &frame.payload } else { &[] };
            // The server may be gone already.
            self.send_until_closed(&self::frame(frame.kind, ACK, 0, echo)).await;
        }
        frame
    }

    pub(crate) async fn next_of_kind(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await;
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The body of the answer on `stream`, which is a 200.
    pub(crate) async fn body_of(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        let mut answered = false;
        loop {
            let frame = self.next().await;
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                HEADERS => {
                    assert_eq!(frame.payload.first(), Some(&STATUS_200), "{frame:?}");
                    answered = true;
                }
                DATA => body.extend(&frame.payload),
                _ => panic!("{frame:?} after {body:?}"),
            }
            if frame.flags & END_STREAM != 0 {
                assert!(answered, "a body without a head: {body:?}");
                return body;
            }
        }
    }

    /// Reads frames until the server closes the connection.
    pub(crate) async fn until_closed(mut self) {
        // PINGs on the way want their answers, or the server waits for them.
        while !self.0.at_end().await {
            soon("a frame", self.next()).await;
        }
    }
}
