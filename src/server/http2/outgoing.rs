//! What we send, as it passes: where a frame ends, and what it says about streams.

use std::io::IoSlice;

use super::frame::{self, Code, HEAD_LENGTH, Head};

/// Follows the frames of our side. A copy of it looks ahead.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outgoing {
    head: [u8; HEAD_LENGTH],
    seen: usize,
    payload_left: usize,
    /// Between HEADERS and the last CONTINUATION nothing may come in between.
    in_block: bool,
}

impl Outgoing {
    /// Whether another frame may be put in here.
    pub(super) fn at_boundary(&self) -> bool {
        self.seen == 0 && self.payload_left == 0 && !self.in_block
    }

    /// Takes note of `bytes`, up to the first head for which `stop` says so; returns where that
    /// one ends. `stop` is also given what comes behind the head.
    pub(super) fn follow(
        &mut self,
        bytes: &[u8],
        mut stop: impl FnMut(Head, &[u8]) -> bool,
    ) -> Option<usize> {
        let mut at = 0;
        loop {
            let passed = self.payload_left.min(bytes.len() - at);
            self.payload_left -= passed;
            at += passed;
            let head = match Head::parse(&bytes[at..]) {
                // Mostly a whole one is there.
                Some(head) if self.seen == 0 => {
                    at += HEAD_LENGTH;
                    head
                }
                _ => {
                    let missing = (HEAD_LENGTH - self.seen).min(bytes.len() - at);
                    let come = &bytes[at..at + missing];
                    self.head[self.seen..self.seen + missing].copy_from_slice(come);
                    self.seen += missing;
                    at += missing;
                    if self.seen < HEAD_LENGTH {
                        return None;
                    }
                    Head::parse(&self.head)?
                }
            };
            if stop(head, &bytes[at..]) {
                return Some(at);
            }
            self.seen = 0;
            self.payload_left = head.length as usize;
            if matches!(head.kind, frame::HEADERS | frame::CONTINUATION) {
                self.in_block = !head.has(frame::END_HEADERS);
            }
        }
    }

    /// The GOAWAY in `slices`, and how many bytes come before it. hyper's library sends one when
    /// it gives up.
    pub(super) fn find_goaway(mut self, slices: &[IoSlice<'_>]) -> Option<(usize, Goaway)> {
        let mut before = 0;
        for slice in slices {
            if let Some(end) = self.follow(slice, |head, _| head.kind == frame::GOAWAY) {
                // Nothing of it was written before: whoever writes stops in front of it.
                let start = (before + end).saturating_sub(HEAD_LENGTH);
                let code = slices.iter().flat_map(|slice| slice.iter()).skip(start + 13).take(4);
                let code = code.fold(0, |code, byte| code << 8 | u32::from(*byte));
                return Some((start, Goaway { code: Code(code) }));
            }
            before += slice.len();
        }
        None
    }

    /// How many of `bytes` come before the next place where another frame may be put in.
    pub(super) fn until_boundary(mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        // Byte runs, not bytes: the rest of a frame, then whole heads.
        while !self.at_boundary() && at < bytes.len() {
            let run = match self.payload_left {
                0 => HEAD_LENGTH - self.seen,
                left => left,
            };
            let run = run.min(bytes.len() - at);
            self.follow(&bytes[at..at + run], |_, _| false);
            at += run;
        }
        at
    }
}

/// A GOAWAY that was found on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goaway {
    pub(super) code: Code,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::http2::frame::{ANY_STREAM, goaway};

    fn bytes(kind: u8, flags: u8, stream: u32, length: u32) -> Vec<u8> {
        let mut bytes = Head { length, kind, flags, stream }.to_bytes().to_vec();
        bytes.resize(bytes.len() + length as usize, 7);
        bytes
    }

    fn seen(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut outgoing = Outgoing::default();
        let mut kinds = Vec::new();
        for piece in pieces {
            let stopped = outgoing.follow(piece, |head, _| {
                kinds.push(head.kind);
                false
            });
            assert_eq!(stopped, None);
        }
        (kinds, outgoing.at_boundary())
    }

    #[test]
    fn frames_are_seen_however_they_are_cut() {
        let all = [
            bytes(frame::SETTINGS, 0, 0, 18),
            bytes(frame::HEADERS, frame::END_HEADERS, 1, 5),
            bytes(frame::DATA, frame::END_STREAM, 1, 30),
            bytes(frame::PING, frame::ACK, 0, 8),
        ]
        .concat();
        for at in 0..=all.len() {
            let (kinds, boundary) = seen(&[&all[..at], &all[at..]]);
            assert_eq!(kinds, [frame::SETTINGS, frame::HEADERS, frame::DATA, frame::PING]);
            assert!(boundary);
        }
        assert!(!seen(&[&all[..5]]).1);
        assert!(!seen(&[&all[..12]]).1);
    }

    #[test]
    fn nothing_may_come_between_headers_and_continuation() {
        let headers = bytes(frame::HEADERS, 0, 1, 5);
        let continuation = bytes(frame::CONTINUATION, frame::END_HEADERS, 1, 5);
        assert!(!seen(&[&headers]).1);
        assert!(seen(&[&headers, &continuation]).1);
        let rest = [&headers[3..], &continuation, &bytes(frame::DATA, 0, 1, 9)].concat();
        let mut outgoing = Outgoing::default();
        outgoing.follow(&headers[..3], |_, _| false);
        assert_eq!(outgoing.until_boundary(&rest), headers.len() - 3 + continuation.len());
        assert_eq!(outgoing.until_boundary(&rest[..4]), 4);
    }

    #[test]
    fn a_goaway_is_found_behind_other_frames() {
        let before = bytes(frame::DATA, 0, 1, 20);
        let away = goaway(ANY_STREAM, Code::FRAME_SIZE_ERROR);
        let ping = bytes(frame::PING, 0, 0, 8);
        let second = [&ping[..], &away].concat();
        let goaway = Goaway { code: Code::FRAME_SIZE_ERROR };
        for cut in 0..second.len() {
            let slices = [&before[..], &second[..cut], &second[cut..]].map(IoSlice::new);
            let found = Outgoing::default().find_goaway(&slices);
            assert_eq!(found, Some((before.len() + ping.len(), goaway)));
            assert_eq!(Outgoing::default().find_goaway(&slices[..1]), None);
        }
    }
}
