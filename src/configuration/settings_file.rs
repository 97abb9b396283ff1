//! A file of settings that a program adds to the sources, whatever its format.

use std::path::{Path, PathBuf};

use super::layers::Leaf;
use super::path::as_the_system_writes_it;
use super::problem::Problem;

/// A file of settings, whatever its format.
#[derive(Clone, Debug)]
pub(super) struct SettingsFile {
    path: PathBuf,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// What reads a file of some format, given its path and how origins call it. One that is absent is `None`.
pub(super) type ReadFile = fn(&Path, &Path) -> Result<Option<Vec<Leaf>>, Vec<Problem>>;

impl SettingsFile {
    /// One that has to be there. A relative path counts from the content root.
    pub(super) fn required(path: PathBuf) -> Self {
        Self { path, presence: Presence::Required }
    }

    /// One that may be missing. A relative path counts from the content root.
    pub(super) fn optional(path: PathBuf) -> Self {
        Self { path, presence: Presence::Optional }
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its whole path.
    pub(super) fn whole(&self, content_root: &Path) -> PathBuf {
        as_the_system_writes_it(content_root.join(&self.path))
    }

    /// Reads it; `optional` is the call by which it may be missing.
    pub(super) fn read(
        &self,
        content_root: &Path,
        read: ReadFile,
        optional: &str,
    ) -> Result<Vec<Leaf>, Vec<Problem>> {
        let path = self.whole(content_root);
        let shown = path.strip_prefix(content_root).unwrap_or(&path);
        match (read(&path, shown)?, self.presence) {
            (Some(leaves), _) => Ok(leaves),
            (None, Presence::Optional) => Ok(Vec::new()),
            (None, Presence::Required) => Err(vec![
                Problem::error(format!(
                    "The configuration file '{}' was not found and is not optional. The expected physical path \
                     was '{}'.",
                    self.path.display(),
                    path.display()
                ))
                .fix(format!("put it there, or let code say {optional}")),
            ]),
        }
    }
}
