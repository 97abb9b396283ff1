//! What the client sends, as it passes: a function of the bytes, however they are cut.
//!
//! Whole frames pass as they are. Held back are frames that are not complete and have to be looked
//! at as a whole (heads of frames, header blocks, small control frames), which costs nothing while
//! they come in one piece. Rewritten are the few that hyper's library would misread:
//!
//! - a header block in several frames is put together, so that the library never waits for the
//!   rest of one, and its own bound of five frames ends no honest connection;
//! - a malformed field inside a block is replaced, and what is too much is left out (see
//!   [`super::block`]), as it is the request that is wrong, not the connection;
//! - acknowledgements of nothing are made frames without a meaning.

use bytes::{BufMut, BytesMut};

use super::block::{self, Blocks, Kind};
use super::bucket::Bucket;
use super::ending::{Ending, Flood};
use super::frame::{
    self, ACK, Code, END_HEADERS, END_STREAM, HEAD_LENGTH, Head, IGNORED, PADDED, PREFACE_LENGTH,
};
use super::frame_rules::{check_length, check_place, check_settings, check_whole, error, fragment};
use super::streams::{State, Streams};
use super::table::Fault;

/// How many frames without a request or a body a client may send in [`WINDOW`](super::bucket::WINDOW). Kestrel was
/// recorded to answer 2,000 PINGs in one go; libraries that measure the bandwidth send one per
/// round trip, but next to bodies, which earn [`CREDIT`].
const CONTROL_FRAMES: u32 = 4_000;

/// What a frame that does carry something earns.
const CREDIT: u32 = 16;

/// How many requests a client may reset before they are answered in [`WINDOW`](super::bucket::WINDOW); one more for each
/// that is answered. Kestrel was recorded to serve 2,000 at a pace when they were answered.
const RESETS: u32 = 1_000;

/// How many CONTINUATION frames one header block may have. Kestrel was recorded to take 200, all
/// of them empty.
const CONTINUATIONS: u32 = 1_000;

/// How many malformed blocks are remembered until their streams are reset.
const FAULTS: usize = 64;

/// What is to be done with the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes pass as they are.
    Pass(usize),
    /// So many bytes are gone; what goes on in their place, if anything, is in the output.
    Replace(usize),
    /// What is there cannot be judged before more is.
    More,
}

/// What the client's frames are measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_frame_size: usize,
    /// Of a header block, compressed. Up to there one that is too long is read to its end, so that
    /// the connection can go on; beyond, the connection ends.
    pub(super) max_block_size: usize,
    /// What we have told the client of our table for compressed fields.
    pub(super) table_size: usize,
    /// Of the fields.
    pub(super) fields: block::Bounds,
}

#[derive(Debug)]
pub(super) struct Incoming {
    bounds: Bounds,
    preface_left: usize,
    /// Of the frame that is passing.
    payload_left: usize,
    block: Option<Block>,
    blocks: Blocks,
    /// The streams with a malformed block that are not reset yet, oldest first.
    faults: Vec<(u32, Fault)>,
    controls: Bucket,
    resets: Bucket,
    /// Acknowledgements that we wait for.
    settings_sent: u32,
    pings_sent: u32,
    /// The client has sent a PING since this was last asked.
    pinged: bool,
    /// What the library's PROTOCOL_ERROR means: it has one code where RFC 9113 has several.
    /// Whatever else it would refuse has not passed.
    doubt: Code,
}

/// A header block that is not complete.
#[derive(Debug)]
struct Block {
    /// The head of its HEADERS frame.
    head: Head,
    fragment: BytesMut,
    frames: u32,
}

