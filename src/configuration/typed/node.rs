//! What stands at one place of the configuration: its value, and what lies below it.

use std::collections::BTreeMap;

use crate::configuration::key::{compare_keys, fold_key, speaks_of_secrets};
use crate::configuration::layers::Setting;
use crate::configuration::merged::Section;
use crate::configuration::origin::Origin;

/// How deep a configuration may be nested.
const DEEPEST: usize = 128;

/// One place. Where a field is spelled in several ways, all of them are one place.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    first: Section<'a>,
    others: Vec<Section<'a>>,
    depth: usize,
}

/// A place as a failure has to know it: whoever hears of it has no node.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folded key.
    pub(super) path: String,
    /// The key as it is spelled.
    pub(super) key: String,
    pub(super) origin: Option<Origin>,
    pub(super) value: Option<String>,
    /// The values below that must not be shown.
    pub(super) secrets: Vec<String>,
    /// The names right below.
    pub(super) names: Vec<String>,
}

impl<'a> Node<'a> {
    pub(super) fn new(section: Section<'a>) -> Self {
        Self { first: section, others: Vec::new(), depth: 0 }
    }

    /// Several spellings of one place.
    pub(super) fn merged(nodes: Vec<Self>) -> Option<Self> {
        let mut nodes = nodes.into_iter();
        let mut merged = nodes.next()?;
        merged.others.extend(nodes.flat_map(|node| std::iter::once(node.first).chain(node.others)));
        Some(merged)
    }

    fn sections(&self) -> impl Iterator<Item = &Section<'a>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The folded key.
    pub(super) fn path(&self) -> String {
        fold_key(self.first.path())
    }

    /// The key as it is spelled.
    pub(super) fn key(&self) -> &str {
        self.setting().map_or(self.first.path(), |setting| &setting.key)
    }

    /// The last segment of the key.
    pub(super) fn name(&self) -> &str {
        self.first.name()
    }

    /// The strongest value of all spellings.
    pub(super) fn setting(&self) -> Option<&'a Setting> {
        // The first of several that are as strong.
        let settings = self.sections().filter_map(Section::setting);
        settings.reduce(|best, other| if other.layer > best.layer { other } else { best })
    }

    /// Another spelling whose value is as strong.
    pub(super) fn rival(&self) -> Option<&'a Setting> {
        let best = self.setting()?;
        let mut settings = self.sections().filter_map(Section::setting);
        settings.find(|other| other.layer == best.layer && !std::ptr::eq(*other, best))
    }

    /// The value, unless it is null.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.setting()?.value.as_deref()
    }

    /// What lies right below, in the order of .NET.
    pub(super) fn children(&self) -> Vec<Self> {
        let mut found = BTreeMap::<String, Vec<Self>>::new();
        for section in self.sections() {
            // A key that begins with `:` has its section for its own child.
            for child in section.children().into_iter().filter(|it| it.path() != section.path()) {
                let child = Self { first: child, others: Vec::new(), depth: self.depth + 1 };
                found.entry(fold_key(child.name())).or_default().push(child);
            }
        }
        let mut children: Vec<_> = found.into_values().filter_map(Self::merged).collect();
        children.sort_by(|left, right| compare_keys(left.name(), right.name()));
        children
    }

    pub(super) fn has_children(&self) -> bool {
        self.sections().any(|section| section.all_below().next().is_some())
    }

    /// The strongest value below.
    fn strongest_below(&self) -> Option<&'a Setting> {
        let below = self.sections().flat_map(Section::all_below);
        let below = below.filter(|setting| setting.value.is_some());
        below.reduce(|best, other| if other.layer > best.layer { other } else { best })
    }

    /// The strongest value below, if its own is stronger still. As in .NET, an empty text takes nothing
    /// away from what is below it.
    pub(super) fn beaten_below(&self) -> Option<&'a Setting> {
        let own = self.setting()?;
        own.value.as_ref().filter(|text| !text.is_empty())?;
        self.strongest_below().filter(|below| below.layer < own.layer)
    }

    /// The strongest value below, if it is stronger than its own.
    pub(super) fn stronger_below(&self) -> Option<&'a Setting> {
        let own = self.setting().filter(|own| own.value.is_some())?;
        self.strongest_below().filter(|below| below.layer > own.layer)
    }

    /// The children with something that is stronger than its own value.
    pub(super) fn stronger_children(&self) -> Vec<Self> {
        let Some(own) = self.setting().filter(|own| own.value.is_some()) else {
            return Vec::new();
        };
        let is_stronger = |setting: &Setting| setting.layer > own.layer && setting.value.is_some();
        let mut children = self.children();
        children.retain(|child| {
            child.setting().is_some_and(is_stronger)
                || child.strongest_below().is_some_and(is_stronger)
        });
        children
    }

    /// Whether it is a section: there is something below, and no stronger value in its place.
    pub(super) fn is_section(&self) -> bool {
        self.has_children() && self.beaten_below().is_none()
    }

    /// Whether there is nothing: neither a value other than null nor anything below.
    pub(super) fn is_empty(&self) -> bool {
        self.text().is_none() && !self.has_children()
    }

    /// A place below that has nothing.
    pub(super) fn absent_child(&self, name: &str) -> Self {
        let first = self.first.child(name);
        Self { first, others: Vec::new(), depth: self.depth + 1 }
    }

    /// The same place, for something within it.
    pub(super) fn within(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    pub(super) fn is_too_deep(&self) -> bool {
        self.depth > DEEPEST
    }

    /// Where it was set, or what lies below it.
    pub(super) fn origin(&self) -> Option<Origin> {
        let own = self.setting().map(|setting| setting.origin.clone());
        own.or_else(|| {
            let mut below = self.sections().flat_map(Section::all_below);
            below.next().map(|setting| setting.origin.clone())
        })
    }

    pub(super) fn place(&self) -> Place {
        let below = self.sections().flat_map(Section::all_below);
        let secret = below.filter(|setting| speaks_of_secrets(&setting.key));
        Place {
            path: self.path(),
            key: self.key().to_owned(),
            origin: self.origin(),
            value: self.text().map(str::to_owned),
            secrets: secret.filter_map(|setting| setting.value.clone()).collect(),
            names: self.children().iter().map(|child| child.name().to_owned()).collect(),
        }
    }
}
