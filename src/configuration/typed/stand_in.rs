//! What stands in the place of a value that is missing, so that what is wrong with the values beside
//! it is found, too. Nobody ever gets what is made of it.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::failure::{Failure, Why};
use crate::configuration::quantities::SIZE_TYPE;

/// How deep stand-ins are made of stand-ins.
const DEEPEST: u8 = 8;

/// A value of any type, the simplest there is.
#[derive(Clone, Copy)]
pub(super) struct StandIn(u8);

impl StandIn {
    pub(super) const fn new() -> Self {
        Self(0)
    }

    fn within(self) -> Result<Self, Failure> {
        match self.0 < DEEPEST {
            true => Ok(Self(self.0 + 1)),
            false => Err(Failure::new(Why::Told)),
        }
    }
}

macro_rules! simplest {
    ($($method:ident => $visit:ident($value:expr),)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for StandIn {
    type Error = Failure;

    // 1, since some numbers are never 0.
    simplest! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_i8(1),
        deserialize_i16 => visit_i16(1),
        deserialize_i32 => visit_i32(1),
        deserialize_i64 => visit_i64(1),
        deserialize_i128 => visit_i128(1),
        deserialize_u8 => visit_u8(1),
        deserialize_u16 => visit_u16(1),
        deserialize_u32 => visit_u32(1),
        deserialize_u64 => visit_u64(1),
        deserialize_u128 => visit_u128(1),
        deserialize_f32 => visit_f32(1.0),
        deserialize_f64 => visit_f64(1.0),
        deserialize_char => visit_char('a'),
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
        deserialize_bytes => visit_bytes(&[]),
        deserialize_byte_buf => visit_bytes(&[]),
        deserialize_seq => visit_seq(Elements { rest: 0, each: Self::new() }),
        deserialize_map => visit_map(Fields { rest: [].iter(), each: Self::new() }),
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match name == SIZE_TYPE {
            true => visitor.visit_u64(1),
            false => visitor.visit_newtype_struct(self.within()?),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_seq(Elements { rest: length, each: self.within()? })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_map(Fields { rest: fields.iter(), each: self.within()? })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let first = variants.first().ok_or_else(|| Failure::new(Why::Told))?;
        visitor.visit_enum(Variant { name: first, content: self.within()? })
    }

    forward_to_deserialize_any! { unit unit_struct identifier ignored_any }
}

struct Elements {
    rest: usize,
    each: StandIn,
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some(rest) = self.rest.checked_sub(1) else {
            return Ok(None);
        };
        self.rest = rest;
        seed.deserialize(self.each).map(Some)
    }
}

struct Fields {
    rest: std::slice::Iter<'static, &'static str>,
    each: StandIn,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let name =
            |name: &&'static str| -> StrDeserializer<'_, Failure> { name.into_deserializer() };
        self.rest.next().map(name).map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(self.each)
    }
}

struct Variant {
    name: &'static str,
    content: StandIn,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Failure;
    type Variant = StandIn;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, StandIn), Failure> {
        let name: StrDeserializer<'_, Failure> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for StandIn {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(self)
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

#[cfg(test)]
mod tests {
    use serde::de::{Error, IgnoredAny};

    use super::*;

    #[test]
    fn a_type_without_an_end_gets_none() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "nobody makes one")]
        enum Sum {
            Of(Box<Self>, Box<Self>),
        }
        assert!(<Sum as serde::Deserialize>::deserialize(StandIn::new()).is_err());
        assert!(<IgnoredAny as serde::Deserialize>::deserialize(StandIn::new()).is_ok());
        let error = Failure::custom("x").to_string();
        assert_eq!(error, "x");
    }
}
