//! The message of an event: its template, with the values of its fields.
//!
//! Every event has one, for whatever subscriber the program has. The console of ours makes its own of template and
//! fields: it formats a message with the sign `-` (`{:-?}`), which has no meaning of its own, and a message that the
//! template tells as well says nothing then. For the others control characters in values are escaped: what a client
//! sends must not start a line, nor recolour a terminal.

use std::fmt::{self, Write as _};

use tracing::field::DisplayValue;

use super::turned_text::turns_text;

/// A value as it stands in a message. (`tracing::Value` can be recorded, and not be shown.)
pub(super) trait Text {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

macro_rules! text {
    ($($type:ty),+) => {
        $(impl Text for $type {
            fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                write!(out, "{self}")
            }
        })+
    };
}

text!(str, String, u16, u32, u64, i32, usize, f64);

impl<T: fmt::Display> Text for DisplayValue<T> {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl<T: Text + ?Sized> Text for &T {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        (**self).write(out)
    }
}

impl<T: Text> Text for Option<T> {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Some(value) => value.write(out),
            None => out.write_str(NOTHING),
        }
    }
}

/// What stands for a value that is not there, as on .NET.
const NOTHING: &str = "(null)";

/// A template with the values of the fields beside it. Nothing is formatted until somebody wants it.
pub(super) struct Message<'a> {
    pub(super) template: &'a str,
    pub(super) fields: &'a [(&'a str, &'a dyn Text)],
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() {
            return Ok(());
        }
        fill(self.template, f, |name, f| {
            let named = |field: &str| field.strip_prefix("r#").unwrap_or(field) == name;
            match self.fields.iter().find(|(field, _)| named(field)) {
                Some((_, value)) => value.write(&mut Escaping(f)),
                None => f.write_str(NOTHING),
            }
        })
    }
}

/// A message that differs from what its template makes of the fields.
pub(super) struct OwnMessage<'a>(pub(super) fmt::Arguments<'a>);

impl fmt::Display for OwnMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() { f.write_fmt(self.0) } else { Escaping(f).write_fmt(self.0) }
    }
}

/// Writes a template, and in the place of each `{name}` what `value` writes for it.
pub(super) fn fill<W: fmt::Write>(
    template: &str,
    out: &mut W,
    mut value: impl FnMut(&str, &mut W) -> fmt::Result,
) -> fmt::Result {
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        out.write_str(before)?;
        value(name, out)?;
        rest = after;
    }
    out.write_str(rest)
}

/// Escapes what would leave its line, as the console does, or turns around how it is read.
pub(super) struct Escaping<'a, 'b>(pub(super) &'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let leaves = |character: &char| {
            character.is_control() && *character != '\t' || turns_text(*character)
        };
        let mut clean = 0;
        for (index, character) in text.char_indices().filter(|(_, character)| leaves(character)) {
            self.0.write_str(&text[clean..index])?;
            write!(self.0, "\\u{:04X}", u32::from(character))?;
            clean = index + character.len_utf8();
        }
        self.0.write_str(&text[clean..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_values_and_no_line_that_a_value_starts() {
        let id = tracing::field::display("0HN1");
        let fields: [(&str, &dyn Text); 5] = [
            ("ConnectionId", &id),
            ("r#type", &"DATA"),
            ("length", &3u64),
            ("limit", &None::<u64>),
            ("path", &"/a\r\ninfo: forged\u{1b}[31m\u{2028}\t\u{202e}b"),
        ];
        for (template, expected) in [
            ("Hosting starting", "Hosting starting"),
            ("{ConnectionId}: {type} of {length}.", "0HN1: DATA of 3."),
            ("{limit} {unknown} {open", "(null) (null) {open"),
            ("{path}", "/a\\u000D\\u000Ainfo: forged\\u001B[31m\\u2028\t\\u202Eb"),
        ] {
            let message = Message { template, fields: &fields };
            assert_eq!(message.to_string(), expected, "{template}");
            assert_eq!(format!("{message:-}"), "", "{template}");
        }
        let own = OwnMessage(format_args!("{} -", "/a\nb"));
        assert_eq!(
            (own.to_string(), format!("{own:-}")),
            ("/a\\u000Ab -".into(), "/a\nb -".into())
        );
    }
}
