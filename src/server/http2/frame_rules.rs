//! What a frame of a client may be, and where it may come (RFC 9113 sections 5.1 and 6).

use super::ending::Ending;
use super::frame::{self, ACK, Code, HAS_PRIORITY, Head, PADDED};
use super::streams::{State, Streams};

/// Ends the connection for that.
pub(super) fn error<T>(code: Code) -> Result<T, Ending> {
    Err(Ending::Protocol(code))
}

/// Whether a frame may come on its stream.
pub(super) fn check_place(head: Head, streams: &Streams) -> Result<(), Ending> {
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
pub(super) fn check_length(head: Head) -> Result<(), Ending> {
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
pub(super) fn check_whole(head: Head, max_block_size: usize) -> Result<(), Ending> {
    match head.kind {
        frame::HEADERS | frame::CONTINUATION if head.length as usize > max_block_size => {
            Err(Ending::HeadersTooLong)
        }
        frame::SETTINGS if head.length > 1 << 14 => error(Code::FRAME_SIZE_ERROR),
        _ => Ok(()),
    }
}

/// Whether settings have values that they may have (RFC 9113 section 6.5.2); the size of windows
/// among them, if it is there.
pub(super) fn check_settings(payload: &[u8]) -> Result<Option<u32>, Ending> {
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
pub(super) fn fragment(head: Head, payload: &[u8]) -> Result<&[u8], Ending> {
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
