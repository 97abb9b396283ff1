//! Where the program's databases and services are, by names.

use super::how_to_set::how_to_set;
use super::merged::Configuration;
use super::near_names::did_you_mean;
use super::problem::Problem;
use super::settings_error::SettingsError;

const SECTION: &str = "ConnectionStrings";

impl Configuration {
    /// The connection string with a name: the value of `ConnectionStrings:{name}`, unless it is absent,
    /// null or empty. It is a secret: no message shows it.
    ///
    /// ```
    /// let host = kestrel::Host::builder()
    ///     .use_setting("ConnectionStrings:Main", "postgres://app@db/main")
    ///     .without_logging()
    ///     .build()?;
    /// let configuration = host.configuration();
    /// assert_eq!(configuration.connection_string("main"), Some("postgres://app@db/main"));
    /// assert_eq!(configuration.connection_string("Other"), None);
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    pub fn connection_string(&self, name: &str) -> Option<&str> {
        let value = self.value(&format!("{SECTION}:{name}"))?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// The connection string with a name, which the program cannot do without.
    ///
    /// ```
    /// let host = kestrel::Host::builder().without_logging().build()?;
    /// let error = host.configuration().require_connection_string("Main").unwrap_err();
    /// assert!(error.to_string().contains("the variable ConnectionStrings__Main"));
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is none: which key is missing, and how to set it.
    pub fn require_connection_string(&self, name: &str) -> Result<&str, SettingsError> {
        self.connection_string(name).ok_or_else(|| {
            let key = format!("{SECTION}:{name}");
            let problem = Problem::error(format!("There is no connection string '{name}'."));
            let problem = problem.key(key.clone()).fix(how_to_set(&key));
            let section = self.section(SECTION);
            let names = section.children();
            let problem = match did_you_mean(name, names.iter().map(|it| it.name())) {
                // The very name, without a value.
                Some(meant) if meant.eq_ignore_ascii_case(name) => problem.cause("It is empty."),
                Some(meant) => problem.cause(format!("There is '{meant}': is that meant?")),
                None => problem,
            };
            let setting = self.setting(&key);
            SettingsError::new(vec![match setting {
                Some(setting) => problem.origin(setting.origin.clone()),
                None => problem,
            }])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::origin::Origin;
    use crate::configuration::sources::memory::leaf;

    #[test]
    fn a_connection_string_that_is_missing_says_how_to_set_it() {
        let values = [("ConnectionStrings:Main", "hunter2"), ("ConnectionStrings:Orders", "")];
        let values = values.map(|(key, value)| leaf(key, value, Origin::Code("test")));
        let configuration = Configuration::from_layers(&[values.into_iter().collect()]);
        assert_eq!(configuration.require_connection_string("MAIN"), Ok("hunter2"));
        let fix = |name: &str| {
            format!(
                "fix: set 'ConnectionStrings:{name}' in the user's secrets, or the variable \
                 ConnectionStrings__{name}"
            )
        };
        for (name, told) in [
            ("Jobs", "key: ConnectionStrings:Jobs"),
            ("Mian", "There is 'Main': is that meant?\n  key: ConnectionStrings:Mian"),
            ("Orders", "It is empty.\n  set by: code (test), key ConnectionStrings:Orders"),
        ] {
            assert_eq!(configuration.connection_string(name), None);
            let error = configuration.require_connection_string(name).unwrap_err().to_string();
            let fix = fix(name);
            assert_eq!(
                error,
                format!("There is no connection string '{name}'.\n  {told}\n  {fix}")
            );
        }
    }
}
