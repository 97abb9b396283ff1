//! The fields of a header block (RFC 7541), as far as it takes to find the malformed ones.
//!
//! hyper's library takes a field that no request may have, such as a name in upper case, for a
//! fault in the compression, and ends the connection with all its requests. Such a field is
//! replaced here by one that takes the same place in the table of both sides, and one is added
//! that the library refuses as it should: it resets the stream.

use super::huffman;

/// A name or value is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldTooLong;

/// What a block is the head or the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Trailers,
}

/// What fields are measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of a name or a value.
    pub(super) max_field_size: usize,
    /// Of trailers, which the library would cut short without a word. A request is looked at when
    /// it is whole.
    pub(super) max_count: usize,
    pub(super) max_size: usize,
}

/// The block with its malformed fields replaced; `None` if there is none, or if the block cannot
/// be read, which is for the library to tell.
pub(super) fn mended(
    block: &[u8],
    kind: Kind,
    bounds: Bounds,
) -> Result<Option<Vec<u8>>, FieldTooLong> {
    let mut reader = Reader { block, at: 0 };
    let mut output: Option<Vec<u8>> = None;
    let mut malformed = false;
    let (mut count, mut size) = (0, 0);
    while let Some(&first) = block.get(reader.at) {
        let from = reader.at;
        let fault = match reader.representation(first) {
            None => return Ok(None),
            Some(Representation::TableSize) => None,
            Some(Representation::Indexed(index)) => {
                count += 1;
                // A pseudo-header field, by RFC 7541 appendix A.
                malformed |= kind == Kind::Trailers && index < 15;
                None
            }
            Some(Representation::Literal(field)) => {
                count += 1;
                size += field.size();
                if field.longest() > bounds.max_field_size {
                    return Err(FieldTooLong);
                }
                malformed |= kind == Kind::Trailers && field.is_pseudo();
                field.fault().map(|fault| (fault, field))
            }
        };
        if let Some((fault, field)) = fault {
            let output = output.get_or_insert_with(|| block[..from].to_vec());
            malformed |= fault != Fault::Nothing;
            field.replace(fault, output);
        } else if let Some(output) = &mut output {
            output.extend_from_slice(&block[from..reader.at]);
        }
    }
    malformed |= kind == Kind::Trailers && (count > bounds.max_count || size > bounds.max_size);
    if malformed {
        // Of the connection, not of a request: refused wherever it stands.
        let output = output.get_or_insert_with(|| block.to_vec());
        output.extend_from_slice(b"\0\x0aconnection\x01x");
    }
    Ok(output)
}

enum Representation<'a> {
    TableSize,
    /// A whole field from the table, which was looked at when it came there.
    Indexed(usize),
    Literal(Field<'a>),
}

struct Reader<'a> {
    block: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// What comes next; `None` if the block ends in the middle or makes no sense.
    fn representation(&mut self, first: u8) -> Option<Representation<'a>> {
        let prefix = match first {
            0x80.. => 7,
            0x40.. => 6,
            0x20.. => 5,
            _ => 4,
        };
        let number = self.integer(prefix)?;
        match prefix {
            7 => return (number > 0).then_some(Representation::Indexed(number)),
            5 => return Some(Representation::TableSize),
            _ => {}
        }
        let name = match number {
            0 => Name::Literal(self.text()?),
            index => Name::Index(index),
        };
        let value = self.text()?;
        let kind = first & !((1 << prefix) - 1);
        Some(Representation::Literal(Field { kind, name, value }))
    }

    fn integer(&mut self, prefix: u32) -> Option<usize> {
        let mask = (1_usize << prefix) - 1;
        let mut number = usize::from(*self.block.get(self.at)?) & mask;
        self.at += 1;
        if number < mask {
            return Some(number);
        }
        // Four bytes more are as many as the library takes.
        for shift in [0, 7, 14, 21] {
            let byte = usize::from(*self.block.get(self.at)?);
            self.at += 1;
            number += (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<Text<'a>> {
        let huffman = self.block.get(self.at)? & 0x80 != 0;
        let length = self.integer(7)?;
        let bytes = self.block.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Text::new(bytes, huffman)
    }
}

/// A text with what it takes to judge it.
struct Text<'a> {
    bytes: &'a [u8],
    huffman: bool,
    length: usize,
    /// Its first bytes, enough for the name of any pseudo-header field.
    start: [u8; 12],
    classes: u8,
}

