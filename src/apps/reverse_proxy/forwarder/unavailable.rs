//! Why a request is answered with 503 before any destination is asked, and what to do about it.

use std::fmt::Write as _;

use super::affinity::Asked;
use super::cluster::Cluster;
use super::destination::Destination;

/// So many destinations are told of, and of the others their number.
const MOST: usize = 4;

/// Why no destination is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unavailable {
    /// As the end of a sentence.
    pub(super) what: String,
    /// What to look at, in sentences.
    pub(super) remedy: &'static str,
}

impl Unavailable {
    /// The route leads nowhere.
    pub(super) fn without_cluster() -> Self {
        let what = "it names no cluster that is there".to_owned();
        Self { what, remedy: "Write one of ReverseProxy:Clusters as its ClusterId." }
    }

    /// None of the cluster's destinations can answer.
    pub(super) fn of(cluster: &Cluster) -> Self {
        let id = &cluster.options.id;
        let all = &cluster.destinations;
        if all.is_empty() {
            let what = format!("its cluster '{id}' has no destination");
            return Self { what, remedy: "Write one below Destinations of the cluster." };
        }
        let mut what = format!("no destination of its cluster '{id}' is healthy:");
        for (place, destination) in all.iter().take(MOST).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let address = destination.server.destination();
            let name = &destination.options.name;
            let _ = write!(what, "{comma} '{name}' ({address}){}", state(destination));
        }
        if let Some(more) = all.len().checked_sub(MOST).filter(|more| *more > 0) {
            let _ = write!(what, " and {more} more");
        }
        // With HealthyOrPanic one of them would have been asked.
        let remedy = "Look whether they run, and what they answer to the checks; with the AvailableDestinationsPolicy HealthyOrPanic they would get requests all the same.";
        Self { what, remedy }
    }

    /// What a client shows to stay with a destination leads to none, and no other one is to answer.
    pub(super) fn of_affinity(cluster: &Cluster, asked: &Asked) -> Self {
        let id = &cluster.options.id;
        let all = &cluster.destinations;
        let named = match asked {
            Asked::For(name) => all.iter().find(|it| it.options.name.eq_ignore_ascii_case(name)),
            Asked::Nothing | Asked::Unreadable => None,
        };
        let shown = match named {
            Some(it) => {
                format!("to '{}' of its cluster '{id}', which{}", it.options.name, state(it))
            }
            None => format!("to no destination that its cluster '{id}' has"),
        };
        let what = format!(
            "what a client shows leads {shown}, and another one must not answer (FailurePolicy Return503Error)"
        );
        let forgets = cluster.affinity.as_ref().is_some_and(|it| it.forgets());
        let remedy = match (named, forgets) {
            (None, true) => {
                "What clients show is worth nothing after a start, unless SessionAffinity has a Key or a KeyPath; with the FailurePolicy Redistribute another one would answer."
            }
            (None, false) => {
                "Put the destination back under its name, or set FailurePolicy of SessionAffinity to Redistribute."
            }
            (Some(_), _) => {
                "Look whether it runs, and what it answers to the checks, or set FailurePolicy of SessionAffinity to Redistribute."
            }
        };
        Self { what, remedy }
    }
}

/// How a destination is that gets no requests: since when, and who says so.
fn state(destination: &Destination) -> String {
    match destination.kept.health.unhealthy() {
        Some((check, time)) => {
            format!(" is unhealthy by its {check} check for {} s", time.as_secs())
        }
        // Another request has seen it answer meanwhile.
        None => " was not healthy".to_owned(),
    }
}
