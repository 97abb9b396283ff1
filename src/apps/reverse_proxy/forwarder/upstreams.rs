//! The clusters of a host. They outlive reloads as far as those leave them as they are.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::cluster::Cluster;
use super::destination::{Destination, Kept};
use crate::apps::reverse_proxy::options::{ClusterOptions, DestinationOptions};
use crate::upstream::{Client, ClientSettings, Spare};

/// The clusters of a host, with their connections, their health and their turns.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    clusters: Mutex<Vec<Arc<Cluster>>>,
    /// The connections of all of them that nobody uses.
    spare: Arc<Spare>,
}

/// What a cluster needs that is read from files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Material {
    /// How connections are made.
    pub(crate) client: ClientSettings,
    /// What seals which destination a client stays with.
    pub(crate) affinity_key: Box<[u8]>,
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
        let used = |kept: &Arc<Kept>| {
            let mut all = clusters.iter().flat_map(|cluster| &cluster.destinations);
            all.any(|it| Arc::ptr_eq(&it.kept, kept))
        };
        for gone in before.iter().flat_map(|cluster| &cluster.destinations) {
            if !used(&gone.kept) {
                gone.kept.server.close();
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

/// A cluster that stays, or one of its own.
fn cluster(options: &ClusterOptions, known: &Known<'_>, material: &Material) -> Arc<Cluster> {
    if let Some(same) = known.clusters.iter().find(|it| it.options == *options) {
        return Arc::clone(same);
    }
    let cluster = made(options, known, material);
    cluster.begin();
    cluster
}

fn made(options: &ClusterOptions, known: &Known<'_>, material: &Material) -> Arc<Cluster> {
    let same = |it: &&Arc<Cluster>| it.options.id.eq_ignore_ascii_case(&options.id);
    // Other connections are other servers.
    let same_name = known.clusters.iter().find(same);
    let was = same_name.filter(|it| it.options.client == options.client);
    let client = match was {
        Some(was) => Arc::clone(&was.client),
        None => Client::new(material.client.clone(), Arc::clone(known.spare)),
    };
    let proxy = options.client.web_proxy.as_ref();
    let destination = |one: &DestinationOptions| {
        let same = |it: &&Arc<Destination>| {
            it.options.name == one.name && it.options.address == one.address
        };
        let kept = was.and_then(|was| was.destinations.iter().find(same)).map(|it| &it.kept);
        let destination = match kept {
            Some(kept) => {
                let (active, passive) = (&options.active_check, &options.passive_check);
                kept.health.forget(active.is_none(), passive.is_none());
                Destination::of(one.clone(), Arc::clone(kept), proxy)
            }
            None => Destination::new(one.clone(), &client, proxy),
        };
        // Where all are new, none has to wait for the others.
        if same_name.is_some_and(|was| !was.destinations.iter().any(|it| same(&it))) {
            destination.kept.presence.begin(Instant::now());
        }
        Arc::new(destination.slowly(options.slow_start))
    };
    let destinations = options.destinations.iter().map(destination).collect();
    Cluster::new(options.clone(), client, destinations, &material.affinity_key)
}
