//! How a connection begins, and what a frame is (RFC 9113, sections 3.4, 4, 5.4 and 5.5).

use super::case::{
    Acknowledged, Answer, COMPRESSION, Case, Closed, Connection, GoesOn, PROTOCOL, Reset, SIZE,
    case,
};
use super::shorthand::{
    EXCLUSIVELY, WHOLE, continuation, data, headers, post, priority, request, unknown, with,
};
use crate::http2_frames::{END_HEADERS, END_STREAM, PING, PRIORITY, frame, get};

pub(super) fn starting() -> Vec<Case> {
    vec![
        case("3.4", "a preface is answered with SETTINGS, acknowledged", &[], Acknowledged),
        case("3.4", "a request behind it", &[request(1)], Answer(1)),
    ]
}

pub(super) fn frames() -> Vec<Case> {
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
