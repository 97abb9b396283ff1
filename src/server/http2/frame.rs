//! The shape of frames (RFC 9113 sections 4.1, 6 and 7), without their contents.

use std::fmt;

pub(super) use crate::server::http2_code::Code;

/// What an HTTP/2 client sends before its first frame.
pub(super) const PREFACE_LENGTH: usize = 24;

/// The length of a frame's head.
pub(super) const HEAD_LENGTH: usize = 9;

/// The id that no stream has: a GOAWAY with it lets new streams come.
pub(super) const ANY_STREAM: u32 = 0x7fff_ffff;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// A type that no specification gives a meaning: such a frame is passed over.
pub(super) const IGNORED: u8 = 0xfb;

/// Of DATA and HEADERS.
pub(super) const END_STREAM: u8 = 0x1;
/// Of SETTINGS and PING.
pub(super) const ACK: u8 = 0x1;
/// Of HEADERS and CONTINUATION.
pub(super) const END_HEADERS: u8 = 0x4;
/// Of DATA and HEADERS.
pub(super) const PADDED: u8 = 0x8;
/// Of HEADERS.
pub(super) const HAS_PRIORITY: u8 = 0x20;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    /// The head that `bytes` begin with, if they are long enough.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[l0, l1, l2, kind, flags, s0, s1, s2, s3, ..] = bytes else {
            return None;
        };
        Some(Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind,
            flags,
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & ANY_STREAM,
        })
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD_LENGTH] {
        let [_, l0, l1, l2] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.to_be_bytes();
        [l0, l1, l2, self.kind, self.flags, s0, s1, s2, s3]
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The length of the whole frame.
    pub(super) fn total(self) -> usize {
        HEAD_LENGTH + self.length as usize
    }
}

/// A whole GOAWAY frame.
pub(super) fn goaway(last_stream: u32, code: Code) -> [u8; 17] {
    let mut frame = [0; 17];
    let head = Head { length: 8, kind: GOAWAY, flags: 0, stream: 0 };
    frame[..HEAD_LENGTH].copy_from_slice(&head.to_bytes());
    frame[9..13].copy_from_slice(&last_stream.to_be_bytes());
    frame[13..].copy_from_slice(&code.0.to_be_bytes());
    frame
}

/// A whole RST_STREAM frame.
pub(super) fn reset(stream: u32, code: Code) -> [u8; 13] {
    let mut frame = [0; 13];
    let head = Head { length: 4, kind: RST_STREAM, flags: 0, stream };
    frame[..HEAD_LENGTH].copy_from_slice(&head.to_bytes());
    frame[9..].copy_from_slice(&code.0.to_be_bytes());
    frame
}

/// The SETTINGS frame at the beginning of `bytes` as we send it, and how long it is as it is:
/// without a MAX_FRAME_SIZE that is the specification's (hyper always tells it, Kestrel only
/// another one), and with `max_list` as the longest list of fields.
pub(super) fn our_settings(bytes: &[u8], max_list: u32) -> Option<(Vec<u8>, usize)> {
    const MAX_FRAME_SIZE: &[u8] = &[0, 5, 0, 0, 0x40, 0];
    const MAX_HEADER_LIST_SIZE: &[u8] = &[0, 6];
    let head = Head::parse(bytes).filter(|head| head.kind == SETTINGS)?;
    let settings = bytes.get(HEAD_LENGTH..head.total())?;
    let mut kept = Vec::with_capacity(settings.len());
    for setting in settings.chunks(6).filter(|setting| *setting != MAX_FRAME_SIZE) {
        if setting.starts_with(MAX_HEADER_LIST_SIZE) {
            kept.extend_from_slice(MAX_HEADER_LIST_SIZE);
            kept.extend_from_slice(&max_list.to_be_bytes());
        } else {
            kept.extend_from_slice(setting);
        }
    }
    let length = u32::try_from(kept.len()).ok()?;
    let frame = [&Head { length, ..head }.to_bytes()[..], &kept].concat();
    Some((frame, head.total()))
}

/// The four bytes at `at` as a number.
pub(super) fn number(payload: &[u8], at: usize) -> u32 {
    let bytes = payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_be_bytes)
}

/// A frame's type, as log lines tell it.
pub(super) struct KindName(pub(super) u8);

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 10] = [
            "DATA",
            "HEADERS",
            "PRIORITY",
            "RST_STREAM",
            "SETTINGS",
            "PUSH_PROMISE",
            "PING",
            "GOAWAY",
            "WINDOW_UPDATE",
            "CONTINUATION",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

/// A frame's flags, as log lines tell them: by name where they have one.
pub(super) struct FlagNames(pub(super) Head);

impl fmt::Display for FlagNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: &[(u8, &str)] = match self.0.kind {
            DATA => &[(END_STREAM, "END_STREAM"), (PADDED, "PADDED")],
            HEADERS => &[
                (END_STREAM, "END_STREAM"),
                (END_HEADERS, "END_HEADERS"),
                (PADDED, "PADDED"),
                (HAS_PRIORITY, "PRIORITY"),
            ],
            SETTINGS | PING => &[(ACK, "ACK")],
            CONTINUATION => &[(END_HEADERS, "END_HEADERS")],
            _ => return write!(f, "0x{:x}", self.0.flags),
        };
        let mut separator = "";
        for (_, name) in names.iter().filter(|(flag, _)| self.0.has(*flag)) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("NONE") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head { length: 0x01_02_03, kind: 9, flags: 5, stream: 0x7f00_0001 };
        assert_eq!(Head::parse(&head.to_bytes()), Some(head));
        assert_eq!(Head::parse(&head.to_bytes()[..8]), None);
        // The reserved bit of the stream id means nothing.
        let mut bytes = head.to_bytes();
        bytes[5] |= 0x80;
        assert_eq!(Head::parse(&bytes), Some(head));
    }

    #[test]
    fn goaway_carries_the_last_stream_and_the_code() {
        let frame = goaway(ANY_STREAM, Code::ENHANCE_YOUR_CALM);
        assert_eq!(frame, [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0xb]);
    }

    #[test]
    fn the_usual_frame_size_is_not_told_and_the_longest_list_is_ours() {
        let settings =
            b"\0\0\x18\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x05\0\0\x40\0\0\x06\xff\xff\xff\xff\0\x08\0\0\0\x01";
        let ours =
            b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x06\0\0\x80\0\0\x08\0\0\0\x01".to_vec();
        assert_eq!(our_settings(settings, 32_768), Some((ours.clone(), settings.len())));
        assert_eq!(our_settings(&ours, 32_768), Some((ours.clone(), ours.len())));
        assert_eq!(our_settings(&settings[..20], 32_768), None);
    }

    #[test]
    fn flags_are_told_by_name() {
        for (kind, flags, told) in [
            (HEADERS, 0x25, "END_STREAM, END_HEADERS, PRIORITY"),
            (SETTINGS, 0, "NONE"),
            (WINDOW_UPDATE, 0, "0x0"),
        ] {
            let head = Head { length: 0, kind, flags, stream: 0 };
            assert_eq!(FlagNames(head).to_string(), told);
        }
        assert_eq!(KindName(DATA).to_string(), "DATA");
        assert_eq!(KindName(99).to_string(), "99");
    }
}
