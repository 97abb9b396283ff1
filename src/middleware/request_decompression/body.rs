//! A body that is decompressed while it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::StatusCode;
use http_body::Frame;

use super::coding::Coding;
use super::decoder::{Decoder, damaged};
use crate::features::{BadRequest, RequestBodyLimits};

/// How much comes out at once.
const AT_ONCE: usize = 16 * 1024;

/// How many pieces come out in a row before others have their turn: a few bytes may become a thousand times
/// as many.
const IN_A_ROW: u32 = 16;

/// The body of a request, decompressed piece by piece as the app reads it. Nothing of it is kept: a body that
/// would be larger than the request's limit fails as soon as more has come out than that.
pub(super) struct Decoded {
    inner: Body,
    coding: Coding,
    /// Made when something comes.
    decoder: Option<Decoder>,
    limits: Option<RequestBodyLimits>,
    /// What has come and was not decompressed yet.
    rest: Bytes,
    /// Where it comes out.
    out: Vec<u8>,
    /// Whether more may come out of what was read already.
    more: bool,
    /// How much has come out.
    bytes: u64,
    in_a_row: u32,
    ended: bool,
}

impl Decoded {
    pub(super) fn new(inner: Body, coding: Coding, limits: Option<RequestBodyLimits>) -> Self {
        Self {
            inner,
            coding,
            decoder: None,
            limits,
            rest: Bytes::new(),
            out: Vec::new(),
            more: false,
            bytes: 0,
            in_a_row: 0,
            ended: false,
        }
    }

    /// Decompresses some of what is here. With what came out, if something did.
    fn step(&mut self) -> io::Result<Option<Bytes>> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(Decoder::new(self.coding)?),
        };
        self.out.resize(AT_ONCE, 0);
        let step = decoder.run(&self.rest, &mut self.out)?;
        let is_stuck = step.read == 0 && step.written == 0 && !self.rest.is_empty();
        if is_stuck {
            return Err(damaged(self.coding.name()));
        }
        self.rest.advance(step.read);
        self.more = step.written == self.out.len();
        self.bytes += step.written as u64;
        Ok((step.written > 0).then(|| Bytes::copy_from_slice(&self.out[..step.written])))
    }

    /// The limit, if more has come out than it allows. Then the server knows, too: whatever the app makes of
    /// the error, the answer says what is wrong.
    fn too_large(&self) -> Option<u64> {
        let limits = self.limits.as_ref()?;
        let max = limits.max_size().filter(|max| self.bytes > *max)?;
        limits.exceed();
        Some(max)
    }

    /// Ends it, and lets go of what the client goes on to send.
    fn end(&mut self) {
        self.ended = true;
        self.inner = Body::empty();
        (self.decoder, self.rest, self.out) = (None, Bytes::new(), Vec::new());
    }
}

impl http_body::Body for Decoded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        while !this.ended {
            if this.in_a_row == IN_A_ROW {
                this.in_a_row = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if this.rest.is_empty() && !this.more {
                let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
                    this.in_a_row = 0;
                    return Poll::Pending;
                };
                match frame.map(|frame| frame.map(Frame::into_data)) {
                    Some(Ok(Ok(data))) => this.rest = data,
                    Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                    Some(Err(error)) => {
                        this.end();
                        return Poll::Ready(Some(Err(error)));
                    }
                    // One that is cut short is short: whether all has come is the framing's to say.
                    None => this.end(),
                }
                continue;
            }
            this.in_a_row += 1;
            let out = this.step();
            let error = match (out, this.too_large()) {
                (Err(error), _) => axum::Error::new(error),
                (Ok(_), Some(max)) => axum::Error::new(too_large(max)),
                (Ok(Some(out)), None) => return Poll::Ready(Some(Ok(Frame::data(out)))),
                (Ok(None), None) => continue,
            };
            this.end();
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(None)
    }
}

fn too_large(max: u64) -> BadRequest {
    let text =
        format!("The decompressed request body is larger than the request body size limit {max}.");
    BadRequest::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}
