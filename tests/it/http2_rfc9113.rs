//! What a client may and may not send, section by section (RFC 9113; RFC 7541 for headers).
//!
//! One table: the frames, and how a server has to react. Each row is played on a connection of its
//! own, in one piece and byte by byte. Sections that RFC 9113 has no more are named as in RFC 7540,
//! whose numbers outside judges use.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use kestrel::ServerOptions;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::http2_frames::{
    ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, DEPENDS, END_HEADERS, END_STREAM,
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS, Http2, NO_ERROR, PADDED, PING, PRIORITY,
    PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED,
    WINDOW_UPDATE, field, frame, get,
};
use crate::support::{Wire, soon, speaking, started, stopped};
use crate::tls_client::{Client, options, serving};

/// How long a server may take to react.
const PATIENCE: Duration = Duration::from_secs(60);

/// A head that is complete, and all of its request.
const WHOLE: u8 = END_HEADERS | END_STREAM;

/// A row of the table.
struct Case {
    section: &'static str,
    what: &'static str,
    steps: Vec<Step>,
    reaction: Reaction,
}

enum Step {
    Send(Vec<u8>),
    /// Waits until the server has seen all of that.
    Seen,
    /// Waits until the answer on this stream has ended.
    Ended(u32),
    /// Waits for so much of a body.
    Takes(usize),
}

#[derive(Debug)]
enum Reaction {
    /// The request on this stream is answered.
    Answer(u32),
    /// The connection goes on.
    GoesOn,
    /// It goes on, or ends without an error.
    GoesOnOrEnds,
    /// The next DATA frame is so long.
    Data(u32),
    /// SETTINGS are acknowledged.
    Acknowledged,
    /// The stream is reset with one of these errors and the connection goes on; or it ends with
    /// one of them (section 5.4.2).
    Stream(u32, &'static [u32]),
    /// The connection ends with one of these errors.
    Connection(&'static [u32]),
    /// The connection ends.
    Closed,
}

use Reaction::{
    Acknowledged, Answer, Closed, Connection, Data, GoesOn, GoesOnOrEnds, Stream as Reset,
};

const PROTOCOL: &[u32] = &[PROTOCOL_ERROR];
const CLOSED: &[u32] = &[STREAM_CLOSED];
const CLOSED_OR_PROTOCOL: &[u32] = &[STREAM_CLOSED, PROTOCOL_ERROR];
const SIZE: &[u32] = &[FRAME_SIZE_ERROR];
const FLOW: &[u32] = &[FLOW_CONTROL_ERROR];
const COMPRESSION: &[u32] = &[COMPRESSION_ERROR];

fn case(section: &'static str, what: &'static str, sent: &[Vec<u8>], reaction: Reaction) -> Case {
    Case { section, what, steps: vec![Step::Send(sent.concat())], reaction }
}

fn stepwise(
    section: &'static str,
    what: &'static str,
    steps: impl Into<Vec<Step>>,
    reaction: Reaction,
) -> Case {
    Case { section, what, steps: steps.into(), reaction }
}

fn headers(flags: u8, stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags, stream, block)
}

/// A whole `GET`.
fn request(stream: u32) -> Vec<u8> {
    headers(WHOLE, stream, &get("/"))
}

/// The head of a `POST` with these fields besides.
fn post(fields: &[u8]) -> Vec<u8> {
    headers(END_HEADERS, 1, &[&[0x83][..], &get("/")[1..], fields].concat())
}

/// A whole `GET` with something behind its ordinary fields.
fn with(fields: &[u8]) -> Vec<u8> {
    headers(WHOLE, 1, &[&get("/")[..], fields].concat())
}

fn data(flags: u8, stream: u32, text: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, text)
}

fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

fn setting(id: u8, value: u32) -> Vec<u8> {
    [&[0, id][..], &value.to_be_bytes()].concat()
}

fn settings(payload: &[u8]) -> Vec<u8> {
    frame(SETTINGS, 0, 0, payload)
}

/// What a stream depends on, and its weight.
fn priority(on: u32, weight: u8) -> Vec<u8> {
    [&on.to_be_bytes()[..], &[weight]].concat()
}

