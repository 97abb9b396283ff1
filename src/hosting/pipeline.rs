//! The stages that requests go through, in their order: the one list of them.

use super::settings::StageSettings;
use crate::configuration::Origin;
use crate::pipeline::Stage;

/// A stage that is on.
pub(super) struct On {
    /// Its name, for people.
    pub(super) name: &'static str,
    /// The key that switched it on, and where that was set.
    pub(super) key: &'static str,
    pub(super) origin: Origin,
    stage: Box<dyn Stage>,
}

/// Makes a stage of the settings, if they switch it on.
type Make = fn(&StageSettings) -> Option<On>;

/// All stages, outermost first. Behind the last one stands the app, with the layers that the program has
/// put around it (`pipeline/layers.rs`).
const ORDER: [Make; 2] = [
    // First: what follows may believe what a request says of its host.
    host_filtering,
    hsts,
];

/// The stages that the settings switch on, outermost first.
pub(super) fn on(settings: &StageSettings) -> Vec<On> {
    ORDER.iter().filter_map(|make| make(settings)).collect()
}

/// The same, to be gone through.
pub(super) fn stages(settings: &StageSettings) -> Box<[Box<dyn Stage>]> {
    on(settings).into_iter().map(|on| on.stage).collect()
}

fn host_filtering(settings: &StageSettings) -> Option<On> {
    let hosts = settings.allowed_hosts.as_ref()?;
    Some(On {
        name: "host filtering",
        key: "AllowedHosts",
        origin: hosts.origin.clone(),
        stage: Box::new(hosts.value.clone()),
    })
}

fn hsts(settings: &StageSettings) -> Option<On> {
    let hsts = settings.hsts.as_ref()?;
    Some(On {
        name: "HSTS",
        key: "Hsts:Enabled",
        origin: hsts.origin.clone(),
        stage: Box::new(hsts.value.clone()),
    })
}
