//! How a reading ends before its time.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

use super::guess::Guess;
use super::node::{Node, Place};
use crate::configuration::problem::Problem;

/// Why a reading could not go on, and where. It is in a box because it goes up through every
/// reader.
#[derive(Debug)]
pub(super) struct Failure(Box<(Why, Option<Place>)>);

#[derive(Debug)]
pub(super) enum Why {
    /// It was told already, or follows from what was.
    Told,
    /// A mistake that we know.
    Mistake(Problem),
    /// What a type says of its value.
    Refused(String),
    /// A value of one type in the place of another. `found` is what it was taken for.
    OtherType { found: Option<Guess>, message: String },
    /// No variant is called so.
    UnknownVariant { variant: String, known: &'static [&'static str] },
    /// No field is called so, and that counts.
    UnknownField { field: String, known: &'static [&'static str] },
    /// A field has no value and no default.
    Missing(&'static str),
    /// Nothing can stand in for the value of a field.
    NoStandIn(&'static str),
}

impl Failure {
    pub(super) fn new(why: Why) -> Self {
        Self(Box::new((why, None)))
    }

    /// Says where it was, if nobody could say that before.
    pub(super) fn at(mut self, node: &Node<'_>) -> Self {
        self.0.1.get_or_insert_with(|| node.place());
        self
    }

    pub(super) fn into_parts(self) -> (Why, Option<Place>) {
        *self.0
    }
}

impl Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Why::Refused(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let message = format!("It is {unexpected}, and {expected} is expected.");
        Self::new(Why::OtherType { found: Guess::of_unexpected(unexpected), message })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Why::Refused(format!("It is {unexpected}, and {expected} is expected")))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(Why::UnknownVariant { variant: variant.to_owned(), known })
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Why::UnknownField { field: field.to_owned(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Why::Missing(field))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.0 {
            Why::Told | Why::NoStandIn(_) => f.write_str("it cannot be read"),
            Why::Mistake(problem) => f.write_str(&problem.message),
            Why::Refused(message) | Why::OtherType { message, .. } => f.write_str(message),
            Why::UnknownVariant { variant, .. } => write!(f, "'{variant}' is not known here"),
            Why::UnknownField { field, .. } => write!(f, "there is no field '{field}'"),
            Why::Missing(field) => write!(f, "'{field}' is missing"),
        }
    }
}

impl std::error::Error for Failure {}
