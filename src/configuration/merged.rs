//! The merged configuration, and its parts by their paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::key::{compare_keys, fold_key};
use super::layers::{self, Layer, Setting};
use super::origin::Sourced;

/// The merged configuration: for every key the strongest value, its origin and what it shadows.
/// It never changes, and cloning it is cheap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// By folded key, see [`fold_key`].
    settings: Arc<BTreeMap<String, Setting>>,
    /// How many names of the keys, as they are spelled, lead to what is the root here.
    above: usize,
}

impl Configuration {
    pub(super) fn from_layers(layers: &[Layer]) -> Self {
        Self { settings: Arc::new(layers::merge(layers)), above: 0 }
    }

    /// What stands below `path`, as a configuration of its own: asked for by keys from there on. Settings are
    /// spelled as they were.
    pub(crate) fn rooted_at(&self, path: &str) -> Self {
        let start = fold_key(path).len() + 1;
        let below = self.below(path);
        let settings = below.map(|(folded, it)| (folded[start..].to_owned(), it.clone()));
        Self { settings: Arc::new(settings.collect()), above: self.above + path.split(':').count() }
    }

    /// The same, but with what stands at and below `path` in another one.
    pub(crate) fn with_section_of(&self, other: &Self, path: &str) -> Self {
        let (folded, below) = (fold_key(path), format!("{}:", fold_key(path)));
        let is_in = |key: &&String| **key == folded || key.starts_with(&below);
        let own = self.settings.iter().filter(|(key, _)| !is_in(key));
        let of_other = other.settings.iter().filter(|(key, _)| is_in(key));
        let settings = own.chain(of_other).map(|(key, it)| (key.clone(), it.clone())).collect();
        Self { settings: Arc::new(settings), above: self.above }
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

    /// Whether a value at or below `path` is another one in `other`, or only one of the two has it.
    pub(crate) fn differs_at(&self, other: &Self, path: &str) -> bool {
        let own = |configuration: &Self| configuration.setting(path).map(|it| it.value.clone());
        let value = |(folded, setting)| -> (&str, &Option<String>) {
            let setting: &Setting = setting;
            (folded, &setting.value)
        };
        own(self) != own(other) || !self.below(path).map(value).eq(other.below(path).map(value))
    }

    /// The keys that lie below `path`, `path` itself left out.
    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a str, &'a Setting)> + use<'a> {
        let prefix = if path.is_empty() { String::new() } else { format!("{}:", fold_key(path)) };
        self.settings
            .range(prefix.clone()..)
            .take_while(move |(folded, _)| folded.starts_with(&prefix))
            .map(|(folded, setting)| (folded.as_str(), setting))
    }
}

/// Everything at and below one key.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    configuration: &'a Configuration,
    path: String,
}

impl<'a> Section<'a> {
    fn new(configuration: &'a Configuration, path: String) -> Self {
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

    /// The first value at this very key or anywhere below it: whoever set that wrote the section.
    pub(crate) fn first_setting(&self) -> Option<&'a Setting> {
        self.setting().or_else(|| self.children().iter().find_map(Self::first_setting))
    }

    /// The value at `key` below this section.
    pub fn setting_at(&self, key: &str) -> Option<&'a Setting> {
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
        let above = self.configuration.above;
        let mut seen = BTreeSet::new();
        let mut names: Vec<&str> = Vec::new();
        for (folded, setting) in self.configuration.below(&self.path) {
            if seen.insert(folded.split(':').nth(depth).unwrap_or_default()) {
                names.push(setting.key.split(':').nth(above + depth).unwrap_or_default());
            }
        }
        names.sort_by(|left, right| compare_keys(left, right));
        names.iter().map(|name| self.child(name)).collect()
    }

    /// The sections that stand beside this one, with it if it is there.
    pub(super) fn beside(&self) -> Vec<Self> {
        let above = self.path.rsplit_once(':').map_or("", |(above, _)| above);
        Self::new(self.configuration, above.to_owned()).children()
    }

    /// The section right below this one, which may be the whole configuration.
    pub(super) fn child(&self, name: &str) -> Self {
        if self.path.is_empty() {
            Self::new(self.configuration, name.to_owned())
        } else {
            self.section(name)
        }
    }

    /// Everything below this key, by folded key.
    pub(super) fn all_below(&self) -> impl Iterator<Item = &'a Setting> + use<'a> {
        self.configuration.below(&self.path).map(|(_, setting)| setting)
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
    use crate::configuration::origin::Origin;
    use crate::configuration::sources::memory;

    #[test]
    fn a_clone_shares_what_it_holds() {
        let leaf = memory::leaf("A", "1", Origin::Code("test"));
        let configuration = Configuration::from_layers(&[[leaf].into_iter().collect()]);
        let (first, clone) = (configuration.setting("A"), configuration.clone());
        assert!(std::ptr::eq(first.unwrap(), clone.setting("A").unwrap()));
    }

    fn of(settings: &[(&str, &str)]) -> Configuration {
        let leaf = |(key, value): &(&str, &str)| memory::leaf(key, *value, Origin::Code("test"));
        Configuration::from_layers(&[settings.iter().map(leaf).collect()])
    }

    #[test]
    fn a_section_is_a_configuration_of_its_own() {
        let whole = of(&[("A:b:C", "1"), ("a:B:List:Xy:0", "2"), ("A:bc", "3"), ("C", "4")]);
        let part = whole.rooted_at("a:b");
        assert_eq!(part.settings().count(), 2);
        assert_eq!(part.value("c"), Some("1"));
        assert_eq!(part.setting("c").unwrap().key, "A:b:C");
        let [list] = &part.section("list").children()[..] else { panic!("one") };
        assert_eq!((list.name(), list.path()), ("Xy", "list:Xy"));
        assert_eq!(list.children()[0].setting().unwrap().value.as_deref(), Some("2"));
        let names: Vec<_> =
            part.section("").children().iter().map(|it| it.path().to_owned()).collect();
        assert_eq!(names, ["C", "List"]);
    }

    #[test]
    fn a_section_may_be_that_of_another_configuration() {
        let old = of(&[("A:b", "1"), ("A:b:c", "1"), ("A:bd", "1"), ("E", "1")]);
        let new = of(&[("a:B:d", "2"), ("A:bd", "2"), ("F", "2")]);
        let mixed = new.with_section_of(&old, "A:B");
        let settings: Vec<_> =
            mixed.settings().map(|it| (&*it.key, it.value.as_deref().unwrap())).collect();
        assert_eq!(settings, [("A:b", "1"), ("A:b:c", "1"), ("A:bd", "2"), ("F", "2")]);
    }

    #[test]
    fn two_configurations_differ_in_values_and_not_in_their_places() {
        let old = of(&[("A", "1"), ("B:c", "1"), ("D", "1")]);
        let new = of(&[("a", "1"), ("B:C", "2"), ("E", "1")]);
        assert_eq!(old.differing_keys(&new), ["B:c", "D", "E"]);
        assert_eq!(old.differing_keys(&old), Vec::<&str>::new());
    }
}
