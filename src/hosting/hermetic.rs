//! What a host has in the place of the process's surroundings, so that a test sees the same everywhere.

use std::path::PathBuf;

use super::process;
use super::temporary_folder::TemporaryFolder;
use crate::addresses::Network;
use crate::configuration::Problem;

/// The variable that switches off the watching of files; a weak one, so that a test can have it.
const NO_WATCH: (&str, &str) = ("DOTNET_hostBuilder__reloadConfigOnChange", "false");

/// What a host has that sees nothing of the process.
#[derive(Default)]
pub(super) struct Hermetic {
    /// Its files, each with its path in the host's folder.
    pub(super) files: Vec<(PathBuf, Vec<u8>)>,
    /// Where its endpoints are bound.
    pub(super) network: Network,
}

impl Hermetic {
    /// What is bound if nobody says anything.
    pub(super) fn default_address(&self) -> &'static str {
        match self.network {
            Network::System => "http://127.0.0.1:0",
            #[cfg(feature = "testing")]
            Network::InMemory(_) => "http://localhost",
        }
    }

    /// The variables of the host.
    pub(super) fn variables(given: Option<Vec<(String, String)>>) -> Vec<(String, String)> {
        let (name, value) = NO_WATCH;
        let mut variables = given.unwrap_or_default();
        if !variables.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            variables.push((name.to_owned(), value.to_owned()));
        }
        variables
    }

    /// Makes the host's folder with its files.
    ///
    /// # Errors
    ///
    /// What the system does not allow.
    pub(super) fn make_folder(&self) -> Result<TemporaryFolder, Problem> {
        let parent = process::temporary_folder();
        let folder = TemporaryFolder::new(&parent).map_err(|error| {
            Problem::error(format!("No folder can be made in {}: {error}.", parent.display()))
                .fix("let the variable TMPDIR name a folder that can be written to")
        })?;
        for (path, content) in &self.files {
            folder.write(path, content).map_err(|error| {
                Problem::error(format!(
                    "The file {} of the test cannot be made: {error}.",
                    path.display()
                ))
                .fix("give it a path like appsettings.json or data/users.csv")
            })?;
        }
        Ok(folder)
    }
}
