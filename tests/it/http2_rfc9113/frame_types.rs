//! Each type of frame by itself (section 6 but for windows, and section 7).

use super::case::{
    Acknowledged, Answer, CLOSED, Case, Connection, Data, FLOW, GoesOn, GoesOnOrEnds, PROTOCOL,
    Reset, SIZE, Step, case, stepwise,
};
use super::shorthand::{
    EXCLUSIVELY, INITIAL_WINDOW_SIZE, WHOLE, continuation, data, headers, post, priority, request,
    reset, setting, settings,
};
use crate::http2_frames::{
    ACK, DATA, DEPENDS, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY,
    PUSH_PROMISE, RST_STREAM, SETTINGS, field, frame, get,
};

pub(super) fn data_and_headers() -> Vec<Case> {
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

pub(super) fn settings_and_pings() -> Vec<Case> {
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