const CONTROL: u8 = 1;
/// No part of a token (RFC 9110 section 5.6.2).
const NO_TOKEN: u8 = 2;
const UPPER_CASE: u8 = 4;
const NO_ASCII: u8 = 8;
/// `#`, which hyper's library cuts off a path with what follows.
const FRAGMENT: u8 = 16;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        classes[byte] = match b {
            b'\t' | b' ' => NO_TOKEN,
            0..32 | 127 => CONTROL | NO_TOKEN,
            128.. => NO_ASCII | NO_TOKEN,
            b'A'..=b'Z' => UPPER_CASE,
            b'a'..=b'z' | b'0'..=b'9' => 0,
            b'#' => FRAGMENT,
            b'!' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
            | b'|' | b'~' => 0,
            _ => NO_TOKEN,
        };
        byte += 1;
    }
    classes
};

impl<'a> Text<'a> {
    fn new(bytes: &'a [u8], huffman: bool) -> Option<Self> {
        let mut text = Self { bytes, huffman, length: 0, start: [0; 12], classes: 0 };
        let (length, start, classes) = (&mut text.length, &mut text.start, &mut text.classes);
        let mut each = |byte: u8| {
            if let Some(place) = start.get_mut(*length) {
                *place = byte;
            }
            *classes |= CLASSES[usize::from(byte)];
            *length += 1;
        };
        if huffman {
            huffman::decode(bytes, each).ok()?;
        } else {
            bytes.iter().for_each(|byte| each(*byte));
        }
        Some(text)
    }

    fn has(&self, class: u8) -> bool {
        self.classes & class != 0
    }

    fn is(&self, text: &[u8]) -> bool {
        self.length == text.len() && self.start[..text.len()] == *text
    }
}

enum Name<'a> {
    Index(usize),
    Literal(Text<'a>),
}

/// A literal field.
struct Field<'a> {
    /// The first bits of its representation: whether it goes into the table.
    kind: u8,
    name: Name<'a>,
    value: Text<'a>,
}

const INTO_TABLE: u8 = 0x40;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It says nothing: an empty `:authority`.
    Nothing,
    /// Its name, or its value for that name; the name has so many bytes.
    Name(usize),
    /// Its value.
    Value,
}

