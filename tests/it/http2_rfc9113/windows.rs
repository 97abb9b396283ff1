//! How much may be sent (section 6.9).

use super::case::{
    Answer, Case, Connection, Data, FLOW, PROTOCOL, Reset, SIZE, Step, case, stepwise,
};
use super::shorthand::{INITIAL_WINDOW_SIZE, data, post, request, setting, settings, window};
use crate::http2_frames::{END_STREAM, WINDOW_UPDATE, frame};

pub(super) fn windows() -> Vec<Case> {
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
