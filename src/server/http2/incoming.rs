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
use tokio::time::{Duration, Instant};

use super::block::{self, Blocks, Kind};
use super::ending::{Ending, Flood};
use super::frame::{
    self, ACK, Code, END_HEADERS, END_STREAM, HAS_PRIORITY, HEAD_LENGTH, Head, IGNORED, PADDED,
    PREFACE_LENGTH,
};
use super::streams::{State, Streams};
use super::table::Fault;

/// How many frames without a request or a body a client may send in [`WINDOW`]. Kestrel was
/// recorded to answer 2,000 PINGs in one go; libraries that measure the bandwidth send one per
/// round trip, but next to bodies, which earn [`CREDIT`].
const CONTROL_FRAMES: u32 = 4_000;

/// What a frame that does carry something earns.
const CREDIT: u32 = 16;

/// How many requests a client may reset before they are answered in [`WINDOW`]; one more for each
/// that is answered. Kestrel was recorded to serve 2,000 at a pace when they were answered.
const RESETS: u32 = 1_000;

/// How many CONTINUATION frames one header block may have. Kestrel was recorded to take 200, all
/// of them empty.
const CONTINUATIONS: u32 = 1_000;

const WINDOW: Duration = Duration::from_secs(10);

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
        let Some(head) = Head::parse(bytes) else {
            return Ok(Step::More);
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
        check_whole(head, self.bounds)?;
        let total = head.total();
        let here = match head.kind {
            // Only the length of the padding is wanted of it.
            frame::DATA if head.has(PADDED) => HEAD_LENGTH + 1,
            frame::DATA | frame::GOAWAY => HEAD_LENGTH,
            kind if kind > frame::CONTINUATION => HEAD_LENGTH,
            _ => total,
        };
        if bytes.len() < here {
            return Ok(Step::More);
        }
        seen(head);
        let payload = &bytes[HEAD_LENGTH..here];
        match head.kind {
            frame::DATA => self.data(head, payload, streams)?,
            frame::HEADERS => {
                let fragment = fragment(head, payload)?;
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
                let Some(block) = &mut self.block else {
                    return error(Code::PROTOCOL_ERROR);
                };
                block.frames += 1;
                block.fragment.extend_from_slice(payload);
                if block.fragment.len() > self.bounds.max_block_size {
                    return Err(Ending::HeadersTooLong);
                }
                if head.has(END_HEADERS) {
                    self.complete(output, streams)?;
                } else if block.frames > CONTINUATIONS {
                    return Err(Ending::Flood(Flood::Continuations));
                }
                return Ok(Step::Replace(total));
            }
            frame::RST_STREAM => {
                self.controls.spend(Flood::Control)?;
                if streams.reset(head.stream) {
                    self.resets.spend(Flood::Resets)?;
                }
            }
            frame::SETTINGS => {
                self.controls.spend(Flood::Control)?;
                if let Some(size) = check_settings(payload)? {
                    streams.set_initial_window(size);
                }
                if head.has(ACK) {
                    ignore_unless(&mut self.settings_sent, bytes);
                }
            }
            frame::PING => {
                self.controls.spend(Flood::Control)?;
                if head.has(ACK) {
                    ignore_unless(&mut self.pings_sent, bytes);
                } else {
                    self.pinged = true;
                }
            }
            frame::PRIORITY => {
                self.controls.spend(Flood::Control)?;
                if frame::number(payload, 0) & frame::ANY_STREAM == head.stream {
                    return error(Code::PROTOCOL_ERROR);
                }
            }
            frame::WINDOW_UPDATE => {
                self.controls.spend(Flood::Control)?;
                let more = frame::number(payload, 0) & frame::ANY_STREAM;
                if more == 0 {
                    return error(Code::PROTOCOL_ERROR);
                }
                streams.widen(head.stream, more);
            }
            _ => self.controls.spend(Flood::Control)?,
        }
        let passed = total.min(bytes.len());
        self.payload_left = total - passed;
        Ok(Step::Pass(passed))
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

fn error<T>(code: Code) -> Result<T, Ending> {
    Err(Ending::Protocol(code))
}

/// Makes an acknowledgement nobody waits for a frame without a meaning: the library takes one of
/// SETTINGS for an error, and one of PING for worth a warning.
fn ignore_unless(awaited: &mut u32, frame: &mut [u8]) {
    match awaited.checked_sub(1) {
        Some(left) => *awaited = left,
        None => frame[3] = IGNORED,
    }
}

/// Whether a frame may come on its stream.
fn check_place(head: Head, streams: &Streams) -> Result<(), Ending> {
    let of_connection = match head.kind {
        frame::SETTINGS | frame::PING | frame::GOAWAY => true,
        frame::WINDOW_UPDATE => head.stream == 0,
        kind if kind > frame::CONTINUATION => return Ok(()),
        _ => false,
    };
    if of_connection != (head.stream == 0) || head.kind == frame::PUSH_PROMISE {
        return error(Code::PROTOCOL_ERROR);
    }
    if of_connection || matches!(head.kind, frame::PRIORITY | frame::CONTINUATION) {
        return Ok(());
    }
    // The streams with even ids are ours, and we open none.
    if head.stream.is_multiple_of(2) {
        return error(Code::PROTOCOL_ERROR);
    }
    match (head.kind, streams.state(head.stream)) {
        (frame::HEADERS, State::Idle) => Ok(()),
        // RFC 9113 section 5.1.1.
        (frame::HEADERS, State::Closed) if streams.was_passed_over(head.stream) => {
            error(Code::PROTOCOL_ERROR)
        }
        // The rest of a request whose stream we have reset may still be on its way.
        (frame::HEADERS | frame::DATA, State::Closed) if !streams.was_reset_by_us(head.stream) => {
            error(Code::STREAM_CLOSED)
        }
        (_, State::Idle) => error(Code::PROTOCOL_ERROR),
        (frame::HEADERS | frame::DATA, State::HalfClosed) => error(Code::STREAM_CLOSED),
        _ => Ok(()),
    }
}

/// Whether a frame has the length its type asks for.
fn check_length(head: Head) -> Result<(), Ending> {
    let length = head.length;
    let fits = match head.kind {
        frame::PRIORITY => length == 5,
        frame::RST_STREAM | frame::WINDOW_UPDATE => length == 4,
        frame::SETTINGS if head.has(ACK) => length == 0,
        frame::SETTINGS => length.is_multiple_of(6),
        frame::PING => length == 8,
        frame::GOAWAY => length >= 8,
        frame::HEADERS | frame::DATA => {
            let priority = head.kind == frame::HEADERS && head.has(HAS_PRIORITY);
            length >= u32::from(head.has(PADDED)) + if priority { 5 } else { 0 }
        }
        _ => true,
    };
    if fits { Ok(()) } else { error(Code::FRAME_SIZE_ERROR) }
}

/// Whether a frame that is looked at as a whole may be that long, where frames may be longer than
/// the 16 KiB of the specification.
fn check_whole(head: Head, bounds: Bounds) -> Result<(), Ending> {
    match head.kind {
        frame::HEADERS | frame::CONTINUATION if head.length as usize > bounds.max_block_size => {
            Err(Ending::HeadersTooLong)
        }
        frame::SETTINGS if head.length > 1 << 14 => error(Code::FRAME_SIZE_ERROR),
        _ => Ok(()),
    }
}

/// Whether settings have values that they may have (RFC 9113 section 6.5.2); the size of windows
/// among them, if it is there.
fn check_settings(payload: &[u8]) -> Result<Option<u32>, Ending> {
    let mut window = None;
    for setting in payload.chunks_exact(6) {
        let value = frame::number(setting, 2);
        match (setting[0], setting[1]) {
            // ENABLE_PUSH, MAX_FRAME_SIZE, ENABLE_CONNECT_PROTOCOL
            (0, 2 | 8) if value > 1 => return error(Code::PROTOCOL_ERROR),
            (0, 5) if !(1 << 14..1 << 24).contains(&value) => return error(Code::PROTOCOL_ERROR),
            // INITIAL_WINDOW_SIZE
            (0, 4) if value > frame::ANY_STREAM => return error(Code::FLOW_CONTROL_ERROR),
            (0, 4) => window = Some(value),
            _ => {}
        }
    }
    Ok(window)
}

/// The header block in the payload of a HEADERS frame, without padding and priority.
fn fragment(head: Head, payload: &[u8]) -> Result<&[u8], Ending> {
    let mut from = 0;
    let mut to = payload.len();
    if head.has(PADDED) {
        from = 1;
        to = to.saturating_sub(usize::from(payload[0]));
    }
    if head.has(HAS_PRIORITY) {
        if frame::number(payload, from) & frame::ANY_STREAM == head.stream {
            return error(Code::PROTOCOL_ERROR);
        }
        from += 5;
    }
    if from > to {
        return error(Code::PROTOCOL_ERROR);
    }
    Ok(&payload[from..to])
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

/// A number of things that may happen in [`WINDOW`]. The clock is asked only when it is used up.
#[derive(Debug)]
struct Bucket {
    left: u32,
    size: u32,
    filled: Instant,
}

impl Bucket {
    fn new(size: u32) -> Self {
        Self { left: size, size, filled: Instant::now() }
    }

    fn credit(&mut self, more: u32) {
        if self.left < self.size {
            self.left = self.size.min(self.left + more);
        }
    }

    fn spend(&mut self, flood: Flood) -> Result<(), Ending> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Ok(());
        }
        let now = Instant::now();
        if now - self.filled < WINDOW {
            return Err(Ending::Flood(flood));
        }
        self.filled = now;
        self.left = self.size - 1;
        Ok(())
    }
}
