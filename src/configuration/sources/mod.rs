//! The sources of configuration, each a function from what it reads to a list of leaves.
//!
//! Only `file` and [`user_secrets`] touch the file system, each in one function.

pub(crate) mod command_line;
mod document;
pub(crate) mod environment_variables;
mod file;
pub(crate) mod json;
pub(crate) mod memory;
#[cfg(feature = "toml")]
pub(crate) mod toml;
pub(crate) mod user_secrets;
#[cfg(feature = "child-process")]
pub(crate) mod web_config;