const EXCLUSIVELY: u32 = 1 << 31;

fn continuation(flags: u8, stream: u32) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, &field("x-more", "y"))
}

/// A frame of a type that nobody knows.
fn unknown() -> Vec<u8> {
    frame(0x16, 0, 0, &[0; 8])
}

const INITIAL_WINDOW_SIZE: u8 = 4;

fn all() -> Vec<Case> {
    let mut all = starting();
    all.extend(frames());
    all.extend(streams());
    all.extend(data_and_headers());
    all.extend(settings_and_pings());
    all.extend(windows());
    all.extend(semantics());
    all.extend(compression());
    all
}

fn starting() -> Vec<Case> {
    vec![
        case("3.4", "a preface is answered with SETTINGS, acknowledged", &[], Acknowledged),
        case("3.4", "a request behind it", &[request(1)], Answer(1)),
    ]
}

fn frames() -> Vec<Case> {
    let unfinished = || headers(END_STREAM, 1, &get("/"));
    let long = || vec![b'x'; (1 << 14) + 1];
    vec![
        case("4.1", "a type that nobody knows", &[unknown()], GoesOn),
        case("4.1", "a flag that nobody knows", &[frame(PING, 0x16, 0, &[0; 8])], GoesOn),
        case("4.1", "the reserved bit", &[frame(PING, 0, EXCLUSIVELY, &[0; 8])], GoesOn),
        case(
            "4.2",
            "a frame as long as it may be",
            &[post(b""), data(END_STREAM, 1, &long()[1..])],
            Answer(1),
        ),
        case(
            "4.2",
            "DATA that is too long",
            &[post(b""), data(END_STREAM, 1, &long())],
            Reset(1, SIZE),
        ),
        case("4.2", "HEADERS that are too long", &[headers(WHOLE, 1, &long())], Connection(SIZE)),
        case(
            "4.3",
            "a block that ends in the middle of a field",
            &[with(&[0x40, 5, b'x'])],
            Connection(COMPRESSION),
        ),
        case(
            "4.3",
            "PRIORITY in the middle of a block",
            &[unfinished(), frame(PRIORITY, 0, 1, &priority(0, 1)), continuation(END_HEADERS, 1)],
            Connection(PROTOCOL),
        ),
        case(
            "4.3",
            "a second block in the middle of another",
            &[unfinished(), request(3)],
            Connection(PROTOCOL),
        ),
        case("5.4.1", "a frame that ends the connection", &[frame(PING, 0, 0, &[0; 6])], Closed),
        case("5.4.1", "and says why", &[frame(PING, 0, 0, &[0; 6])], Connection(SIZE)),
        case("5.5", "an extension", &[unknown()], GoesOn),
        case(
            "5.5",
            "an extension in the middle of a block",
            &[unfinished(), unknown(), continuation(END_HEADERS, 1)],
            Connection(PROTOCOL),
        ),
    ]
}

