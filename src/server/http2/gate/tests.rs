use std::collections::VecDeque;
use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::server::drain::Drain;
use crate::server::http2::ending::Flood;
use crate::server::http2::frame::{END_HEADERS, END_STREAM, PADDED};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client whose bytes come in these pieces; what it is sent is kept.
#[derive(Default)]
struct Scripted {
    pieces: VecDeque<Vec<u8>>,
    sent: Vec<u8>,
    /// How much more it takes.
    room: usize,
}

impl Socket for Scripted {
    fn reset_on_close(&self) {}

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn refuse(self) {}
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.pieces.pop_front() else {
            return Poll::Pending;
        };
        let rest = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = bytes.len().min(self.room);
        if length == 0 {
            return Poll::Pending;
        }
        self.room -= length;
        self.sent.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn gate(pieces: impl IntoIterator<Item = Vec<u8>>, room: usize) -> Gate<Scripted> {
    limited(pieces, room, &Limits::default())
}

fn limited(
    pieces: impl IntoIterator<Item = Vec<u8>>,
    room: usize,
    limits: &Limits,
) -> Gate<Scripted> {
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    let socket = Scripted { pieces, sent: Vec::new(), room };
    let drain = Drain::new();
    let facts = crate::features::Connection::new(1, None, None, crate::features::Scheme::Http);
    let context = crate::server::context::Context::new(
        Default::default(),
        axum::Router::new().into(),
        Default::default(),
        Default::default(),
    );
    let activity = Http2Activity::new(facts.id(), context);
    Gate::new(Stream::new(socket, drain.watch()), limits, activity)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let mut frame = Head { length, kind, flags, stream }.to_bytes().to_vec();
    frame.extend_from_slice(payload);
    frame
}

/// What hyper reads through buffers of this size, and why the connection ends.
fn read(pieces: impl IntoIterator<Item = Vec<u8>>, size: usize) -> (Vec<u8>, Option<Ending>) {
    let gate = gate(pieces, usize::MAX);
    let mut stream = gate.stream();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut output = Vec::new();
    loop {
        let mut buffer = vec![0; size];
        let mut buffer = ReadBuf::new(&mut buffer);
        if Pin::new(&mut stream).poll_read(cx, &mut buffer).is_pending() {
            break;
        }
        assert!(!buffer.filled().is_empty(), "the client has not ended the stream");
        output.extend_from_slice(buffer.filled());
    }
    let ending = match gate.poll_ending(cx) {
        Poll::Ready(ending) => Some(ending),
        Poll::Pending => None,
    };
    (output, ending)
}

fn verdict(frames: &[Vec<u8>]) -> Option<Ending> {
    read([PREFACE.to_vec(), frames.concat()], 1 << 20).1
}

const GET: &[u8] = b"\x82\x86\x84\x41\x01a";

fn get(stream: u32) -> Vec<u8> {
    frame(frame::HEADERS, END_HEADERS | END_STREAM, stream, GET)
}

#[test]
fn what_is_well_formed_passes_as_it_is() {
    let bytes = [
        PREFACE,
        &frame(frame::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        &get(1),
        &frame(frame::HEADERS, END_HEADERS, 3, GET),
        &frame(frame::DATA, 0, 3, &[7; 16_384]),
        &frame(frame::DATA, PADDED | END_STREAM, 3, b"\x02abc\0\0"),
        &frame(frame::PING, 0, 0, b"12345678"),
        &frame(frame::WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]),
        &frame(99, 255, 77, b"unknown"),
        &frame(frame::GOAWAY, 0, 0, &[0; 8]),
    ]
    .concat();
    assert_eq!(read([bytes.clone()], 1 << 20), (bytes, None));
}

#[test]
fn faults_of_frames_have_their_codes() {
    let protocol = Some(Ending::Protocol(Code::PROTOCOL_ERROR));
    let size = Some(Ending::Protocol(Code::FRAME_SIZE_ERROR));
    let closed = Some(Ending::Protocol(Code::STREAM_CLOSED));
    for (frames, ending) in [
        (vec![frame(frame::DATA, 0, 5, b"x")], protocol),
        (vec![frame(frame::DATA, 0, 0, b"x")], protocol),
        (vec![get(2)], protocol),
        (vec![get(0)], protocol),
        (vec![get(1), frame(frame::DATA, 0, 1, b"x")], closed),
        (vec![get(1), get(1)], closed),
        (vec![frame(frame::PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])], protocol),
        (vec![frame(frame::CONTINUATION, END_HEADERS, 1, b"")], protocol),
        (vec![frame(frame::HEADERS, 0, 1, GET), frame(frame::DATA, 0, 1, b"x")], protocol),
        (vec![frame(frame::HEADERS, 0, 1, GET), frame(frame::CONTINUATION, 4, 3, b"")], protocol),
        (vec![frame(frame::HEADERS, END_HEADERS | PADDED, 1, b"\x05\x82")], protocol),
        (vec![frame(frame::HEADERS, END_HEADERS | PADDED, 1, b"")], size),
        (vec![frame(frame::PRIORITY, 0, 3, &[0, 0, 0, 3, 9])], protocol),
        (vec![frame(frame::PRIORITY, 0, 0, &[0, 0, 0, 3, 9])], protocol),
        (vec![frame(frame::PRIORITY, 0, 3, &[0; 4])], size),
        (vec![frame(frame::RST_STREAM, 0, 1, &[0; 4])], protocol),
        (vec![frame(frame::RST_STREAM, 0, 1, &[0; 3])], size),
        (vec![frame(frame::SETTINGS, 0, 1, b"")], protocol),
        (vec![frame(frame::SETTINGS, 0, 0, &[0; 5])], size),
        (vec![frame(frame::SETTINGS, 1, 0, &[0; 6])], size),
        (vec![frame(frame::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 2])], protocol),
        (vec![frame(frame::SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 100])], protocol),
        (vec![frame(frame::SETTINGS, 0, 0, &[0, 5, 1, 0, 0, 0])], protocol),
        (
            vec![frame(frame::SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0])],
            Some(Ending::Protocol(Code::FLOW_CONTROL_ERROR)),
        ),
        (vec![frame(frame::PING, 0, 0, &[0; 7])], size),
        (vec![frame(frame::PING, 0, 1, &[0; 8])], protocol),
        (vec![frame(frame::GOAWAY, 0, 0, &[0; 7])], size),
        (vec![frame(frame::WINDOW_UPDATE, 0, 0, &[0; 4])], protocol),
        (vec![frame(frame::WINDOW_UPDATE, 0, 0, &[0; 3])], size),
        (vec![frame(frame::WINDOW_UPDATE, 0, 7, &[0, 0, 0, 5])], protocol),
        (vec![frame(frame::DATA, 0, 1, &[0; 16_385])], size),
    ] {
        assert_eq!(verdict(&frames), ending, "{frames:?}");
    }
}

