//! The stages that requests go through, in their order: the one list of them.

use super::settings::StageSettings;
use crate::addresses::{EndpointPlan, PlannedEndpoint, Targets};
use crate::configuration::{Origin, Problem};
use crate::middleware::{ForwardedHeaders, Proxies};
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
const ORDER: [Make; 3] = [
    // First, so that it sees the host that was sent: what proxies tell of it has a list of its own.
    host_filtering,
    // What follows goes by what the client did, not the proxy.
    forwarded_headers,
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

fn forwarded_headers(settings: &StageSettings) -> Option<On> {
    let it = settings.forwarded_headers.as_ref()?;
    Some(On {
        name: "forwarded headers",
        key: it.key,
        origin: it.origin.clone(),
        stage: Box::new(ForwardedHeaders::new(it.believed.clone())),
    })
}

/// What is to be said if everybody is believed and other machines can connect.
pub(super) fn believes_everybody(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.forwarded_headers.as_ref()?;
    let others_connect = |endpoint: &&PlannedEndpoint| match endpoint.targets {
        Targets::Exactly(_) | Targets::AtLeastOne(_) | Targets::FirstThatWorks(_) => {
            !endpoint.targets.are_loopback()
        }
        Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
    };
    let open = plan.endpoints.iter().find(others_connect)?;
    let why = match (&it.believed.proxies, it.believed.proxies.network_of_all()) {
        (Proxies::All, _) => "no proxy is named".to_owned(),
        (_, Some(network)) => format!("{network} is every address"),
        (_, None) => return None,
    };
    Some(
        Problem::information(format!(
            "Everybody who connects is believed who the client is: {why}."
        ))
        .cause(format!(
            "Who reaches {} without the proxy can claim any address and scheme.",
            open.written
        ))
        .key(it.key)
        .origin(it.origin.clone())
        .fix(
            "if others than the proxy can connect, name it: ForwardedHeaders:KnownProxies or \
             ForwardedHeaders:KnownIPNetworks",
        ),
    )
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
