//! The configuration as serde reads it.

use std::borrow::Cow;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::entries::{Entry, Names, Omitted, Value, expected_by};
use super::failure::{Failure, Why};
use super::guess::Guess;
use super::key_reader::KeyReader;
use super::known::Pass;
use super::mistakes::{self, Wanted};
use super::names;
use super::node::Node;
use super::stand_in::StandIn;
use crate::configuration::quantities::{LENGTH_OF_TIME, SIZE, SIZE_TYPE, length_of_time, size};
use crate::configuration::text::{boolean, double, wide_integer};

/// What an empty text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// A text like any other.
    Text,
    /// No value, if it cannot be read: as .NET binds what may be absent.
    Unset,
}

/// One place of the configuration, to be read as what a visitor wants.
#[derive(Clone)]
pub(super) struct Reader<'a, 'p> {
    node: Node<'a>,
    pass: &'p Pass<'p>,
    empty: Empty,
}

impl<'a, 'p> Reader<'a, 'p> {
    pub(super) const fn new(node: Node<'a>, pass: &'p Pass<'p>) -> Self {
        Self { node, pass, empty: Empty::Text }
    }

    fn below(&self, node: Node<'a>) -> Self {
        Self::new(node, self.pass)
    }

    /// The same place, for something within it.
    fn within(self, empty: Empty) -> Result<Self, Failure> {
        let node = self.node.within();
        match node.is_too_deep() {
            true => Err(Failure::new(Why::Mistake(mistakes::too_deep(&node))).at(&node)),
            false => Ok(Self { node, empty, ..self }),
        }
    }

    /// The text as `convert` reads it. Where that is not possible, it is told, and the reading goes on
    /// with something else.
    fn scalar<T>(
        &self,
        something: T,
        wanted: &Wanted<'_>,
        convert: impl Fn(&str) -> Option<T>,
    ) -> T {
        let text = self.node.text();
        if let Some(stronger) = self.node.stronger_below() {
            self.pass
                .tell(&self.node, || mistakes::section_over_value(&self.node, stronger, wanted));
            return something;
        }
        match text.map(|text| (text, convert(text))) {
            Some((_, Some(value))) => return value,
            Some(("", None)) if self.empty == Empty::Unset => self.pass.unset(&self.node),
            Some((text, None)) => {
                self.pass.tell(&self.node, || mistakes::cannot_convert(&self.node, text, wanted));
            }
            None => self.pass.tell(&self.node, || mistakes::no_value(&self.node, wanted)),
        }
        something
    }

