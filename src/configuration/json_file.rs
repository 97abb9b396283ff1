//! A JSON file among the sources.

use std::path::{Path, PathBuf};

use super::added_source::ConfigurationSource;
use super::layers::Leaf;
use super::problem::Problem;
use super::settings_file::SettingsFile;
use super::sources::json;

/// A JSON file as `appsettings.json` is one: comments and trailing commas are welcome, a key that is
/// there twice is not. Changes of it are reloads.
#[derive(Clone, Debug)]
pub struct JsonFile(SettingsFile);

impl JsonFile {
    /// One that has to be there. A relative path counts from the content root.
    pub fn required(path: impl Into<PathBuf>) -> Self {
        Self(SettingsFile::required(path.into()))
    }

    /// One that may be missing. A relative path counts from the content root.
    pub fn optional(path: impl Into<PathBuf>) -> Self {
        Self(SettingsFile::optional(path.into()))
    }
}

impl ConfigurationSource for JsonFile {
    fn name(&self) -> String {
        self.0.name()
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        self.0.read(content_root, json::read_file, "JsonFile::optional")
    }

    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        vec![self.0.whole(content_root)]
    }
}
