//! Texts of clients as they stand in a line: nothing in them ends it, or colours a terminal. Pure.

use std::fmt::Write as _;

use crate::diagnostics::turns_text;

/// Between quotes, as Apache's logs have it: what is no printable ASCII is `\xHH`.
pub(super) fn quoted(bytes: &[u8], out: &mut String) {
    each(
        bytes,
        out,
        |byte| matches!(byte, b'"' | b'\\' | ..0x20 | 0x7f..),
        |byte, out| {
            let _ = match byte {
                b'"' | b'\\' => write!(out, "\\{}", char::from(byte)),
                byte => write!(out, "\\x{byte:02X}"),
            };
        },
    );
}

/// The same for what stands between blanks.
pub(super) fn word(bytes: &[u8], out: &mut String) {
    let mut parts = bytes.split(|byte| *byte == b' ');
    quoted(parts.next().unwrap_or_default(), out);
    for part in parts {
        out.push_str("\\x20");
        quoted(part, out);
    }
}

/// A text of JSON, without its quotes. What is no UTF-8 is replaced.
pub(super) fn json(bytes: &[u8], out: &mut String) {
    // As bytes, where there is nothing else.
    if bytes.is_ascii() {
        let marks = |byte| matches!(byte, b'"' | b'\\' | ..0x20 | 0x7f);
        each(bytes, out, marks, |byte, out| json_character(char::from(byte), out));
        return;
    }
    for character in String::from_utf8_lossy(bytes).chars() {
        let breaks = character.is_control() || turns_text(character);
        match character {
            '"' | '\\' => json_character(character, out),
            _ if breaks => json_character(character, out),
            _ => out.push(character),
        }
    }
}

fn json_character(character: char, out: &mut String) {
    let _ = match character {
        '"' | '\\' => write!(out, "\\{character}"),
        _ => write!(out, "\\u{:04X}", u32::from(character)),
    };
}

/// Copies ASCII, and writes each byte that `is_marked` by `mark`. Whatever is no ASCII has to be marked.
fn each(
    bytes: &[u8],
    out: &mut String,
    is_marked: impl Fn(u8) -> bool,
    mark: impl Fn(u8, &mut String),
) {
    let mut rest = bytes;
    loop {
        let clean = rest.iter().position(|byte| is_marked(*byte)).unwrap_or(rest.len());
        out.push_str(std::str::from_utf8(&rest[..clean]).unwrap_or_default());
        let Some((marked, behind)) = rest[clean..].split_first() else { return };
        mark(*marked, out);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        for (bytes, in_quotes, in_json) in [
            (&b"agent/1.0 (x; y)"[..], "agent/1.0 (x; y)", "agent/1.0 (x; y)"),
            (b"a\"b\\c", "a\\\"b\\\\c", "a\\\"b\\\\c"),
            (
                b"a\r\nb\t\x1b[31m",
                "a\\x0D\\x0Ab\\x09\\x1B[31m",
                "a\\u000D\\u000Ab\\u0009\\u001B[31m",
            ),
            ("ü".as_bytes(), "\\xC3\\xBC", "ü"),
            (
                "a\u{85}\"\u{2028}".as_bytes(),
                "a\\xC2\\x85\\\"\\xE2\\x80\\xA8",
                "a\\u0085\\\"\\u2028",
            ),
            ("a\u{202e}b".as_bytes(), "a\\xE2\\x80\\xAEb", "a\\u202Eb"),
            (b"\xff", "\\xFF", "\u{fffd}"),
            (b"\x7f", "\\x7F", "\\u007F"),
            (b"", "", ""),
        ] {
            let (mut one, mut other) = (String::new(), String::new());
            quoted(bytes, &mut one);
            json(bytes, &mut other);
            assert_eq!((one.as_str(), other.as_str()), (in_quotes, in_json), "{bytes:?}");
        }
    }
}
