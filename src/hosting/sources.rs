//! What a host is configured by: read once for the start, and again for every reload.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::settings::{CodeCors, CodeEndpoints, HostSettings, InCode};
use super::surroundings::Surroundings;
use super::temporary_folder::TemporaryFolder;
use super::web_config;
use crate::addresses::Network;
use crate::configuration::{AddedSource, ChangeSignal, Inputs, Loaded, Problem, load};
use crate::server::ServerOptions;
use crate::tls::places::Places;

/// What a host is configured by, besides files: so that it can be configured again.
pub(super) struct Sources {
    pub(super) inputs: Inputs,
    pub(super) endpoints: CodeEndpoints,
    pub(super) cors: CodeCors,
    pub(super) configure: Vec<Configure>,
    /// How long a stop may take, if code says it: it wins.
    pub(super) shutdown_timeout: Option<Duration>,
    /// Whether warnings are errors.
    pub(super) strict: bool,
    /// Where certificates are looked for besides the files that settings name.
    pub(super) places: Places,
    /// Whether the server is not the built-in one: it has certificates of its own, if it has any.
    pub(super) another_server: bool,
    /// Whether nothing is looked for that code does not name, such as a certificate for development.
    pub(super) only_code: bool,
    /// Whether files were served when this was read last: they are still, while their folder is away.
    pub(super) has_site: bool,
    /// Where endpoints are bound.
    pub(super) network: Network,
    /// Gets something whenever a source tells that it has other values; for the host that runs.
    pub(super) pushes: Option<UnboundedReceiver<()>>,
    /// The folder of a host that sees no other, which goes with it.
    pub(super) _folder: Option<TemporaryFolder>,
}

/// A change of the server's options by code.
pub(super) type Configure = Box<dyn FnMut(&mut ServerOptions) + Send>;

/// Lets sources tell that they have other values: what gets something then, and what is wrong with that.
/// To be called before they are read, or a change might pass unseen.
pub(super) fn listen_to(added: &[AddedSource]) -> (UnboundedReceiver<()>, Vec<Problem>) {
    let (told, pushes) = unbounded_channel();
    let listen = |source: &AddedSource| {
        let told = told.clone();
        source.on_change(ChangeSignal::new(move || told.send(()).is_ok()))
    };
    (pushes, added.iter().filter_map(listen).collect())
}

impl Sources {
    /// Reads everything.
    pub(super) fn read(&mut self) -> (Loaded, HostSettings) {
        let mut loaded = load(&self.inputs);
        if let Some(source) = web_config::source(&loaded, self.inputs.code.without_files) {
            let mut inputs = self.inputs.clone();
            inputs.added.push(source);
            loaded = load(&inputs);
        }
        let settings = self.settings(&loaded);
        (loaded, settings)
    }

    /// What a configuration says, with what code says beside it.
    pub(super) fn settings(&mut self, loaded: &Loaded) -> HostSettings {
        let code = InCode {
            endpoints: self.endpoints.clone(),
            cors: self.cors.clone(),
            has_site: self.has_site,
        };
        let mut settings = HostSettings::read(loaded, code, |options| {
            for configure in &mut self.configure {
                configure(options);
            }
        });
        let site = settings.stages.static_files.as_ref();
        self.has_site = site.is_some_and(|it| it.options.files.is_some());
        if let Some(timeout) = self.shutdown_timeout {
            settings.shutdown_timeout = timeout;
        }
        settings
    }

    /// Where certificates are looked for, and what decides what is done about them.
    pub(super) fn surroundings(&self, loaded: &Loaded) -> Surroundings {
        Surroundings {
            places: self.places.clone(),
            application: loaded.application_name.value.clone(),
            environment: loaded.environment.value.clone(),
            only_code: self.only_code,
        }
    }
}