impl Incoming {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            preface_left: PREFACE_LENGTH,
            payload_left: 0,
            block: None,
            blocks: Blocks::new(bounds.fields, bounds.table_size),
            faults: Vec::new(),
            controls: Bucket::new(CONTROL_FRAMES),
            resets: Bucket::new(RESETS),
            settings_sent: 0,
            pings_sent: 0,
            pinged: false,
            doubt: Code::COMPRESSION_ERROR,
        }
    }

    /// The stream whose header block is not complete; `rest` is what was held back.
    pub(super) fn in_block(&self, rest: &[u8]) -> Option<u32> {
        match &self.block {
            Some(block) => Some(block.head.stream),
            None => {
                Head::parse(rest).filter(|head| head.kind == frame::HEADERS).map(|head| head.stream)
            }
        }
    }

    /// We have sent this frame.
    pub(super) fn sent(&mut self, head: Head, streams: &mut Streams) {
        match head.kind {
            frame::DATA | frame::HEADERS => {
                self.controls.credit(CREDIT);
                let end = head.has(END_STREAM);
                let ended = match head.kind {
                    frame::DATA => streams.sent_data(head.stream, head.length, end),
                    _ => streams.sent_head(head.stream, end),
                };
                if ended {
                    self.resets.credit(1);
                }
            }
            frame::RST_STREAM => streams.reset_by_us(head.stream),
            frame::SETTINGS if !head.has(ACK) => self.settings_sent += 1,
            frame::PING if !head.has(ACK) => self.pings_sent += 1,
            _ => {}
        }
    }

    /// Whether the client has sent a PING since this was last asked.
    pub(super) fn take_pinged(&mut self) -> bool {
        std::mem::take(&mut self.pinged)
    }

    /// What was wrong with a header block of the stream, which is being reset.
    pub(super) fn take_fault(&mut self, stream: u32) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, _)| *of == stream)?;
        Some(self.faults.remove(at).1)
    }

    /// Whether what was passed so far ends with a whole frame.
    pub(super) fn at_boundary(&self) -> bool {
        self.preface_left == 0 && self.payload_left == 0
    }

    /// Whether the library's PROTOCOL_ERROR is one, or what it is instead.
    pub(super) fn precise(&self, code: Code) -> Code {
        if code == Code::PROTOCOL_ERROR { self.doubt } else { code }
    }

    /// Looks at the bytes that came next. After [`Step::More`] it wants to see them again, with
    /// more behind them. `seen` is told every frame once.
    pub(super) fn step(
        &mut self,
        bytes: &mut [u8],
        output: &mut BytesMut,
        streams: &mut Streams,
        seen: &mut impl FnMut(Head),
    ) -> Result<Step, Ending> {
        for left in [&mut self.preface_left, &mut self.payload_left] {
            if *left > 0 && !bytes.is_empty() {
                let passed = bytes.len().min(*left);
                *left -= passed;
                return Ok(Step::Pass(passed));
            }
        }
        let Some(head) = self.head(bytes, streams)? else {
            return Ok(Step::More);
        };
        let (total, here) = (head.total(), looked_at(head));
        if bytes.len() < here {
            return Ok(Step::More);
        }
        seen(head);
        let frame = &mut bytes[..here];
        match head.kind {
            frame::DATA => self.data(head, &frame[HEAD_LENGTH..], streams)?,
            frame::HEADERS => {
                let fragment = fragment(head, &frame[HEAD_LENGTH..])?;
                if !head.has(END_HEADERS) {
                    // No request before it is whole: a stop does not wait for it.
                    self.block = Some(Block { head, fragment: fragment.into(), frames: 0 });
                    return Ok(Step::Replace(total));
                }
                let kind = self.open(head, streams);
                if let Some(mended) = self.judge(head.stream, fragment, kind)? {
                    put_block(output, head, &mended, self.bounds);
                    return Ok(Step::Replace(total));
                }
            }
            frame::CONTINUATION => {
                self.go_on(head, &frame[HEAD_LENGTH..])?;
                if head.has(END_HEADERS) {
                    self.complete(output, streams)?;
                }
                return Ok(Step::Replace(total));
            }
            _ => self.control(head, frame, streams)?,
        }
        let passed = total.min(bytes.len());
        self.payload_left = total - passed;
        Ok(Step::Pass(passed))
    }

    /// The head of the frame that comes next, if all of it is here and it may stand there.
    #[inline]
    fn head(&self, bytes: &[u8], streams: &Streams) -> Result<Option<Head>, Ending> {
        let Some(head) = Head::parse(bytes) else {
            return Ok(None);
        };
        if head.length as usize > self.bounds.max_frame_size {
            return error(Code::FRAME_SIZE_ERROR);
        }
        if let Some(block) = &self.block
            && (head.kind != frame::CONTINUATION || head.stream != block.head.stream)
        {
            return error(Code::PROTOCOL_ERROR);
        }
        check_length(head)?;
        check_place(head, streams)?;
        check_whole(head, self.bounds.max_block_size)?;
        Ok(Some(head))
    }

    /// A header block begins.
    fn open(&mut self, head: Head, streams: &mut Streams) -> Kind {
        self.controls.credit(CREDIT);
        let state = streams.state(head.stream);
        match state {
            State::Idle => streams.open(head.stream),
            // Trailers of a stream that we have reset, or a client that has lost count: the
            // library knows which.
            State::Closed => self.doubt = Code::STREAM_CLOSED,
            State::Open | State::HalfClosed => {}
        }
        if head.has(END_STREAM) {
            streams.end_remote(head.stream);
        }
        if state == State::Idle { Kind::Request } else { Kind::Trailers }
    }

    fn data(&mut self, head: Head, payload: &[u8], streams: &mut Streams) -> Result<(), Ending> {
        if let Some(padding) = payload.first()
            && u32::from(*padding) >= head.length
        {
            return error(Code::PROTOCOL_ERROR);
        }
        if head.has(END_STREAM) {
            streams.end_remote(head.stream);
        } else if head.length == 0 {
            self.controls.spend(Flood::Control)?;
        } else {
            self.controls.credit(CREDIT);
        }
        Ok(())
    }

    /// A frame that carries no request and no body.
    #[inline]
    fn control(
        &mut self,
        head: Head,
        bytes: &mut [u8],
        streams: &mut Streams,
    ) -> Result<(), Ending> {
        self.controls.spend(Flood::Control)?;
        let payload = &bytes[HEAD_LENGTH..];
        match head.kind {
            frame::RST_STREAM => {
                let early = streams.reset(head.stream);
                if early {
                    self.resets.spend(Flood::Resets)?;
                }
            }
            frame::SETTINGS => {
                if let Some(size) = check_settings(payload)? {
                    streams.set_initial_window(size);
                }
                if head.has(ACK) {
                    ignore_unless(&mut self.settings_sent, bytes);
                }
            }
            frame::PING if head.has(ACK) => ignore_unless(&mut self.pings_sent, bytes),
            frame::PING => self.pinged = true,
            frame::PRIORITY if frame::number(payload, 0) & frame::ANY_STREAM == head.stream => {
                return error(Code::PROTOCOL_ERROR);
            }
            frame::WINDOW_UPDATE => {
                let more = frame::number(payload, 0) & frame::ANY_STREAM;
                if more == 0 {
                    return error(Code::PROTOCOL_ERROR);
                }
                streams.widen(head.stream, more);
            }
            _ => {}
        }
        Ok(())
    }

    /// More of a header block in several frames.
    fn go_on(&mut self, head: Head, payload: &[u8]) -> Result<(), Ending> {
        let Some(block) = &mut self.block else {
            return error(Code::PROTOCOL_ERROR);
        };
        block.frames += 1;
        block.fragment.extend_from_slice(payload);
        if block.fragment.len() > self.bounds.max_block_size {
            return Err(Ending::HeadersTooLong);
        }
        if !head.has(END_HEADERS) && block.frames > CONTINUATIONS {
            return Err(Ending::Flood(Flood::Continuations));
        }
        Ok(())
    }

    /// A header block in several frames has come to its end.
    fn complete(&mut self, output: &mut BytesMut, streams: &mut Streams) -> Result<(), Ending> {
        if let Some(block) = self.block.take() {
            let kind = self.open(block.head, streams);
            let mended = self.judge(block.head.stream, &block.fragment, kind)?;
            let fragment = mended.as_deref().unwrap_or(&block.fragment);
            put_block(output, block.head, fragment, self.bounds);
        }
        Ok(())
    }

    /// What goes on in the place of a header block, if anything else does.
    fn judge(
        &mut self,
        stream: u32,
        fragment: &[u8],
        kind: Kind,
    ) -> Result<Option<Vec<u8>>, Ending> {
        let Ok(judged) = self.blocks.judge(fragment, kind) else {
            return error(Code::COMPRESSION_ERROR);
        };
        if let Some(fault) = judged.fault {
            if self.faults.len() == FAULTS {
                self.faults.remove(0);
            }
            self.faults.push((stream, fault));
        }
        Ok(judged.replaced)
    }
}

