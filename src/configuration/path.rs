//! How a path is told.

use std::path::PathBuf;

/// The same path. Windows takes both slashes, and a message must not show both in one path; elsewhere
/// it stays as it was typed.
pub(super) fn as_the_system_writes_it(path: PathBuf) -> PathBuf {
    if cfg!(windows) { path.components().collect() } else { path }
}
