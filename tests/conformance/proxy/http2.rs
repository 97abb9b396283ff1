//! One side of a connection of HTTP/2, as plain as it can be: what the cases say goes out as it is,
//! also where the standard forbids it, and what comes is told as events.

use std::io;
use std::time::Duration;

use fluke_hpack::Decoder;

use super::wire::{Came, Wire};
use crate::h2::frames::{self, Kind};
use crate::http1::{from_latin1, latin1};

/// The largest payload of a frame that nobody has allowed more for.
const LARGEST: usize = 16_384;

/// A name and a value.
pub(super) type Field = (String, String);

/// What the other side did on a stream, or to the connection.
#[derive(Debug)]
pub(super) enum Event {
    /// Fields, as lines: a head or trailers.
    Fields(u32, Vec<String>),
    Data(u32, Vec<u8>),
    /// It has said all that it has to say on the stream.
    End(u32),
    Reset(u32, u32),
    Goaway(u32),
}

/// A frame that came.
struct Frame<'a> {
    kind: Kind,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

impl Frame<'_> {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What came of listening.
#[derive(Debug)]
pub(super) enum Heard {
    Events(Vec<Event>),
    Nothing,
    End,
}

/// A connection.
pub(super) struct Http2 {
    wire: Wire,
    decoder: Decoder<'static>,
    /// What came and is no whole frame yet.
    buffer: Vec<u8>,
    /// The header block that has begun, and whether the stream ends with it.
    block: Option<(u32, bool, Vec<u8>)>,
    /// A server first hears this.
    preface: &'static [u8],
}

impl Http2 {
    /// The side of a client.
    pub(super) fn client(mut wire: Wire) -> io::Result<Self> {
        wire.send(&[frames::MAGIC, &frames::settings(0, &[])].concat())?;
        Ok(Self::new(wire, &[]))
    }

    /// The side of a server that has these settings.
    pub(super) fn server(mut wire: Wire, settings: &[(u16, u32)]) -> io::Result<Self> {
        wire.send(&frames::settings(0, settings))?;
        Ok(Self::new(wire, frames::MAGIC))
    }

    fn new(wire: Wire, preface: &'static [u8]) -> Self {
        Self { wire, decoder: Decoder::new(), buffer: Vec::new(), block: None, preface }
    }

