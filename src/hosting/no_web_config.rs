//! What stands for `web.config` in a build that runs no programs: it is not read.

use crate::configuration::{AddedSource, Loaded};

/// None.
pub(super) fn source(_: &Loaded, _: bool) -> Option<AddedSource> {
    None
}
