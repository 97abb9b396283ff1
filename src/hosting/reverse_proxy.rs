//! The reverse proxy of a host, and what its clusters need beside their options: how their connections are secured,
//! and what seals which destination a client stays with.

use std::fs;
use std::sync::{Arc, OnceLock};

use super::settings::StageSettings;
use super::surroundings::Surroundings;
use crate::apps::reverse_proxy::ReverseProxy;
use crate::apps::reverse_proxy::options::{
    AffinityKey, AffinityPolicy, ClusterOptions, ProxyOptions, Scheme, TlsVersion,
};
pub(super) use crate::apps::reverse_proxy::{Material, Upstreams};
use crate::configuration::Problem;
use crate::pipeline::Stage;
use crate::tls::{ClientMaterial, ClientTls, SslProtocols};
use crate::upstream::ClientSettings;

/// The stage, with clusters that are there already.
pub(super) fn stage(options: &ProxyOptions, upstreams: &Upstreams) -> Option<Box<dyn Stage>> {
    Some(Box::new(ReverseProxy::new(options, &upstreams.clusters())))
}

/// What is read for the clusters of these settings, in their order, and what is wrong with it.
pub(super) fn read(
    settings: &StageSettings,
    surroundings: &Surroundings,
) -> (Vec<Material>, Vec<Problem>) {
    let mut problems = Vec::new();
    let clusters = settings.reverse_proxy.iter().flat_map(|it| &it.value.clusters);
    let materials = clusters.map(|cluster| material(cluster, surroundings, &mut problems));
    (materials.collect(), problems)
}

fn material(
    cluster: &ClusterOptions,
    surroundings: &Surroundings,
    problems: &mut Vec<Problem>,
) -> Material {
    let mut settings = ClientSettings {
        max_connections: cluster.client.max_connections_per_server.map(|most| most as usize),
        multiple_http2_connections: cluster.client.multiple_http2_connections,
        ..ClientSettings::default()
    };
    let addresses =
        cluster.destinations.iter().flat_map(|it| [Some(&it.address), it.health.as_ref()]);
    if addresses.flatten().any(|address| address.scheme == Scheme::Https) {
        match ClientTls::new(ClientMaterial {
            versions: versions(cluster),
            accept_any: cluster.client.accept_any_certificate,
            roots: None,
            places: &surroundings.places,
            certificate: None,
        }) {
            Ok(tls) => settings.tls = Some(Arc::new(tls)),
            Err(problem) => {
                problems.push(problem.key(format!("ReverseProxy:Clusters:{}", cluster.id)));
            }
        }
    }
    Material { client: settings, affinity_key: affinity_key(cluster, problems) }
}

fn versions(cluster: &ClusterOptions) -> SslProtocols {
    let named = &cluster.client.tls_versions;
    if named.is_empty() {
        return SslProtocols::default();
    }
    let has = |version| named.contains(&version);
    SslProtocols { tls12: has(TlsVersion::Tls12), tls13: has(TlsVersion::Tls13) }
}

/// What seals keys of affinity: what is configured, or else something of this process.
fn affinity_key(cluster: &ClusterOptions, problems: &mut Vec<Problem>) -> Box<[u8]> {
    let Some(affinity) = &cluster.affinity else { return Box::default() };
    match (&affinity.policy, &affinity.key) {
        (AffinityPolicy::HashCookie | AffinityPolicy::ArrCookie, _) => Box::default(),
        (AffinityPolicy::Cookie | AffinityPolicy::CustomHeader, None) => own_key(problems),
        (_, Some(AffinityKey::Text(text))) => text.as_bytes().into(),
        (_, Some(AffinityKey::File(path))) => match fs::read(path) {
            Ok(key) => key.trim_ascii().into(),
            Err(error) => {
                let key = format!("ReverseProxy:Clusters:{}:SessionAffinity:KeyPath", cluster.id);
                problems.push(
                    Problem::error(format!("The file {} cannot be read.", path.display()))
                        .cause(error.to_string())
                        .key(key),
                );
                Box::default()
            }
        },
    }
}

/// A key that nobody knows; the same for as long as the process lives, or it would be worth nothing after a
/// reload.
fn own_key(problems: &mut Vec<Problem>) -> Box<[u8]> {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return key.as_slice().into();
    }
    let mut key = [0; 32];
    if let Err(error) = getrandom::fill(&mut key) {
        problems.push(
            Problem::error("The system gives no random numbers, which session affinity needs.")
                .cause(error.to_string())
                .fix("set SessionAffinity:Key of the clusters, or let them use HashCookie"),
        );
    }
    KEY.get_or_init(|| key).as_slice().into()
}
