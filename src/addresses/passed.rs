//! Sockets that whoever started this process opened for it: which endpoints they are of.
//!
//! A socket that an endpoint names by its address is the socket of that endpoint, which says how it is
//! served. One that nobody names is an endpoint of its own.

use super::display;
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

/// Those that are endpoints of their own beside the addresses that count: what these name is theirs. Addresses
/// that name only some of them lose, as they do to every endpoint, unless they are `preferred`.
pub(super) fn beside<'a>(
    left: Vec<&'a ConfiguredEndpoint>,
    of_addresses: &[PlannedEndpoint],
    preferred: bool,
) -> Vec<&'a ConfiguredEndpoint> {
    let others = left_by(of_addresses, left.iter().copied());
    if preferred || others.is_empty() { others } else { left }
}

/// Where a socket that is given is bound; `None` if it has no address.
pub(super) fn targets(socket: &GivenSocket) -> Option<Targets> {
    Some(match socket.address() {
        SocketPlace::Ip(address, port) => {
            Targets::Exactly(ListenAddr { address: address.clone(), port: *port })
        }
        #[cfg(unix)]
        SocketPlace::Path(path) => Targets::UnixSocket(path.clone()),
        #[cfg(target_os = "linux")]
        SocketPlace::Abstract(name) => Targets::AbstractSocket(name.clone()),
        SocketPlace::Unknown => return None,
    })
}

/// What a plan says of the sockets of an endpoint that are there already.
pub(super) fn in_words(endpoint: &PlannedEndpoint) -> String {
    match &*endpoint.passed {
        [] if endpoint.given.is_some() => ", which listens already".to_owned(),
        [] => String::new(),
        [socket] if !matches!(endpoint.targets, Targets::AtLeastOne(_)) => {
            format!(", passed by LISTEN_FDS as {socket}")
        }
        sockets => format!(", of which LISTEN_FDS passed {}", display::list_text(sockets)),
    }
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
