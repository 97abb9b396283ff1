//! The certificates of `tests/data/tls`, read as the tests of `tests` read them.

#[path = "../../tests/data/tls/mod.rs"]
mod files;

pub(crate) use files::{certificate, key};
