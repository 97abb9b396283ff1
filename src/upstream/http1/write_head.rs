//! The head of a request, written straight into the connection's buffer.

use http::{HeaderName, Method, Version, header};

use crate::upstream::outgoing::Outgoing;

/// How a request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
}

impl Body {
    pub(super) fn of(outgoing: &Outgoing<'_>) -> Self {
        match outgoing.content.as_ref().map(|content| content.length) {
            None => Self::None,
            Some(Some(length)) => Self::Length(length),
            Some(None) => Self::Chunked,
        }
    }
}

/// Writes the head, or tells that it cannot. Nothing in it can end a line or the head: a target or a host with
/// a blank or a control character in it is not written.
pub(super) fn write(out: &mut Vec<u8>, outgoing: &Outgoing<'_>, body: Body) -> bool {
    let is_word = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, 0x21..=0x7E | 0x80..));
    let Outgoing { method, target, host, fields, upgrade, .. } = outgoing;
    // HTTP/1.0 has no chunks.
    let is_sayable = body != Body::Chunked || outgoing.version.0 != Version::HTTP_10;
    if target.is_empty() || !is_word(target) || !is_word(host) || !is_sayable {
        return false;
    }
    out.reserve(1024);
    out.extend_from_slice(method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(target);
    out.extend_from_slice(match outgoing.version.0 {
        Version::HTTP_10 => b" HTTP/1.0\r\nHost: ",
        _ => b" HTTP/1.1\r\nHost: ",
    });
    out.extend_from_slice(host);
    fields.each(&mut |name, value| {
        if is_the_codecs(name) {
            return;
        }
        let before = out.len();
        out.extend_from_slice(b"\r\n");
        put_name(out, name.as_str());
        out.extend_from_slice(b": ");
        if !value.write(out) {
            out.truncate(before);
        }
    });
    if let Some(protocol) = upgrade {
        out.extend_from_slice(b"\r\nConnection: Upgrade\r\nUpgrade: ");
        out.extend_from_slice(protocol);
    }
    match body {
        Body::None if mostly_has_a_body(method) => out.extend_from_slice(b"\r\nContent-Length: 0"),
        Body::None => {}
        Body::Length(length) => {
            out.extend_from_slice(b"\r\nContent-Length: ");
            put_decimal(out, length);
        }
        Body::Chunked => out.extend_from_slice(b"\r\nTransfer-Encoding: chunked"),
    }
    out.extend_from_slice(b"\r\n\r\n");
    true
}

/// Writes a name as people spell it: its case means nothing (RFC 9110 section 5.1), but there are old servers and
/// scripts that know no other spelling.
fn put_name(out: &mut Vec<u8>, name: &str) {
    let spelled = match name {
        // Those of most requests, which need no look at each letter.
        "accept" => "Accept",
        "accept-encoding" => "Accept-Encoding",
        "accept-language" => "Accept-Language",
        "authorization" => "Authorization",
        "cache-control" => "Cache-Control",
        "content-type" => "Content-Type",
        "cookie" => "Cookie",
        "referer" => "Referer",
        "user-agent" => "User-Agent",
        "x-forwarded-for" => "X-Forwarded-For",
        "x-forwarded-host" => "X-Forwarded-Host",
        "x-forwarded-proto" => "X-Forwarded-Proto",
        "te" => "TE",
        "dnt" => "DNT",
        "etag" => "ETag",
        "sec-websocket-accept" => "Sec-WebSocket-Accept",
        "sec-websocket-extensions" => "Sec-WebSocket-Extensions",
        "sec-websocket-key" => "Sec-WebSocket-Key",
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol",
        "sec-websocket-version" => "Sec-WebSocket-Version",
        "www-authenticate" => "WWW-Authenticate",
        // Trace Context has them in small letters.
        "traceparent" | "tracestate" | "baggage" => name,
        _ => return put_in_title_case(out, name),
    };
    out.extend_from_slice(spelled.as_bytes());
}

fn put_in_title_case(out: &mut Vec<u8>, name: &str) {
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    let written = &mut out[start..];
    if let Some(first) = written.first_mut() {
        first.make_ascii_uppercase();
    }
    for hyphen in memchr::memchr_iter(b'-', name.as_bytes()) {
        if let Some(next) = written.get_mut(hyphen + 1) {
            next.make_ascii_uppercase();
        }
    }
}

/// Whether a field says what the codec says: which server, how the message is framed, what becomes of the
/// connection.
fn is_the_codecs(name: &HeaderName) -> bool {
    match name.as_str().len() {
        4 => name == header::HOST,
        7 => name == header::UPGRADE,
        10 => name == header::CONNECTION,
        14 => name == header::CONTENT_LENGTH,
        17 => name == header::TRANSFER_ENCODING,
        _ => false,
    }
}

/// Whether a server may wait for a body, or ask for its length, if nothing says that there is none.
fn mostly_has_a_body(method: &Method) -> bool {
    !matches!(
        *method,
        Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS | Method::CONNECT
    )
}

/// The head of a chunk.
pub(super) fn put_chunk_size(out: &mut Vec<u8>, mut size: usize) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[size & 15];
        size >>= 4;
        if size == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

fn put_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_most_requests_are_spelled_like_others() {
        for name in [
            "accept",
            "accept-encoding",
            "accept-language",
            "authorization",
            "cache-control",
            "content-type",
            "cookie",
            "referer",
            "user-agent",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
        ] {
            let (mut known, mut other) = (Vec::new(), Vec::new());
            put_name(&mut known, name);
            put_in_title_case(&mut other, name);
            assert_eq!(str::from_utf8(&known), str::from_utf8(&other));
        }
    }
}