fn streams() -> Vec<Case> {
    let closed = |last: Vec<u8>, reaction| {
        let steps = [Step::Send(request(1)), Step::Ended(1), Step::Send(last)];
        stepwise("5.1", "a stream that is over: one more frame", steps, reaction)
    };
    let waiting = || {
        let window = settings(&setting(INITIAL_WINDOW_SIZE, 0));
        [Step::Send([window, request(1)].concat()), Step::Seen]
    };
    let half_closed = |last: Vec<u8>, reaction| {
        let steps: Vec<_> = waiting().into_iter().chain([Step::Send(last)]).collect();
        stepwise("5.1", "a stream that the client has ended: one more frame", steps, reaction)
    };
    let idle = |sent: Vec<u8>| {
        case("5.1", "a stream that was never opened", &[sent], Connection(PROTOCOL))
    };
    let cancelled = |last: Vec<u8>, codes| {
        let sent = [post(b""), reset(1), last];
        case("5.1", "a stream that the client has reset: one more frame", &sent, Reset(1, codes))
    };
    let many: Vec<u8> =
        (0..=100).flat_map(|one| headers(END_HEADERS, 2 * one + 1, &get("/"))).collect();
    let on_itself = |kind, flags, block: &[u8]| {
        let sent = frame(kind, flags, 1, &[&priority(1, 255), block].concat());
        case("5.3.1", "a stream that depends on itself", &[sent], Reset(1, PROTOCOL))
    };
    vec![
        idle(data(END_STREAM, 1, b"test")),
        idle(reset(1)),
        idle(window(1, 100)),
        idle(continuation(END_HEADERS, 1)),
        case(
            "5.1",
            "PRIORITY before a stream",
            &[frame(PRIORITY, 0, 1, &priority(0, 255))],
            GoesOn,
        ),
        half_closed(data(END_STREAM, 1, b"test"), Reset(1, CLOSED)),
        half_closed(request(1), Reset(1, CLOSED)),
        half_closed(continuation(END_HEADERS, 1), Reset(1, CLOSED_OR_PROTOCOL)),
        half_closed(window(1, 1), Data(1)),
        half_closed([frame(PRIORITY, 0, 1, &priority(0, 255)), window(1, 1)].concat(), Data(1)),
        half_closed(reset(1), GoesOn),
        cancelled(data(END_STREAM, 1, b"test"), CLOSED),
        cancelled(request(1), CLOSED),
        cancelled(continuation(END_HEADERS, 1), CLOSED_OR_PROTOCOL),
        closed(data(END_STREAM, 1, b"test"), Connection(CLOSED)),
        closed(request(1), Connection(CLOSED)),
        closed(continuation(END_HEADERS, 1), Connection(CLOSED_OR_PROTOCOL)),
        closed(frame(PRIORITY, 0, 1, &priority(0, 255)), GoesOn),
        // Both may have been on their way when the answer ended.
        closed(reset(1), GoesOn),
        closed(window(1, 100), GoesOn),
        case("5.1.1", "an even id", &[request(2)], Connection(PROTOCOL)),
        case("5.1.1", "an id below another", &[request(5), request(3)], Connection(PROTOCOL)),
        stepwise(
            "5.1.1",
            "an id below that of a stream that is over",
            [Step::Send(request(5)), Step::Ended(5), Step::Send(request(3))],
            Connection(PROTOCOL),
        ),
        case(
            "5.1.2",
            "one stream too many",
            &[many],
            Reset(201, &[PROTOCOL_ERROR, REFUSED_STREAM]),
        ),
        on_itself(HEADERS, WHOLE | DEPENDS, &get("/")),
        on_itself(PRIORITY, 0, b""),
    ]
}

