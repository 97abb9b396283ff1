//! `web.config` among the sources.

use std::path::{Path, PathBuf};

use super::added_source::ConfigurationSource;
use super::layers::Leaf;
use super::problem::Problem;
use super::sources::web_config;

/// The file of the ASP.NET Core Module in the content root: what it says of the program to run.
#[derive(Clone, Debug)]
pub(crate) struct WebConfig;

impl WebConfig {
    const NAME: &str = "web.config";

    /// Whether there is one.
    pub(crate) fn is_in(content_root: &Path) -> bool {
        content_root.join(Self::NAME).exists()
    }
}

impl ConfigurationSource for WebConfig {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        web_config::read_file(&content_root.join(Self::NAME), Path::new(Self::NAME))
    }

    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        vec![content_root.join(Self::NAME)]
    }
}
