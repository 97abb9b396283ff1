//! Why settings could not be read.

use std::fmt;

use super::problem::Problem;

/// Why settings could not be read as a type: every mistake, each with its key, where it was set, and
/// how to fix it.
///
/// With `?` in the code that makes an app, all of them reach whoever started the host. `{:?}` says what `{}`
/// does, since that is what `?` in `main` and `unwrap` print.
///
/// ```
/// let host = kestrel::Host::builder()
///     .use_setting("Retries", "many")
///     .without_logging()
///     .build()?;
/// let error = host.configuration().get::<u8>("Retries").unwrap_err();
/// assert_eq!(error.problems().len(), 1);
/// assert_eq!(error.problems()[0].key.as_deref(), Some("Retries"));
/// assert_eq!(format!("{error:?}"), error.to_string());
/// # Ok::<(), kestrel::HostError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct SettingsError(Vec<Problem>);

impl SettingsError {
    pub(super) const fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// The mistakes.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// The mistakes, to be told by other means.
    pub fn into_problems(self) -> Vec<Problem> {
        self.0
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SettingsError {}
