//! Which files are watched, and how.

use std::time::SystemTime;

use tokio::sync::mpsc::UnboundedReceiver;

use super::watch::{Found, Kind, Mode, Watched, found};
use crate::configuration::Loaded;
use crate::diagnostics::events;
use crate::hosting::certificates::Certificates;
use crate::hosting::finding::{Finding, Subject};
use crate::hosting::prepare::Prepared;
use crate::hosting::settings::root_by_itself;

pub(in crate::hosting) use super::watch::Watcher;

/// A watcher, and what gets something whenever its files change.
pub(in crate::hosting) type Watch = (Watcher, UnboundedReceiver<()>);

/// Starts to watch the files of a configuration and those of its certificates. `None` if they are not
/// to be watched, or there is no thread for it, which is told, as is that they can only be looked at.
pub(in crate::hosting) fn start(
    prepared: &Prepared,
    variables: &[(String, String)],
) -> (Option<Watch>, Vec<Finding>) {
    if !prepared.settings.reload_on_change {
        return (None, Vec::new());
    }
    let files = Files::of(prepared, None);
    let (watch, odd) = match Watcher::start(mode(variables), files.look()) {
        Ok((watcher, changes, odd)) => (Some((watcher, changes)), odd),
        Err(error) => (None, Some(events::not_watching(&error.to_string()))),
    };
    let odd = odd.map(|notice| Finding::of_notice(Subject::Configuration, notice));
    (watch, odd.into_iter().collect())
}

/// Whether .NET's variable says that files are to be looked at instead of waiting for events.
fn mode(variables: &[(String, String)]) -> Mode {
    let asked = variables.iter().any(|(name, value)| {
        name == "DOTNET_USE_POLLING_FILE_WATCHER"
            && (value == "1" || value.eq_ignore_ascii_case("true"))
    });
    if asked { Mode::Polling } else { Mode::Events }
}

/// The files that something was read from, and when.
pub(super) struct Files {
    files: Vec<Watched>,
    read_at: SystemTime,
}

impl Files {
    /// Those of a configuration and its certificates, and of the certificates that are served.
    pub(super) fn of(prepared: &Prepared, served: Option<&Certificates>) -> Self {
        let certificates = std::iter::once(&prepared.certificates).chain(served);
        let stages = &prepared.settings.stages;
        // A program has files of its own, and nothing is served beside it that was not asked for.
        let looks_for_site = stages.static_files.is_none() && stages.child_process.is_none();
        let files = files(&prepared.loaded, looks_for_site, certificates);
        Self { files, read_at: prepared.read_at }
    }

    /// Looks at them. That may wait for a file system.
    pub(super) fn look(self) -> Vec<Found> {
        found(self.files, self.read_at)
    }
}

fn files<'a>(
    loaded: &Loaded,
    looks_for_site: bool,
    certificates: impl Iterator<Item = &'a Certificates>,
) -> Vec<Watched> {
    // A folder of files that is made while the host runs is served from then on. (What counts is whether files
    // were found when the settings were read: the folder may be there by now.)
    let site = root_by_itself(loaded).filter(|_| looks_for_site);
    let configuration = loaded.files.iter().map(|file| &file.path).chain(&site);
    let configuration = configuration.map(|path| (path, Kind::Configuration));
    let certificates = certificates.flat_map(|certificates| &certificates.files);
    let mut files: Vec<Watched> = Vec::new();
    for (path, kind) in configuration.chain(certificates.map(|path| (path, Kind::Certificate))) {
        if !files.iter().any(|file| file.path == *path) {
            files.push(Watched { path: path.clone(), kind });
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{CodeSettings, Inputs, load};

    #[test]
    fn a_folder_of_files_that_is_made_behind_the_reading_is_watched_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load(&Inputs {
            current_directory: folder.path().to_owned(),
            code: CodeSettings { host_alone: true, ..CodeSettings::default() },
            ..Inputs::default()
        });
        let root = loaded.content_root.value.join("wwwroot");
        std::fs::create_dir(&root).unwrap();
        for looks_for_site in [false, true] {
            let watched = files(&loaded, looks_for_site, std::iter::empty());
            assert_eq!(watched.iter().any(|file| file.path == root), looks_for_site);
        }
    }

    #[test]
    fn files_are_only_looked_at_if_nets_variable_says_so() {
        for (value, expected) in [
            (None, Mode::Events),
            (Some(""), Mode::Events),
            (Some("0"), Mode::Events),
            (Some("false"), Mode::Events),
            (Some("1"), Mode::Polling),
            (Some("true"), Mode::Polling),
            (Some("TRUE"), Mode::Polling),
        ] {
            let variable =
                value.map(|value| ("DOTNET_USE_POLLING_FILE_WATCHER".to_owned(), value.to_owned()));
            assert_eq!(mode(variable.as_slice()), expected, "{value:?}");
        }
    }
}
