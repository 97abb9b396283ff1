//! What stands for the encoders in a build without the feature `compression`: there are none, and the settings
//! refuse to ask for one.

use std::io;

use bytes::Bytes;

use super::encoding::{Encoding, Level};

/// Whether there are any.
pub(crate) const ARE_THERE: bool = false;

/// An encoder that nobody can make.
#[derive(Debug)]
pub(super) enum Encoder {}

impl Encoder {
    pub(super) fn new(_: Encoding, _: Level) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn write(&mut self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn take(&mut self) -> Bytes {
        match *self {}
    }

    pub(super) fn len(&self) -> usize {
        match *self {}
    }

    pub(super) fn finish(self) -> io::Result<Bytes> {
        match self {}
    }
}
