//! The names of entries, as serde reads them: those of fields, and the keys of maps.

use serde::de::{DeserializeSeed, value::StrDeserializer};
use serde::de::{Deserializer, EnumAccess, Error, IntoDeserializer, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::failure::Failure;
use super::names;
use crate::configuration::text::{boolean, wide_integer};

/// One name.
#[derive(Clone, Copy)]
pub(super) struct KeyReader<'n>(pub(super) &'n str);

impl KeyReader<'_> {
    fn refused(self, kind: &str) -> Failure {
        Failure::custom(format!("Its name '{}' is no {kind}", self.0))
    }
}

macro_rules! integers {
    ($($method:ident => $visit:ident: $type:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let wide = wide_integer(self.0).and_then(|wide| $type::try_from(wide).ok());
            visitor.$visit(wide.ok_or_else(|| self.refused(stringify!($type)))?)
        })*
    };
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
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

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_bool(boolean(self.0).ok_or_else(|| self.refused("bool"))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let known = names::find(self.0, variants).and_then(|at| variants.get(at).copied());
        visitor.visit_enum(Self(known.unwrap_or(self.0)))
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

impl<'de, 'n> EnumAccess<'de> for KeyReader<'n> {
    type Error = Failure;
    type Variant = UnitOnly;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, UnitOnly), Failure> {
        let name: StrDeserializer<'n, Failure> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, UnitOnly))
    }
}

/// A name has nothing in it.
pub(super) struct UnitOnly;

impl UnitOnly {
    fn refused<T>() -> Result<T, Failure> {
        Err(Failure::custom("A name cannot hold values"))
    }
}

impl<'de> VariantAccess<'de> for UnitOnly {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Failure> {
        Self::refused()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Failure> {
        Self::refused()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Failure> {
        Self::refused()
    }
}
