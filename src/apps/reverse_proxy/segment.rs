//! What templates of paths are made of.

use super::constraint::Constraint;

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    Literal(String),
    /// All of the segment: a place in the parameters of the template.
    Parameter(usize),
    /// The rest of the path, even if there is none.
    CatchAll(usize),
    /// Parameters with texts between.
    Parts(Vec<Part>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Literal(String),
    /// The dot before an optional parameter, which goes with it.
    Dot,
    Parameter(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) is_optional: bool,
    /// Of a rest of the path written `{**rest}`: slashes in it stay slashes where it is used.
    pub(super) keeps_slashes: bool,
    pub(super) default: Option<String>,
    pub(super) constraints: Vec<Constraint>,
}
