//! The framing of a body in chunks (RFC 9112 section 7.1), followed but not taken off: hyper does.
//!
//! It finds where the body ends, counts what counts towards its limit, and refuses what another
//! reader might frame differently: signs, blanks, more than eight digits, bare line ends.

use crate::server::rejection::Reason;

/// The framing of a body is broken.
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "a client takes framing off"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Where in a chunked body the bytes are.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    state: State,
    /// What may still come in trailers: bytes and lines.
    left: (usize, usize),
    /// What came and counts towards the limit of the body: everything but trailers.
    counted: u64,
    /// What came of extensions in all chunks.
    extensions: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size {
        size: u64,
        digits: u8,
    },
    SizeEnd {
        size: u64,
    },
    Extension {
        size: u64,
    },
    ExtensionEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// At the beginning of a trailer line, or of the empty one.
    Trailer {
        any: bool,
    },
    /// In the name of a trailer, so many bytes from its beginning.
    TrailerName {
        length: u16,
    },
    /// In its value.
    TrailerValue(Utf8),
    TrailerLf,
    LastLf {
        any: bool,
    },
    Done,
}

/// The most a chunk may hold. .NET reads sizes of 31 bits.
const LARGEST: u64 = 0x7FFF_FFFF;
/// More digits could overflow a reader that counts in 32 bits.
const MOST_DIGITS: u8 = 8;
/// The most bytes of extensions in one body (RFC 9112 section 7.1.1); hyper takes no more.
const MOST_EXTENSIONS: usize = 16 * 1024 - 1;

