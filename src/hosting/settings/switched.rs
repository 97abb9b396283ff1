//! A stage that the settings switch on.

use crate::configuration::{Configuration, Origin, Sourced};

/// The settings of a stage that is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Switched<T> {
    /// The key that has switched it on, and where that was set.
    pub(crate) key: &'static str,
    pub(crate) origin: Origin,
    pub(crate) value: T,
    /// What it goes by, in words.
    pub(crate) shown: Vec<Sourced<String>>,
}

impl<T> Switched<T> {
    /// One that is switched on by `key`, if `on` says so.
    pub(super) fn by(
        configuration: &Configuration,
        key: &'static str,
        on: bool,
        value: T,
    ) -> Option<Self> {
        let setting = configuration.setting(key).filter(|_| on)?;
        Some(Self { key, origin: setting.origin.clone(), value, shown: Vec::new() })
    }

    /// The same with what it goes by.
    pub(super) fn shown(self, shown: Vec<Sourced<String>>) -> Self {
        Self { shown, ..self }
    }
}
