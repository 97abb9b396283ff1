//! Sockets that whoever started this process opened for it: which endpoints they are of.
//!
//! A socket that an endpoint names by its address is the socket of that endpoint, which says how it is
//! served. One that nobody names is an endpoint of its own.

use super::endpoint::{ConfiguredEndpoint, ListenAddr, ListenTarget, PlannedEndpoint, Targets};
use super::given_socket::{GivenSocket, SocketPlace};

/// Those among the passed sockets that are at these targets.
pub(super) fn at(targets: &Targets, passed: &[ConfiguredEndpoint]) -> Vec<GivenSocket> {
    let sockets = passed.iter().filter_map(socket_of);
    sockets.filter(|socket| is_among(socket.address(), targets)).cloned().collect()
}

/// The one that is at this address.
pub(super) fn at_address<'a>(
    listen: &ListenAddr,
    sockets: &'a [GivenSocket],
) -> Option<&'a GivenSocket> {
    sockets.iter().find(|socket| is_at(socket.address(), listen))
}

/// Those that none of these endpoints has.
pub(super) fn left_by<'a>(
    endpoints: &[PlannedEndpoint],
    passed: impl IntoIterator<Item = &'a ConfiguredEndpoint>,
) -> Vec<&'a ConfiguredEndpoint> {
    let has = |socket: &GivenSocket| endpoints.iter().any(|it| it.passed.contains(socket));
    passed.into_iter().filter(|it| !socket_of(it).is_some_and(has)).collect()
}

fn socket_of(endpoint: &ConfiguredEndpoint) -> Option<&GivenSocket> {
    match &endpoint.target.value {
        ListenTarget::Given(socket) => Some(socket),
        _ => None,
    }
}

fn is_among(place: &SocketPlace, targets: &Targets) -> bool {
    match (targets, place) {
        (Targets::Exactly(listen), place) => is_at(place, listen),
        (Targets::AtLeastOne(both) | Targets::FirstThatWorks(both), place) => {
            both.iter().any(|listen| is_at(place, listen))
        }
        #[cfg(unix)]
        (Targets::UnixSocket(path), SocketPlace::Path(at)) => path == at,
        #[cfg(target_os = "linux")]
        (Targets::AbstractSocket(name), SocketPlace::Abstract(at)) => name == at,
        _ => false,
    }
}

fn is_at(place: &SocketPlace, listen: &ListenAddr) -> bool {
    let SocketPlace::Ip(literal, port) = place else { return false };
    // Port 0 wants a free one, whatever is there.
    *port == listen.port && *literal == listen.address
}
