//! The encoders: what is written comes out compressed.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use zstd::zstd_safe::CParameter;

use super::encoding::{Encoding, Level};

/// Whether there are any.
pub(crate) const ARE_THERE: bool = true;

/// How far brotli looks back, as a power of two: a megabyte, so that an answer on its way takes some, and no
/// more than that.
const BROTLI_WINDOW: u32 = 20;

/// The tables of zstd where the least is to be sent, as powers of two: it looks back as far as brotli. Those that
/// it takes by itself are of 50 MB, and to clear them takes longer than most answers do.
const ZSTD_TABLES: [CParameter; 3] =
    [CParameter::WindowLog(20), CParameter::HashLog(20), CParameter::ChainLog(20)];

/// An encoder of one answer.
pub(super) enum Encoder {
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(super) fn new(encoding: Encoding, level: Level) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Brotli => {
                let quality = level.of(1, 4, 11, 0);
                let encoder =
                    brotli::CompressorWriter::new(Vec::new(), 4096, quality, BROTLI_WINDOW);
                Self::Brotli(Box::new(encoder))
            }
            Encoding::Gzip => {
                let level = flate2::Compression::new(level.of(1, 6, 9, 0));
                Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), level))
            }
            Encoding::Zstd => {
                let mut encoder =
                    zstd::stream::write::Encoder::new(Vec::new(), level.of(1, 3, 12, 1))?;
                if level == Level::SmallestSize {
                    for table in ZSTD_TABLES {
                        encoder.set_parameter(table)?;
                    }
                }
                Self::Zstd(encoder)
            }
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Lets everything out that was written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Brotli(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    /// What has come out since it was asked last.
    pub(super) fn take(&mut self) -> Bytes {
        let out = match self {
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        };
        std::mem::take(out).into()
    }

    /// How much has come out.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Brotli(encoder) => encoder.get_ref().len(),
            Self::Gzip(encoder) => encoder.get_ref().len(),
            Self::Zstd(encoder) => encoder.get_ref().len(),
        }
    }

    /// Ends it, with all that is left.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        }
        .into())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Brotli(_) => "Brotli",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}
