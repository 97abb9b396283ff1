//! State whose names are not known before: the headers of a request, for one.
//!
//! A field of an event has its name from the code. What is listed goes with the event as one text, which the console
//! takes apart (`logging/listed.rs`), and stands in the message for every other subscriber.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::message::Escaping;

/// Names and values, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Listed(Vec<(Cow<'static, str>, ListedValue)>);

/// A value, by how JSON writes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ListedValue {
    Text(String),
    Whole(u64),
    Fraction(f64),
}

impl Listed {
    pub(crate) fn text(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.push(name, ListedValue::Text(value.into()));
    }

    pub(crate) fn push(&mut self, name: impl Into<Cow<'static, str>>, value: ListedValue) {
        self.0.push((name.into(), value));
    }

    pub(crate) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As the console takes it apart.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            let (kind, text) = match value {
                ListedValue::Text(text) => ('t', Cow::Borrowed(text.as_str())),
                ListedValue::Whole(number) => ('n', Cow::Owned(number.to_string())),
                ListedValue::Fraction(number) => ('n', Cow::Owned(number.to_string())),
            };
            write!(f, "{kind}{}:{name}{}:{text}", name.len(), text.len())?;
        }
        Ok(())
    }
}

/// The message of an event with a title, for whoever does not take it apart.
pub(super) struct ListedMessage<'a> {
    pub(super) title: &'a str,
    pub(super) listed: &'a Listed,
}

impl fmt::Display for ListedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() {
            return Ok(());
        }
        f.write_str(self.title)?;
        for (name, value) in &self.listed.0 {
            write!(f, "\n{name}: ")?;
            match value {
                ListedValue::Text(text) => Escaping(f).write_str(text)?,
                ListedValue::Whole(number) => write!(f, "{number}")?,
                ListedValue::Fraction(number) => write!(f, "{number}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_told_in_both_ways() {
        let mut listed = Listed::default();
        listed.text("Path", "/ü");
        listed.text("X-A", "a\nb");
        let mut more = Listed::default();
        more.push("StatusCode", ListedValue::Whole(200));
        more.push("Duration", ListedValue::Fraction(0.25));
        listed.append(&mut more);
        assert!(more.is_empty());
        assert_eq!(
            listed.to_string(),
            "t4:Path3:/üt3:X-A3:a\nbn10:StatusCode3:200n8:Duration4:0.25"
        );
        let message = ListedMessage { title: "Request:", listed: &listed };
        assert_eq!(
            message.to_string(),
            "Request:\nPath: /ü\nX-A: a\\u000Ab\nStatusCode: 200\nDuration: 0.25"
        );
        assert_eq!(format!("{message:-}"), "");
    }
}