fn data_and_headers() -> Vec<Case> {
    let padded = |kind, flags, length: u8, payload: &[u8]| {
        let padding = vec![0; usize::from(length)];
        frame(kind, flags | PADDED, 1, &[&[length][..], payload, &padding].concat())
    };
    let depends =
        |on, weight| headers(WHOLE | DEPENDS, 1, &[priority(on, weight), get("/")].concat());
    let too_padded = |kind, flags, payload: &[u8]| {
        let length = u8::try_from(payload.len() + 1).expect("a short payload");
        frame(kind, flags | PADDED, 1, &[&[length][..], payload].concat())
    };
    let head = || headers(END_STREAM, 1, &get("/"));
    let open = || headers(0, 1, &get("/"));
    vec![
        case("6.1", "DATA", &[post(b""), data(END_STREAM, 1, b"test")], Answer(1)),
        case(
            "6.1",
            "several of them",
            &[post(b""), data(0, 1, b"test"), data(END_STREAM, 1, b"test")],
            Answer(1),
        ),
        case("6.1", "padded", &[post(b""), padded(DATA, END_STREAM, 9, b"test")], Answer(1)),
        case("6.1", "of the connection", &[data(END_STREAM, 0, b"test")], Connection(PROTOCOL)),
        case(
            "6.1",
            "on a stream that has ended",
            &[headers(WHOLE, 1, &get("/")), data(END_STREAM, 1, b"test")],
            Reset(1, CLOSED),
        ),
        case(
            "6.1",
            "more padding than there is room",
            &[post(&field("content-length", "4")), too_padded(DATA, END_STREAM, b"test")],
            Connection(PROTOCOL),
        ),
        case("6.2", "HEADERS, padded", &[padded(HEADERS, WHOLE, 9, &get("/"))], Answer(1)),
        case("6.2", "with a priority", &[depends(0, 255)], Answer(1)),
        case("6.2", "that depend on another stream", &[depends(EXCLUSIVELY | 3, 0)], Answer(1)),
        case(
            "6.2",
            "not complete, then PRIORITY",
            &[head(), frame(PRIORITY, 0, 1, &priority(0, 1))],
            Connection(PROTOCOL),
        ),
        case("6.2", "not complete, then others", &[head(), request(3)], Connection(PROTOCOL)),
        case("6.2", "of the connection", &[headers(WHOLE, 0, &get("/"))], Connection(PROTOCOL)),
        case(
            "6.2",
            "more padding than there is room",
            &[too_padded(HEADERS, WHOLE, &get("/"))],
            Connection(PROTOCOL),
        ),
        case("6.3", "PRIORITY", &[frame(PRIORITY, 0, 1, &priority(0, 0)), request(1)], Answer(1)),
        case("6.3", "heavy", &[frame(PRIORITY, 0, 1, &priority(0, 255)), request(1)], Answer(1)),
        case("6.3", "on another", &[frame(PRIORITY, 0, 3, &priority(1, 9)), request(1)], Answer(1)),
        case(
            "6.3",
            "exclusively",
            &[frame(PRIORITY, 0, 1, &priority(EXCLUSIVELY | 5, 9)), request(1)],
            Answer(1),
        ),
        case(
            "6.3",
            "of a stream to come",
            &[frame(PRIORITY, 0, 5, &priority(0, 9)), request(1), request(5)],
            Answer(5),
        ),
        case(
            "6.3",
            "of the connection",
            &[frame(PRIORITY, 0, 0, &priority(1, 9))],
            Connection(PROTOCOL),
        ),
        case(
            "6.3",
            "too short",
            &[post(b""), frame(PRIORITY, 0, 1, &priority(0, 1)[1..])],
            Reset(1, SIZE),
        ),
        case("6.4", "RST_STREAM", &[post(b""), reset(1)], GoesOn),
        case("6.4", "of the connection", &[reset(0)], Connection(PROTOCOL)),
        case("6.4", "of a stream that is not", &[reset(1)], Connection(PROTOCOL)),
        case("6.4", "too short", &[post(b""), frame(RST_STREAM, 0, 1, &[0; 3])], Connection(SIZE)),
        case(
            "6.6",
            "PUSH_PROMISE",
            &[
                post(b""),
                frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2], &get("/")[..]].concat()),
            ],
            Connection(PROTOCOL),
        ),
        case("6.8", "GOAWAY", &[frame(GOAWAY, 0, 0, &[0; 8])], GoesOnOrEnds),
        case("6.8", "of a stream", &[frame(GOAWAY, 0, 1, &[0; 8])], Connection(PROTOCOL)),
        case("6.10", "CONTINUATION", &[head(), continuation(END_HEADERS, 1)], Answer(1)),
        case(
            "6.10",
            "several of them",
            &[head(), continuation(0, 1), continuation(END_HEADERS, 1)],
            Answer(1),
        ),
        case(
            "6.10",
            "then something else",
            &[open(), continuation(0, 1), data(END_STREAM, 1, b"test")],
            Connection(PROTOCOL),
        ),
        case(
            "6.10",
            "of the connection",
            &[head(), continuation(END_HEADERS, 0)],
            Connection(PROTOCOL),
        ),
        case(
            "6.10",
            "behind complete HEADERS",
            &[request(1), continuation(END_HEADERS, 1)],
            Connection(PROTOCOL),
        ),
        case(
            "6.10",
            "behind one that completes them",
            &[head(), continuation(END_HEADERS, 1), continuation(END_HEADERS, 1)],
            Connection(PROTOCOL),
        ),
        case(
            "6.10",
            "behind DATA",
            &[open(), data(END_STREAM, 1, b"test"), continuation(END_HEADERS, 1)],
            Connection(PROTOCOL),
        ),
    ]
}