/// How many bytes of a frame have to be here before it is looked at.
#[inline]
fn looked_at(head: Head) -> usize {
    match head.kind {
        // Only the length of the padding is wanted of it.
        frame::DATA if head.has(PADDED) => HEAD_LENGTH + 1,
        frame::DATA | frame::GOAWAY => HEAD_LENGTH,
        kind if kind > frame::CONTINUATION => HEAD_LENGTH,
        _ => head.total(),
    }
}

/// Makes an acknowledgement nobody waits for a frame without a meaning: the library takes one of
/// SETTINGS for an error, and one of PING for worth a warning.
fn ignore_unless(awaited: &mut u32, frame: &mut [u8]) {
    match awaited.checked_sub(1) {
        Some(left) => *awaited = left,
        None => frame[3] = IGNORED,
    }
}

/// Writes a header block as HEADERS and CONTINUATION frames as large as may be.
fn put_block(output: &mut BytesMut, begun: Head, fragment: &[u8], bounds: Bounds) {
    let size = bounds.max_frame_size.max(1);
    let mut pieces = fragment.chunks(size);
    let mut kind = frame::HEADERS;
    let mut flags = begun.flags & END_STREAM;
    let mut left = fragment.len();
    loop {
        let piece = pieces.next().unwrap_or_default();
        left -= piece.len();
        if left == 0 {
            flags |= END_HEADERS;
        }
        let length = u32::try_from(piece.len()).unwrap_or_default();
        output.put_slice(&Head { length, kind, flags, stream: begun.stream }.to_bytes());
        output.put_slice(piece);
        if left == 0 {
            return;
        }
        (kind, flags) = (frame::CONTINUATION, 0);
    }
}
