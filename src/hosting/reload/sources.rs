//! What a host is configured by: read once for the start, and again for every reload.

use std::time::SystemTime;

use tokio::sync::mpsc::UnboundedReceiver;

use super::live::Published;
use super::watch::{Kind, Mode, Watched, Watcher, found};
use crate::addresses::EndpointPlan;
use crate::configuration::{Inputs, Loaded, load};
use crate::diagnostics::events;
use crate::hosting::certificates::{Certificates, Surroundings};
use crate::hosting::finding::{Finding, Subject};
use crate::hosting::settings::{CodeEndpoints, HostSettings};
use crate::server::ServerOptions;

/// What a host is configured by, besides files: so that it can be configured again.
pub(in crate::hosting) struct Sources {
    pub(in crate::hosting) inputs: Inputs,
    pub(in crate::hosting) endpoints: CodeEndpoints,
    pub(in crate::hosting) configure: Vec<Configure>,
    /// Whether warnings are errors.
    pub(in crate::hosting) strict: bool,
}

/// A change of the server's options by code.
pub(in crate::hosting) type Configure = Box<dyn FnMut(&mut ServerOptions) + Send>;

impl Sources {
    /// Reads everything.
    pub(in crate::hosting) fn read(&mut self) -> (Loaded, HostSettings) {
        let loaded = load(&self.inputs);
        let settings = HostSettings::read(&loaded, self.endpoints.clone(), |options| {
            for configure in &mut self.configure {
                configure(options);
            }
        });
        (loaded, settings)
    }

    /// Whether .NET's variable says that files are to be looked at instead of waiting for events.
    fn watch_mode(&self) -> Mode {
        let asked = self.inputs.variables.iter().any(|(name, value)| {
            name == "DOTNET_USE_POLLING_FILE_WATCHER"
                && (value == "1" || value.eq_ignore_ascii_case("true"))
        });
        if asked { Mode::Polling } else { Mode::Events }
    }
}

/// A configured host: what was read, and what that means.
pub(in crate::hosting) struct Configured {
    pub(in crate::hosting) sources: Sources,
    pub(in crate::hosting) surroundings: Surroundings,
    /// When the reading began: a file that changed since then is another one.
    pub(in crate::hosting) read_at: SystemTime,
    pub(in crate::hosting) loaded: Loaded,
    pub(in crate::hosting) settings: HostSettings,
    pub(in crate::hosting) plan: EndpointPlan,
    pub(in crate::hosting) live: Published,
}

impl Configured {
    /// Starts to watch the files it was read from, and those of the certificates. The receiver gets
    /// something whenever they change. `None` if they are not to be watched, or there is no thread
    /// for it, which is told, as is that they can only be looked at.
    pub(in crate::hosting) fn watch(
        &self,
        certificates: &Certificates,
    ) -> (Option<(Watcher, UnboundedReceiver<()>)>, Vec<Finding>) {
        if !self.settings.reload_on_change {
            return (None, Vec::new());
        }
        let files = found(watched(&self.loaded, [certificates]), self.read_at);
        let (watch, odd) = match Watcher::start(self.sources.watch_mode(), files) {
            Ok((watcher, changes, odd)) => (Some((watcher, changes)), odd),
            Err(error) => (None, Some(events::not_watching(&error.to_string()))),
        };
        let odd = odd.map(|notice| Finding::of_notice(Subject::Configuration, notice));
        (watch, odd.into_iter().collect())
    }
}

/// The files that a configuration and these certificates were read from.
pub(super) fn watched<'a>(
    loaded: &Loaded,
    certificates: impl IntoIterator<Item = &'a Certificates>,
) -> Vec<Watched> {
    let configuration = loaded.files.iter().map(|file| (&file.path, Kind::Configuration));
    let certificates = certificates.into_iter().flat_map(|certificates| &certificates.files);
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
            let sources = Sources {
                inputs: Inputs { variables: variable.into_iter().collect(), ..Inputs::default() },
                endpoints: CodeEndpoints::default(),
                configure: Vec::new(),
                strict: false,
            };
            assert_eq!(sources.watch_mode(), expected, "{value:?}");
        }
    }
}