fn settings_and_pings() -> Vec<Case> {
    let bad = |id, value, codes| {
        case("6.5.2", "a value that cannot be", &[settings(&setting(id, value))], Connection(codes))
    };
    vec![
        case("6.5", "SETTINGS", &[settings(&setting(3, 100))], Acknowledged),
        case(
            "6.5",
            "an acknowledgement with more",
            &[frame(SETTINGS, ACK, 0, &[0])],
            Connection(SIZE),
        ),
        case(
            "6.5",
            "of a stream",
            &[frame(SETTINGS, 0, 1, &setting(3, 100))],
            Connection(PROTOCOL),
        ),
        case("6.5", "half a setting", &[settings(&[0, 3, 0])], Connection(SIZE)),
        bad(2, 2, PROTOCOL),
        bad(INITIAL_WINDOW_SIZE, 1 << 31, FLOW),
        bad(5, (1 << 14) - 1, PROTOCOL),
        bad(5, 1 << 24, PROTOCOL),
        case("6.5.2", "a setting that nobody knows", &[settings(&setting(0xff, 1))], GoesOn),
        stepwise(
            "6.5.3",
            "the last of two values holds",
            [
                Step::Send(settings(
                    &[setting(INITIAL_WINDOW_SIZE, 100), setting(INITIAL_WINDOW_SIZE, 1)].concat(),
                )),
                Step::Seen,
                Step::Send(request(1)),
            ],
            Data(1),
        ),
        case("6.5.3", "SETTINGS are acknowledged", &[settings(&setting(2, 0))], Acknowledged),
        case("6.7", "PING", &[frame(PING, 0, 0, b"12345678")], GoesOn),
        case("6.7", "an answer that nobody asked for", &[frame(PING, ACK, 0, b"12345678")], GoesOn),
        case("6.7", "of a stream", &[frame(PING, 0, 1, b"12345678")], Connection(PROTOCOL)),
        case("6.7", "too short", &[frame(PING, 0, 0, b"123456")], Connection(SIZE)),
        case(
            "7",
            "GOAWAY with an error of its own",
            &[frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xff])],
            GoesOnOrEnds,
        ),
        case(
            "7",
            "RST_STREAM with an error of its own",
            &[post(b""), frame(RST_STREAM, 0, 1, &[0, 0, 0, 0xff])],
            GoesOn,
        ),
    ]
}

fn windows() -> Vec<Case> {
    let most = (1 << 31) - 1;
    let initial = |size| Step::Send(settings(&setting(INITIAL_WINDOW_SIZE, size)));
    vec![
        case("6.9", "WINDOW_UPDATE of the connection", &[window(0, 1), request(1)], Answer(1)),
        case(
            "6.9",
            "of a stream",
            &[post(b""), window(1, 1), data(END_STREAM, 1, b"test")],
            Answer(1),
        ),
        case("6.9", "by nothing", &[window(0, 0)], Connection(PROTOCOL)),
        case("6.9", "of a stream by nothing", &[post(b""), window(1, 0)], Reset(1, PROTOCOL)),
        case("6.9", "too short", &[frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1])], Connection(SIZE)),
        stepwise(
            "6.9.1",
            "no more is sent than fits",
            [initial(1), Step::Seen, Step::Send(request(1))],
            Data(1),
        ),
        case(
            "6.9.1",
            "a window that is too large",
            &[window(0, most), window(0, most)],
            Connection(FLOW),
        ),
        case(
            "6.9.1",
            "that of a stream",
            &[post(b""), window(1, most), window(1, most)],
            Reset(1, FLOW),
        ),
        stepwise(
            "6.9.2",
            "a setting changes the windows that there are",
            [initial(0), Step::Send(request(1)), Step::Seen, initial(1)],
            Data(1),
        ),
        stepwise(
            "6.9.2",
            "a window below zero",
            [
                initial(3),
                Step::Send(request(1)),
                Step::Takes(3),
                initial(2),
                Step::Seen,
                Step::Send(window(1, 2)),
            ],
            Data(1),
        ),
        case(
            "6.9.2",
            "a setting that is too large",
            &[settings(&setting(INITIAL_WINDOW_SIZE, 1 << 31))],
            Connection(FLOW),
        ),
    ]
}

