//! What stands in a section, on its way to a visitor.

use std::borrow::Cow;
use std::fmt;

use serde::de::Visitor;

use super::failure::{Failure, Why};
use super::node::Node;

/// What a visitor wants, in its words.
pub(super) fn expected_by<'de, V: Visitor<'de>>(visitor: &V) -> String {
    struct Shown<F>(F);

    impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Shown<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    Shown(|f: &mut fmt::Formatter<'_>| visitor.expecting(f)).to_string()
}

/// Under which names children are given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Own,
    /// And those that fields would have.
    OfFieldsToo,
}

/// What becomes of an element that is left out.
#[derive(Clone, Copy)]
pub(super) enum Omitted {
    PassOver,
    /// The next one would stand in its place.
    EndAt,
}

/// One value of a struct or a map.
pub(super) struct Entry<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Value<'a>,
}

pub(super) enum Value<'a> {
    Node(Node<'a>),
    /// For this field, which is missing.
    StandIn(&'static str),
}

impl<'a> Entry<'a> {
    pub(super) fn own(node: Node<'a>) -> Self {
        Self { name: Cow::Owned(node.name().to_owned()), value: Value::Node(node) }
    }
}

impl Value<'_> {
    pub(super) fn locate(&self, failure: Failure, of: &Node<'_>) -> Failure {
        match self {
            Self::Node(node) => failure.at(node),
            Self::StandIn(field) => Failure::new(Why::NoStandIn(field)).at(of),
        }
    }
}
