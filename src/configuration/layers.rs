//! The layers and how they merge.
//!
//! figment does the layering: each layer is one provider, later ones win key by key. A layer hands
//! figment a flat dictionary whose keys are folded whole keys, because figment's own nesting would
//! let a stray `ASPNETCORE_KESTREL=1` replace the whole `Kestrel` section, where .NET keeps a
//! value and the children of the same key side by side. For the same reason arrays are flattened
//! to index keys: they overlay index by index. figment's tag on the winning value names the layer,
//! and the layer knows the exact origin of each of its keys.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::key::{fold_key, speaks_of_secrets};
use super::origin::Origin;
use super::user_info::without_user_info;

/// One value as a source gave it. Printed for debugging, it hides secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Leaf {
    /// The key in its original spelling, segments joined by `:`.
    pub key: String,
    /// The text; `None` is an explicit null, which shadows weaker layers.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: Origin,
}

/// The strongest value of a key. Printed for debugging, it hides secrets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// The key as the winning source spelled it.
    pub key: String,
    /// The text; `None` is an explicit null.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: Origin,
    /// What weaker layers said, strongest first.
    pub shadowed: Vec<Shadowed>,
    /// The place of its layer, the weakest first: tells which of two keys was said more strongly.
    pub(crate) layer: usize,
}

/// A value that lost. Printed for debugging, it hides the value, whose key it does not know.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Shadowed {
    /// Its text; `None` is an explicit null.
    pub value: Option<String>,
    /// Where it was set.
    pub origin: Origin,
}

impl Leaf {
    /// A value of a key such as `Kestrel:Endpoints:Http:Url`, with where it was set.
    pub fn new(key: impl Into<String>, value: impl Into<String>, origin: Origin) -> Self {
        Self { key: key.into(), value: Some(value.into()), origin }
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("key", &self.key)
            .field("value", &shown(&self.key, self.value.as_deref()))
            .field("origin", &self.origin)
            .finish()
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("key", &self.key)
            .field("value", &shown(&self.key, self.value.as_deref()))
            .field("origin", &self.origin)
            .field("shadowed", &self.shadowed)
            .finish()
    }
}

impl fmt::Debug for Shadowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadowed").field("origin", &self.origin).finish_non_exhaustive()
    }
}

fn shown<'a>(key: &str, value: Option<&'a str>) -> Option<Cow<'a, str>> {
    value.map(|value| match speaks_of_secrets(key) {
        true => Cow::Borrowed("(hidden)"),
        false => without_user_info(value),
    })
}

/// The values of one source. A key that the source gives twice holds its last value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    leaves: BTreeMap<String, Leaf>,
}

impl FromIterator<Leaf> for Layer {
    fn from_iter<I: IntoIterator<Item = Leaf>>(leaves: I) -> Self {
        Self { leaves: leaves.into_iter().map(|leaf| (fold_key(&leaf.key), leaf)).collect() }
    }
}

impl Layer {
    /// The value that this layer alone gives to `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Leaf> {
        self.leaves.get(&fold_key(key))
    }
}

/// A layer on its way into figment; its place in the order is the name of its metadata.
struct Numbered<'a> {
    place: usize,
    layer: &'a Layer,
}

impl Provider for Numbered<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.place.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let dict = self
            .layer
            .leaves
            .iter()
            .map(|(folded, leaf)| {
                let value = match &leaf.value {
                    Some(text) => Value::String(Tag::Default, text.clone()),
                    None => Value::Empty(Tag::Default, Empty::Unit),
                };
                (folded.clone(), value)
            })
            .collect();
        Ok(Profile::Default.collect(dict))
    }
}

/// Merges `layers`, weakest first.
pub(super) fn merge(layers: &[Layer]) -> BTreeMap<String, Setting> {
    let figment = layers
        .iter()
        .enumerate()
        .fold(Figment::new(), |figment, (place, layer)| figment.merge(Numbered { place, layer }));
    let values = figment.data().map(|mut profiles| profiles.remove(&Profile::Default));
    let mut merged = BTreeMap::new();
    for (folded, value) in values.ok().flatten().unwrap_or_default() {
        let place = figment.get_metadata(value.tag()).and_then(|winner| winner.name.parse().ok());
        let winner = place.and_then(|place: usize| {
            layers.get(place).and_then(|layer| layer.leaves.get(&folded)).map(|leaf| (place, leaf))
        });
        let Some((place, leaf)) = winner else {
            continue;
        };
        let shadowed = layers[..place]
            .iter()
            .rev()
            .filter_map(|layer| layer.leaves.get(&folded))
            // The command line and the variables stand in two layers each.
            .filter(|weaker| weaker.origin != leaf.origin)
            .map(|weaker| Shadowed { value: weaker.value.clone(), origin: weaker.origin.clone() })
            .fold(Vec::new(), |mut distinct: Vec<Shadowed>, shadowed| {
                if !distinct.contains(&shadowed) {
                    distinct.push(shadowed);
                }
                distinct
            });
        let setting = Setting {
            key: leaf.key.clone(),
            value: leaf.value.clone(),
            origin: leaf.origin.clone(),
            shadowed,
            layer: place,
        };
        merged.insert(folded, setting);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(call: &'static str, leaves: &[(&str, Option<&str>)]) -> Layer {
        let leaf = |(key, value): &(&str, Option<&str>)| Leaf {
            key: (*key).to_owned(),
            value: value.map(str::to_owned),
            origin: Origin::Code(call),
        };
        leaves.iter().map(leaf).collect()
    }

    fn values(layers: &[Layer]) -> Vec<(String, Option<String>)> {
        merge(layers).into_values().map(|setting| (setting.key, setting.value)).collect()
    }

    fn pair(key: &str, value: &str) -> (String, Option<String>) {
        (key.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn later_layers_win_key_by_key_whatever_the_case() {
        let layers = [
            layer("1", &[("One:Two", Some("a")), ("L:0", Some("x")), ("L:1", Some("y"))]),
            layer("2", &[("ONE:two", Some("b")), ("l:0", Some("z"))]),
        ];
        assert_eq!(values(&layers), [pair("l:0", "z"), pair("L:1", "y"), pair("ONE:two", "b")]);
    }

    #[test]
    fn secrets_are_not_printed_for_debugging() {
        let layers = [
            layer("1", &[("A:Password", Some("hunter1")), ("A:Url", Some("u"))]),
            layer("2", &[("A:Password", Some("hunter2")), ("B", Some("http://a:hunter3@b"))]),
        ];
        let printed = format!("{:?} {layers:?}", merge(&layers));
        assert!(!printed.contains("hunter") && printed.contains("\"u\""), "{printed}");
    }

    #[test]
    fn a_value_and_children_of_the_same_key_stay_side_by_side() {
        let layers =
            [layer("1", &[("Kestrel:A", Some("a"))]), layer("2", &[("KESTREL", Some("1"))])];
        assert_eq!(values(&layers), [pair("KESTREL", "1"), pair("Kestrel:A", "a")]);
    }

    #[test]
    fn a_null_shadows_and_the_shadowed_values_are_kept() {
        let layers = [
            layer("1", &[("A", Some("1"))]),
            layer("2", &[("A", Some("2"))]),
            layer("3", &[("A", None)]),
        ];
        let merged = merge(&layers);
        assert_eq!(merged["A"].value, None);
        let calls: Vec<_> = merged["A"].shadowed.iter().map(|lost| lost.origin.clone()).collect();
        assert_eq!(calls, [Origin::Code("2"), Origin::Code("1")]);
    }
}