fn semantics() -> Vec<Case> {
    let malformed = |section, what, block: &[Vec<u8>]| {
        case(section, what, &[headers(WHOLE, 1, &block.concat())], Reset(1, PROTOCOL))
    };
    let own = |name, value| field(name, value);
    let (method, scheme, path) = (|| vec![0x82_u8], || vec![0x86_u8], || vec![0x84_u8]);
    let authority = || get("/")[2..8].to_vec();
    let trailers = |flags, block: &[u8]| headers(flags | END_HEADERS, 1, block);
    vec![
        case("8.1", "GET", &[request(1)], Answer(1)),
        case(
            "8.1",
            "HEAD",
            &[headers(WHOLE, 1, &[own(":method", "HEAD"), get("/")[1..].to_vec()].concat())],
            Answer(1),
        ),
        case("8.1", "POST", &[post(b""), data(END_STREAM, 1, b"test")], Answer(1)),
        case(
            "8.1",
            "POST with trailers",
            &[
                post(&own("trailer", "x-test")),
                data(0, 1, b"test"),
                trailers(END_STREAM, &own("x-test", "ok")),
            ],
            Answer(1),
        ),
        case(
            "8.1",
            "trailers that are not the end",
            &[post(b""), data(0, 1, b"test"), trailers(0, &own("x-test", "ok"))],
            Reset(1, PROTOCOL),
        ),
        malformed("8.2.1", "a name in upper case", &[get("/"), own("X-TEST", "ok")]),
        malformed(
            "8.3",
            "a pseudo-header field that nobody knows",
            &[get("/"), own(":test", "ok")],
        ),
        malformed("8.3", "one of answers", &[get("/"), own(":status", "200")]),
        malformed("8.3", "one behind others", &[method(), scheme(), own("x-test", "ok"), path()]),
        case(
            "8.3",
            "one in trailers",
            &[post(b""), data(0, 1, b"test"), trailers(END_STREAM, &own(":method", "GET"))],
            Reset(1, PROTOCOL),
        ),
        malformed("8.2.2", "a field of connections", &[get("/"), own("connection", "keep-alive")]),
        malformed(
            "8.2.2",
            "TE with anything but trailers",
            &[get("/"), own("te", "trailers, deflate")],
        ),
        case("8.2.2", "TE with trailers", &[with(&own("te", "trailers"))], Answer(1)),
        malformed("8.3.1", "an empty path", &[method(), scheme(), authority(), own(":path", "")]),
        malformed("8.3.1", "no method", &[scheme(), authority(), path()]),
        malformed("8.3.1", "no scheme", &[method(), authority(), path()]),
        malformed("8.3.1", "no path", &[method(), scheme(), authority()]),
        malformed("8.3.1", "two methods", &[method(), method(), scheme(), authority(), path()]),
        malformed("8.3.1", "two schemes", &[method(), scheme(), scheme(), authority(), path()]),
        malformed("8.3.1", "two paths", &[method(), scheme(), authority(), path(), path()]),
        case(
            "8.1.1",
            "less of a body than was said",
            &[post(&own("content-length", "5")), data(END_STREAM, 1, b"test")],
            Reset(1, PROTOCOL),
        ),
        case(
            "8.1.1",
            "more of it",
            &[post(&own("content-length", "1")), data(END_STREAM, 1, b"test")],
            Reset(1, PROTOCOL),
        ),
        case(
            "8.1.1",
            "more of it in several frames",
            &[post(&own("content-length", "1")), data(0, 1, b"test"), data(END_STREAM, 1, b"test")],
            Reset(1, PROTOCOL),
        ),
        case(
            "8.4",
            "a client that pushes",
            &[frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2], &get("/")[..]].concat())],
            Connection(PROTOCOL),
        ),
    ]
}

