//! Which value does a section have as a type of the program's?
//!
//! In goes a place of the configuration and a type that serde can deserialize; out comes a value, or
//! every mistake at once. `reader` is serde's side; `node` is a place with all its spellings; `known`
//! goes on after a mistake, `stand_in` and `guess` let it; `mistakes` has the words.
//!
//! What a reading promises: every value that is there is tried, and what is wrong with each is told;
//! so is every field that is missing. What follows from a mistake, such as a struct's own check of
//! values that could not be read, is not. Two things end at their first mistake: a tuple, whose other
//! elements would change their places, and what serde keeps for later (`flatten`, `tag`,
//! `untagged`), where we do not see which value it is about. After a hundred mistakes the rest is not
//! told.

mod entries;
mod failure;
mod guess;
mod key_reader;
mod known;
mod mistakes;
mod names;
mod node;
mod reader;
mod stand_in;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use self::known::{Known, Next, Pass};
use self::node::Node;
use self::reader::Reader;
use super::merged::{Configuration, Section};
use super::settings_error::SettingsError;

impl Configuration {
    /// The section at `path` as a type of the program's (what binding is in ASP.NET Core). Any type that
    /// serde can deserialize will do.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::time::Duration;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Mail {
    ///     host: String,
    ///     #[serde(default = "smtp")]
    ///     port: u16,
    ///     timeout: Duration,
    ///     recipients: Vec<String>,
    ///     headers: Option<HashMap<String, String>>,
    /// }
    ///
    /// fn smtp() -> u16 {
    ///     25
    /// }
    ///
    /// let host = kestrel::Host::builder()
    ///     .use_setting("Mail:Host", "mail.example.com")
    ///     .use_setting("Mail:Timeout", "30s")
    ///     .use_setting("Mail:Recipients:0", "me@example.com")
    ///     .without_logging()
    ///     .build()?;
    /// let mail: Mail = host.configuration().get("Mail")?;
    /// assert_eq!((&*mail.host, mail.port, mail.timeout.as_secs()), ("mail.example.com", 25, 30));
    /// assert_eq!(mail.recipients, ["me@example.com"]);
    /// assert!(mail.headers.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Names match whatever their case and separators: the field `max_retries` is `MaxRetries`,
    /// `maxRetries` or `max-retries` in the configuration, and `MAX_RETRIES` in a variable. If several
    /// sources spell it in several ways, the strongest one counts.
    ///
    /// Lists are given by index (`Mail:Recipients:0`), and maps by their keys as they are spelled. An
    /// enum is the name of its variant, or a section with that name for a variant that holds values. A
    /// [`Duration`](std::time::Duration) is written as .NET does (`00:00:30`) or with units (`30s`), a
    /// size in bytes is a [`ByteSize`](super::ByteSize). What is absent or null is `None`, or the default
    /// that serde knows; an absent section is a struct of defaults, if all fields have one, and
    /// `Option<T>` tells whether it is there. Keys that the type does not have are passed over, unless
    /// it says `#[serde(deny_unknown_fields)]`.
    ///
    /// It reads texts each time: read once, where the app is made, or let
    /// [`LiveConfiguration::monitor`](crate::LiveConfiguration::monitor) keep it up to date.
    ///
    /// # Errors
    ///
    /// Every mistake in the section, together: values that cannot be read, and keys that are missing.
    /// Of a tuple, and of what serde keeps for later (`flatten`, `tag`, `untagged`), it is the first one.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, SettingsError> {
        self.section(path).get()
    }
}

impl Section<'_> {
    /// This section as a type of the program's; see [`Configuration::get`].
    ///
    /// ```
    /// let host = kestrel::Host::builder()
    ///     .use_setting("Colors:Sky", "blue")
    ///     .without_logging()
    ///     .build()?;
    /// let colors = host.configuration().section("Colors");
    /// let colors: std::collections::HashMap<String, String> = colors.get()?;
    /// assert_eq!(colors["Sky"], "blue");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every mistake in it, as [`Configuration::get`] does.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        let root = Node::new(self.clone());
        let mut known = Known::default();
        loop {
            let pass = Pass::new(&known);
            let read = T::deserialize(Reader::new(root.clone(), &pass));
            let findings = pass.into_findings();
            let next = match read {
                Ok(value) => match known.passed(findings) {
                    Next::Enough if known.problems.is_empty() => return Ok(value),
                    next => next,
                },
                Err(failure) => known.failed(failure, findings, &root),
            };
            if next == Next::Enough {
                let problems = mistakes::of_absent(self, known.into_problems(&root));
                return Err(SettingsError::new(problems));
            }
        }
    }
}
