//! What a client of WebSocket over HTTP/1.1 is answered (RFC 6455 section 4.2.2), where the server has none to
//! give: over HTTP/2 there are no keys.

/// What is put behind the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to a key, or `None` if it is none: 16 bytes in base64 it has to be.
pub(super) fn of(key: &[u8]) -> Option<String> {
    let (digits, end) = key.split_at_checked(22)?;
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    (end == b"==" && digits.iter().all(is_digit)).then(|| base64(&sha1(&[key, GUID].concat())))
}

/// SHA-1 (FIPS 180-4): broken for signatures, and what the protocol has here all the same.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301_u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    // The last eight bytes of the last block are the length.
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().unwrap_or_default());
        }
        for at in 16..80 {
            let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words[at] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.into_iter().enumerate() {
            let (mix, constant) = match at / 20 {
                0 => (b & c | !b & d, 0x5A82_7999_u32),
                1 => (b ^ c ^ d, 0x6ED9_EBA1),
                2 => (b & c | b & d | c & d, 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6),
            };
            let next = a.rotate_left(5).wrapping_add(mix).wrapping_add(e);
            let next = next.wrapping_add(constant).wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (all, of_block) in state.iter_mut().zip([a, b, c, d, e]) {
            *all = all.wrapping_add(of_block);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let part = |at: usize| three.get(at).copied().map_or(0, u32::from);
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for at in 0..4 {
            text.push(match at <= three.len() {
                true => char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]),
                false => '=',
            });
        }
    }
    text
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
        // RFC 3174 section 7.3, and lengths around the ends of blocks.
        let hexadecimal = |bytes: [u8; 20]| bytes.map(|byte| format!("{byte:02x}")).concat();
        for (message, digest) in [
            (String::new(), "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc".to_owned(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("a".repeat(1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
            (
                "0123456701234567012345670123456701234567012345670123456701234567".repeat(10),
                "dea356a2cddd90c7a7ecedc5ebb563934f460452",
            ),
        ] {
            assert_eq!(hexadecimal(sha1(message.as_bytes())), digest);
        }
        for length in 50..140 {
            let message = vec![b'x'; length];
            assert_ne!(sha1(&message), sha1(&message[1..]), "{length}");
        }
        assert_eq!(base64(b"ab"), "YWI=");
    }
}
