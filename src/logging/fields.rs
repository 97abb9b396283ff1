//! The fields of one event or span, copied out of `tracing` into one buffer that is used again.

use std::fmt::{self, Write as _};
use std::ops::Range;

use tracing::Metadata;
use tracing::field::{Field, Visit};

/// One slot per declared field, in the order of the declaration, whether it was recorded or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    text: String,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    name: &'static str,
    kind: Kind,
    range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Bool,
    Number,
    Text,
}

/// The value of a field; numbers and booleans as JSON spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Declared, but not recorded.
    Missing,
    Bool(&'a str),
    Number(&'a str),
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// As text, with .NET's spelling of a boolean; nothing when missing.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Value::Missing => None,
            Value::Bool("true") => Some("True"),
            Value::Bool(_) => Some("False"),
            Value::Number(text) | Value::Text(text) => Some(text),
        }
    }

    /// As text in Rust's spelling; nothing when missing.
    pub(super) fn plain(self) -> Option<&'a str> {
        match self {
            Value::Missing => None,
            Value::Bool(text) | Value::Number(text) | Value::Text(text) => Some(text),
        }
    }
}

impl Fields {
    /// Forgets the last event and makes a slot for every field of the next one. Its values are then recorded into it.
    pub(super) fn prepare(&mut self, metadata: &Metadata<'static>) {
        self.clear();
        let slot = |field: Field| Slot { name: field.name(), kind: Kind::Missing, range: 0..0 };
        self.slots.extend(metadata.fields().iter().map(slot));
    }

    pub(super) fn clear(&mut self) {
        // One huge event must not hold its memory for the life of the thread.
        if self.text.capacity() > super::limits::LARGEST_KEPT_BUFFER {
            self.text = String::new();
        }
        self.text.clear();
        self.slots.clear();
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'_>> {
        self.slots.iter().find(|slot| slot.name == name).map(|slot| self.value(slot))
    }

    /// The last field of that name: only `message` can be there twice, as what is told and as a value in it.
    pub(super) fn last(&self, name: &str) -> Option<Value<'_>> {
        self.slots.iter().rfind(|slot| slot.name == name).map(|slot| self.value(slot))
    }

    /// All fields in order, missing ones too.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        self.slots.iter().map(|slot| (slot.name, self.value(slot)))
    }

    /// Adds a field to what this module itself reports.
    pub(super) fn push(&mut self, name: &'static str, value: Value<'_>) {
        self.slots.push(Slot { name, kind: Kind::Missing, range: 0..0 });
        let (kind, text) = match value {
            Value::Missing => return,
            Value::Bool(text) => (Kind::Bool, text),
            Value::Number(text) => (Kind::Number, text),
            Value::Text(text) => (Kind::Text, text),
        };
        self.set(self.slots.len() - 1, kind, |out| out.push_str(text));
    }

    /// Adds a text that is yet to be formatted.
    pub(super) fn push_display(&mut self, name: &'static str, value: &dyn fmt::Display) {
        self.slots.push(Slot { name, kind: Kind::Missing, range: 0..0 });
        self.set(self.slots.len() - 1, Kind::Text, |out| _ = write!(out, "{value}"));
    }

    fn value(&self, slot: &Slot) -> Value<'_> {
        let text = &self.text[slot.range.clone()];
        match slot.kind {
            Kind::Missing => Value::Missing,
            Kind::Bool => Value::Bool(text),
            Kind::Number => Value::Number(text),
            Kind::Text => Value::Text(text),
        }
    }

    /// A value recorded again leaves its old text behind in the buffer: that happens to spans only, and rarely.
    fn set(&mut self, index: usize, kind: Kind, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        if let Some(slot) = self.slots.get_mut(index) {
            slot.kind = kind;
            slot.range = start..self.text.len();
        }
    }

    fn set_display(&mut self, field: &Field, kind: Kind, value: impl fmt::Display) {
        // A value whose own formatting fails is printed as far as it got.
        self.set(field.index(), kind, |out| _ = write!(out, "{value}"));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.index(), Kind::Text, |out| out.push_str(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set_display(field, Kind::Bool, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set_display(field, Kind::Number, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set_display(field, Kind::Number, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set_display(field, Kind::Number, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set_display(field, Kind::Number, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no spelling for infinity and for what is not a number.
        let kind = if value.is_finite() { Kind::Number } else { Kind::Text };
        self.set(field.index(), kind, |out| float(value, out));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // The sign asks a message for what its template does not tell.
        self.set(field.index(), Kind::Text, |out| _ = write!(out, "{value:-?}"));
    }
}

/// The shortest text that reads back as the same number, with an exponent where .NET uses one.
fn float(value: f64, out: &mut String) {
    let size = value.abs();
    let text = if !value.is_finite() || size == 0.0 || (1e-5..1e15).contains(&size) {
        format!("{value}")
    } else {
        let text = format!("{value:E}");
        let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let (sign, exponent) =
            exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        format!("{digits}E{sign}{exponent:0>2}")
    };
    out.push_str(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_spelled_as_in_dotnet() {
        for (value, expected) in [
            (1.0, "1"),
            (12.3456, "12.3456"),
            (-0.5, "-0.5"),
            (0.00001, "0.00001"),
            (0.000001, "1E-06"),
            (1e15, "1E+15"),
            (1.5e300, "1.5E+300"),
            (f64::NAN, "NaN"),
        ] {
            let mut text = String::new();
            float(value, &mut text);
            assert_eq!(text, expected);
        }
    }
}
