//! A request made of its head, without hyper: one that asks for something by GET, and says nothing of its
//! connection. Pure, but for the room that a thread keeps.

use std::cell::Cell;
use std::ops::Range;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, Uri};
use memchr::memchr;

use super::head::trimmed;
use crate::pipeline::room;

/// What hyper makes of a head that was judged, has no body and asks for no upgrade; `None`, if it is hyper's to
/// deal with.
pub(super) fn request_of(head: &[u8]) -> Option<Request<Body>> {
    const METHOD: &[u8] = b"GET ";
    if !head.starts_with(b"GET /") {
        return None;
    }
    let all = kept(head);
    let target = METHOD.len()..METHOD.len() + memchr(b' ', &head[METHOD.len()..])?;
    let uri = Uri::from_maybe_shared(all.slice(target.clone())).ok()?;
    let (mut headers, extensions) = room::taken();
    let mut at = next_line(head, target.end)?.end + 1;
    loop {
        let line = next_line(head, at)?;
        at = line.end + 1;
        let text = &head[line.clone()];
        if matches!(text, [] | [b'\r']) {
            break;
        }
        let colon = line.start + memchr(b':', text)?;
        let name = HeaderName::from_bytes(&head[line.start..colon]).ok()?;
        let end = line.end - usize::from(text.ends_with(b"\r"));
        let value = trimmed(head, colon + 1..end);
        if concerns_connection(name.as_str(), &head[value.clone()]) {
            return None;
        }
        let value = HeaderValue::from_maybe_shared(all.slice(value)).ok()?;
        headers.try_append(name, value).ok()?;
    }
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    *request.extensions_mut() = extensions;
    Some(request)
}

/// The line from here on, without its LF.
fn next_line(head: &[u8], at: usize) -> Option<Range<usize>> {
    Some(at..at + memchr(b'\n', head.get(at..)?)?)
}

/// Whether a header says what becomes of the connection, or that the client waits for leave to send.
fn concerns_connection(name: &str, value: &[u8]) -> bool {
    match name {
        // What is so anyway.
        "connection" => !value.eq_ignore_ascii_case(b"keep-alive"),
        "expect" | "upgrade" => true,
        _ => false,
    }
}

thread_local! {
    /// Room for the bytes of heads: as long as one of them is needed, the others of its time stay with it.
    static BYTES: Cell<BytesMut> = Cell::default();
}

/// How much room for bytes there is. A head that is larger has its own.
const ROOM: usize = 4096;

/// The bytes of a head, for the parts of a request to share.
fn kept(head: &[u8]) -> Bytes {
    if head.len() > ROOM {
        return Bytes::copy_from_slice(head);
    }
    let mut room = BYTES.take();
    if room.capacity() < head.len() {
        // Mostly nobody needs what was there before, so that this is the same room again.
        room.reserve(ROOM);
    }
    room.extend_from_slice(head);
    let all = room.split().freeze();
    BYTES.set(room);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_becomes_what_it_says() {
        let head =
            b"GET /a%20b?c=d HTTP/1.1\r\nHost: here\r\nX-A:  one \t\r\nx-a:two\nEmpty:\r\n\r\n";
        let request = request_of(head).expect("a request");
        assert_eq!(request.uri(), "/a%20b?c=d");
        assert_eq!(
            (request.method(), request.version()),
            (&http::Method::GET, http::Version::HTTP_11)
        );
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(headers, [("host", "here"), ("x-a", "one"), ("x-a", "two"), ("empty", "")]);
    }

    #[test]
    fn what_concerns_the_connection_is_hypers() {
        for (line, is_ours) in [
            ("Accept: */*", true),
            ("Connection: keep-alive", true),
            ("connection: Keep-Alive", true),
            ("Connection: close", false),
            ("Connection: keep-alive, close", false),
            ("Expect: 100-continue", false),
            ("Upgrade: h2c", false),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
            assert_eq!(request_of(head.as_bytes()).is_some(), is_ours, "{line}");
        }
        for start in ["HEAD /", "POST /", "GET http://a/", "OPTIONS *", "get /"] {
            let head = format!("{start} HTTP/1.1\r\nHost: a\r\n\r\n");
            assert!(request_of(head.as_bytes()).is_none(), "{start}");
        }
    }

    #[test]
    fn heads_share_their_room_and_keep_their_bytes() {
        let of = |number: usize| format!("GET /{number} HTTP/1.1\r\nHost: {number}\r\n\r\n");
        let requests: Vec<_> = (0..500).map(|number| request_of(of(number).as_bytes())).collect();
        for (number, request) in requests.into_iter().enumerate() {
            let request = request.expect("a request");
            assert_eq!(request.uri().path(), format!("/{number}"));
            assert_eq!(request.headers()["host"], number.to_string());
        }
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(2 * ROOM));
        let request = request_of(long.as_bytes()).expect("a request");
        assert_eq!(request.uri().path().len(), 2 * ROOM + 1);
    }

    #[test]
    fn room_that_is_used_again_has_no_headers() {
        let head = |name| format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: b\r\n\r\n");
        let first = request_of(head("one").as_bytes()).expect("a request");
        room::give_back_headers(first.into_parts().0.headers);
        let second = request_of(head("two").as_bytes()).expect("a request");
        assert_eq!(second.headers().len(), 2);
        assert!(second.headers().contains_key("two") && !second.headers().contains_key("one"));
    }
}
