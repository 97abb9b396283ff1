//! What is wrong with a text that a route is made of.

/// What is wrong, as the end of a sentence, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) what: String,
    pub(crate) fix: String,
    /// A name that is none of these, of which one may have been meant.
    pub(crate) unknown: Option<(String, &'static [&'static str])>,
}

impl Mistake {
    /// A name that is none of `known`.
    pub(super) fn of_name(name: &str, kind: &str, known: &'static [&'static str]) -> Self {
        let fix = format!("write one of {}", known.join(", "));
        let mistake = Self::new(format!("there is no {kind} '{name}'"), fix);
        Self { unknown: Some((name.to_owned(), known)), ..mistake }
    }

    pub(super) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into(), unknown: None }
    }
}
