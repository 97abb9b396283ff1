//! The reverse proxy: routes, destinations and their health.

use std::fmt::Display;
use std::time::Duration;

use super::categories::{
    OUR_PROXY, ROUTING_MATCHER, YARP_AFFINITY, YARP_FORWARDER, YARP_HEALTH, YARP_LOAD_BALANCING,
    YARP_PROBES,
};
use super::stages::protocol_name;
use crate::diagnostics::repeated::Telling;

/// Who hands a request on, and to whom.
pub(crate) struct ProxiedBy<'a> {
    pub(crate) route: &'a str,
    pub(crate) cluster: &'a str,
    pub(crate) destination: &'a str,
    pub(crate) address: &'a dyn Display,
}

/// How often the same has happened since it was told last, where it has.
fn times(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!(" It has happened {more} more times since it was told last."),
    }
}

pub(crate) fn route_without_cluster(route: &str) {
    emit!(YARP_FORWARDER, INFO, 4, "Route '{RouteId}' has no cluster information."; RouteId = route);
}

pub(crate) fn no_destination(cluster: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(YARP_LOAD_BALANCING, WARN, 7,
            "No available destinations after load balancing for cluster '{ClusterId}'.{More}";
            ClusterId = cluster, More = times(more)),
        Telling::Counted => emit!(YARP_LOAD_BALANCING, DEBUG, 7,
            "No available destinations after load balancing for cluster '{ClusterId}'."; ClusterId = cluster),
    }
}

/// Requests of a route are answered with 503: why, and what to do. (What YARP says of it stands beside it.)
pub(crate) fn proxy_unavailable(route: &str, what: &str, remedy: &str, more: u64) {
    emit!(OUR_PROXY, WARN, 1, "Route '{RouteId}' answers 503: {Cause}. {Remedy}{More}";
        RouteId = route, Cause = what, Remedy = remedy, More = times(more));
}

/// What a client shows to stay with a destination leads to none.
pub(crate) fn affinity_failed(cluster: &str) {
    emit!(YARP_AFFINITY, DEBUG, 34, "Affinity resolution failed for cluster '{ClusterId}'."; ClusterId = cluster);
}

/// Several routes are equally good.
pub(crate) fn ambiguous_routes(path: &str, routes: &str) {
    emit!(ROUTING_MATCHER, ERROR, 1,
        "The request for {Path} matched several routes that are equally good: {Routes}. Give one of them another Order."; Path = path, Routes = routes);
}

pub(crate) fn proxying(place: &ProxiedBy<'_>, target: &[u8]) {
    emit!(YARP_FORWARDER, DEBUG, 9, "Proxying to {Destination} ({Address}), {Target}";
        Destination = place.destination, Address = tracing::field::display(place.address),
        Target = tracing::field::display(String::from_utf8_lossy(target)));
}

pub(crate) fn proxy_answered(version: http::Version, status: http::StatusCode) {
    emit!(YARP_FORWARDER, DEBUG, 56, "Received {Version} response {StatusCode}.";
        Version = protocol_name(version), StatusCode = status.as_u16());
}

/// A request has no answer of its destination.
pub(crate) fn proxy_failed(
    place: &ProxiedBy<'_>,
    what: &dyn Display,
    after: Duration,
    remedy: &str,
    telling: Telling,
) {
    let (what, seconds) = (what.to_string(), format!("{:.3}", after.as_secs_f64()));
    let remedy = if remedy.is_empty() { String::new() } else { format!(" {remedy}") };
    match telling {
        Telling::Now { more } => emit!(YARP_FORWARDER, WARN, 48,
            "Route '{RouteId}' got no answer from '{Destination}' ({Address}) of cluster '{ClusterId}' after {Seconds} s: {Failure}.{Remedy}{More}";
            RouteId = place.route, Destination = place.destination, Address = tracing::field::display(place.address),
            ClusterId = place.cluster, Seconds = seconds, Failure = what, Remedy = remedy, More = times(more)),
        Telling::Counted => emit!(YARP_FORWARDER, DEBUG, 48,
            "Route '{RouteId}' got no answer from '{Destination}' ({Address}) of cluster '{ClusterId}' after {Seconds} s: {Failure}.";
            RouteId = place.route, Destination = place.destination, Address = tracing::field::display(place.address),
            ClusterId = place.cluster, Seconds = seconds, Failure = what),
    }
}