#[test]
fn a_header_block_in_pieces_is_put_together() {
    let pieces = [
        PREFACE.to_vec(),
        // Padding and priority are left out.
        frame(frame::HEADERS, END_STREAM | PADDED | 0x20, 1, b"\x02\0\0\0\0\x10\x82\x86\0\0"),
        frame(frame::CONTINUATION, 0, 1, b""),
        frame(frame::CONTINUATION, 0, 1, b"\x84"),
        frame(frame::CONTINUATION, END_HEADERS, 1, b"\x41\x01a"),
        frame(frame::PING, 0, 0, b"12345678"),
    ];
    let expected = [PREFACE, &get(1), &frame(frame::PING, 0, 0, b"12345678")].concat();
    assert_eq!(read([pieces.concat()], 1 << 20), (expected, None));
    let large = |size: usize| {
        let part = [b'v'; 16_000];
        let mut frames = vec![frame(frame::HEADERS, 0, 1, &part)];
        frames.resize(8, frame(frame::CONTINUATION, 0, 1, &part));
        frames.push(frame(frame::CONTINUATION, 0, 1, &part[..size - 8 * part.len()]));
        frames
    };
    assert_eq!(verdict(&large(4 * 32_768)), None);
    assert_eq!(verdict(&large(4 * 32_768 + 1)), Some(Ending::HeadersTooLong));
}

