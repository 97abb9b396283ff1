//! HPACK's Huffman code (RFC 7541 appendix B), read and not written.
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their
//! symbols, and shorter ones come first. Their lengths are therefore all there is to know.

/// The length of each byte's code.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

const LONGEST: usize = 30;

/// The bytes in the order of their codes, and for each length its first code and that code's
/// place among the bytes.
struct Table {
    bytes: [u8; 256],
    first: [u32; LONGEST + 2],
    place: [u16; LONGEST + 2],
}

const TABLE: Table = table();

const fn table() -> Table {
    let mut table = Table { bytes: [0; 256], first: [0; LONGEST + 2], place: [0; LONGEST + 2] };
    let mut code = 0;
    let mut place = 0;
    let mut length = 1;
    while length <= LONGEST {
        code <<= 1;
        table.first[length] = code;
        table.place[length] = place;
        let mut byte = 0;
        while byte < 256 {
            if LENGTHS[byte] as usize == length {
                table.bytes[place as usize] = byte as u8;
                place += 1;
                code += 1;
            }
            byte += 1;
        }
        length += 1;
    }
    table.place[LONGEST + 1] = place;
    table
}

/// What most codes are: the byte and the length of each code of at most eight bits, by the eight
/// bits that begin with it. A length of zero is a longer one.
const SHORT: [(u8, u8); 256] = short();

const fn short() -> [(u8, u8); 256] {
    let mut short = [(0, 0); 256];
    let mut length = 5;
    while length <= 8 {
        let mut place = TABLE.place[length];
        while place < TABLE.place[length + 1] {
            let code = TABLE.first[length] + (place - TABLE.place[length]) as u32;
            let mut rest = 0;
            while rest < 1 << (8 - length) {
                let index = (code << (8 - length)) + rest;
                short[index as usize] = (TABLE.bytes[place as usize], length as u8);
                rest += 1;
            }
            place += 1;
        }
        length += 1;
    }
    short
}

/// The text that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoText;

/// Hands every byte of a text to `each`.
pub(super) fn decode(encoded: &[u8], mut each: impl FnMut(u8)) -> Result<(), NoText> {
    // The next bits, from the top.
    let mut bits: u64 = 0;
    let mut count: usize = 0;
    let mut encoded = encoded.iter();
    loop {
        while count <= 56 {
            let Some(byte) = encoded.next() else {
                break;
            };
            bits |= u64::from(*byte) << (56 - count);
            count += 8;
        }
        let (byte, length) = match SHORT[(bits >> 56) as usize] {
            (_, 0) => match long(bits) {
                Some(found) => found,
                None => break,
            },
            (byte, length) => (byte, usize::from(length)),
        };
        if length > count {
            break;
        }
        each(byte);
        bits <<= length;
        count -= length;
    }
    // Filled up with the beginning of the longest code, all ones, by less than a byte.
    let padding = u64::MAX.checked_shl(64 - count as u32).unwrap_or(0);
    if count < 8 && bits == padding { Ok(()) } else { Err(NoText) }
}

fn long(bits: u64) -> Option<(u8, usize)> {
    (9..=LONGEST).find_map(|length| {
        let code = (bits >> (64 - length)) as u32;
        let place =
            usize::from(TABLE.place[length]) + code.checked_sub(TABLE.first[length])? as usize;
        let found = place < usize::from(TABLE.place[length + 1]);
        found.then(|| (TABLE.bytes[place], length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(encoded: &[u8]) -> Result<Vec<u8>, NoText> {
        let mut text = Vec::new();
        decode(encoded, |byte| text.push(byte)).map(|()| text)
    }

    /// The other way round, by the book.
    fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for byte in text {
            let place = TABLE.bytes.iter().position(|other| other == byte).unwrap();
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let code = TABLE.first[length] + (place - usize::from(TABLE.place[length])) as u32;
            bits += &format!("{code:0length$b}");
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        bits.as_bytes()
            .chunks(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect()
    }

    /// The examples of RFC 7541 appendix C.
    #[test]
    fn the_examples_of_the_specification() {
        for (encoded, decoded) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", "no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf", "custom-value"),
            (b"\x64\x02", "302"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (b"", ""),
        ] {
            assert_eq!(text(encoded).unwrap(), decoded.as_bytes());
            assert_eq!(encode(decoded.as_bytes()), encoded);
        }
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(text(&encode(&all)).unwrap(), all);
        for byte in all {
            assert_eq!(text(&encode(&[byte])).unwrap(), [byte]);
        }
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        // '0' is 00000; three ones follow, then three zeros, then a whole byte of ones.
        assert_eq!(text(&[0b0000_0111]).unwrap(), b"0");
        assert_eq!(text(&[0b0000_0000]), Err(NoText));
        assert_eq!(text(&[0b0000_0111, 0xff]), Err(NoText));
        // The end of a text as a code.
        assert_eq!(text(&[0xff, 0xff, 0xff, 0xff]), Err(NoText));
    }
}
