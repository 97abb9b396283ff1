//! What may be sent on a stream, and when (section 5).

use super::case::{
    CLOSED, CLOSED_OR_PROTOCOL, Case, Connection, Data, GoesOn, PROTOCOL, Reset, Step, case,
    stepwise,
};
use super::shorthand::{
    INITIAL_WINDOW_SIZE, WHOLE, continuation, data, headers, post, priority, request, reset,
    setting, settings, window,
};
use crate::http2_frames::{
    DEPENDS, END_HEADERS, END_STREAM, HEADERS, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, frame, get,
};

pub(super) fn streams() -> Vec<Case> {
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