fn compression() -> Vec<Case> {
    // `x-test: h2`, the texts plain and as Huffman codes.
    let plain = |first: u8| [&[first, 6][..], b"x-test", &[2], b"h2"].concat();
    let coded = |first: u8| vec![first, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x82, 0x9c, 0x5f];
    // `user-agent`, by its place.
    let by_place = |first: &[u8]| [first, &[2], b"h2"].concat();
    let answered = |section, what, block: &[u8]| case(section, what, &[with(block)], Answer(1));
    let wrong =
        |section, what, block: &[u8]| case(section, what, &[with(block)], Connection(COMPRESSION));
    let (zero, all) = ([0x20], [0x3f, 0xe1, 0x1f]);
    let before = |update: &[u8]| headers(WHOLE, 1, &[update, &get("/")].concat());
    vec![
        answered("HPACK 6.1", "a whole field from the table", &[0x90]),
        answered("HPACK 6.2.1", "a name from the table, to be indexed", &by_place(&[0x7a])),
        answered("HPACK 6.2.1", "a new field, to be indexed", &plain(0x40)),
        answered("HPACK 6.2.1", "a coded one", &coded(0x40)),
        answered("HPACK 6.2.2", "a name from the table, not indexed", &by_place(&[0x0f, 0x2b])),
        answered("HPACK 6.2.2", "a new field, not indexed", &plain(0x00)),
        answered("HPACK 6.2.2", "a coded one", &coded(0x00)),
        answered("HPACK 6.2.3", "a name from the table, never indexed", &by_place(&[0x1f, 0x2b])),
        answered("HPACK 6.2.3", "a new field, never indexed", &plain(0x10)),
        answered("HPACK 6.2.3", "a coded one", &coded(0x10)),
        case(
            "HPACK 2.3.2",
            "a field that was indexed before",
            &[with(&plain(0x40)), headers(WHOLE, 3, &[&get("/")[..], &[0xbe]].concat())],
            Answer(3),
        ),
        case("HPACK 6.3", "another size of the table", &[before(&zero)], Answer(1)),
        case("HPACK 4.2", "two of them", &[before(&[&zero[..], &all].concat())], Answer(1)),
        wrong("HPACK 2.3.3", "a field that is not in the table", &[0xc6]),
        wrong("HPACK 2.3.3", "a name that is not in the table", &by_place(&[0x7f, 0x0a])),
        wrong("HPACK 4.2", "another size at the end of a block", &zero),
        wrong("HPACK 5.2", "padding of more than seven bits", &[0, 1, b'x', 0x82, 0x1f, 0xff]),
        wrong("HPACK 5.2", "padding of zeros", &[0, 1, b'x', 0x81, 0x18]),
        wrong(
            "HPACK 5.2",
            "the end of a text in the text",
            &[0, 1, b'x', 0x84, 0xff, 0xff, 0xff, 0xff],
        ),
        wrong("HPACK 6.1", "the field at place zero", &[0x80]),
        case(
            "HPACK 6.3",
            "a table that is too large",
            &[before(&[0x3f, 0xe2, 0x1f])],
            Connection(COMPRESSION),
        ),
    ]
}

/// How bytes are sent.
#[derive(Clone, Copy, Debug)]
enum Pieces {
    One,
    Bytes,
}

impl Case {
    /// Plays the case on a connection that has not begun.
    async fn play<S>(self, wire: Wire<S>, pieces: Pieces) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let what = format!("{}, {} ({pieces:?})", self.section, self.what);
        let played = timeout(PATIENCE, async {
            let mut http2 = Http2::over(wire).await;
            for step in &self.steps {
                step.take(&mut http2, pieces).await;
            }
            self.reaction.is_seen(&mut http2).await
        });
        match played.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(seen)) => Err(format!("{what}: {:?}, but {seen}", self.reaction)),
            Err(_) => Err(format!("{what}: {:?}, but nothing", self.reaction)),
        }
    }
}

