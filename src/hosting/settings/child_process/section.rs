//! The keys that several files of this folder name.

pub(super) const SECTION: &str = "AspNetCore";
pub(super) const PROGRAM: &str = "AspNetCore:ProcessPath";
pub(super) const ARGUMENTS: &str = "AspNetCore:Arguments";
