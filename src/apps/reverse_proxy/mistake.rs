//! What is wrong with a text that a route is made of.

/// What is wrong, as the end of a sentence, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl Mistake {
    pub(super) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }
}