impl Field<'_> {
    fn name_length(&self) -> usize {
        match &self.name {
            Name::Literal(name) => name.length,
            // It was measured when it came into the table.
            Name::Index(_) => 0,
        }
    }

    /// The longer of name and value.
    fn longest(&self) -> usize {
        self.name_length().max(self.value.length)
    }

    /// As in a list of fields (RFC 9113 section 6.5.2), the names from the table left out.
    fn size(&self) -> usize {
        32 + self.name_length() + self.value.length
    }

    fn is_pseudo(&self) -> bool {
        match &self.name {
            Name::Index(index) => *index < 15,
            Name::Literal(name) => name.start[0] == b':',
        }
    }

    fn fault(&self) -> Option<Fault> {
        const PSEUDO: [&[u8]; 5] = [b":authority", b":method", b":path", b":scheme", b":protocol"];
        let pseudo = match &self.name {
            Name::Literal(name) if name.start[0] == b':' => {
                match PSEUDO.into_iter().find(|pseudo| name.is(pseudo)) {
                    Some(pseudo) => Some(pseudo),
                    None => return Some(Fault::Name(name.length)),
                }
            }
            Name::Literal(name) => {
                if name.length == 0 || name.has(NO_TOKEN | UPPER_CASE) {
                    return Some(Fault::Name(name.length));
                }
                None
            }
            // RFC 7541 appendix A.
            Name::Index(1) => Some(PSEUDO[0]),
            Name::Index(2 | 3) => Some(PSEUDO[1]),
            Name::Index(4 | 5) => Some(PSEUDO[2]),
            Name::Index(6 | 7) => Some(PSEUDO[3]),
            // `:status`
            Name::Index(8..=14) => return Some(Fault::Name(7)),
            Name::Index(_) => None,
        };
        let value = &self.value;
        match pseudo {
            Some(b":authority") if value.length == 0 && self.kind != INTO_TABLE => {
                Some(Fault::Nothing)
            }
            Some(name @ b":method") if value.length == 0 || value.has(NO_TOKEN) => {
                Some(Fault::Name(name.len()))
            }
            Some(name @ b":path") if value.has(FRAGMENT) => Some(Fault::Name(name.len())),
            Some(name) if value.has(CONTROL | NO_ASCII) => Some(Fault::Name(name.len())),
            None if value.has(CONTROL) => Some(Fault::Value),
            _ => None,
        }
    }

    /// Writes a field without `fault` that is as large in the table.
    fn replace(&self, fault: Fault, output: &mut Vec<u8>) {
        match (fault, &self.name) {
            (Fault::Nothing, _) => {}
            (Fault::Name(length), _) => {
                output.push(self.kind);
                // No name is empty; a value makes up for it if there is one.
                let lack = usize::from(length == 0);
                put_text(output, length + lack);
                put_text(output, self.value.length.saturating_sub(lack));
            }
            (Fault::Value, Name::Literal(name)) => {
                output.push(self.kind);
                put_integer(output, if name.huffman { 0x80 } else { 0 }, 7, name.bytes.len());
                output.extend_from_slice(name.bytes);
                put_text(output, self.value.length);
            }
            (Fault::Value, Name::Index(index)) => {
                let prefix = if self.kind == INTO_TABLE { 6 } else { 4 };
                put_integer(output, self.kind, prefix, *index);
                put_text(output, self.value.length);
            }
        }
    }
}

/// Writes so many letters.
fn put_text(output: &mut Vec<u8>, length: usize) {
    put_integer(output, 0, 7, length);
    output.resize(output.len() + length, b'x');
}

