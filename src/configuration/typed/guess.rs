//! What a text is taken for where serde keeps values for later, and does not say what it wants.

use serde::de::Unexpected;

/// A text that looks like something else.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Guess {
    Boolean(bool),
    Whole(i128),
    Fraction(f64),
    /// It was taken for a text.
    Text(String),
}

impl Guess {
    /// What a text is taken for. A number is one only in the form in which numbers are written back:
    /// `007` is none.
    pub(super) fn of(text: &str) -> Self {
        if let Some(boolean) = crate::configuration::text::boolean(text) {
            return Self::Boolean(boolean);
        }
        if let Some(whole) = text.parse::<i64>().ok().filter(|whole| whole.to_string() == text) {
            return Self::Whole(whole.into());
        }
        if let Some(whole) = text.parse::<u64>().ok().filter(|whole| whole.to_string() == text) {
            return Self::Whole(whole.into());
        }
        let is_fraction = text.contains('.')
            && text.starts_with(|it: char| it.is_ascii_digit() || it == '-')
            && text.bytes().all(|it| it.is_ascii_digit() || it == b'-' || it == b'.');
        match text.parse().ok().filter(|_| is_fraction) {
            Some(fraction) => Self::Fraction(fraction),
            None => Self::Text(text.to_owned()),
        }
    }

    pub(super) fn of_unexpected(unexpected: Unexpected<'_>) -> Option<Self> {
        match unexpected {
            Unexpected::Bool(boolean) => Some(Self::Boolean(boolean)),
            Unexpected::Unsigned(whole) => Some(Self::Whole(whole.into())),
            Unexpected::Signed(whole) => Some(Self::Whole(whole.into())),
            Unexpected::Float(fraction) => Some(Self::Fraction(fraction)),
            Unexpected::Str(text) => Some(Self::Text(text.to_owned())),
            _ => None,
        }
    }

    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}
