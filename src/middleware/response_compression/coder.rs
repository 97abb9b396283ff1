//! One answer's encoder, from the first piece to the end.

use std::io;

use bytes::Bytes;

use super::encoder::Encoder;
use super::encoding::{Encoding, Level};
use super::workers::{Place, place};

/// How much may come out before it is sent.
const ENOUGH: usize = 16 * 1024;

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    /// Takes this in, and lets out what has come of it if that is enough to be sent.
    Write(Bytes),
    /// Lets out what was taken in.
    Flush,
    /// The same, and the end.
    Finish,
}

/// One answer's encoder, which is made when the first piece comes.
#[derive(Debug)]
pub(super) struct Coder {
    encoder: Option<Encoder>,
    encoding: Encoding,
    level: Level,
    /// Of one that takes long.
    place: Option<Place>,
}

impl Coder {
    /// For one that takes long there may be no place: then less time is taken for a bit more to send.
    pub(super) fn new(encoding: Encoding, level: Level) -> Self {
        let place = if encoding.takes_long(level) { place() } else { None };
        let level = match encoding.takes_long(level) && place.is_none() {
            true => Level::Optimal,
            false => level,
        };
        Self { encoder: None, encoding, level, place }
    }

    /// Whether its steps hold up whoever waits for them.
    pub(super) fn takes_long(&self) -> bool {
        self.place.is_some()
    }

    /// Does a step; what comes out of it.
    pub(super) fn take(&mut self, step: Step) -> io::Result<Bytes> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(self.encoding, self.level)?,
        };
        let out = match step {
            Step::Write(piece) => {
                encoder.write(&piece)?;
                if encoder.len() >= ENOUGH { encoder.take() } else { Bytes::new() }
            }
            Step::Flush => {
                encoder.flush()?;
                encoder.take()
            }
            Step::Finish => return encoder.finish(),
        };
        self.encoder = Some(encoder);
        Ok(out)
    }
}