/// An answer broke off, and the client's is cut off there.
pub(crate) fn proxy_answer_broke_off(place: &ProxiedBy<'_>, what: &dyn Display, telling: Telling) {
    let what = what.to_string();
    match telling {
        Telling::Now { more } => emit!(YARP_FORWARDER, WARN, 48,
            "The answer of '{Destination}' ({Address}) of cluster '{ClusterId}' to route '{RouteId}' broke off, and the client's was cut off there: {Failure}.{More}";
            Destination = place.destination, Address = tracing::field::display(place.address),
            ClusterId = place.cluster, RouteId = place.route, Failure = what, More = times(more)),
        Telling::Counted => emit!(YARP_FORWARDER, DEBUG, 48,
            "The answer of '{Destination}' ({Address}) of cluster '{ClusterId}' to route '{RouteId}' broke off: {Failure}.";
            Destination = place.destination, Address = tracing::field::display(place.address),
            ClusterId = place.cluster, RouteId = place.route, Failure = what),
    }
}

pub(crate) fn proxy_answer_too_slow(route: &str) {
    emit!(YARP_FORWARDER, DEBUG, 48,
        "An answer was cut off, because the Timeout of route '{RouteId}' was over."; RouteId = route);
}

/// Nothing came through a tunnel for too long.
pub(crate) fn tunnel_idle(route: &str, destination: &str, seconds: f64) {
    emit!(YARP_FORWARDER, DEBUG, 48,
        "A WebSocket of route '{RouteId}' to '{Destination}' was closed: nothing came from either side for {Seconds} s (ActivityTimeout).";
        RouteId = route, Destination = destination, Seconds = seconds);
}

pub(crate) fn tunnel_broken(route: &str, destination: &str, error: &std::io::Error) {
    emit!(YARP_FORWARDER, DEBUG, 48,
        "A WebSocket of route '{RouteId}' to '{Destination}' was closed: {Failure}.";
        RouteId = route, Destination = destination, Failure = tracing::field::display(error));
}

pub(crate) fn probe_failed(destination: &str, cluster: &str, what: &str) {
    emit!(YARP_PROBES, DEBUG, 17, "Probing destination `{Destination}` on cluster `{ClusterId}` failed: {Failure}.";
        Destination = destination, ClusterId = cluster, Failure = what);
}

/// A destination gets no requests from now on. `check` is `active` or `passive`.
pub(crate) fn destination_unhealthy(destination: &str, cluster: &str, check: &str, why: &str) {
    emit!(YARP_HEALTH, WARN, 50,
        "Destination '{Destination}' of cluster '{ClusterId}' is unhealthy by its {Check} check: {Failure}. It gets no requests while another one does well.";
        Destination = destination, ClusterId = cluster, Check = check, Failure = why);
}

/// It gets requests again. `check` is `active` or `passive`.
pub(crate) fn destination_healthy(destination: &str, cluster: &str, check: &str) {
    emit!(YARP_HEALTH, INFO, 50, "Destination '{Destination}' of cluster '{ClusterId}' is healthy by its {Check} check.";
        Destination = destination, ClusterId = cluster, Check = check);
}

/// It gets one request, to see how it does.
pub(crate) fn destination_reactivated(destination: &str, cluster: &str) {
    emit!(YARP_HEALTH, INFO, 49, "Destination '{Destination}' of cluster '{ClusterId}' gets a request again, and more once that has an answer: its ReactivationPeriod is over.";
        Destination = destination, ClusterId = cluster);
}

/// None of a cluster's destinations does well.
pub(crate) fn none_healthy(cluster: &str, all_get_requests: bool) {
    let what = match all_get_requests {
        true => "all of them get requests (HealthyOrPanic)",
        false => "requests are answered with 503 (HealthyAndUnknown)",
    };
    emit!(YARP_HEALTH, WARN, 50,
        "No destination of cluster '{ClusterId}' is healthy: {What}.";
        ClusterId = cluster, What = what);
}