impl Step {
    async fn take<S: AsyncRead + AsyncWrite + Unpin>(&self, http2: &mut Http2<S>, pieces: Pieces) {
        match (self, pieces) {
            (Self::Send(bytes), Pieces::One) => http2.send_until_closed(bytes).await,
            (Self::Send(bytes), Pieces::Bytes) => {
                for byte in bytes.chunks(1 + bytes.len() / 100) {
                    http2.send_until_closed(byte).await;
                    tokio::task::yield_now().await;
                }
            }
            (Self::Seen, _) => http2.seen().await,
            (Self::Ended(stream), _) => drop(http2.body_of(*stream).await),
            (Self::Takes(length), _) => {
                let mut taken = 0;
                while taken < *length {
                    taken += http2.next_of_kind(DATA).await.payload.len();
                }
            }
        }
    }
}

impl Reaction {
    async fn is_seen<S>(&self, http2: &mut Http2<S>) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if matches!(self, GoesOn | GoesOnOrEnds) {
            http2.send_until_closed(&frame(PING, 0, 0, b"are you?")).await;
        }
        let mut goaway = None;
        loop {
            let Some(frame) = http2.next_or_end().await else {
                return match (self, goaway) {
                    (Closed, _) | (GoesOnOrEnds, None | Some(NO_ERROR)) => Ok(()),
                    (Connection(codes) | Reset(_, codes), Some(code)) if codes.contains(&code) => {
                        Ok(())
                    }
                    (_, code) => Err(format!("the end, with {code:?}")),
                };
            };
            match (self, frame.kind) {
                (_, GOAWAY) => goaway = Some(frame.error_code()),
                (Answer(stream), HEADERS) if frame.stream == *stream => return Ok(()),
                (Acknowledged, SETTINGS) if frame.flags & ACK != 0 => return Ok(()),
                (GoesOn | GoesOnOrEnds, PING) if frame.payload == b"are you?" => return Ok(()),
                (Data(length), DATA) if frame.payload.len() == *length as usize => return Ok(()),
                (Data(_), DATA) => return Err(format!("{frame:?}")),
                (Reset(stream, codes), RST_STREAM) if frame.stream == *stream => {
                    if !codes.contains(&frame.number(0)) {
                        return Err(format!("{frame:?}"));
                    }
                    http2.seen().await;
                    return Ok(());
                }
                (Answer(_) | Data(_) | Connection(_), RST_STREAM) => {
                    return Err(format!("{frame:?}"));
                }
                _ => {}
            }
        }
    }
}

/// Reads what it is sent, and says a little.
fn app() -> Router {
    Router::new().fallback(any(|body: Bytes| async move { format!("{} bytes came", body.len()) }))
}

/// Bodies that stand still, as those of a hundred open streams do, may do so for as long as a slow
/// machine needs.
fn patient(options: &mut ServerOptions) {
    options.limits.min_request_body_data_rate = None;
}

#[tokio::test]
async fn every_section_is_kept() {
    let host = started(speaking("Http2").app(app()).configure_kestrel(patient)).await;
    let address = host.addresses()[0].clone();
    let mut playing = tokio::task::JoinSet::new();
    for pieces in [Pieces::One, Pieces::Bytes] {
        for case in all() {
            let address = address.clone();
            playing.spawn(async move { case.play(Wire::connect(&address).await, pieces).await });
        }
    }
    let played = soon("all cases", playing.join_all()).await;
    let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stopped(host).await;
}

#[tokio::test]
async fn every_section_is_kept_over_tls() {
    let builder = serving(options()).configure_kestrel(|options| {
        patient(options);
        // The frames say `http`.
        options.allow_alternate_schemes = true;
    });
    let host = started(builder.app(app())).await;
    let address = host.addresses()[0].clone();
    let mut playing = tokio::task::JoinSet::new();
    for pieces in [Pieces::One, Pieces::Bytes] {
        for case in all() {
            let address = address.clone();
            playing.spawn(async move {
                let wire = Client::offering(&["h2"]).connect(&address).await;
                case.play(wire, pieces).await
            });
        }
    }
    let played = soon("all cases", playing.join_all()).await;
    let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stopped(host).await;
}

#[tokio::test]
async fn what_is_no_preface_ends_the_connection() {
    let host = started(speaking("Http2").app(app())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("INVALID CONNECTION PREFACE\r\n\r\n").await;
    let goaway = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(wire.rest().await, goaway);
    stopped(host).await;
}
