//! The clusters of a host. They outlive reloads as far as those leave them as they are.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::cluster::Cluster;
use super::destination::{Destination, way_to};
use crate::apps::reverse_proxy::options::{ClusterOptions, DestinationOptions};
use crate::upstream::{Client, ClientSettings, Server, Spare};

/// The clusters of a host, with their connections, their health and their turns.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    clusters: Mutex<Vec<Arc<Cluster>>>,
    /// The connections of all of them that nobody uses.
    spare: Arc<Spare>,
}

/// What a cluster needs that is read from files.
#[derive(Clone, Default)]
pub(crate) struct Material {
    /// How connections are made.
    pub(crate) client: ClientSettings,
    /// What seals which destination a client stays with.
    pub(crate) affinity_key: Box<[u8]>,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Upstreams {
    /// Makes the clusters of these options from what is there, and begins what goes on beside requests. What is
    /// not used any more ends once its requests have. The materials are in the order of the options.
    pub(crate) fn change_to(&self, options: &[ClusterOptions], materials: &[Material]) {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *clusters);
        let all = options.iter().zip(materials);
        let known = Known { clusters: &before, spare: &self.spare };
        *clusters = all.map(|(one, material)| cluster(one, &known, material)).collect();
        let used = |server: &Arc<Server>| {
            let mut all = clusters.iter().flat_map(|cluster| &cluster.destinations);
            all.any(|it| Arc::ptr_eq(&it.server, server))
        };
        for gone in before.iter().flat_map(|cluster| &cluster.destinations) {
            if !used(&gone.server) {
                gone.server.close();
            }
        }
    }

    /// Those that there are, in the order of the options.
    pub(crate) fn clusters(&self) -> Vec<Arc<Cluster>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What there is when clusters are made.
struct Known<'a> {
    clusters: &'a [Arc<Cluster>],
    spare: &'a Arc<Spare>,
}

/// A cluster that stays, or one of its own. What was read from files counts as well: they may have been renewed.
fn cluster(options: &ClusterOptions, known: &Known<'_>, material: &Material) -> Arc<Cluster> {
    let Material { client, affinity_key } = material;
    if let Some(same) = known.clusters.iter().find(|it| it.is_of(options, client, affinity_key)) {
        return Arc::clone(same);
    }
    let cluster = made(options, known, material);
    cluster.begin();
    cluster
}

fn made(options: &ClusterOptions, known: &Known<'_>, material: &Material) -> Arc<Cluster> {
    let same = |it: &&Arc<Cluster>| it.options.id.eq_ignore_ascii_case(&options.id);
    let was = known.clusters.iter().find(same);
    // Other connections are made by another client.
    let client = match was.filter(|it| it.client.is_of(&material.client)) {
        Some(was) => Arc::clone(&was.client),
        None => Client::new(material.client.clone(), Arc::clone(known.spare)),
    };
    let destination = |one: &DestinationOptions| {
        let same = |it: &&Arc<Destination>| {
            it.options.name == one.name && it.options.address == one.address
        };
        let before = was.and_then(|was| was.destinations.iter().find(same));
        let proxy = options.client.web_proxy.as_ref();
        let destination = match before {
            Some(before) => again(before, one, (options, &client), &material.client),
            None => Destination::new(one.clone(), &client, proxy),
        };
        // Where all are new, none has to wait for the others.
        if was.is_some() && before.is_none() {
            destination.kept.presence.begin(Instant::now());
        }
        Arc::new(destination.slowly(options.slow_start))
    };
    let destinations = options.destinations.iter().map(destination).collect();
    Cluster::new(options.clone(), client, destinations, &material.affinity_key)
}

/// A destination that was there before. How it does is known, also if it is connected to in another way from now on.
fn again(
    before: &Destination,
    options: &DestinationOptions,
    (cluster, client): (&ClusterOptions, &Arc<Client>),
    settings: &ClientSettings,
) -> Destination {
    let (active, passive) = (&cluster.active_check, &cluster.passive_check);
    before.kept.health.forget(active.is_none(), passive.is_none());
    let proxy = cluster.client.web_proxy.as_ref();
    let way = way_to(&options.address, proxy);
    let server = match before.server.is_like(&way, settings) {
        true => Arc::clone(&before.server),
        false => Server::new(Arc::clone(client), way),
    };
    Destination::of(options.clone(), (server, Arc::clone(&before.kept)), proxy)
}