    /// What the other side says next. What has to be answered by everybody is.
    pub(super) fn listen(&mut self, limit: Duration) -> io::Result<Heard> {
        match self.wire.read(limit) {
            Came::Bytes(bytes) => self.hear(&bytes).map(Heard::Events),
            Came::Nothing => Ok(Heard::Nothing),
            Came::End => Ok(Heard::End),
            Came::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    /// What these bytes complete.
    ///
    /// # Errors
    /// When they are no HTTP/2; then [`unheard`](Self::unheard) has them.
    fn hear(&mut self, bytes: &[u8]) -> io::Result<Vec<Event>> {
        self.buffer.extend_from_slice(bytes);
        let known = self.preface.len().min(self.buffer.len());
        if self.buffer[..known] != self.preface[..known] {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut events = Vec::new();
        if known < self.preface.len() {
            return Ok(events);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &buffer[std::mem::take(&mut self.preface).len()..];
        while rest.len() >= frames::HEAD {
            let length = (frames::number(rest, 0) >> 8) as usize;
            let Some(payload) = rest.get(frames::HEAD..frames::HEAD + length) else { break };
            let stream = frames::number(rest, 5) & 0x7fff_ffff;
            let frame = Frame { kind: Kind::of(rest[3]), flags: rest[4], stream, payload };
            self.take(&frame, &mut events)?;
            rest = &rest[frames::HEAD + length..];
        }
        self.buffer = rest.to_vec();
        Ok(events)
    }

    /// What came and was not HTTP/2.
    pub(super) fn unheard(&self) -> &[u8] {
        &self.buffer
    }

    fn take(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) -> io::Result<()> {
        let Frame { stream, payload, .. } = *frame;
        match frame.kind {
            Kind::Headers => {
                self.block = Some((stream, frame.has(frames::END_STREAM), payload.to_vec()));
                self.take_block(frame, events)?;
            }
            Kind::Continuation => {
                if let Some((_, _, block)) = &mut self.block {
                    block.extend_from_slice(payload);
                }
                self.take_block(frame, events)?;
            }
            Kind::Data => {
                if !payload.is_empty() {
                    let room = u32::try_from(payload.len()).map_err(io::Error::other)?;
                    let window = |stream| frames::window_update(stream, room);
                    self.answer(&[window(0), window(stream)].concat());
                    events.push(Event::Data(stream, payload.to_vec()));
                }
                if frame.has(frames::END_STREAM) {
                    events.push(Event::End(stream));
                }
            }
            Kind::RstStream => events.push(Event::Reset(stream, frames::number(payload, 0))),
            Kind::Goaway => events.push(Event::Goaway(frames::number(payload, 4))),
            Kind::Settings if !frame.has(frames::ACK) => {
                self.answer(&frames::settings_ack());
            }
            Kind::Ping if !frame.has(frames::ACK) => {
                self.answer(&frames::ping(frames::ACK, 0, payload));
            }
            Kind::Settings | Kind::Ping | Kind::WindowUpdate | Kind::Other => {}
        }
        Ok(())
    }

    /// Says what everybody has to. Who takes no more is heard to the end all the same.
    fn answer(&mut self, bytes: &[u8]) {
        let _ = self.wire.send(bytes);
    }

    /// Reads the header block, if this was the end of it.
    fn take_block(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) -> io::Result<()> {
        if !frame.has(frames::END_HEADERS) {
            return Ok(());
        }
        let Some((stream, end, block)) = self.block.take() else { return Ok(()) };
        let fields = self.decoder.decode(&block);
        let fields = fields.map_err(|error| io::Error::other(format!("{error:?}")))?;
        let line = |(name, value): &(Vec<u8>, Vec<u8>)| {
            format!("{}: {}", from_latin1(name), from_latin1(value))
        };
        events.push(Event::Fields(stream, fields.iter().map(line).collect()));
        if end {
            events.push(Event::End(stream));
        }
        Ok(())
    }

    /// Sends a head or trailers.
    pub(super) fn fields(&mut self, stream: u32, fields: &[Field], end: bool) -> io::Result<()> {
        let bytes = |(name, value): &Field| (latin1(name), latin1(value));
        let fields: Vec<_> = fields.iter().map(bytes).collect();
        let block = frames::block(&fields);
        self.wire.send(&frames::headers(frames::END_HEADERS | end_flag(end), stream, &block))
    }

    /// Sends data, which fits into the windows that everybody has at first.
    pub(super) fn data(&mut self, stream: u32, data: &[u8], end: bool) -> io::Result<()> {
        let mut parts = data.chunks(LARGEST).peekable();
        if parts.peek().is_none() {
            return self.wire.send(&frames::data(end_flag(end), stream, &[]));
        }
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            self.wire.send(&frames::data(end_flag(end && last), stream, part))?;
        }
        Ok(())
    }

    pub(super) fn reset(&mut self, stream: u32, code: u32) -> io::Result<()> {
        self.wire.send(&frames::rst_stream(stream, code))
    }

    pub(super) fn goaway(&mut self, last: u32, code: u32) -> io::Result<()> {
        self.wire.send(&frames::goaway(0, last, code))
    }
}

const fn end_flag(end: bool) -> u8 {
    if end { frames::END_STREAM } else { 0 }
}

/// Whether fields are trailers: a head has fields of HTTP/2's own.
pub(super) fn are_trailers(lines: &[String]) -> bool {
    !lines.iter().any(|line| line.starts_with(':'))
}
