//! A request whose destination is chosen, and what is told of it.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::cluster::Cluster;
use super::destination::Destination;
use super::error_answer::{Sent, told_answer};
use super::route::Route;
use crate::diagnostics::events;
use crate::pipeline::Response;
use crate::upstream::{Failure, FailureKind};

/// A request whose destination is chosen.
pub(super) struct Forwarding {
    pub(super) route: Arc<Route>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) destination: Arc<Destination>,
    /// Whether the headers of an answer may come as lines.
    pub(super) takes_lines: bool,
}

impl Forwarding {
    /// The answer in the place of one: for developers, with what happened, and what to look at.
    pub(super) fn failed(
        &self,
        status: StatusCode,
        sent: Sent<'_>,
        (what, remedy): (&dyn Display, &str),
    ) -> Response {
        let details = self.route.shows_details.then(|| {
            let events::ProxiedBy { route, cluster, destination, address } = self.place();
            format!(
                "Route '{route}' got no answer from '{destination}' ({address}) of cluster '{cluster}': {what}.\n{remedy}"
            )
        });
        let mut response = told_answer(status, sent, details.as_deref().map(str::trim_end));
        self.route.change_answer(status, response.headers_mut());
        response
    }

    pub(super) fn tell(&self, failure: &Failure, begun: Instant) {
        let telling = self.route.told[0].happened(Instant::now());
        events::proxy_failed(
            &self.place(),
            failure,
            begun.elapsed(),
            remedy(failure.kind()),
            telling,
        );
    }

    pub(super) fn tell_timeout(&self, begun: Instant, what: &str) {
        let telling = self.route.told[0].happened(Instant::now());
        events::proxy_failed(&self.place(), &what, begun.elapsed(), TOO_SHORT, telling);
    }

    /// A destination changed to a protocol that nobody asked for.
    pub(super) fn tell_other_protocol(&self) {
        let telling = self.route.told[0].happened(Instant::now());
        events::proxy_failed(&self.place(), &OTHER_PROTOCOL, Duration::ZERO, "", telling);
    }

    /// A destination answers as if it had changed the protocol, and has not. Gives what was told.
    pub(super) fn tell_no_change(&self, status: StatusCode) -> String {
        let telling = self.route.told[0].happened(Instant::now());
        let status = status.as_u16();
        let what = format!(
            "it answers {status} in the place of 101, which on HTTP/2 would mean that the protocol is another one now"
        );
        events::proxy_failed(&self.place(), &what, Duration::ZERO, "", telling);
        what
    }

    /// An answer broke off.
    pub(super) fn tell_broken(&self, failure: &Failure) {
        let telling = self.route.told[1].happened(Instant::now());
        events::proxy_answer_broke_off(&self.place(), failure, telling);
    }

    pub(super) fn place(&self) -> events::ProxiedBy<'_> {
        events::ProxiedBy {
            route: &self.route.options.id,
            cluster: &self.cluster.options.id,
            destination: &self.destination.options.name,
            address: self.destination.server.destination(),
        }
    }
}

/// What to do where a route's own time was over.
pub(super) const TOO_SHORT: &str = "If it may take so long, raise Timeout of the route.";

/// What a destination did that nobody asked for.
pub(super) const OTHER_PROTOCOL: &str = "it changed to another protocol than was asked for";

/// What happened where a route's own time was over.
pub(super) fn too_slow(timeout: Duration) -> String {
    format!("there was no answer within the route's Timeout of {} s", timeout.as_secs_f64())
}

/// What to look at, where that is clear.
pub(super) fn remedy(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Name => {
            "Look whether the name in its Address is right, and known to this machine."
        }
        FailureKind::Refused => "Look whether it runs, and listens at that address.",
        FailureKind::Unreachable => "Look whether this machine can reach that address.",
        FailureKind::NoDescriptors => {
            "This process has no file descriptors left: raise its limit (LimitNOFILE of the unit, ulimit -n)."
        }
        FailureKind::ConnectTimedOut => {
            "Look whether a firewall is between, or the server overloaded."
        }
        FailureKind::Tls => {
            "Look at its certificate, at Host of the destination, and at the cluster's HttpClient."
        }
        FailureKind::Version => "Look at Version and VersionPolicy in HttpRequest of the cluster.",
        FailureKind::TimedOut => {
            "If it may take so long, raise ActivityTimeout in HttpRequest of the cluster."
        }
        _ => "",
    }
}
