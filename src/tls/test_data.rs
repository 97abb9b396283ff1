//! The certificates of `tests/data/tls`, read as the tests of `tests` read them.

#[path = "../../tests/data/tls/mod.rs"]
mod files;

#[cfg(feature = "proxy")]
pub(crate) use files::file;
pub(crate) use files::{certificate, key};