fn put_integer(output: &mut Vec<u8>, first: u8, prefix: u32, number: usize) {
    let mask = (1_usize << prefix) - 1;
    // Every piece is cut to its bits before.
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    if number < mask {
        output.push(first | byte(number));
        return;
    }
    output.push(first | byte(mask));
    let mut rest = number - mask;
    while rest >= 0x80 {
        output.push(byte(rest & 0x7f) | 0x80);
        rest >>= 7;
    }
    output.push(byte(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 100;

    fn mended(block: &[u8]) -> Result<Option<Vec<u8>>, FieldTooLong> {
        of_kind(Kind::Request, block)
    }

    fn of_kind(kind: Kind, block: &[u8]) -> Result<Option<Vec<u8>>, FieldTooLong> {
        let bounds = Bounds { max_field_size: MAX, max_count: 3, max_size: 150 };
        super::mended(block, kind, bounds)
    }

    fn literal(kind: u8, name: &str, value: &str) -> Vec<u8> {
        let mut bytes = vec![kind];
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend(text.bytes());
        }
        bytes
    }

    #[test]
    fn well_formed_blocks_pass_untouched() {
        for block in [
            // The requests of RFC 7541 appendix C.4, Huffman coded.
            &b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..],
            b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
            b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
            &literal(0, "x-a", "a\tb \u{e5}"),
            &literal(0x10, ":protocol", "websocket"),
            &literal(0, "x", ""),
            // A size of the table, then a name from it.
            b"\x3f\xe1\x1f\x7e\x01a",
            b"",
        ] {
            assert_eq!(mended(block), Ok(None), "{block:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_library() {
        for block in [
            &b"\x80"[..],
            b"\x82\x40\x05ab",
            b"\0\x01X",
            b"\0\x01X\x01y\x40",
            b"\x3f\xff\xff\xff\xff\xff",
            b"\0\x81\0\x01a",
        ] {
            assert_eq!(mended(block), Ok(None), "{block:?}");
        }
    }

    #[test]
    fn a_malformed_field_is_replaced_by_one_of_the_same_size() {
        let x =
            |kind, name: usize, value: usize| literal(kind, &"x".repeat(name), &"x".repeat(value));
        let indexed = |bytes: &[u8]| bytes.to_vec();
        for (field, replaced) in [
            (literal(0, "X-Up", "y"), x(0, 4, 1)),
            (literal(0x40, "x y", "z"), x(0x40, 3, 1)),
            (literal(0, "", "y"), x(0, 1, 0)),
            (literal(0, "", ""), x(0, 1, 0)),
            (literal(0, ":foo", "bar"), x(0, 4, 3)),
            (literal(0, ":status", "abc"), x(0, 7, 3)),
            (indexed(b"\x48\x01a"), x(0x40, 7, 1)),
            (literal(0, "x", "y\r\nz: w"), literal(0, "x", "xxxxxxx")),
            (indexed(b"\x7f\x80\x01\x01\0"), indexed(b"\x7f\x80\x01\x01x")),
            (indexed(b"\x0f\x23\x01\x7f"), indexed(b"\x0f\x23\x01x")),
            (indexed(b"\x42\x04GE T"), x(0x40, 7, 4)),
            (indexed(b"\x42\x00"), x(0x40, 7, 0)),
            (literal(0, ":path", "/\u{e5}"), x(0, 5, 3)),
            (literal(0, ":path", "/a#b"), x(0, 5, 4)),
            // The same in Huffman's code: `A`, then a line feed.
            (indexed(b"\0\x81\x87\x01y"), x(0, 1, 1)),
            (indexed(b"\0\x01x\x84\xff\xff\xff\xf3"), literal(0, "x", "x")),
        ] {
            let block = [&b"\x82"[..], &field, b"\x84"].concat();
            let expected = [&b"\x82"[..], &replaced, b"\x84\0\x0aconnection\x01x"].concat();
            assert_eq!(mended(&block), Ok(Some(expected)), "{field:?}");
        }
    }

    #[test]
    fn an_empty_authority_is_left_out() {
        for field in [&b"\x01\0"[..], b"\0\x0a:authority\0", b"\x11\x80"] {
            let block = [&b"\x82"[..], field, b"\x84"].concat();
            assert_eq!(mended(&block), Ok(Some(b"\x82\x84".to_vec())));
        }
    }

    #[test]
    fn trailers_have_no_pseudo_fields_and_a_measure() {
        let small = literal(0, "x", "y");
        let large = literal(0, "x", &"y".repeat(100));
        for (trailers, well_formed) in [
            (small.repeat(3), true),
            (small.repeat(4), false),
            (large.clone(), true),
            ([&large[..], &small].concat(), false),
            (b"\x84".to_vec(), false),
            (b"\x90".to_vec(), true),
            (literal(0, ":path", "/"), false),
            (b"\x04\x01/".to_vec(), false),
        ] {
            let refused = [&trailers[..], b"\0\x0aconnection\x01x"].concat();
            let expected = (!well_formed).then_some(refused);
            assert_eq!(of_kind(Kind::Trailers, &trailers), Ok(expected), "{trailers:?}");
            assert_eq!(of_kind(Kind::Request, &trailers), Ok(None), "{trailers:?}");
        }
    }

    #[test]
    fn names_and_values_have_a_longest_length() {
        let long = |length| literal(0, "x", &"y".repeat(length));
        assert_eq!(mended(&long(MAX)), Ok(None));
        assert_eq!(mended(&long(MAX + 1)), Err(FieldTooLong));
        assert_eq!(mended(&literal(0, &"y".repeat(MAX + 1), "")), Err(FieldTooLong));
    }
}
