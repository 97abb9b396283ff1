//! PEM (RFC 7468), as .NET reads it: text around the sections is skipped, and so is a section
//! that is broken, which is told of only where nothing better is found.

use memchr::memmem;

/// The sections of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pem<'a> {
    /// Those that could be read, in their order.
    pub(crate) sections: Vec<Section<'a>>,
    /// Those that could not.
    pub(crate) broken: Vec<Broken<'a>>,
}

/// A section that could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    /// What it says it is: `CERTIFICATE`.
    pub(crate) label: &'a str,
    /// Its content. Secret, if the label says so.
    pub(crate) der: Vec<u8>,
}

/// A section that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken<'a> {
    /// What it says it is.
    pub(crate) label: &'a str,
    /// The line it begins on, counted from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) fault: Fault,
}

/// What can be wrong with a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no `-----END` line for it.
    NotClosed,
    /// Its content is no base64.
    NotBase64,
    /// It is encrypted in the way of OpenSSL before 1.0 (RFC 1421): with headers in the section.
    OldEncryption,
}

impl Fault {
    /// In words that follow the section.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NotClosed => "has no -----END line",
            Self::NotBase64 => "is not base64",
            Self::OldEncryption => "is encrypted",
        }
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

impl<'a> Pem<'a> {
    /// Reads all sections of a text.
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let mut found = Self::default();
        let mut line = Lines { text, at: 0, number: 1 };
        let begins: Vec<usize> = memmem::find_iter(text, BEGIN).collect();
        for (index, &begin) in begins.iter().enumerate() {
            let after_blank = match begin.checked_sub(1) {
                Some(before) => text.get(before).is_some_and(u8::is_ascii_whitespace),
                None => true,
            };
            // A section ends before the next one begins, so that each byte is looked at once.
            let end = begins.get(index + 1).copied().unwrap_or(text.len());
            let (true, Some(rest)) = (after_blank, text.get(begin + BEGIN.len()..end)) else {
                continue;
            };
            let Some((label, content)) = label(rest) else {
                continue;
            };
            match section(label, content) {
                Ok(der) => found.sections.push(Section { label, der }),
                Err(fault) => found.broken.push(Broken { label, line: line.of(begin), fault }),
            }
        }
        found
    }
}

/// The label that a section begins with, and what follows it.
fn label(rest: &[u8]) -> Option<(&str, &[u8])> {
    let end = memmem::find(rest, DASHES)?;
    let label = std::str::from_utf8(rest.get(..end)?).ok()?;
    let plain = !label.contains(|character: char| character.is_control());
    plain.then_some((label, rest.get(end + DASHES.len()..)?))
}

fn section(label: &str, content: &[u8]) -> Result<Vec<u8>, Fault> {
    let end = format!("-----END {label}-----");
    let content = memmem::find(content, end.as_bytes()).and_then(|end| content.get(..end));
    let content = content.ok_or(Fault::NotClosed)?;
    if content.trim_ascii_start().starts_with(b"Proc-Type:") {
        return Err(Fault::OldEncryption);
    }
    base64(content).ok_or(Fault::NotBase64)
}

/// Reads base64 (RFC 4648 section 4), with white space wherever it likes.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held, mut padding, mut characters) = (0_u32, 0_u32, 0_u32, 0_usize);
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        characters += 1;
        let value = match byte {
            b'=' => {
                padding += 1;
                continue;
            }
            _ if padding > 0 => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held & 0xFF) as u8);
        }
    }
    (characters % 4 == 0 && padding <= 2).then_some(decoded)
}

/// Counts lines from one place in a text to a later one.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> usize {
        let passed = self.text.get(self.at..place).unwrap_or_default();
        self.number += memchr::memchr_iter(b'\n', passed).count();
        self.at = place;
        self.number
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels<'a>(pem: &Pem<'a>) -> Vec<&'a str> {
        pem.sections.iter().map(|section| section.label).collect()
    }

    #[test]
    fn text_around_sections_is_skipped() {
        let text = b"subject=x\n-----BEGIN A-----\nQUI=\n-----END A-----\n\nBag\n  \
                     -----BEGIN B C-----\r\nQU JD\r\n-----END B C-----";
        let pem = Pem::read(text);
        assert_eq!(labels(&pem), ["A", "B C"]);
        assert_eq!(pem.sections[0].der, b"AB");
        assert_eq!(pem.sections[1].der, b"ABC");
        assert_eq!(pem.broken, []);
    }

    #[test]
    fn a_broken_section_says_where_and_why() {
        let cases: [(&str, usize, Fault); 6] = [
            ("\n\n-----BEGIN A-----\nQUI=\n", 3, Fault::NotClosed),
            ("-----BEGIN A-----\nQUI=\n-----END B-----\n", 1, Fault::NotClosed),
            ("-----BEGIN A-----\n!\n-----END A-----\n", 1, Fault::NotBase64),
            ("-----BEGIN A-----\nQUI\n-----END A-----\n", 1, Fault::NotBase64),
            ("-----BEGIN A-----\nQU=I\n-----END A-----\n", 1, Fault::NotBase64),
            (
                "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nQUI=\n-----END A-----\n",
                1,
                Fault::OldEncryption,
            ),
        ];
        for (text, line, fault) in cases {
            let pem = Pem::read(text.as_bytes());
            assert_eq!(pem.broken, [Broken { label: "A", line, fault }], "{text}");
            assert_eq!(pem.sections, []);
        }
    }

    #[test]
    fn a_section_that_is_not_closed_does_not_eat_the_next_one() {
        let text = b"-----BEGIN A-----\nQUI=\n-----BEGIN B-----\nQUI=\n-----END B-----\n";
        let pem = Pem::read(text);
        assert_eq!(labels(&pem), ["B"]);
        assert_eq!(pem.broken.len(), 1);
    }

    fn encode(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let sextet = (bits >> (18 - 6 * place)) as usize & 63;
                text.push(if place <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
            }
        }
        text
    }

    /// A section with this content.
    pub(in super::super) fn section(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", encode(der))
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes: Vec<u8>, width in 1_usize..100) {
            let encoded = encode(&bytes);
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let text = section("X", &[]).replace("-----\n\n", &format!("-----\n{}\n", lines.join("\n")));
            prop_assert_eq!(&Pem::read(text.as_bytes()).sections, &[Section { label: "X", der: bytes }]);
        }

        #[test]
        fn nothing_is_read_twice_and_nothing_panics(text: Vec<u8>) {
            let pem = Pem::read(&text);
            prop_assert!(pem.sections.len() + pem.broken.len() <= text.len() / BEGIN.len());
        }
    }
}