    fn text(&self) -> Cow<'a, str> {
        let wanted = Wanted { kind: "text", is_not: "no text", write: "write a text".to_owned() };
        self.scalar(Cow::Borrowed(""), &wanted, |_| self.node.text().map(Cow::Borrowed))
    }

    /// The children, unless there is one value in their place, which is told; a null and an empty text
    /// have none.
    fn children(&self, what: &str, write: &str) -> Vec<Node<'a>> {
        self.no_section(what, write);
        let children = self.node.children();
        if children.is_empty() && self.node.setting().is_none() {
            let wanted = Wanted { kind: what, is_not: "", write: String::new() };
            self.pass.tell(&self.node, || mistakes::no_value(&self.node, &wanted));
        }
        children
    }

    /// Tells of a value in the place of a section.
    fn no_section(&self, what: &str, write: &str) {
        if let Some(text) = self.node.text().filter(|text| !text.is_empty())
            && !self.node.is_section()
        {
            self.pass.tell(&self.node, || mistakes::no_section(&self.node, text, what, write));
        }
    }

    fn elements(&self) -> Vec<Node<'a>> {
        self.children("a list", "give its elements as '{key}:0', '{key}:1', ...")
    }

    /// The values of a struct with these fields, by the names of the fields.
    fn fields(&self, fields: &'static [&'static str]) -> Vec<Entry<'a>> {
        let path = self.node.path();
        let mut found: Vec<Vec<Node<'a>>> = fields.iter().map(|_| Vec::new()).collect();
        let mut entries = Vec::new();
        for child in self.node.children() {
            let place = names::find(child.name(), fields);
            match place.and_then(|place| found.get_mut(place)) {
                Some(field) => field.push(child),
                None => entries.push(Entry::own(child)),
            }
        }
        for (field, nodes) in fields.iter().copied().zip(found) {
            let Some(node) = Node::merged(nodes) else {
                continue;
            };
            if let Some(rival) = node.rival() {
                self.pass.tell(&node, || mistakes::two_keys(&node, &rival.key));
            }
            if node.is_empty() && self.pass.passes_over_null(&path, field) {
                continue;
            }
            entries.push(Entry { name: Cow::Borrowed(field), value: Value::Node(node) });
        }
        self.judged(entries, &path)
    }

    /// Every child by its own name; by that of a field, too, if serde keeps them for a struct.
    fn entries(&self, children: Vec<Node<'a>>, names: Names) -> Vec<Entry<'a>> {
        let path = self.node.path();
        let mut entries = Vec::with_capacity(children.len());
        for child in children {
            let field = names::snake_case(child.name());
            if names == Names::OfFieldsToo
                && field != child.name()
                && !self.pass.is_dropped(&path, &field)
            {
                let value = Value::Node(child.clone());
                entries.push(Entry { name: Cow::Owned(field), value });
            }
            if !self.pass.is_dropped(&path, child.name()) {
                entries.push(Entry::own(child));
            }
        }
        self.judged(entries, &path)
    }

    /// Without what is left out, and with what stands in for what is missing.
    fn judged(&self, mut entries: Vec<Entry<'a>>, path: &str) -> Vec<Entry<'a>> {
        entries.retain(|entry| match &entry.value {
            Value::Node(node) => !self.pass.is_omitted(node),
            Value::StandIn(_) => true,
        });
        entries.extend(
            self.pass
                .missing_of(path)
                .into_iter()
                .map(|field| Entry { name: Cow::Borrowed(field), value: Value::StandIn(field) }),
        );
        entries
    }

    fn map<'de, V: Visitor<'de>>(
        &self,
        entries: Vec<Entry<'a>>,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let mut entries = entries.into_iter();
        let first = entries.next();
        let access = Fields { reader: self, next: first, rest: entries };
        visitor.visit_map(access).map_err(|failure| failure.at(&self.node))
    }

    fn sequence<'de, V: Visitor<'de>>(
        &self,
        elements: Vec<Node<'a>>,
        omitted: Omitted,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let access = Elements { reader: self, rest: elements.into_iter(), omitted };
        visitor.visit_seq(access).map_err(|failure| failure.at(&self.node))
    }
}

macro_rules! integers {
    ($($method:ident => $visit:ident: $type:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let is_whole = self.node.text().is_some_and(|text| wide_integer(text).is_some());
            let wanted = Wanted {
                kind: stringify!($type),
                is_not: if is_whole { "out of its range" } else { "no whole number" },
                write: format!("write a whole number from {} to {}", $type::MIN, $type::MAX),
            };
            let convert = |text: &str| {
                let wide = wide_integer(text).and_then(|wide| $type::try_from(wide).ok());
                wide.or_else(|| text.trim().parse().ok())
            };
            // 1, since some numbers are never 0.
            let number = self.scalar(1, &wanted, convert);
            visitor.$visit(number).map_err(|failure: Failure| failure.at(&self.node))
        })*
    };
}

