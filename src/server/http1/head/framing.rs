//! How a body is framed, as Content-Length and Transfer-Encoding say.

use std::ops::Range;

use super::characters::trimmed;
use crate::server::rejection::{Reason, Rejection};

/// How a body is framed (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length, which may be 0.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// What the Transfer-Encoding lines say so far.
#[derive(Clone, Debug)]
pub(super) struct Coding {
    /// The coding that was applied last.
    last: Range<usize>,
    chunked: bool,
    /// An earlier one that is not `chunked`, and one that is.
    other: Option<Range<usize>>,
    twice: bool,
}

impl Coding {
    pub(super) fn framing(&self, bytes: &[u8], http_11: bool) -> Result<Framing, Rejection> {
        if !http_11 {
            return Err(Reason::TransferCodingOnHttp10.into());
        }
        if !self.chunked || self.twice {
            return Err(Reason::FinalTransferCodingNotChunked.with(&bytes[self.last.clone()]));
        }
        match &self.other {
            Some(other) => Err(Reason::TransferCodingNotImplemented.with(&bytes[other.clone()])),
            None => Ok(Framing::Chunked),
        }
    }
}

/// The codings of one line, added to those of the lines before.
pub(super) fn transfer_encoding(bytes: &[u8], value: Range<usize>, coding: &mut Option<Coding>) {
    let mut start = value.start;
    for item in bytes[value.clone()].split(|byte| *byte == b',') {
        let range = trimmed(bytes, start..start + item.len());
        start += item.len() + 1;
        let chunked = bytes[range.clone()].eq_ignore_ascii_case(b"chunked");
        let before = coding.take();
        let twice = before.as_ref().is_some_and(|before| before.twice || chunked && before.chunked);
        let other = before.and_then(|before| match before.chunked {
            true => before.other,
            false => Some(before.last),
        });
        *coding = Some(Coding { last: range, chunked, other, twice });
    }
}

/// A length as Content-Length says it.
pub(super) fn content_length(value: &[u8]) -> Result<u64, Rejection> {
    let invalid = || Reason::InvalidContentLength.with(value);
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let text = std::str::from_utf8(value).map_err(|_| invalid())?;
    // More than .NET's Int64 holds is no length there, either.
    text.parse::<i64>().ok().and_then(|length| u64::try_from(length).ok()).ok_or_else(invalid)
}