impl Chunks {
    /// At the beginning of a body whose head leaves `left` bytes and lines for trailers.
    pub(crate) fn new(left: (usize, usize)) -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, left, counted: 0, extensions: 0 }
    }

    /// Whether the body is complete.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many of the bytes so far count towards the limit of the body: framing, but no trailers.
    pub(crate) fn counted(&self) -> u64 {
        self.counted
    }

    /// Goes over `bytes` and tells how many of them belong to the body.
    ///
    /// # Errors
    ///
    /// The framing is broken; none of the bytes may be handed on.
    pub(in crate::server) fn advance(&mut self, bytes: &[u8]) -> Result<usize, Reason> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Data { left } = self.state {
                let rest = bytes.len() - at;
                let here = usize::try_from(left).map_or(rest, |left| left.min(rest));
                at += here;
                self.counted += here as u64;
                let left = left - here as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                continue;
            }
            self.state = self.step(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    /// Goes over `bytes` up to the first that are data, or to the trailers, or to their end: how many of them
    /// are framing, and how many of those behind it are data of one chunk. For whoever takes the framing off.
    ///
    /// # Errors
    ///
    /// The framing is broken.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "a client takes framing off"))]
    pub(crate) fn next_data(&mut self, bytes: &[u8]) -> Result<(usize, usize), Broken> {
        let mut at = 0;
        while at < bytes.len() && !self.is_at_trailers() {
            if let State::Data { left } = self.state {
                let rest = bytes.len() - at;
                let here = usize::try_from(left).map_or(rest, |left| left.min(rest));
                let data = self.advance(&bytes[at..at + here]).map_err(|_| Broken)?;
                return Ok((at, data));
            }
            self.state = self.step(bytes[at]).map_err(|_| Broken)?;
            at += 1;
        }
        Ok((at, 0))
    }

    /// Whether the last chunk was read, and what is next are trailers or the empty line.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "a client takes framing off"))]
    pub(crate) fn is_at_trailers(&self) -> bool {
        self.state == State::Trailer { any: false }
    }

    fn step(&mut self, byte: u8) -> Result<State, Reason> {
        let in_trailers = matches!(
            self.state,
            State::Trailer { any: true }
                | State::TrailerName { .. }
                | State::TrailerValue(_)
                | State::TrailerLf
                | State::LastLf { any: true }
        );
        if !in_trailers {
            self.counted += 1;
        }
        Ok(match (self.state, byte) {
            (State::Size { size, digits }, _)
                if byte.is_ascii_hexdigit() && digits < MOST_DIGITS =>
            {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                State::Size { size: size << 4 | digit, digits: digits + 1 }
            }
            (State::Size { digits: 0, .. }, _) => return Err(Reason::BadChunkSizeData),
            (State::Size { size, .. }, _) if size > LARGEST => return Err(Reason::ChunkTooLarge),
            (State::Size { size, .. }, b'\r') => State::SizeEnd { size },
            (State::Size { size, .. }, b';') => State::Extension { size },
            (State::SizeEnd { size } | State::ExtensionEnd { size }, b'\n') => match size {
                0 => State::Trailer { any: false },
                left => State::Data { left },
            },
            (State::Size { .. } | State::SizeEnd { .. }, _) => {
                return Err(Reason::BadChunkSizeData);
            }
            (State::Extension { size }, b'\r') => State::ExtensionEnd { size },
            // A reader that takes one of them for the end of the line would read another body.
            (State::Extension { .. }, 0..=0x08 | 0x0A..=0x1F | 0x7F)
            | (State::ExtensionEnd { .. }, _) => return Err(Reason::BadChunkExtension),
            (State::Extension { size }, _) => {
                if self.extensions == MOST_EXTENSIONS {
                    return Err(Reason::ChunkExtensionsTooLarge);
                }
                self.extensions += 1;
                State::Extension { size }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size { size: 0, digits: 0 },
            (State::DataCr | State::DataLf, _) => return Err(Reason::BadChunkSuffix),
            (
                State::Trailer { .. }
                | State::TrailerName { .. }
                | State::TrailerValue(_)
                | State::TrailerLf
                | State::LastLf { .. },
                _,
            ) => self.trailer(byte)?,
            // `advance` handles the one and stops at the other.
            (state @ (State::Data { .. } | State::Done), _) => state,
        })
    }

    /// The same behind the last chunk.
    fn trailer(&mut self, byte: u8) -> Result<State, Reason> {
        Ok(match (self.state, byte) {
            (State::Trailer { any }, b'\r') => State::LastLf { any },
            (State::Trailer { any }, _) => {
                if !any {
                    // The line is no framing after all.
                    self.counted -= 1;
                }
                self.left.1 = self.left.1.checked_sub(1).ok_or(Reason::TooManyHeaders)?;
                self.trailer_byte(byte)?;
                name(byte, 0)?
            }
            (State::TrailerName { length }, _) => {
                self.trailer_byte(byte)?;
                name(byte, length)?
            }
            (State::TrailerValue(text), b'\r') => {
                text.end()?;
                self.trailer_byte(byte)?;
                State::TrailerLf
            }
            (State::TrailerValue(_), 0..=0x08 | 0x0A..=0x1F | 0x7F) => {
                return Err(Reason::InvalidRequestHeader);
            }
            (State::TrailerValue(text), _) => {
                let text = text.next(byte)?;
                self.trailer_byte(byte)?;
                State::TrailerValue(text)
            }
            (State::TrailerLf, b'\n') => {
                self.trailer_byte(byte)?;
                State::Trailer { any: true }
            }
            (State::TrailerLf, _) => return Err(Reason::InvalidRequestHeader),
            (State::LastLf { .. }, b'\n') => State::Done,
            (State::LastLf { .. }, _) => return Err(Reason::InvalidRequestHeadersNoCrLf),
            // `step` handles the others.
            (state, _) => state,
        })
    }

    fn trailer_byte(&mut self, _byte: u8) -> Result<(), Reason> {
        self.left.0 = self.left.0.checked_sub(1).ok_or(Reason::HeadersExceedMaxTotalSize)?;
        Ok(())
    }
}

/// The state behind a byte of a trailer's name, of which `length` bytes came before.
fn name(byte: u8, length: u16) -> Result<State, Reason> {
    match byte {
        b':' if length > 0 => Ok(State::TrailerValue(Utf8::default())),
        _ if super::head::is_token(byte) => match length.checked_add(1) {
            Some(length) => Ok(State::TrailerName { length }),
            None => Err(Reason::HeadersExceedMaxTotalSize),
        },
        0 | 0x80.. => Err(Reason::InvalidCharactersInHeaderName),
        _ => Err(Reason::InvalidRequestHeader),
    }
}

/// Where in a character of UTF-8 a text is that comes byte by byte (RFC 3629 section 4): a trailer's
/// value is held to what a header's is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Utf8 {
    /// How many bytes the character lacks.
    lacks: u8,
    /// Between these is the next of them.
    least: u8,
    most: u8,
}

