//! The head of a request, written straight into the connection's buffer.

use bytes::{BufMut, BytesMut};
use http::{HeaderName, Method, header};

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

/// Writes the head. Nothing in it can end a line or the head: a target or a name with a blank or a control
/// character in it is not written, which the caller sees.
pub(super) fn write(out: &mut BytesMut, outgoing: &Outgoing<'_>, body: Body) -> bool {
    let is_word = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, 0x21..=0x7E | 0x80..));
    let Outgoing { method, target, host, fields, upgrade, .. } = outgoing;
    if target.is_empty() || !is_word(target) || !is_word(host) {
        return false;
    }
    out.reserve(1024);
    out.put_slice(method.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(target);
    out.put_slice(b" HTTP/1.1\r\nhost: ");
    out.put_slice(host);
    fields.each(&mut |name, value| {
        if is_the_codecs(name) {
            return;
        }
        let before = out.len();
        out.put_slice(b"\r\n");
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        if !value.write(out) {
            out.truncate(before);
        }
    });
    if let Some(protocol) = upgrade {
        out.put_slice(b"\r\nConnection: Upgrade\r\nUpgrade: ");
        out.put_slice(protocol);
    }
    match body {
        Body::None if mostly_has_a_body(method) => out.put_slice(b"\r\ncontent-length: 0"),
        Body::None => {}
        Body::Length(length) => {
            out.put_slice(b"\r\ncontent-length: ");
            put_decimal(out, length);
        }
        Body::Chunked => out.put_slice(b"\r\ntransfer-encoding: chunked"),
    }
    out.put_slice(b"\r\n\r\n");
    true
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
pub(super) fn put_chunk_size(out: &mut BytesMut, mut size: usize) {
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
    out.put_slice(&digits[at..]);
    out.put_slice(b"\r\n");
}

fn put_decimal(out: &mut BytesMut, mut number: u64) {
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
    out.put_slice(&digits[at..]);
}