macro_rules! fractions {
    ($($method:ident => $visit:ident: $type:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let wanted = Wanted {
                kind: stringify!($type),
                is_not: "no number",
                write: "write a number, such as 0.5".to_owned(),
            };
            let convert = |text: &str| {
                let number = double(text).and_then(|_| text.trim().parse().ok());
                number.filter(|number: &$type| number.is_finite())
            };
            let number = self.scalar(1.0, &wanted, convert);
            visitor.$visit(number).map_err(|failure: Failure| failure.at(&self.node))
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Failure;

    integers! {
        deserialize_i8 => visit_i8: i8,
        deserialize_i16 => visit_i16: i16,
        deserialize_i32 => visit_i32: i32,
        deserialize_i64 => visit_i64: i64,
        deserialize_i128 => visit_i128: i128,
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32,
        deserialize_u64 => visit_u64: u64,
        deserialize_u128 => visit_u128: u128,
    }

    fractions! {
        deserialize_f32 => visit_f32: f32,
        deserialize_f64 => visit_f64: f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let wanted = Wanted {
            kind: "bool",
            is_not: "neither true nor false",
            write: "write true or false".to_owned(),
        };
        let value = self.scalar(false, &wanted, boolean);
        visitor.visit_bool(value).map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let wanted = Wanted {
            kind: "char",
            is_not: "not one character",
            write: "write one character".to_owned(),
        };
        let one = |text: &str| {
            let mut characters = text.chars();
            characters.next().filter(|_| characters.next().is_none())
        };
        let value = self.scalar('a', &wanted, one);
        visitor.visit_char(value).map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let text = self.text();
        let text = self.pass.respelled(&self.node, &text);
        let read = visitor.visit_str(text);
        if read.is_err() && text.is_empty() && self.empty == Empty::Unset {
            self.pass.unset(&self.node);
        }
        read.map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let text = self.text();
        visitor.visit_bytes(text.as_bytes()).map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let node = self.node.clone();
        let read = match node.is_empty() || self.pass.is_unset(&node) {
            true => visitor.visit_none(),
            false => visitor.visit_some(self.within(Empty::Unset)?),
        };
        read.map_err(|failure: Failure| failure.at(&node))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit().map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if name == SIZE_TYPE {
            return self.size(visitor);
        }
        let (node, empty) = (self.node.clone(), self.empty);
        let read = visitor.visit_newtype_struct(self.within(empty)?);
        read.map_err(|failure: Failure| failure.at(&node))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.sequence(self.elements(), Omitted::PassOver, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let elements = self.elements();
        if elements.len() != length {
            let problem = mistakes::other_length(&self.node, length, elements.len());
            return Err(Failure::new(Why::Mistake(problem)).at(&self.node));
        }
        self.sequence(elements, Omitted::EndAt, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let children = self.children("a section", "give its values below '{key}'");
        // A struct without the names of its fields has others in it.
        let names = match expected_by(&visitor).starts_with("struct ") {
            true => Names::OfFieldsToo,
            false => Names::Own,
        };
        self.map(self.entries(children, names), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if name == "Duration" && fields == ["secs", "nanos"] && !self.node.is_section() {
            return self.duration(visitor);
        }
        self.no_section("a section", "give its values below '{key}'");
        self.map(self.fields(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let node = self.node.clone();
        let variant = self.variant(variants).map_err(|failure| failure.at(&node))?;
        visitor.visit_enum(variant).map_err(|failure: Failure| failure.at(&node))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let children = self.node.children();
        if !children.is_empty() && self.node.beaten_below().is_none() {
            let mut numbers = children.iter().map(|child| child.name().parse::<u32>());
            return match numbers.all(|number| number.is_ok()) {
                true => self.sequence(children, Omitted::PassOver, visitor),
                false => {
                    // The words of serde's own code, which keeps what it gets for another type.
                    let expected = expected_by(&visitor);
                    let keeps = ["any value", "internally tagged enum "];
                    let names = match keeps.iter().any(|words| expected.starts_with(words)) {
                        true => Names::OfFieldsToo,
                        false => Names::Own,
                    };
                    self.map(self.entries(children, names), visitor)
                }
            };
        }
        let read = match self.node.text() {
            None => visitor.visit_unit(),
            Some(text) => match self.pass.guess(&self.node, text) {
                Guess::Boolean(boolean) => visitor.visit_bool(boolean),
                Guess::Fraction(fraction) => visitor.visit_f64(fraction),
                Guess::Whole(whole) => match (u64::try_from(whole), i64::try_from(whole)) {
                    (Ok(whole), _) => visitor.visit_u64(whole),
                    (_, Ok(whole)) => visitor.visit_i64(whole),
                    _ => visitor.visit_str(text),
                },
                Guess::Text(_) => visitor.visit_str(self.pass.respelled(&self.node, text)),
            },
        };
        read.map_err(|failure: Failure| failure.at(&self.node))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit().map_err(|failure: Failure| failure.at(&self.node))
    }
}

impl<'a, 'p> Reader<'a, 'p> {
    /// The standard library's `Duration`, which is a struct to serde, from one text.
    fn duration<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Failure> {
        let wanted = Wanted {
            kind: "Duration",
            is_not: "no length of time",
            write: format!("write {LENGTH_OF_TIME}"),
        };
        let length = self.scalar(std::time::Duration::ZERO, &wanted, length_of_time);
        let parts = [length.as_secs(), length.subsec_nanos().into()];
        let parts = SeqDeserializer::<_, Failure>::new(parts.into_iter());
        visitor.visit_seq(parts).map_err(|failure| failure.at(&self.node))
    }

    /// A [`ByteSize`](crate::configuration::ByteSize), from one text.
    fn size<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Failure> {
        let wanted = Wanted { kind: "ByteSize", is_not: "no size", write: format!("write {SIZE}") };
        let bytes = self.scalar(1, &wanted, size);
        visitor.visit_u64(bytes).map_err(|failure: Failure| failure.at(&self.node))
    }

    /// The variant that is named by the text, or by the only child; if both do, by what is stronger.
    fn variant(self, variants: &'static [&'static str]) -> Result<Variant<'a, 'p>, Failure> {
        let mistake = |problem| Err(Failure::new(Why::Mistake(problem)));
        let find =
            |name: &str| names::find(name, variants).and_then(|at| variants.get(at).copied());
        let children = self.node.children();
        let mut text = self.node.text().filter(|text| !text.is_empty());
        let by_text = text.and_then(|text| find(text.trim()));
        let stronger = self.node.stronger_children();
        // A stronger source may say more of the variant that the text names.
        let overruled =
            stronger.iter().any(|child| by_text.is_none() || find(child.name()) != by_text);
        let by_child = if overruled { &stronger } else { &children };
        if overruled {
            text = None;
        }
        let named = match text {
            Some(text) => match by_text {
                Some(name) => name,
                None => return mistake(mistakes::no_variant(&self.node, text, variants)),
            },
            None => match &by_child[..] {
                [child] => match find(child.name()) {
                    Some(name) => name,
                    None => return mistake(mistakes::no_variant(child, child.name(), variants)),
                },
                [] if self.empty == Empty::Unset && self.node.text() == Some("") => {
                    self.pass.unset(&self.node);
                    return Err(Failure::new(Why::Told));
                }
                [] => {
                    let listed = format!("write one of {}", variants.join(", "));
                    let wanted = Wanted { kind: "enum", is_not: "nothing", write: listed };
                    return mistake(mistakes::no_value(&self.node, &wanted));
                }
                _ => return mistake(mistakes::not_one_variant(&self.node, variants)),
            },
        };
        let content = children.into_iter().filter(|child| find(child.name()) == Some(named));
        let content = Node::merged(content.collect());
        let content = content.unwrap_or_else(|| self.node.absent_child(&names::key_case(named)));
        Ok(Variant { name: named, content: self.below(content) })
    }
}

struct Fields<'r, 'a, 'p> {
    reader: &'r Reader<'a, 'p>,
    next: Option<Entry<'a>>,
    rest: std::vec::IntoIter<Entry<'a>>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_, '_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some(entry) = &self.next else {
            return Ok(None);
        };
        let key = seed.deserialize(KeyReader(&entry.name));
        key.map(Some).map_err(|failure| entry.value.locate(failure, &self.reader.node))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let Some(Entry { value, .. }) = std::mem::replace(&mut self.next, self.rest.next()) else {
            return Err(Failure::new(Why::Told));
        };
        let read = match &value {
            Value::Node(node) => seed.deserialize(self.reader.below(node.clone())),
            Value::StandIn(_) => seed.deserialize(StandIn::new()),
        };
        read.map_err(|failure| value.locate(failure, &self.reader.node))
    }
}

struct Elements<'r, 'a, 'p> {
    reader: &'r Reader<'a, 'p>,
    rest: std::vec::IntoIter<Node<'a>>,
    omitted: Omitted,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_, '_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        for node in self.rest.by_ref() {
            match (self.reader.pass.is_omitted(&node), self.omitted) {
                (true, Omitted::PassOver) => continue,
                (true, Omitted::EndAt) => return Err(Failure::new(Why::Told).at(&node)),
                (false, _) => {}
            }
            let element = seed.deserialize(self.reader.below(node.clone()));
            return element.map(Some).map_err(|failure| failure.at(&node));
        }
        Ok(None)
    }
}

struct Variant<'a, 'p> {
    name: &'static str,
    content: Reader<'a, 'p>,
}

impl<'de, 'a, 'p> EnumAccess<'de> for Variant<'a, 'p> {
    type Error = Failure;
    type Variant = Reader<'a, 'p>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Reader<'a, 'p>), Failure> {
        let name: StrDeserializer<'_, Failure> = self.name.into_deserializer();
        let variant = seed.deserialize(name)?;
        match self.content.pass.is_omitted(&self.content.node) {
            true => Err(Failure::new(Why::Told).at(&self.content.node)),
            false => Ok((variant, self.content)),
        }
    }
}

impl<'de> VariantAccess<'de> for Reader<'_, '_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        let node = self.node.clone();
        seed.deserialize(self).map_err(|failure| failure.at(&node))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_struct("", fields, visitor)
    }
}