impl Utf8 {
    fn next(self, byte: u8) -> Result<Self, Reason> {
        let (lacks, least, most) = match (self.lacks, byte) {
            (0, 0..=0x7F) => (0, 0, 0),
            (0, 0xC2..=0xDF) => (1, 0x80, 0xBF),
            (0, 0xE0) => (2, 0xA0, 0xBF),
            (0, 0xED) => (2, 0x80, 0x9F),
            (0, 0xE1..=0xEF) => (2, 0x80, 0xBF),
            (0, 0xF0) => (3, 0x90, 0xBF),
            (0, 0xF1..=0xF3) => (3, 0x80, 0xBF),
            (0, 0xF4) => (3, 0x80, 0x8F),
            (1.., _) if (self.least..=self.most).contains(&byte) => (self.lacks - 1, 0x80, 0xBF),
            _ => return Err(Reason::MalformedRequestInvalidHeaders),
        };
        Ok(Self { lacks, least, most })
    }

    /// The text ends here.
    fn end(self) -> Result<(), Reason> {
        match self.lacks {
            0 => Ok(()),
            _ => Err(Reason::MalformedRequestInvalidHeaders),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(body: &[u8], left: (usize, usize), step: usize) -> Result<(usize, bool, u64), Reason> {
        let mut chunks = Chunks::new(left);
        let mut taken = 0;
        for piece in body.chunks(step) {
            taken += chunks.advance(piece)?;
        }
        Ok((taken, chunks.is_done(), chunks.counted()))
    }

    #[test]
    fn bodies_end_where_they_end() {
        const ROOM: (usize, usize) = (100, 10);
        for (body, left, expected) in [
            ("5\r\nHello\r\n6\r\n World\r\n0\r\n\r\n", ROOM, Ok((26, true, 26))),
            ("5\r\nHello\r\n0\r\n\r\nGET /", ROOM, Ok((15, true, 15))),
            ("5;a=b\r\nHello\r\n0;c\r\n\r\n", ROOM, Ok((21, true, 21))),
            ("00000005\r\nHello\r\n000\r\n\r\n", ROOM, Ok((24, true, 24))),
            ("1\r\na\r\n0\r\nX-T: v\r\n\r\n", ROOM, Ok((19, true, 9))),
            ("1\r\na\r\n0\r\nX-T: v\r\n", ROOM, Ok((17, false, 9))),
            ("7fffffff\r\nabc", ROOM, Ok((13, false, 13))),
            ("5", ROOM, Ok((1, false, 1))),
            ("80000000\r\n", ROOM, Err(Reason::ChunkTooLarge)),
            ("000000005\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("gg\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("Cii\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("0x5\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("-1\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            (" 5\r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("5 \r\n", ROOM, Err(Reason::BadChunkSizeData)),
            ("5\nHello", ROOM, Err(Reason::BadChunkSizeData)),
            ("5\rHello", ROOM, Err(Reason::BadChunkSizeData)),
            ("2;\nxx\r\n", ROOM, Err(Reason::BadChunkExtension)),
            ("2;\rxx\r\n", ROOM, Err(Reason::BadChunkExtension)),
            ("2;a\0\r\nxx\r\n", ROOM, Err(Reason::BadChunkExtension)),
            ("2;a\x1b\r\nxx\r\n", ROOM, Err(Reason::BadChunkExtension)),
            ("2;a=\"\x7f\"\r\nxx\r\n", ROOM, Err(Reason::BadChunkExtension)),
            ("2;\ta = \"\u{e5}\"\r\nxx\r\n0\r\n\r\n", ROOM, Ok((22, true, 22))),
            ("1\r\nab", ROOM, Err(Reason::BadChunkSuffix)),
            ("1\r\na\n0\r\n", ROOM, Err(Reason::BadChunkSuffix)),
            ("0\r\nbad\r\n\r\n", ROOM, Err(Reason::InvalidRequestHeader)),
            ("0\r\n: v\r\n\r\n", ROOM, Err(Reason::InvalidRequestHeader)),
            ("0\r\nX-T: v\n\n", ROOM, Err(Reason::InvalidRequestHeader)),
            ("0\r\n\n", ROOM, Err(Reason::InvalidRequestHeader)),
            ("0\r\n\rX", ROOM, Err(Reason::InvalidRequestHeadersNoCrLf)),
            ("0\r\nX: v\r\n\r\n", (100, 0), Err(Reason::TooManyHeaders)),
            ("0\r\nX: v\r\n\r\n", (6, 1), Ok((11, true, 3))),
            ("0\r\nX: v\r\n\r\n", (5, 1), Err(Reason::HeadersExceedMaxTotalSize)),
        ] {
            for step in [1, 2, 3, 1000] {
                assert_eq!(judge(body.as_bytes(), left, step), expected, "{body:?} by {step}");
            }
        }
    }

    #[test]
    fn the_value_of_a_trailer_is_text() {
        let all = (0..=u8::MAX).flat_map(|one| (0..=u8::MAX).map(move |two| vec![one, two]));
        let longer = [
            "\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}".as_bytes(),
            b"\xe0\x9f\xbf",
            b"\xed\xa0\x80",
            b"\xf0\x8f\xbf\xbf",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\xe2\x82",
            b"\xf0\x90\x80",
        ];
        for text in all.chain(longer.map(<[u8]>::to_vec)) {
            let mut state = Ok(Utf8::default());
            for byte in &text {
                state = state.and_then(|state| state.next(*byte));
            }
            let is_text = state.and_then(Utf8::end).is_ok();
            assert_eq!(is_text, std::str::from_utf8(&text).is_ok(), "{}", text.escape_ascii());
        }
        let body = b"0\r\nX: \xe5\r\n\r\n";
        assert_eq!(judge(body, (100, 1), 1), Err(Reason::MalformedRequestInvalidHeaders));
    }

    #[test]
    fn extensions_of_all_chunks_together_have_a_limit() {
        let extension = "a".repeat(MOST_EXTENSIONS - 5);
        for (last, expected) in [
            ("0;bbbbb\r\n\r\n", Ok(true)),
            ("0;bbbbbb\r\n\r\n", Err(Reason::ChunkExtensionsTooLarge)),
            ("0;bbbbbb", Err(Reason::ChunkExtensionsTooLarge)),
        ] {
            let body = format!("1;{extension}\r\nx\r\n{last}");
            for step in [1, 1000, usize::MAX] {
                let judged = judge(body.as_bytes(), (100, 10), step).map(|(_, done, _)| done);
                assert_eq!(judged, expected, "{last:?} by {step}");
            }
        }
    }

    #[test]
    fn the_name_of_a_trailer_is_no_longer_than_a_name_can_be() {
        for (length, expected) in
            [(65_535, Ok(true)), (65_536, Err(Reason::HeadersExceedMaxTotalSize))]
        {
            let body = format!("0\r\n{}: v\r\n\r\n", "x".repeat(length));
            let judged = judge(body.as_bytes(), (100_000, 1), 1000).map(|(_, done, _)| done);
            assert_eq!(judged, expected, "{length}");
        }
    }
}
