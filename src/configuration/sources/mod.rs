//! The sources of configuration, each a function from what it reads to a list of leaves.
//!
//! Only [`json`] and [`user_secrets`] touch the file system, each in one function.

pub(crate) mod command_line;
pub(crate) mod environment_variables;
pub(crate) mod json;
pub(crate) mod memory;
pub(crate) mod user_secrets;
