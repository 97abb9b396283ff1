//! Values that the program itself puts in: the content root, and what code set.

use crate::configuration::layers::Leaf;
use crate::configuration::origin::Origin;

/// One value with its origin.
pub(crate) fn leaf(key: &str, value: impl Into<String>, origin: Origin) -> Leaf {
    Leaf { key: key.to_owned(), value: Some(value.into()), origin }
}
