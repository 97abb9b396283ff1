//! What a head is made of: characters, looked at without a word of what they say.

use std::ops::Range;

/// The characters of a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = matches!(byte as u8,
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\''
                | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
            byte += 1;
        }
        table
    };
    TOKEN[byte as usize]
}

/// How many bytes from the first on are printable ASCII, looked at eight at a time.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut length = 0;
    while let Some(eight) = bytes.get(length..length + 8) {
        let eight = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        let delete = eight ^ (0x7F * ONES);
        // The lowest mark is exact: a borrow can only come from a byte that is marked itself.
        let control = eight.wrapping_sub(0x20 * ONES) & !eight;
        let marks = (eight | control | delete.wrapping_sub(ONES) & !delete) & HIGH;
        if marks != 0 {
            return length + marks.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = bytes[length..].iter().take_while(|byte| (0x20..0x7F).contains(*byte));
    length + rest.count()
}

/// A range without the blanks at its ends.
pub(crate) fn trimmed(bytes: &[u8], mut range: Range<usize>) -> Range<usize> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\t');
    while range.start < range.end && blank(bytes[range.start]) {
        range.start += 1;
    }
    while range.start < range.end && blank(bytes[range.end - 1]) {
        range.end -= 1;
    }
    range
}

/// Whether these are the first bytes of a TLS ClientHello in a record of SSL 3.0 to TLS 1.3
/// (RFC 8446 section 5.1); `None` until they are enough to tell.
pub(super) fn tls(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0x16, 0x03, 0x00..=0x04, _, _, 0x01, ..] => Some(true),
        [0x16] | [0x16, 0x03] | [0x16, 0x03, 0x00..=0x04] => None,
        [0x16, 0x03, 0x00..=0x04, _] | [0x16, 0x03, 0x00..=0x04, _, _] => None,
        _ => Some(false),
    }
}
