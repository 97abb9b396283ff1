//! The reverse proxy of a host, and what its clusters need beside their options: how their connections are secured,
//! and what seals which destination a client stays with.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::finding::Subject;
use super::settings::StageSettings;
use super::surroundings::Surroundings;
use crate::apps::reverse_proxy::options::{
    AffinityKey, AffinityPolicy, CertificateFiles, ClusterOptions, Place, ProxyOptions, Scheme,
    TlsVersion,
};
pub(super) use crate::apps::reverse_proxy::{Material, Upstreams};
use crate::apps::reverse_proxy::{PoliciesOfRoutes, ReverseProxy};
use crate::configuration::regular_file::{self, NotRegular};
use crate::configuration::{Configuration, Problem};
use crate::middleware::SiteTable;
use crate::pipeline::Stage;
use crate::tls::{
    CertificateLocation, CertificateSource, ClientMaterial, ClientTls, Secret, SslProtocols, client,
};
use crate::upstream::ClientSettings;

/// More than a key has: it is none.
const LARGEST_KEY: u64 = 64 << 10;

/// Less can be guessed, as of a key that is written in the settings.
const SHORTEST_KEY: usize = 16;

/// The stage, with clusters that are there already.
pub(super) fn stage(options: &ProxyOptions, upstreams: &Upstreams) -> Option<Box<dyn Stage>> {
    Some(Box::new(ReverseProxy::new(options, &upstreams.clusters())))
}

/// The stage that tells the others which policies routes name, if one does.
pub(super) fn policies(options: &ProxyOptions, sites: Option<SiteTable>) -> Option<Box<dyn Stage>> {
    Some(Box::new(PoliciesOfRoutes::new(options, sites)?))
}

/// What is read for the clusters of these settings, in their order, and what is wrong with it, each with what it is
/// about. The files that it was read from are added to `files`.
pub(super) fn read(
    settings: &StageSettings,
    configuration: &Configuration,
    surroundings: &Surroundings,
    files: &mut Vec<PathBuf>,
) -> (Vec<Material>, Vec<(Subject, Problem)>) {
    let mut reading = Reading { surroundings, problems: Vec::new(), of_keys: Vec::new(), files };
    let clusters = settings.reverse_proxy.iter().flat_map(|it| &it.value.clusters);
    let materials = clusters.map(|cluster| material(cluster, &mut reading)).collect();
    let of_certificates = reading.problems.into_iter().map(|it| (Subject::Certificate, it));
    let of_keys = reading.of_keys.into_iter().map(|it| (Subject::Configuration, it));
    let mut problems: Vec<_> = of_certificates.chain(of_keys).collect();
    for (_, problem) in &mut problems {
        let setting = problem.key.as_deref().and_then(|key| {
            let section = configuration.section(key);
            section.first_setting()
        });
        problem.origin = setting.map(|setting| setting.origin.clone());
    }
    (materials, problems)
}

/// What clusters have that are there before and after a reload, and that differs though no setting does: files were
/// renewed. In words.
#[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a reload asks for it"))]
pub(super) fn renewed(
    (old, before): (&StageSettings, &[Material]),
    (new, after): (&StageSettings, &[Material]),
) -> Vec<String> {
    fn all<'a>(
        settings: &'a StageSettings,
        materials: &'a [Material],
    ) -> impl Iterator<Item = (&'a ClusterOptions, &'a Material)> {
        settings.reverse_proxy.iter().flat_map(|it| &it.value.clusters).zip(materials)
    }
    let mut words = Vec::new();
    for (cluster, material) in all(new, after) {
        let same = |it: &(&ClusterOptions, _)| it.0.id.eq_ignore_ascii_case(&cluster.id);
        if let Some(was) = all(old, before).find(same) {
            let of_one = renewed_of(was, (cluster, material)).into_iter();
            words.extend(of_one.map(|what| format!("ReverseProxy:Clusters:{}{what}", cluster.id)));
        }
    }
    words
}

fn renewed_of(
    (old, before): (&ClusterOptions, &Material),
    (new, after): (&ClusterOptions, &Material),
) -> Vec<&'static str> {
    let mut words = Vec::new();
    if let (Some(before), Some(after)) = (&before.client.tls, &after.client.tls) {
        let (old, new) = (&old.client, &new.client);
        let same_roots = old.trusted_roots == new.trusted_roots
            && old.accept_any_certificate == new.accept_any_certificate;
        if same_roots && !after.believes_like(before) {
            words.push(match &new.trusted_roots {
                Some(_) => ":HttpClient:ServerCertificateRoots (renewed, for new connections)",
                None => " (what this machine trusts, for new connections)",
            });
        }
        if old.client_certificate == new.client_certificate && !after.shows_like(before) {
            words.push(":HttpClient:ClientCertificate (renewed, for new connections)");
        }
    }
    if old.affinity == new.affinity && before.affinity_key != after.affinity_key {
        words.push(":SessionAffinity:KeyPath (renewed, at once)");
    }
    words
}

/// What is read, and from where.
struct Reading<'a> {
    surroundings: &'a Surroundings,
    /// What is wrong with certificates.
    problems: Vec<Problem>,
    /// What is wrong with keys of session affinity.
    of_keys: Vec<Problem>,
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
    Material { client: settings, affinity_key: affinity_key(cluster, reading) }
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
fn affinity_key(cluster: &ClusterOptions, reading: &mut Reading<'_>) -> Box<[u8]> {
    let Some(affinity) = &cluster.affinity else { return Box::default() };
    match (&affinity.policy, &affinity.key) {
        (AffinityPolicy::HashCookie | AffinityPolicy::ArrCookie, _) => Box::default(),
        (AffinityPolicy::Cookie | AffinityPolicy::CustomHeader, None) => {
            own_key(&mut reading.of_keys)
        }
        (_, Some(AffinityKey::Text(text))) => text.as_bytes().into(),
        (_, Some(AffinityKey::File(path))) => {
            reading.files.push(path.clone());
            key_of_file(path).unwrap_or_else(|problem| {
                let key = format!("ReverseProxy:Clusters:{}:SessionAffinity:KeyPath", cluster.id);
                reading.of_keys.push(problem.key(key));
                Box::default()
            })
        }
    }
}

/// The key that a file has.
fn key_of_file(path: &Path) -> Result<Box<[u8]>, Problem> {
    const FIX: &str = "write random bytes into it, such as `openssl rand -base64 32` gives, and let who runs the server read it";
    let told = |what: &str| Problem::error(format!("The file {} {what}.", path.display())).fix(FIX);
    let mut bytes = Vec::new();
    let read = regular_file::open(path)
        .and_then(|file| file.take(LARGEST_KEY + 1).read_to_end(&mut bytes));
    read.map_err(|error| told("cannot be read").cause(why(&error)))?;
    if bytes.len() as u64 > LARGEST_KEY {
        return Err(told("is larger than 64 KiB").cause("No key is as large as that."));
    }
    match bytes.trim_ascii() {
        [] => Err(told("is empty").cause("Everybody could seal what it seals.")),
        short if short.len() < SHORTEST_KEY => {
            let cause = "Who guesses it can seal what it seals.";
            Err(told("has a key that is shorter than 16 bytes").cause(cause))
        }
        key => Ok(key.into()),
    }
}

/// Why a file is not read.
fn why(error: &io::Error) -> String {
    match NotRegular::in_error(error) {
        Some(found) => format!("It is {}.", found.what()),
        None => format!("The system says: {error}."),
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