#[test]
fn one_frame_may_not_be_longer_than_all_of_a_block() {
    let mut limits = Limits::default();
    limits.http2.max_frame_size = 1 << 20;
    let long = frame(frame::HEADERS, END_HEADERS, 1, &[b'v'; 4 * 32_768 + 1]);
    let gate = limited([[PREFACE, &long].concat()], usize::MAX, &limits);
    let cx = &mut Context::from_waker(Waker::noop());
    let mut buffer = vec![0; 1 << 20];
    let read = Pin::new(&mut gate.stream()).poll_read(cx, &mut ReadBuf::new(&mut buffer));
    assert!(read.is_ready());
    assert_eq!(gate.poll_ending(cx), Poll::Ready(Ending::HeadersTooLong));
}

#[test]
fn acknowledgements_of_nothing_lose_their_meaning() {
    let frames = [frame(frame::SETTINGS, 1, 0, b""), frame(frame::PING, 1, 0, b"12345678")];
    let (output, ending) = read([PREFACE.to_vec(), frames.concat()], 1 << 20);
    assert_eq!(ending, None);
    let output = &output[PREFACE.len()..];
    assert_eq!((output[3], output[12]), (frame::IGNORED, frame::IGNORED));
}

#[test]
fn floods_end_the_connection_and_honest_numbers_do_not() {
    let control = Some(Ending::Flood(Flood::Control));
    for flood in [
        frame(frame::PING, 0, 0, b"12345678"),
        frame(frame::SETTINGS, 0, 0, b""),
        frame(frame::PRIORITY, 0, 9, &[0, 0, 0, 0, 1]),
        frame(frame::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        frame(99, 0, 0, b""),
    ] {
        assert_eq!(verdict(&vec![flood.clone(); 4000]), None, "{flood:?}");
        assert_eq!(verdict(&vec![flood.clone(); 4001]), control, "{flood:?}");
    }
    let upload = frame(frame::HEADERS, END_HEADERS, 1, GET);
    let nothing = frame(frame::DATA, 0, 1, b"");
    let many = |data: &Vec<u8>, times| [vec![upload.clone()], vec![data.clone(); times]].concat();
    assert_eq!(verdict(&many(&nothing, 4000)), None);
    assert_eq!(verdict(&many(&nothing, 4001)), control);
    // A PING next to each piece of a body is what libraries send that measure the bandwidth.
    let measured = [frame(frame::DATA, 0, 1, b"x"), frame(frame::PING, 0, 0, b"12345678")];
    assert_eq!(verdict(&many(&measured.concat(), 20_000)), None);

    let begun = frame(frame::HEADERS, 0, 1, GET);
    let more = frame(frame::CONTINUATION, 0, 1, b"");
    let block = |times| [vec![begun.clone()], vec![more.clone(); times]].concat();
    assert_eq!(verdict(&block(1000)), None);
    assert_eq!(verdict(&block(1001)), Some(Ending::Flood(Flood::Continuations)));

    let reset = |stream| [get(stream), frame(frame::RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
    let resets = |times| (0..times).map(|number| reset(2 * number + 1)).collect::<Vec<_>>();
    assert_eq!(verdict(&resets(1000)), None);
    assert_eq!(verdict(&resets(1001)), Some(Ending::Flood(Flood::Resets)));
}

/// Writes all of it as hyper would, until the client takes no more.
fn write(stream: &mut GatedStream<Scripted>, slices: &[&[u8]]) -> usize {
    let cx = &mut Context::from_waker(Waker::noop());
    let bytes = slices.concat();
    let mut at = 0;
    while at < bytes.len() {
        let half = at + (bytes.len() - at).div_ceil(2);
        let slices = [IoSlice::new(&bytes[at..half]), IoSlice::new(&bytes[half..])];
        match Pin::new(&mut *stream).poll_write_vectored(cx, &slices) {
            Poll::Ready(written) => at += written.unwrap(),
            Poll::Pending => break,
        }
    }
    at
}

#[test]
fn the_librarys_goodbye_is_held_back_and_told() {
    let gate = gate([], usize::MAX);
    let mut stream = gate.stream();
    let settings = frame(frame::SETTINGS, 0, 0, b"");
    let goaway = frame::goaway(1, Code::FLOW_CONTROL_ERROR);
    assert_eq!(write(&mut stream, &[&settings, &goaway]), settings.len());
    let cx = &mut Context::from_waker(Waker::noop());
    let ending = Poll::Ready(Ending::Library(Code::FLOW_CONTROL_ERROR));
    assert_eq!(gate.poll_ending(cx), ending);
    drop(stream);
    let mut rest = gate.into_rest().unwrap();
    assert!(rest.at_boundary);
    assert_eq!(rest.stream.socket().sent, settings);
}

#[test]
fn the_stop_is_told_between_frames_and_comes_when_all_streams_are_over() {
    let request = [PREFACE.to_vec(), get(1)].concat();
    let gate = gate([request.clone()], 20);
    let mut stream = gate.stream();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut buffer = vec![0; 100];
    let mut buffer = ReadBuf::new(&mut buffer);
    assert!(Pin::new(&mut stream).poll_read(cx, &mut buffer).is_ready());
    let body = frame(frame::DATA, 0, 1, &[7; 50]);
    assert_eq!(write(&mut stream, &[&body]), 20);
    gate.stop();
    assert!(gate.poll_ending(cx).is_pending());
    let more_room = || lock(&gate.0).stream.socket().room = usize::MAX;
    more_room();
    let end = frame(frame::DATA, END_STREAM, 1, b"");
    assert_eq!(write(&mut stream, &[&body[20..], &end]), body.len() - 20 + end.len());
    assert_eq!(gate.poll_ending(cx), Poll::Ready(Ending::Stop));
    drop(stream);
    let mut rest = gate.into_rest().unwrap();
    assert_eq!(rest.highest, 1);
    let goaway = frame::goaway(ANY_STREAM, Code::NO_ERROR);
    assert_eq!(rest.stream.socket().sent, [&body[..], &goaway, &end].concat());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_due_after_the_grace_period() {
    let mut limits = Limits::default();
    let body = frame(frame::DATA, 0, 1, &[7; 10_000]);
    // 64 KiB at 240 bytes per second, and the second that is added.
    limits.keep_alive_timeout = Duration::MAX;
    let slowest = limited([], 1000, &limits);
    assert_eq!(write(&mut slowest.stream(), &[&body]), 1000);
    assert_eq!((slowest.due().unwrap() - Instant::now()).as_secs(), 274);

    limits.max_response_buffer_size = Some(600);
    let gate = limited([], 1000, &limits);
    let mut stream = gate.stream();
    assert_eq!(write(&mut stream, &[&body]), 1000);
    let cx = &mut Context::from_waker(Waker::noop());
    let due = |seconds| Some(Instant::now() + Duration::from_secs(seconds));
    assert_eq!(gate.due(), due(6));
    // Half of the grace period's bytes earn half of it.
    tokio::time::advance(Duration::from_secs(5)).await;
    lock(&gate.0).stream.socket().room = 600;
    assert_eq!(write(&mut stream, &[&body[1000..]]), 600);
    assert_eq!(gate.due(), Some(Instant::now() + Duration::from_millis(3500)));
    // However much was taken, it earns no more than the grace period.
    lock(&gate.0).stream.socket().room = 5000;
    assert_eq!(write(&mut stream, &[&body[1600..]]), 5000);
    assert_eq!(gate.due(), due(6));
    tokio::time::advance(Duration::from_secs(6)).await;
    gate.expire(Instant::now());
    assert_eq!(gate.poll_ending(cx), Poll::Ready(Ending::ResponseRate));
}

#[tokio::test(start_paused = true)]
async fn a_head_and_an_idle_connection_have_their_time() {
    let cx = &mut Context::from_waker(Waker::noop());
    let half = frame(frame::HEADERS, END_HEADERS, 1, GET);
    for (bytes, seconds, ending) in [
        (frame(frame::HEADERS, 0, 1, GET), 31, Ending::RequestHeaders),
        (half[..half.len() - 1].to_vec(), 31, Ending::RequestHeaders),
        (frame(frame::SETTINGS, 0, 0, b""), 131, Ending::KeepAlive),
    ] {
        let gate = gate([PREFACE.to_vec(), bytes], usize::MAX);
        let mut stream = gate.stream();
        let mut buffer = vec![0; 100];
        while Pin::new(&mut stream).poll_read(cx, &mut ReadBuf::new(&mut buffer)).is_ready() {}
        let due = Instant::now() + Duration::from_secs(seconds);
        assert_eq!(gate.due(), Some(due));
        gate.expire(due - Duration::from_millis(1));
        assert!(gate.poll_ending(cx).is_pending());
        gate.expire(due);
        assert_eq!(gate.poll_ending(cx), Poll::Ready(ending));
    }
}

/// Frames, most of them well-formed.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![Just(1_u32), Just(3), Just(5), Just(0), Just(2)];
    let block = prop_oneof![
        Just(GET.to_vec()),
        Just(b"\x82\x86\x84\x41\x01a\0\x04X-Up\x01y".to_vec()),
        Just(b"\x82\x86\x84\0\x01x\x02\r\n\x40\x01z\x01z".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    let frame = prop_oneof![
        4 => (stream.clone(), any::<bool>(), block, proptest::collection::vec(0..20_usize, 0..3))
            .prop_map(|(stream, end, block, cuts)| headers(stream, end, &block, &cuts)),
        3 => (stream.clone(), 0..60_usize, any::<bool>())
            .prop_map(|(stream, length, end)| frame(frame::DATA, u8::from(end), stream, &vec![7; length])),
        1 => (stream.clone(), any::<u8>()).prop_map(|(stream, pad)| {
            frame(frame::DATA, PADDED, stream, &[&[pad][..], &[0; 9]].concat())
        }),
        2 => Just(frame(frame::PING, 0, 0, b"12345678")),
        1 => Just(frame(frame::SETTINGS, frame::ACK, 0, b"")),
        1 => Just(frame(frame::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1])),
        1 => stream.clone().prop_map(|stream| frame(frame::RST_STREAM, 0, stream, &[0; 4])),
        1 => (stream, 0..3_u8).prop_map(|(stream, more)| {
            frame(frame::WINDOW_UPDATE, 0, stream, &[0, 0, 0, more])
        }),
        1 => (any::<u8>(), any::<u8>(), 0..3_u32, proptest::collection::vec(any::<u8>(), 0..12))
            .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
    ];
    proptest::collection::vec(frame, 0..12).prop_map(|frames| frames.concat())
}

fn headers(stream: u32, end: bool, block: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| (*cut).min(block.len())).collect();
    cuts.sort_unstable();
    cuts.push(block.len());
    let mut output = Vec::new();
    let mut from = 0;
    for (number, cut) in cuts.iter().enumerate() {
        let last = if number + 1 == cuts.len() { END_HEADERS } else { 0 };
        let (kind, flags) = match number {
            0 => (frame::HEADERS, last | u8::from(end)),
            _ => (frame::CONTINUATION, last),
        };
        output.extend(frame(kind, flags, stream, &block[from..*cut]));
        from = *cut;
    }
    output
}

proptest! {
    #[test]
    fn the_verdict_does_not_depend_on_how_the_bytes_come(
        frames in frames(),
        lengths in proptest::collection::vec(1..40_usize, 0..200),
        size in prop_oneof![1..40_usize, Just(8192)],
    ) {
        let bytes = [PREFACE, &frames].concat();
        let (output, ending) = read([bytes.clone()], 1 << 16);
        let mut rest = &bytes[..];
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, left) = rest.split_at(length.min(rest.len()));
            pieces.push(piece.to_vec());
            rest = left;
        }
        pieces.push(rest.to_vec());
        let (in_pieces, ending_in_pieces) = read(pieces, size);
        prop_assert_eq!(ending, ending_in_pieces);
        if ending.is_none() {
            prop_assert_eq!(output, in_pieces);
        } else {
            // What came before the fault in one read is not worth handing on.
            prop_assert!(in_pieces.starts_with(&output));
        }
    }
}
