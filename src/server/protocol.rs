//! Which version of HTTP do the first bytes of a connection speak? Pure functions over bytes.

use http::HeaderValue;

/// What an HTTP/2 client sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The line of it that tells an HTTP/1 server whom it is talking to.
const PREFACE_LINE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// The answer to an HTTP/2 client where only HTTP/1 is spoken: one GOAWAY frame with the error
/// HTTP_1_1_REQUIRED (0xd), as on Kestrel.
pub(super) const GOAWAY_HTTP_1_1_REQUIRED: &[u8] =
    &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d];

/// The answer where only HTTP/2 is spoken to what is no HTTP at all.
pub(super) const GOAWAY_PROTOCOL_ERROR: &[u8] =
    &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01];

/// The goodbye where only HTTP/2 is spoken to a client that has not said yet what it speaks.
pub(super) const GOAWAY_NO_ERROR: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The text of the answer to an HTTP/1 request where only HTTP/2 is spoken, as on Kestrel.
pub(super) const HTTP1_ON_HTTP2: &str = "An HTTP/1.x request was sent to an HTTP/2 only endpoint.";

/// The longest first line that is waited for on an endpoint that only speaks HTTP/2.
const MAX_FIRST_LINE: usize = 8 * 1024;

/// What the first bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstBytes {
    /// The beginning of HTTP/2's preface, not yet all of it.
    Undecided,
    /// HTTP/2's preface.
    Http2,
    /// Something else: HTTP/1 or no HTTP at all.
    Other,
}

/// Looks at the first bytes of a connection.
pub(super) fn first_bytes(bytes: &[u8]) -> FirstBytes {
    let seen = bytes.len().min(PREFACE.len());
    if bytes[..seen] != PREFACE[..seen] {
        FirstBytes::Other
    } else if seen == PREFACE.len() {
        FirstBytes::Http2
    } else {
        FirstBytes::Undecided
    }
}

/// Whether an HTTP/1 endpoint is being spoken to in HTTP/2.
pub(super) fn is_preface_line(bytes: &[u8]) -> bool {
    bytes.starts_with(PREFACE_LINE)
}

/// Whether the first line is a request of HTTP/1; `None` until it is complete, or has a byte that
/// no such line has: TLS, for one, may never send the end of a line.
pub(super) fn is_http1_request(bytes: &[u8]) -> Option<bool> {
    let line = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => &bytes[..end],
        None if bytes.len() >= MAX_FIRST_LINE || bytes.iter().any(is_binary) => {
            return Some(false);
        }
        None => return None,
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"))
}

/// Whether these are the first bytes of a TLS handshake (RFC 8446 section 5.1).
pub(super) fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 0x03, 0x00..=0x04, ..])
}

/// The text of the answer in clear text to an HTTP/1 request in clear text where TLS is spoken. Nothing of
/// the request is in it: which hosts requests may be for is judged behind the handshake, and our address is
/// not where a client behind a proxy or a container's port has to go.
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "a handshake uses the rest"))]
pub(super) const USE_HTTPS: &str = "A request in clear text was sent to an endpoint that speaks HTTPS. \
    Use https:// in the place of http://, with the same host and port.";

/// The answer 400 with a text, without hyper: what came is no request that it could answer. It has
/// the `date` and, if there is to be one, the server's name, as every other answer.
pub(super) fn bad_request(text: &str, date: &HeaderValue, server: bool) -> Vec<u8> {
    let mut answer =
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nDate: "
            .to_vec();
    answer.extend_from_slice(date.as_bytes());
    if server {
        answer.extend_from_slice(b"\r\nServer: Kestrel");
    }
    answer
        .extend_from_slice(format!("\r\nContent-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    answer
}

fn is_binary(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_is_told_from_the_first_byte_that_differs() {
        for (bytes, told) in [
            (&b""[..], FirstBytes::Undecided),
            (b"P", FirstBytes::Undecided),
            (b"PRI * HTTP/2.0\r\n", FirstBytes::Undecided),
            (PREFACE, FirstBytes::Http2),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", FirstBytes::Http2),
            (b"G", FirstBytes::Other),
            (b"PUT / HTTP/1.1\r\n", FirstBytes::Other),
            (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", FirstBytes::Other),
        ] {
            assert_eq!(first_bytes(bytes), told, "{bytes:?}");
        }
    }

    #[test]
    fn a_request_line_of_http1_is_told_at_its_end() {
        for (bytes, told) in [
            (&b"GET / HTTP/1.1"[..], None),
            (b"GET / HTTP/1.1\r\n", Some(true)),
            (b"GET / HTTP/1.0\nHost: a", Some(true)),
            (b"hello there\r\n", Some(false)),
            (b"hello there\r", None),
            (b"\x16\x03\x01\x02\x00\x01\x00", Some(false)),
            (&[b'a'; MAX_FIRST_LINE], Some(false)),
        ] {
            assert_eq!(is_http1_request(bytes), told, "{bytes:?}");
        }
    }

    #[test]
    fn the_fixed_answers_are_well_formed() {
        let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
        for (server, line) in [(false, ""), (true, "Server: Kestrel\r\n")] {
            let answer = String::from_utf8(bad_request("No.", &date, server)).unwrap();
            let expected = format!(
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\
                 Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n{line}Content-Length: 3\r\n\r\nNo."
            );
            assert_eq!(answer, expected);
        }
        for goaway in [GOAWAY_HTTP_1_1_REQUIRED, GOAWAY_PROTOCOL_ERROR, GOAWAY_NO_ERROR] {
            assert_eq!(goaway.len(), 17);
        }
    }
}
