//! A TOML file among the sources.

use std::path::{Path, PathBuf};

use super::added_source::ConfigurationSource;
use super::layers::Leaf;
use super::problem::Problem;
use super::settings_file::SettingsFile;
use super::sources::toml;

/// A TOML file. Its tables are sections, so that `[Kestrel.Endpoints.Web]` with `Url = "http://*:5000"` is
/// what `Kestrel:Endpoints:Web:Url` is elsewhere; arrays have indexes, as in JSON. Times such as
/// `00:02:10` are texts, of which settings make time spans. Keys that differ by case alone are one key, which may not be there twice. Changes of
/// it are reloads. Takes the feature `toml`.
///
/// ```
/// use kestrel::Host;
/// use kestrel::configuration::{SourcePlace, TomlFile};
///
/// let builder = Host::builder()
///     .configuration_source(SourcePlace::AboveFiles, TomlFile::optional("settings.toml"));
/// ```
#[derive(Clone, Debug)]
pub struct TomlFile(SettingsFile);

impl TomlFile {
    /// One that has to be there. A relative path counts from the content root.
    pub fn required(path: impl Into<PathBuf>) -> Self {
        Self(SettingsFile::required(path.into()))
    }

    /// One that may be missing. A relative path counts from the content root.
    pub fn optional(path: impl Into<PathBuf>) -> Self {
        Self(SettingsFile::optional(path.into()))
    }
}

impl ConfigurationSource for TomlFile {
    fn name(&self) -> String {
        self.0.name()
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        self.0.read(content_root, toml::read_file, "TomlFile::optional")
    }

    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        vec![self.0.whole(content_root)]
    }
}
