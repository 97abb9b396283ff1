//! Text of events made safe for a terminal and a line-based file, for the simple and the systemd format.
//!
//! Control characters become `\u001B` and the like, so that text from a client can neither recolour a terminal nor
//! move its cursor; so do the separators of Unicode, which are line breaks to some, and what makes text run backwards. A
//! line break that the author of a message wrote is kept; in a value it would start a line of the log that nobody wrote,
//! so there it becomes `\u000A`. A carriage return is escaped too, in both, because it would let
//! the rest overwrite the line; only in an author's CR LF it counts as part of the break. Tabs stay.
//!
//! The message of an ordinary event has its values filled in already, so it passes as the author's: its lines are
//! indented or joined with a blank, and either way none of them can be taken for the head of another event.

use std::fmt::Write as _;

use super::entry::Piece;

/// What stands for an author's line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineBreak {
    /// A new line, indented like the message.
    Indent,
    /// One blank, so that the event stays on its line.
    Blank,
}

/// The indentation below a head line, as wide as `info: `.
pub(super) const INDENT: &str = "      ";

pub(super) fn push(piece: Piece<'_>, line_break: LineBreak, out: &mut String) {
    match piece {
        Piece::Author(text) => push_author(text, line_break, out),
        Piece::Value(text) => push_value(text, out),
    }
}

pub(super) fn push_author(text: &str, line_break: LineBreak, out: &mut String) {
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let last = lines.peek().is_none();
        push_value(if last { line } else { line.strip_suffix('\r').unwrap_or(line) }, out);
        if !last {
            match line_break {
                LineBreak::Indent => out.extend(["\n", INDENT]),
                LineBreak::Blank => out.push(' '),
            }
        }
    }
}

pub(super) fn push_value(text: &str, out: &mut String) {
    // Nearly every text is plain, and a look at the bytes is a tenth of one at the characters.
    if is_plain(text) {
        return out.push_str(text);
    }
    let mut clean = 0;
    for (index, character) in text.char_indices().filter(|(_, character)| is_unsafe(*character)) {
        out.push_str(&text[clean..index]);
        write!(out, "\\u{:04X}", u32::from(character)).expect("a String takes everything");
        clean = index + character.len_utf8();
    }
    out.push_str(&text[clean..]);
}

/// Whether these are printable characters of ASCII. Without an early end, so that many bytes are looked at in one step.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (byte.wrapping_sub(b' ') < 0x5f))
}

/// Besides control characters what a terminal takes for a line break, and what turns the order of the
/// characters behind it.
fn is_unsafe(character: char) -> bool {
    match character {
        '\t' => false,
        '\u{2028}' | '\u{2029}' => true,
        '\u{061C}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, author, value) in [
            ("plain äöü \u{1F600}\t.", "plain äöü \u{1F600}\t.", "plain äöü \u{1F600}\t."),
            ("\u{1b}[31m\u{7}\0", "\\u001B[31m\\u0007\\u0000", "\\u001B[31m\\u0007\\u0000"),
            (
                "\u{7f}\u{80}\u{85}\u{9f}\u{a0}",
                "\\u007F\\u0080\\u0085\\u009F\u{a0}",
                "\\u007F\\u0080\\u0085\\u009F\u{a0}",
            ),
            ("a\nb", "a\n      b", "a\\u000Ab"),
            ("a\u{2028}b\u{2029}", "a\\u2028b\\u2029", "a\\u2028b\\u2029"),
            (
                "\u{202e}gpj.exe\u{2066}\u{200f}",
                "\\u202Egpj.exe\\u2066\\u200F",
                "\\u202Egpj.exe\\u2066\\u200F",
            ),
            ("\u{200d}\u{2027}\u{202f}", "\u{200d}\u{2027}\u{202f}", "\u{200d}\u{2027}\u{202f}"),
            ("a\r\nb\r\n", "a\n      b\n      ", "a\\u000D\\u000Ab\\u000D\\u000A"),
            ("a\rb\r", "a\\u000Db\\u000D", "a\\u000Db\\u000D"),
            (" ~", " ~", " ~"),
            ("\u{7f}", "\\u007F", "\\u007F"),
            ("\u{1f}", "\\u001F", "\\u001F"),
            ("", "", ""),
        ] {
            let (mut as_author, mut on_one_line, mut as_value) =
                (String::new(), String::new(), String::new());
            push(Piece::Author(text), LineBreak::Indent, &mut as_author);
            push(Piece::Author(text), LineBreak::Blank, &mut on_one_line);
            push(Piece::Value(text), LineBreak::Indent, &mut as_value);
            assert_eq!(as_author, author);
            assert_eq!(on_one_line, author.replace("\n      ", " "));
            assert_eq!(as_value, value);
        }
    }
}
