//! What stands for the decoders in a build without the feature `compression`: there are none, and the settings
//! refuse to ask for one.

use std::io;

use super::coding::Coding;

/// Whether there are any.
pub(crate) const ARE_THERE: bool = false;

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

/// A decoder that nobody can make.
#[derive(Debug)]
pub(super) enum Decoder {}

impl Decoder {
    pub(super) fn new(_: Coding) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn run(&mut self, _: &[u8], _: &mut [u8]) -> io::Result<Step> {
        match *self {}
    }
}

pub(super) fn damaged(_: &str) -> io::Error {
    io::ErrorKind::Unsupported.into()
}
