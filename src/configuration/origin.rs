//! Where a value was set.

use std::fmt;
use std::path::PathBuf;

use super::key::key_without_secret;

/// Where a value was set, precise enough to find and change it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody set it: it is built in.
    Default,
    /// A call in the program's code, such as `use_urls`.
    Code(&'static str),
    /// A source that the program added, by the name that it has.
    Source(String),
    /// An environment variable, by its full name.
    EnvironmentVariable(String),
    /// A place in a configuration file; line and column count from 1, the column in characters.
    File {
        /// The file, relative to the content root where it lies below it.
        path: PathBuf,
        /// The line the value starts in.
        line: usize,
        /// The column the value starts at.
        column: usize,
    },
    /// An argument of the command line.
    CommandLine {
        /// Its place: 1 is the first argument after the program's name.
        position: usize,
        /// The argument that holds the key, as it was typed, without its value.
        argument: String,
    },
}

impl Origin {
    /// Whether it is `kestrel serve`, which has switches of its own in the place of `--urls`.
    pub(crate) fn is_of_serve(&self) -> bool {
        matches!(self, Self::CommandLine { argument, .. } if matches!(&**argument, "serve" | "--port"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("built-in default"),
            Self::Code(call) => write!(f, "code ({call})"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::EnvironmentVariable(name) => {
                write!(f, "environment variable {}", key_without_secret(name))
            }
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::CommandLine { position, argument } => {
                write!(f, "command line, argument {position} ({argument})")
            }
        }
    }
}

/// A value and where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value with its origin.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The same origin with another value made from this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: make(self.value), origin: self.origin }
    }
}
