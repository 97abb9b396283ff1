//! The decoders: what is read comes out as it was before it was compressed, as much at once as is asked for.

use std::fmt;
use std::io;

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{self, DParameter, InBuffer, Operation as _, OutBuffer};

use super::coding::Coding;

/// Whether there are any.
pub(crate) const ARE_THERE: bool = true;

/// How far gzip and zlib look back at most, as a power of two: all that their formats have.
const WINDOW: u8 = 15;

/// How far zstd may look back, as a power of two: what every client may count on (RFC 9659), and so what a
/// request takes of memory at most.
const ZSTD_WINDOW: u32 = 23;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How much was read.
    pub(super) read: usize,
    /// How much came out.
    pub(super) written: usize,
}

/// A decoder of one body. What stands behind its end is passed over, unless it is one more piece of the same
/// coding: such pieces are one body (RFC 1952 section 2.2, RFC 8878 section 3).
pub(super) struct Decoder {
    codec: Codec,
    at: At,
}

enum Codec {
    Brotli(Box<Brotli>),
    Deflate(Decompress),
    Gzip(Decompress),
    Zstd(raw::Decoder<'static>),
}

enum At {
    /// Inside of a piece.
    Inside,
    /// Behind a piece, with so many bytes that may be the beginning of one more.
    Behind(Beginning),
    /// At the end of all.
    End,
}

/// The first bytes of what may be a piece.
#[derive(Default)]
struct Beginning {
    bytes: [u8; 4],
    len: usize,
}

impl Decoder {
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        let codec = match coding {
            Coding::Brotli => {
                let of_bytes = StandardAlloc::default();
                let (of_numbers, of_codes) = (StandardAlloc::default(), StandardAlloc::default());
                // Strict: windows of more than 16 MiB are of no web's.
                Codec::Brotli(Box::new(BrotliState::new_strict(of_bytes, of_numbers, of_codes)))
            }
            Coding::Deflate => Codec::Deflate(Decompress::new_with_window_bits(true, WINDOW)),
            Coding::Gzip => Codec::Gzip(Decompress::new_gzip(WINDOW)),
            Coding::Zstd => Codec::Zstd(zstd_decoder()?),
        };
        Ok(Self { codec, at: At::Inside })
    }

    /// Reads some of the input, and writes what comes of it, as much as there is room for.
    ///
    /// # Errors
    ///
    /// The input is nothing of this coding.
    pub(super) fn run(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        match &mut self.at {
            At::End => Ok(Step { read: input.len(), written: 0 }),
            At::Inside => {
                let (step, ended) = self.codec.run(input, output)?;
                if ended {
                    self.at = match self.codec {
                        Codec::Gzip(_) | Codec::Zstd(_) => At::Behind(Beginning::default()),
                        Codec::Brotli(_) | Codec::Deflate(_) => At::End,
                    };
                }
                Ok(step)
            }
            At::Behind(beginning) => {
                let Some(byte) = input.first() else { return Ok(Step { read: 0, written: 0 }) };
                match self.codec.begins(beginning, *byte) {
                    Begins::NotYet => {}
                    Begins::No => self.at = At::End,
                    Begins::With(bytes, len) => {
                        self.codec.begin_again()?;
                        self.at = At::Inside;
                        // Nothing comes of a beginning.
                        self.codec.run(&bytes[..len], output)?;
                    }
                }
                Ok(Step { read: 1, written: 0 })
            }
        }
    }
}

/// Whether one more piece begins.
enum Begins {
    NotYet,
    No,
    /// With these bytes.
    With([u8; 4], usize),
}

impl Codec {
    /// One step, and whether the piece ends with it.
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<(Step, bool)> {
        match self {
            Self::Brotli(state) => brotli(state, input, output),
            Self::Deflate(state) | Self::Gzip(state) => inflate(state, input, output),
            Self::Zstd(state) => {
                let (mut read, mut written) = (InBuffer::around(input), OutBuffer::around(output));
                let expected = state.run(&mut read, &mut written)?;
                let step = Step { read: read.pos(), written: written.pos() };
                Ok((step, expected == 0 && step != Step { read: 0, written: 0 }))
            }
        }
    }

    /// Whether one more piece begins with what is known of it and one byte.
    fn begins(&self, known: &mut Beginning, byte: u8) -> Begins {
        let expected: &[u8] = match self {
            Self::Gzip(_) => &[0x1f, 0x8b],
            Self::Zstd(_) if known.len == 0 && byte & 0xf0 == 0x50 => &[byte],
            // What is passed over: user data of any kind.
            Self::Zstd(_) if known.bytes[0] & 0xf0 == 0x50 => &[known.bytes[0], 0x2a, 0x4d, 0x18],
            Self::Zstd(_) => &[0x28, 0xb5, 0x2f, 0xfd],
            Self::Brotli(_) | Self::Deflate(_) => return Begins::No,
        };
        if expected.get(known.len) != Some(&byte) {
            return Begins::No;
        }
        known.bytes[known.len] = byte;
        known.len += 1;
        let whole = if matches!(self, Self::Gzip(_)) { 2 } else { 4 };
        match known.len < whole {
            true => Begins::NotYet,
            false => Begins::With(known.bytes, whole),
        }
    }

    fn begin_again(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(state) => *state = Decompress::new_gzip(WINDOW),
            Self::Zstd(state) => *state = zstd_decoder()?,
            Self::Brotli(_) | Self::Deflate(_) => {}
        }
        Ok(())
    }
}

fn zstd_decoder() -> io::Result<raw::Decoder<'static>> {
    let mut decoder = raw::Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW))?;
    Ok(decoder)
}

fn brotli(state: &mut Brotli, input: &[u8], output: &mut [u8]) -> io::Result<(Step, bool)> {
    let (mut left, mut read) = (input.len(), 0);
    let (mut room, mut written) = (output.len(), 0);
    let result = BrotliDecompressStream(
        &mut left,
        &mut read,
        input,
        &mut room,
        &mut written,
        output,
        &mut 0,
        state,
    );
    let ended = match result {
        BrotliResult::ResultFailure => return Err(damaged("br")),
        BrotliResult::ResultSuccess => true,
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => false,
    };
    Ok((Step { read, written }, ended))
}

fn inflate(state: &mut Decompress, input: &[u8], output: &mut [u8]) -> io::Result<(Step, bool)> {
    let before = (state.total_in(), state.total_out());
    let status = state.decompress(input, output, FlushDecompress::None);
    let status = status.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let since = |now: u64, then: u64| usize::try_from(now - then).unwrap_or_default();
    let step = Step {
        read: since(state.total_in(), before.0),
        written: since(state.total_out(), before.1),
    };
    Ok((step, status == Status::StreamEnd))
}

/// A body that is nothing of the coding it claims to have.
pub(super) fn damaged(coding: &str) -> io::Error {
    let text = format!("The body of the request is no {coding}, or is damaged.");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.codec {
            Codec::Brotli(_) => "Brotli",
            Codec::Deflate(_) => "Deflate",
            Codec::Gzip(_) => "Gzip",
            Codec::Zstd(_) => "Zstd",
        })
    }
}
