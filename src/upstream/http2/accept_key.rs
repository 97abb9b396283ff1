//! What a client of WebSocket over HTTP/1.1 is answered (RFC 6455 section 4.2.2), where the server has none to
//! give: over HTTP/2 there are no keys.

use base64ct::{Base64, Encoding};
use sha1::{Digest, Sha1};

/// What is put behind the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to a key, or `None` if it is none: 16 bytes in base64 it has to be.
pub(super) fn of(key: &[u8]) -> Option<String> {
    let (digits, end) = key.split_at_checked(22)?;
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    (end == b"==" && digits.iter().all(is_digit)).then(|| {
        // Broken for signatures, and what the protocol has here all the same.
        Base64::encode_string(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_those_of_the_standards() {
        // RFC 6455 section 1.3, and what was recorded.
        let key = b"dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(of(key).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for none in [
            "short",
            "",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhl IHNhbXBsZSBub25jZQ=",
        ] {
            assert_eq!(of(none.as_bytes()), None, "{none}");
        }
    }
}
