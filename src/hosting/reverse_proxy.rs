//! The reverse proxy of a host, and what its clusters need beside their options: how their connections are secured,
//! and what seals which destination a client stays with.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::settings::StageSettings;
use super::surroundings::Surroundings;
use crate::apps::reverse_proxy::options::{
    AffinityKey, AffinityPolicy, CertificateFiles, ClusterOptions, Place, ProxyOptions, Scheme,
    TlsVersion,
};
pub(super) use crate::apps::reverse_proxy::{Material, Upstreams};
use crate::apps::reverse_proxy::{PoliciesOfRoutes, ReverseProxy};
use crate::configuration::{Configuration, Problem};
use crate::middleware::SiteTable;
use crate::pipeline::Stage;
use crate::tls::{
    CertificateLocation, CertificateSource, ClientMaterial, ClientTls, Secret, SslProtocols, client,
};
use crate::upstream::ClientSettings;

/// The stage, with clusters that are there already.
pub(super) fn stage(options: &ProxyOptions, upstreams: &Upstreams) -> Option<Box<dyn Stage>> {
    Some(Box::new(ReverseProxy::new(options, &upstreams.clusters())))
}

/// The stage that tells the others which policies routes name, if one does.
pub(super) fn policies(options: &ProxyOptions, sites: Option<SiteTable>) -> Option<Box<dyn Stage>> {
    Some(Box::new(PoliciesOfRoutes::new(options, sites)?))
}

/// What is read for the clusters of these settings, in their order, and what is wrong with it. The files that it
/// was read from are added to `files`.
pub(super) fn read(
    settings: &StageSettings,
    configuration: &Configuration,
    surroundings: &Surroundings,
    files: &mut Vec<PathBuf>,
) -> (Vec<Material>, Vec<Problem>) {
    let mut reading = Reading { surroundings, problems: Vec::new(), files };
    let clusters = settings.reverse_proxy.iter().flat_map(|it| &it.value.clusters);
    let materials = clusters.map(|cluster| material(cluster, &mut reading)).collect();
    let mut problems = reading.problems;
    for problem in &mut problems {
        let setting = problem.key.as_deref().and_then(|key| {
            let section = configuration.section(key);
            section.first_setting()
        });
        problem.origin = setting.map(|setting| setting.origin.clone());
    }
    (materials, problems)
}

/// What is read, and from where.
struct Reading<'a> {
    surroundings: &'a Surroundings,
    problems: Vec<Problem>,
    files: &'a mut Vec<PathBuf>,
}

fn material(cluster: &ClusterOptions, reading: &mut Reading<'_>) -> Material {
    let mut settings = ClientSettings {
        max_connections: cluster.client.max_connections_per_server.map(|most| most as usize),
        multiple_http2_connections: cluster.client.multiple_http2_connections,
        ..ClientSettings::default()
    };
    let addresses =
        cluster.destinations.iter().flat_map(|it| [Some(&it.address), it.health.as_ref()]);
    if addresses.flatten().any(|address| address.scheme == Scheme::Https) {
        reading.problems.extend(no_tunnel(cluster));
        let (roots, certificate) = (roots(cluster, reading), certificate(cluster, reading));
        match ClientTls::new(ClientMaterial {
            versions: versions(cluster),
            accept_any: cluster.client.accept_any_certificate,
            roots,
            places: &reading.surroundings.places,
            certificate,
        }) {
            Ok(tls) => settings.tls = Some(Arc::new(tls)),
            Err(problem) => {
                let key = format!("ReverseProxy:Clusters:{}", cluster.id);
                reading.problems.push(problem.key(key));
            }
        }
    }
    Material { client: settings, affinity_key: affinity_key(cluster, &mut reading.problems) }
}

/// A proxy that https destinations are to be reached through, and that cannot be asked for a tunnel.
fn no_tunnel(cluster: &ClusterOptions) -> Option<Problem> {
    let proxy = &cluster.client.web_proxy.as_ref()?.address;
    let can_be_asked = proxy.scheme == Scheme::Http && matches!(proxy.place, Place::Tcp(..));
    (!can_be_asked).then(|| {
        Problem::error(format!(
            "https destinations of the cluster '{}' cannot be reached through {}.",
            cluster.id, proxy.authority
        ))
        .cause("Only a proxy in clear text over TCP is asked for a tunnel.")
        .key(format!("ReverseProxy:Clusters:{}:HttpClient:WebProxy:Address", cluster.id))
        .fix("write its address as http://host:port, or give these destinations a cluster of their own")
    })
}

/// Whose certificates the servers may have, if that is said.
fn roots(cluster: &ClusterOptions, reading: &mut Reading<'_>) -> Option<client::Authorities> {
    let path = cluster.client.trusted_roots.as_ref()?;
    let key = format!("ReverseProxy:Clusters:{}:HttpClient:ServerCertificateRoots", cluster.id);
    Some(client::authorities(path, &key, reading.files, &mut reading.problems))
}

/// The certificate that servers are shown, if there is one.
fn certificate(
    cluster: &ClusterOptions,
    reading: &mut Reading<'_>,
) -> Option<client::OwnCertificate> {
    let CertificateFiles { path, key_path, password } =
        cluster.client.client_certificate.as_ref()?;
    // A file of texts has both in it; any other without a key beside it is PKCS#12.
    let is_text = path.extension().is_some_and(|it| it == "pem" || it == "crt" || it == "cer");
    let source = CertificateSource {
        name: cluster.id.clone(),
        key: format!("ReverseProxy:Clusters:{}:HttpClient:ClientCertificate", cluster.id),
        location: CertificateLocation::File {
            path: path.clone(),
            key_path: key_path.clone().or_else(|| is_text.then(|| path.clone())),
            password: password.as_deref().map(Secret::new),
        },
    };
    reading.files.extend([Some(path), key_path.as_ref()].into_iter().flatten().cloned());
    client::own_certificate(&source, &reading.surroundings.places, &mut reading.problems)
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
        (_, Some(AffinityKey::File(path))) => {
            match fs::read(path) {
                Ok(key) if !key.trim_ascii().is_empty() => key.trim_ascii().into(),
                Ok(_) => {
                    problems.push(
                    Problem::error(format!("The file {} is empty.", path.display()))
                        .cause("Everybody could seal what it seals.")
                        .key(format!("ReverseProxy:Clusters:{}:SessionAffinity:KeyPath", cluster.id))
                        .fix("write random bytes into it, such as `openssl rand -base64 32` gives"),
                );
                    Box::default()
                }
                Err(error) => {
                    let key =
                        format!("ReverseProxy:Clusters:{}:SessionAffinity:KeyPath", cluster.id);
                    problems.push(
                        Problem::error(format!("The file {} cannot be read.", path.display()))
                            .cause(error.to_string())
                            .key(key),
                    );
                    Box::default()
                }
            }
        }
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
