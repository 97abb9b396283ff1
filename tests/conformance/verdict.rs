//! The result of a case.

use std::fmt;

/// The result of a case over all its runs.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Every run is like the recording.
    Equal,
    /// A run differs.
    Differs,
    /// A run differs, and docs/deviations.md says why.
    Listed,
    /// It is not like the recording, but what the recording says that ours should be.
    AsMeant,
    /// It is not like the recording, which varies itself, or is not about the host that is judged.
    MayDiffer,
    /// Every run is like the recording, but docs/deviations.md says otherwise.
    ListedButEqual,
    /// The harness could not run it.
    Broken(String),
}

impl Verdict {
    /// Whether the case speaks against us.
    pub(crate) fn fails(&self) -> bool {
        !matches!(self, Self::Equal | Self::Listed | Self::AsMeant | Self::MayDiffer)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal => write!(f, "equal"),
            Self::Differs => write!(f, "differs"),
            Self::Listed => write!(f, "differs, and is listed in docs/deviations.md"),
            Self::ListedButEqual => {
                write!(f, "listed but equal: take it off the list in docs/deviations.md")
            }
            Self::AsMeant => write!(f, "differs as it is meant to"),
            Self::MayDiffer => write!(f, "differs where it may"),
            Self::Broken(why) => write!(f, "could not be run: {why}"),
        }
    }
}
