//! Why code of the program could not do what a host asked of it.

use std::error::Error;
use std::fmt;
use std::iter::successors;

use crate::configuration::{Problem, SettingsError};

/// Why an app cannot be made, or a service cannot start. Every error becomes one with `?`; a [`Problem`]
/// keeps what it says of keys, origins and fixes, and a [`SettingsError`] all of its problems.
pub struct AppError(Vec<Wrong>);

#[derive(Debug)]
enum Wrong {
    /// It says everything by itself.
    Problem(Problem),
    /// The text of an error and those of its sources, which do not say of what.
    Error { text: String, causes: Vec<String> },
}

impl AppError {
    /// Several mistakes at once.
    pub fn of_problems(problems: impl IntoIterator<Item = Problem>) -> Self {
        Self(problems.into_iter().map(Wrong::Problem).collect())
    }

    /// What is wrong with the app.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.into_problems_of("The app cannot be made")
    }

    /// What is wrong; `what` says of errors, which do not, what it is that failed.
    pub(super) fn into_problems_of(self, what: &str) -> Vec<Problem> {
        if self.0.is_empty() {
            return vec![Problem::error(format!("{what}, and does not say why."))];
        }
        let problem = |wrong| match wrong {
            Wrong::Problem(problem) => problem,
            Wrong::Error { text, causes } => {
                let problem = Problem::error(format!("{what}: {}.", text.trim_end_matches('.')));
                match causes.is_empty() {
                    true => problem,
                    false => problem.cause(causes.join("\n")),
                }
            }
        };
        self.0.into_iter().map(problem).collect()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for AppError {
    fn from(error: E) -> Self {
        let error = match error.into().downcast::<Problem>() {
            Ok(problem) => return Self::of_problems([*problem]),
            Err(error) => error,
        };
        let error = match error.downcast::<SettingsError>() {
            Ok(error) => return Self::of_problems(error.into_problems()),
            Err(error) => error,
        };
        let causes = successors(error.source(), |&error| error.source());
        let causes = causes.map(ToString::to_string).collect();
        Self(vec![Wrong::Error { text: error.to_string(), causes }])
    }
}

impl fmt::Debug for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppError").field(&self.0).finish()
    }
}
