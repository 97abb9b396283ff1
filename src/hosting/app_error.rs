//! Why code of the program could not do what a host asked of it.

use std::error::Error;
use std::fmt;
use std::iter::successors;

use super::error::HostError;
use crate::configuration::{Problem, SettingsError};

/// Why an app cannot be made, or a service cannot start. Every error becomes one with `?`; a [`Problem`]
/// keeps what it says of keys, origins and fixes, a [`SettingsError`] and a [`HostError`] all of their
/// problems. Printed, it says all of that, and what an error was caused by; `{:?}` says the same.
///
/// It is no [`Error`] itself, or not every error could become one. `?` makes a `Box<dyn Error>` of it, so
/// `main` may return either:
///
/// ```
/// use std::error::Error;
/// use kestrel::AppError;
///
/// fn port(text: &str) -> Result<u16, AppError> {
///     Ok(text.parse()?)
/// }
///
/// fn first_port() -> Result<u16, Box<dyn Error>> {
///     Ok(port("80")?)
/// }
/// # assert_eq!(first_port().unwrap(), 80);
/// ```
///
/// Where the box has to be `Send + Sync`, its text is the error: `.map_err(|error| error.to_string())?`.
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
        let error = match error.downcast::<HostError>() {
            // An answer is none.
            Ok(error) if !error.problems().is_empty() => {
                return Self::of_problems(error.problems());
            }
            Ok(answer) => answer,
            Err(error) => error,
        };
        let causes = successors(error.source(), |&error| error.source());
        let causes = causes.map(ToString::to_string).collect();
        Self(vec![Wrong::Error { text: error.to_string(), causes }])
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, wrong) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{wrong}")?;
        }
        match self.0.is_empty() {
            true => f.write_str("It failed, and does not say why."),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => write!(f, "{problem}"),
            Self::Error { text, causes } => {
                f.write_str(text)?;
                causes.iter().try_for_each(|cause| write!(f, "\n  {cause}"))
            }
        }
    }
}

/// `?` in `main`, and `unwrap`, print this.
impl fmt::Debug for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// For code that has a `Box<dyn Error>` for every error.
impl From<AppError> for Box<dyn Error> {
    fn from(error: AppError) -> Self {
        Box::new(Boxed(error))
    }
}

/// One that is an [`Error`], since nothing else becomes one of these.
struct Boxed(AppError);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Boxed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn misspelled() -> Problem {
        Problem::error("'Shop:Port' is missing.").key("Shop:Port").fix("set it")
    }

    const TOLD: &str = "'Shop:Port' is missing.\n  key: Shop:Port\n  fix: set it";

    #[test]
    fn what_main_and_unwrap_print_is_what_a_person_reads() {
        let host = HostError::Configuration(vec![misspelled()]);
        assert_eq!(format!("{host:?}"), TOLD);
        assert_eq!(format!("{:?}", AppError::from(misspelled())), TOLD);
        assert_eq!(format!("{:?}", AppError::from(host)), TOLD);
    }

    #[test]
    fn an_error_of_an_app_tells_its_causes_in_a_box_too() {
        let cause = "x".parse::<u16>().unwrap_err();
        let failed = std::io::Error::other(HostError::Server(Box::new(cause)));
        let told = AppError::from(failed).to_string();
        assert!(told.starts_with("The server failed: invalid digit found in string"), "{told}");

        let read = || -> Result<(), Box<dyn Error>> { Err(AppError::from("no such shop"))? };
        let error = read().unwrap_err();
        assert_eq!(
            (error.to_string(), format!("{error:?}")),
            ("no such shop".to_owned(), "no such shop".to_owned())
        );
    }
}
