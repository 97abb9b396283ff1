//! The representations of fields in a header block (RFC 7541 section 6): how they are read, and
//! written in another way.

use super::huffman;
use super::table::{Fault, Known, Name, Table};

pub(super) enum Representation<'a> {
    TableSize(usize),
    /// A whole field from a table.
    Indexed(usize),
    Literal(Field<'a>),
}

pub(super) struct Reader<'a> {
    pub(super) block: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    /// What comes next; `None` if the block ends in the middle or makes no sense.
    pub(super) fn representation(&mut self, first: u8) -> Option<Representation<'a>> {
        let prefix = match first {
            0x80.. => 7,
            0x40.. => 6,
            0x20.. => 5,
            _ => 4,
        };
        let number = self.integer(prefix)?;
        match prefix {
            7 => return Some(Representation::Indexed(number)),
            5 => return Some(Representation::TableSize(number)),
            _ => {}
        }
        let name = match number {
            0 => FieldName::Literal(self.text()?),
            index => FieldName::Index(index),
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
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    huffman: bool,
    length: usize,
    /// Its first bytes, enough for any name that means something here.
    start: [u8; 14],
    last: u8,
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
        let mut text = Self { bytes, huffman, length: 0, start: [0; 14], last: 0, classes: 0 };
        let Self { length, start, last, classes, .. } = &mut text;
        let mut each = |byte: u8| {
            if let Some(place) = start.get_mut(*length) {
                *place = byte;
            }
            *last = byte;
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

    /// Whether it is that short text.
    fn is(&self, text: &[u8]) -> bool {
        self.length == text.len() && self.start.starts_with(text)
    }

    /// Whether a blank is at one of its ends.
    fn has_outer_blanks(&self) -> bool {
        let is_blank = |byte| matches!(byte, b' ' | b'\t');
        is_blank(self.start[0]) || is_blank(self.last)
    }

    fn is_utf8(&self) -> bool {
        if !self.has(NO_ASCII) {
            return true;
        }
        if !self.huffman {
            return std::str::from_utf8(self.bytes).is_ok();
        }
        let mut text = Vec::with_capacity(self.length);
        // It was decoded before.
        let _ = huffman::decode(self.bytes, |byte| text.push(byte));
        std::str::from_utf8(&text).is_ok()
    }

    /// Writes it as it came.
    pub(super) fn put(&self, output: &mut Vec<u8>) {
        put_integer(output, if self.huffman { 0x80 } else { 0 }, 7, self.bytes.len());
        output.extend_from_slice(self.bytes);
    }
}

pub(super) enum FieldName<'a> {
    Index(usize),
    Literal(Text<'a>),
}

/// A literal field.
pub(super) struct Field<'a> {
    /// The first bits of its representation: whether it goes into the table.
    kind: u8,
    name: FieldName<'a>,
    value: Text<'a>,
}

const INTO_TABLE: u8 = 0x40;

impl Field<'_> {
    pub(super) fn is_inserted(&self) -> bool {
        self.kind == INTO_TABLE
    }

    /// What is known of it; `None` if its name is in no table.
    pub(super) fn known(&self, table: &Table) -> Option<Known> {
        let (name, name_length, fault) = match &self.name {
            FieldName::Index(index) => {
                let known = table.get(*index)?;
                (known.name, known.name_length, known.fault.filter(|fault| fault.is_of_name()))
            }
            FieldName::Literal(text) => {
                let name = Name::of(&text.start, text.length);
                (name, short(text.length), name_fault(name, text))
            }
        };
        let fault = fault.or_else(|| value_fault(name, &self.value));
        let telling = match name {
            Name::Method => self.value.is(b"CONNECT"),
            Name::ContentLength => !self.value.is(b"0"),
            _ => false,
        };
        let value_length = short(self.value.length);
        Some(Known { name, fault, name_length, value_length, telling })
    }

    /// Writes a field without its fault that is as large in the table.
    pub(super) fn replace(&self, known: Known, output: &mut Vec<u8>) {
        if known.fault.is_some_and(Fault::is_of_name) {
            let length = known.name_length as usize;
            output.push(self.kind);
            // No name is empty; a value makes up for it if there is one.
            let lack = usize::from(length == 0);
            put_letters(output, length + lack);
            put_letters(output, self.value.length.saturating_sub(lack));
        } else {
            self.put_name(output);
            put_letters(output, self.value.length);
        }
    }

    /// Writes a field whose name and value have so many bytes, or a few more. It may have another
    /// name, unless it is a pseudo-header field.
    pub(super) fn put(&self, known: Known, room: usize, output: &mut Vec<u8>) {
        let keeps_name = match self.name {
            _ if known.fault.is_some_and(Fault::is_of_name) => false,
            FieldName::Literal(_) => known.name.is_pseudo(),
            FieldName::Index(_) => true,
        };
        let name_length = if keeps_name {
            self.put_name(output);
            known.name_length as usize
        } else {
            output.push(self.kind);
            put_letters(output, 1);
            1
        };
        // No method is empty, and every path begins with a slash.
        let length = room.saturating_sub(name_length).max(1);
        put_integer(output, 0, 7, length);
        output.push(if known.name == Name::Path { b'/' } else { b'x' });
        output.resize(output.len() + length - 1, b'x');
    }

    fn put_name(&self, output: &mut Vec<u8>) {
        match &self.name {
            FieldName::Literal(name) => {
                output.push(self.kind);
                name.put(output);
            }
            FieldName::Index(index) => {
                let prefix = if self.is_inserted() { 6 } else { 4 };
                put_integer(output, self.kind, prefix, *index);
            }
        }
    }
}

fn name_fault(name: Name, text: &Text<'_>) -> Option<Fault> {
    match name {
        Name::OtherPseudo => Some(Fault::Pseudo),
        Name::Other if text.length == 0 || text.has(NO_TOKEN | UPPER_CASE) => Some(Fault::Name),
        _ => None,
    }
}

fn value_fault(name: Name, value: &Text<'_>) -> Option<Fault> {
    let pseudo = |faulty: bool| faulty.then_some(Fault::PseudoValue);
    match name {
        Name::Method | Name::Protocol => pseudo(value.length == 0 || value.has(NO_TOKEN)),
        Name::Path => pseudo(value.has(FRAGMENT | CONTROL | NO_ASCII)),
        _ if name.is_pseudo() => pseudo(value.has(CONTROL | NO_ASCII)),
        _ if value.has(CONTROL) => Some(Fault::Control),
        _ if value.has_outer_blanks() => Some(Fault::Blank),
        _ if !value.is_utf8() => Some(Fault::NotUtf8),
        _ => None,
    }
}

/// A length of a text in a block, which has an end.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Writes so many letters.
fn put_letters(output: &mut Vec<u8>, length: usize) {
    put_integer(output, 0, 7, length);
    output.resize(output.len() + length, b'x');
}

pub(super) fn put_integer(output: &mut Vec<u8>, first: u8, prefix: u32, number: usize) {
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
