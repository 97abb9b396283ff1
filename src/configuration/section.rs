//! A part of the configuration, by its path.

use std::collections::BTreeSet;

use super::key::compare_keys;
use super::origin::Sourced;
use super::{Configuration, Setting};

/// Everything at and below one key.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    configuration: &'a Configuration,
    path: String,
}

impl<'a> Section<'a> {
    pub(super) fn new(configuration: &'a Configuration, path: String) -> Self {
        Self { configuration, path }
    }

    /// The whole key of this section.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last segment of the key, such as the name of an endpoint.
    pub fn name(&self) -> &str {
        self.path.rsplit(':').next().unwrap_or_default()
    }

    /// The value at this very key.
    pub fn setting(&self) -> Option<&'a Setting> {
        self.configuration.setting(&self.path)
    }

    /// The value at `key` below this section.
    pub fn get(&self, key: &str) -> Option<&'a Setting> {
        self.configuration.setting(&format!("{}:{key}", self.path))
    }

    /// The value at `key` below this section with its origin, unless absent, null or empty.
    pub fn non_empty(&self, key: &str) -> Option<Sourced<&'a str>> {
        self.configuration.non_empty(&format!("{}:{key}", self.path))
    }

    /// The section at `key` below this one.
    pub fn section(&self, key: &str) -> Self {
        Self::new(self.configuration, format!("{}:{key}", self.path))
    }

    /// Whether there is a value at this key or anything below it.
    pub fn exists(&self) -> bool {
        self.setting().is_some_and(|setting| setting.value.is_some())
            || self.configuration.below(&self.path).next().is_some()
    }

    /// The sections right below this one, sorted as .NET sorts them: numbers by value, then names
    /// without case. File order does not matter.
    pub fn children(&self) -> Vec<Self> {
        let depth = if self.path.is_empty() { 0 } else { self.path.split(':').count() };
        let mut seen = BTreeSet::new();
        let mut names: Vec<&str> = Vec::new();
        for (folded, setting) in self.configuration.below(&self.path) {
            if seen.insert(folded.split(':').nth(depth).unwrap_or_default()) {
                names.push(setting.key.split(':').nth(depth).unwrap_or_default());
            }
        }
        names.sort_by(|left, right| compare_keys(left, right));
        names.iter().map(|name| self.child(name)).collect()
    }

    fn child(&self, name: &str) -> Self {
        if self.path.is_empty() {
            Self::new(self.configuration, name.to_owned())
        } else {
            self.section(name)
        }
    }
}
