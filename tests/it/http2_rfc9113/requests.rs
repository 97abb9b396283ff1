//! What a request is made of (section 8).

use super::case::{Answer, Case, Connection, PROTOCOL, Reset, case};
use super::shorthand::{WHOLE, data, headers, post, request, with};
use crate::http2_frames::{END_HEADERS, END_STREAM, PUSH_PROMISE, field, frame, get};

pub(super) fn requests() -> Vec<Case> {
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
