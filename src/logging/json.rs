//! The format for machines: one JSON object per event, with the members, their order and the escapes of .NET.

use std::fmt::Write as _;

use super::entry::Entry;
use super::fields::Value;

/// How this format is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json {
    pub(super) indented: bool,
}

impl Json {
    pub(super) fn write(self, entry: &Entry<'_>, out: &mut String) {
        let mut json = Writer { out, indented: self.indented, depth: 0, first: true };
        json.open('{');
        if !entry.timestamp.is_empty() {
            json.text("Timestamp", entry.timestamp);
        }
        json.value("EventId", Value::Number(entry.id()));
        json.text("LogLevel", entry.level.name());
        json.text("Category", entry.category);
        json.pieces("Message", |emit| entry.message(&mut |piece| emit(piece.text())));
        if let Some(detail) = entry.detail() {
            json.text("Exception", detail);
        }
        json.name("State");
        json.open('{');
        entry.state().for_each(|(name, value)| json.value(name, value));
        match entry.listed() {
            Some(listed) => listed.for_each(|(name, value)| json.value(name, value)),
            None => json.text("{OriginalFormat}", entry.original_format()),
        }
        json.close('}');
        if let Some(scopes) = entry.scopes {
            json.name("Scopes");
            json.open('[');
            for scope in scopes {
                json.item();
                json.open('{');
                json.pieces("Message", |emit| scope.text(emit));
                scope.members().for_each(|(name, value)| json.value(name, value));
                json.close('}');
            }
            json.close(']');
        }
        json.close('}');
        out.push('\n');
    }
}

/// Just enough of a JSON writer: commas, indentation and escapes.
struct Writer<'a> {
    out: &'a mut String,
    indented: bool,
    depth: usize,
    /// Nothing has been written since the last opening bracket.
    first: bool,
}

impl Writer<'_> {
    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.first = true;
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if !self.first {
            self.new_line();
        }
        self.out.push(bracket);
        self.first = false;
    }

    fn item(&mut self) {
        if !self.first {
            self.out.push(',');
        }
        self.new_line();
        self.first = false;
    }

    fn name(&mut self, name: &str) {
        self.item();
        self.quoted(|emit| emit(name));
        self.out.push_str(if self.indented { ": " } else { ":" });
    }

    fn text(&mut self, name: &str, text: &str) {
        self.pieces(name, |emit| emit(text));
    }

    fn pieces(&mut self, name: &str, pieces: impl FnOnce(&mut dyn FnMut(&str))) {
        self.name(name);
        self.quoted(pieces);
    }

    fn value(&mut self, name: &str, value: Value<'_>) {
        match value {
            Value::Text(text) => self.text(name, text),
            Value::Missing => {
                self.name(name);
                self.out.push_str("null");
            }
            Value::Bool(text) | Value::Number(text) => {
                self.name(name);
                self.out.push_str(text);
            }
        }
    }

    fn quoted(&mut self, pieces: impl FnOnce(&mut dyn FnMut(&str))) {
        self.out.push('"');
        pieces(&mut |text| escape(text, self.out));
        self.out.push('"');
    }

    fn new_line(&mut self) {
        if self.indented {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }
}

/// The strict escapes of .NET: besides what JSON asks for, everything that is not ASCII or means something in HTML.
fn escape(text: &str, out: &mut String) {
    let mut clean = 0;
    for (index, character) in text.char_indices() {
        if matches!(character, ' '..='~')
            && !matches!(character, '"' | '&' | '\'' | '+' | '<' | '>' | '\\' | '`')
        {
            continue;
        }
        out.push_str(&text[clean..index]);
        clean = index + character.len_utf8();
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04X}").expect("a String takes everything");
                }
            }
        }
    }
    out.push_str(&text[clean..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_dotnet() {
        for (text, expected) in [
            ("http://a/b?c=d#e~", "http://a/b?c=d#e~"),
            ("\"&'+<>`", "\\u0022\\u0026\\u0027\\u002B\\u003C\\u003E\\u0060"),
            ("\\ \n\r\t\u{8}\u{c}", "\\\\ \\n\\r\\t\\b\\f"),
            ("\0\u{1b}\u{7f}\u{85}", "\\u0000\\u001B\\u007F\\u0085"),
            ("ä\u{2028}\u{1F600}z", "\\u00E4\\u2028\\uD83D\\uDE00z"),
        ] {
            let mut escaped = String::new();
            escape(text, &mut escaped);
            assert_eq!(escaped, expected);
        }
    }
}
