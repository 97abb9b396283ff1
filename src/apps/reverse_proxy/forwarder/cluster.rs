//! Servers that do the same: which of them can answer, and which one does.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use arc_swap::ArcSwap;
use http::Version;

use super::affinity::{Affinity, Seal};
use super::destination::Destination;
use super::health::{Change, Health, WINDOW};
use super::load_balancing::Choice;
use super::lookout::Lookout;
use super::probes::{self, Probed};
use super::slow_start;
use crate::apps::reverse_proxy::options::{
    AvailableDestinations, ClusterOptions, HttpVersion, PassiveCheckOptions, VersionPolicy,
};
use crate::diagnostics::{Repeated, events, in_log_boxed};
use crate::upstream::{self, Client, ClientSettings};

/// The servers of a cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(super) options: ClusterOptions,
    pub(super) client: Arc<Client>,
    /// In the order in which they are written.
    pub(super) destinations: Box<[Arc<Destination>]>,
    /// Those that get requests at the moment.
    choice: ArcSwap<Chosen>,
    turn: AtomicUsize,
    pub(super) affinity: Option<Affinity>,
    /// Looks after answers under way.
    pub(super) lookout: Arc<Lookout>,
    /// Of what clients or destinations bring about again and again: that no destination is there, and that the one
    /// is not that a client stays with.
    pub(super) told: [Repeated; 2],
    /// What is spoken to them.
    pub(super) version: (Version, upstream::VersionPolicy),
}

/// Who gets requests.
#[derive(Debug)]
struct Chosen {
    choice: Choice<Arc<Destination>>,
    /// Those of which one request is to see how they do. Mostly there are none.
    on_trial: Box<[Arc<Destination>]>,
}

impl Cluster {
    pub(super) fn new(
        options: ClusterOptions,
        client: Arc<Client>,
        destinations: Box<[Arc<Destination>]>,
        affinity_key: &[u8],
    ) -> Arc<Self> {
        let version = version_of(&options);
        let choice = ArcSwap::from_pointee(chosen(&options, &destinations));
        let turn = AtomicUsize::new(0);
        let affinity = affinity(&options, &destinations, affinity_key);
        let lookout = Lookout::new(options.request.activity_timeout);
        let told = Default::default();
        Arc::new(Self {
            client,
            destinations,
            choice,
            turn,
            affinity,
            lookout,
            told,
            version,
            options,
        })
    }

    /// Whether one of these options, and of what was read for them, would be the same.
    pub(super) fn is_of(
        &self,
        options: &ClusterOptions,
        client: &ClientSettings,
        affinity_key: &[u8],
    ) -> bool {
        self.options == *options
            && self.client.is_of(client)
            // The key is not kept, but what it has sealed.
            && self.affinity == affinity(options, &self.destinations, affinity_key)
    }

