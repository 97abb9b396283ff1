//! Which value does a setting have, and who said so?
//!
//! In go the layers of `WebApplication.CreateBuilder`, weakest first: variables with a prefix, the
//! command line, the appsettings files, user secrets, all variables, the command line again, code.
//! Out comes a [`Configuration`]: flat keys such as `Kestrel:Endpoints:Http:Url`, compared without
//! case, each with its text, its [`Origin`] (file with line and column, variable, argument) and the
//! values it shadows. figment carries the layering; the providers that feed it are ours.
//!
//! This folder turns no key into a setting: that is `hosting/settings`, which reports its problems
//! in the [`Problem`] of this folder, so that all mistakes of a start are told together and in one
//! form. Nothing here knows of sockets, of tokio or of the process: files are read in
//! `sources`, everything else is a function of its arguments.
//!
//! The rules are those of Microsoft's "Configuration in ASP.NET Core".

mod key;
mod layers;
pub(crate) mod load;
mod origin;
mod problem;
pub(crate) mod regular_file;
mod section;
pub(crate) mod sources;
mod user_info;

pub use key::{compare_keys, fold_key, keys_equal};
pub(crate) use key::{key_without_secret, speaks_of_secrets};
pub use layers::{Leaf, Setting, Shadowed};
pub use load::{CodeSettings, Inputs, Loaded, LookedFor, load};
pub use origin::{Origin, Sourced};
pub use problem::{Excerpt, Problem, Severity};
pub use section::Section;
pub use sources::command_line::Unread;
pub use sources::user_secrets::{InvalidUserSecretsId, check_user_secrets_id};
pub(crate) use user_info::address_without_user_info;

use std::collections::BTreeMap;

use layers::Layer;

/// The merged configuration: for every key the strongest value, its origin and what it shadows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// By folded key, see [`fold_key`].
    settings: BTreeMap<String, Setting>,
}

impl Configuration {
    fn from_layers(layers: &[Layer]) -> Self {
        Self { settings: layers::merge(layers) }
    }

    /// The value of `key`, or `None` if no layer has it or the strongest one says `null`.
    ///
    /// Keys are compared without case; an empty text is a value.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.setting(key)?.value.as_deref()
    }

    /// The value of `key` with its origin and everything it shadows.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push(key.to_owned()));
        self.settings.get(&fold_key(key))
    }

    /// The value of `key` with its origin, unless it is absent, null or empty.
    pub fn non_empty(&self, key: &str) -> Option<Sourced<&str>> {
        let setting = self.setting(key)?;
        let value = setting.value.as_deref().filter(|value| !value.is_empty())?;
        Some(Sourced { value, origin: setting.origin.clone() })
    }

    /// The part of the configuration below `path`; it may be empty.
    pub fn section(&self, path: &str) -> Section<'_> {
        Section::new(self, path.to_owned())
    }

    /// Every key with a value, in the order of [`compare_keys`] on the folded keys.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.values()
    }

    /// The keys whose value is another one in `other`, or which only one of the two has, as they are
    /// spelled. Where a value was set does not count.
    pub fn differing_keys<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let known = self.settings.iter().filter(|(folded, setting)| {
            other.settings.get(*folded).is_none_or(|other| other.value != setting.value)
        });
        let new = other.settings.iter().filter(|(folded, _)| !self.settings.contains_key(*folded));
        let mut keys: Vec<_> = known.chain(new).map(|(_, setting)| setting.key.as_str()).collect();
        keys.sort_by(|left, right| compare_keys(left, right));
        keys
    }

    /// The keys that lie below `path`, `path` itself left out.
    fn below(&self, path: &str) -> impl Iterator<Item = (&str, &Setting)> {
        let prefix = if path.is_empty() { String::new() } else { format!("{}:", fold_key(path)) };
        self.settings
            .range(prefix.clone()..)
            .take_while(move |(folded, _)| folded.starts_with(&prefix))
            .map(|(folded, setting)| (folded.as_str(), setting))
    }
}

#[cfg(test)]
thread_local! {
    /// The keys that were asked for on this thread.
    static ASKED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The keys that this thread asked for since the last call.
#[cfg(test)]
pub(crate) fn asked_keys() -> Vec<String> {
    ASKED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_configurations_differ_in_values_and_not_in_their_places() {
        let configuration = |text: &[(&str, &str)]| {
            let leaf = |(key, value): &(&str, &str)| {
                sources::memory::leaf(key, *value, Origin::Code("test"))
            };
            Configuration::from_layers(&[text.iter().map(leaf).collect()])
        };
        let old = configuration(&[("A", "1"), ("B:c", "1"), ("D", "1")]);
        let new = configuration(&[("a", "1"), ("B:C", "2"), ("E", "1")]);
        assert_eq!(old.differing_keys(&new), ["B:c", "D", "E"]);
        assert_eq!(old.differing_keys(&old), Vec::<&str>::new());
    }
}
