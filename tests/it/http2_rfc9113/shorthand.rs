//! Short names for the frames that most rows are made of.

use crate::http2_frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, field, frame, get,
};

/// A head that is complete, and all of its request.
pub(super) const WHOLE: u8 = END_HEADERS | END_STREAM;

pub(super) fn headers(flags: u8, stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags, stream, block)
}

/// A whole `GET`.
pub(super) fn request(stream: u32) -> Vec<u8> {
    headers(WHOLE, stream, &get("/"))
}

/// The head of a `POST` with these fields besides.
pub(super) fn post(fields: &[u8]) -> Vec<u8> {
    headers(END_HEADERS, 1, &[&[0x83][..], &get("/")[1..], fields].concat())
}

/// A whole `GET` with something behind its ordinary fields.
pub(super) fn with(fields: &[u8]) -> Vec<u8> {
    headers(WHOLE, 1, &[&get("/")[..], fields].concat())
}

pub(super) fn data(flags: u8, stream: u32, text: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, text)
}

pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

pub(super) fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

pub(super) fn setting(id: u8, value: u32) -> Vec<u8> {
    [&[0, id][..], &value.to_be_bytes()].concat()
}

pub(super) fn settings(payload: &[u8]) -> Vec<u8> {
    frame(SETTINGS, 0, 0, payload)
}

/// What a stream depends on, and its weight.
pub(super) fn priority(on: u32, weight: u8) -> Vec<u8> {
    [&on.to_be_bytes()[..], &[weight]].concat()
}

pub(super) const EXCLUSIVELY: u32 = 1 << 31;

pub(super) fn continuation(flags: u8, stream: u32) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, &field("x-more", "y"))
}

/// A frame of a type that nobody knows.
pub(super) fn unknown() -> Vec<u8> {
    frame(0x16, 0, 0, &[0; 8])
}

pub(super) const INITIAL_WINDOW_SIZE: u8 = 4;