    /// Begins what goes on beside requests: probes, the next chance of destinations that have none
    /// since another configuration, and the growing shares of those that came. It ends with the cluster.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.notice() {
            self.choose();
        }
        self.grow();
        if let Some(check) = &self.options.active_check {
            probes::begin(self, check.clone());
        }
        self.reactivate_all_later();
    }

    /// The destination that gets the next request; `None` if none can answer.
    pub(super) fn pick(self: &Arc<Self>) -> Option<Arc<Destination>> {
        let mut chosen = self.choice.load();
        if !chosen.on_trial.is_empty() {
            if let Some(tried) = chosen.on_trial.iter().find(|it| it.kept.health.takes_trial()) {
                return Some(Arc::clone(tried));
            }
            self.heed_others(&chosen);
            chosen = self.choice.load();
        }
        chosen.choice.pick(&self.turn, |below| fastrand::usize(..below)).cloned()
    }

    /// A request that was on its way when a reload made this cluster of another one tells that one how a destination
    /// does.
    fn heed_others(self: &Arc<Self>, chosen: &Chosen) {
        if !chosen.on_trial.iter().all(|it| it.kept.health.is_on_trial()) {
            self.look_again();
            self.reactivate_all_later();
        }
    }

    /// The same, but not this one.
    pub(super) fn pick_other(&self, tried: &Arc<Destination>) -> Option<Arc<Destination>> {
        let chosen = self.choice.load();
        let others =
            chosen.choice.candidates().iter().filter(|it| !Arc::ptr_eq(it, tried)).cloned();
        let others = Choice::new(self.options.load_balancing, others.collect());
        others.pick(&self.turn, |below| fastrand::usize(..below)).cloned()
    }

    /// The destination of this name, if it can answer.
    pub(super) fn available(&self, name: &str) -> Option<Arc<Destination>> {
        let chosen = self.choice.load();
        let named = |it: &&Arc<Destination>| it.options.name.eq_ignore_ascii_case(name);
        let tried = || chosen.on_trial.iter().find(named).filter(|it| it.kept.health.takes_trial());
        chosen.choice.candidates().iter().find(named).or_else(tried).cloned()
    }

    /// Takes what became of a request, if that is watched.
    pub(super) fn watch(self: &Arc<Self>, destination: &Arc<Destination>, failed: bool) {
        let Some(check) = &self.options.passive_check else { return };
        let change = destination.kept.health.answered(failed, check.failure_rate, Instant::now());
        let Some(change) = change else { return };
        self.look_again();
        let (name, id) = (&*destination.options.name, &*self.options.id);
        let why = match change {
            Change::Better => return,
            Change::Back => return events::destination_healthy(name, id, "passive"),
            Change::Worse => "too many requests got no whole answer",
            Change::StillBad => "the request that was to see how it does got no answer",
        };
        events::destination_unhealthy(name, id, "passive", why);
        self.reactivate_later(destination, check);
    }

    /// A destination has begun to answer, which may be what one request was to see.
    pub(super) fn watch_head(self: &Arc<Self>, destination: &Arc<Destination>) {
        if destination.kept.health.is_on_trial() && destination.kept.health.passes_trial() {
            self.look_again();
            events::destination_healthy(&destination.options.name, &self.options.id, "passive");
        }
    }

    /// Takes notice of who is there, and who is not; whether somebody is there again.
    fn notice(&self) -> bool {
        let now = tokio::time::Instant::now();
        let is_back =
            |it: &Arc<Destination>| it.kept.presence.notice(it.kept.health.is_available(), now);
        self.destinations.iter().filter(|it| is_back(it)).count() > 0
    }

    /// Gives those that are there anew a larger share from step to step, until they have a whole one.
    fn grow(self: &Arc<Self>) {
        let Some(time) = self.options.slow_start else { return };
        let now = tokio::time::Instant::now();
        if !self.destinations.iter().any(|it| it.kept.presence.is_growing(time, now)) {
            return;
        }
        let cluster = Arc::downgrade(self);
        tokio::spawn(in_log_boxed(async move {
            for _ in 0..slow_start::STEPS {
                tokio::time::sleep(slow_start::step(time)).await;
                let Some(cluster) = cluster.upgrade() else { return };
                cluster.choose();
            }
        }));
    }

    /// Looks anew who can answer, and what share each has.
    fn choose(&self) {
        self.choice.store(Arc::new(chosen(&self.options, &self.destinations)));
    }

    /// Gives those another chance that have none yet.
    fn reactivate_all_later(self: &Arc<Self>) {
        let Some(check) = &self.options.passive_check else { return };
        let has_none = |it: &&Arc<Destination>| {
            it.kept.health.passive() == Health::Unhealthy && !it.kept.health.is_on_trial()
        };
        for destination in self.destinations.iter().filter(has_none) {
            self.reactivate_later(destination, check);
        }
    }

    /// Gives a destination another chance, after a while: a request, and its share once that has an answer.
    fn reactivate_later(
        self: &Arc<Self>,
        destination: &Arc<Destination>,
        check: &PassiveCheckOptions,
    ) {
        // Before that what made it unhealthy still counts, and the first failure would make it so again.
        let period = check.reactivation_period.max(WINDOW);
        let cluster = Arc::downgrade(self);
        let kept = Arc::downgrade(&destination.kept);
        let name = destination.options.name.clone();
        tokio::spawn(in_log_boxed(async move {
            tokio::time::sleep(period).await;
            let (Some(kept), Some(cluster)) = (kept.upgrade(), cluster.upgrade()) else { return };
            if kept.health.reactivate() {
                events::destination_reactivated(&name, &cluster.options.id);
            }
            cluster.look_again();
        }));
    }
}

/// Those that can answer, and those that may be able to again.
fn chosen(options: &ClusterOptions, all: &[Arc<Destination>]) -> Chosen {
    let healthy = all.iter().filter(|it| it.kept.health.is_available()).cloned();
    let mut available: Vec<Arc<Destination>> = healthy.collect();
    if available.is_empty() && options.available == AvailableDestinations::HealthyOrPanic {
        available = all.to_vec();
    }
    let on_trial = all.iter().filter(|it| it.kept.health.is_on_trial()).cloned().collect();
    Chosen { choice: Choice::new(options.load_balancing, available), on_trial }
}

/// How clients stay with these destinations, if they do.
fn affinity(
    options: &ClusterOptions,
    destinations: &[Arc<Destination>],
    key: &[u8],
) -> Option<Affinity> {
    let names = destinations.iter().map(|it| &*it.options.name);
    let seal = Seal { key, cluster: &options.id };
    options.affinity.as_ref().map(|it| Affinity::new(it, names, &seal))
}

fn version_of(options: &ClusterOptions) -> (Version, upstream::VersionPolicy) {
    let version = match options.request.version {
        HttpVersion::Http10 => Version::HTTP_10,
        HttpVersion::Http11 => Version::HTTP_11,
        HttpVersion::Http2 => Version::HTTP_2,
        HttpVersion::Http3 => Version::HTTP_3,
    };
    let policy = match options.request.version_policy {
        VersionPolicy::OrLower => upstream::VersionPolicy::OrLower,
        VersionPolicy::OrHigher => upstream::VersionPolicy::OrHigher,
        VersionPolicy::Exact => upstream::VersionPolicy::Exact,
    };
    (version, policy)
}

impl Probed for Cluster {
    fn id(&self) -> &str {
        &self.options.id
    }

    fn destinations(&self) -> &[Arc<Destination>] {
        &self.destinations
    }

    fn client(&self) -> &Arc<Client> {
        &self.client
    }

    fn version(&self) -> (Version, upstream::VersionPolicy) {
        self.version
    }

    fn look_again(self: &Arc<Self>) {
        let is_back = self.notice();
        self.choose();
        if is_back {
            self.grow();
        }
        let is_healthy =
            |it: &Arc<Destination>| it.kept.health.is_available() || it.kept.health.is_on_trial();
        if !self.destinations.iter().any(is_healthy) {
            let panics = self.options.available == AvailableDestinations::HealthyOrPanic;
            events::none_healthy(&self.options.id, panics);
        }
    }
}
