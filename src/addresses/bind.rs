//! Opens the listening sockets of a plan. This is the only file that does.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, TcpListener};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::advice::{self, INTERFACES};
use super::display::{bound_text, planned_text};
use super::endpoint::{ListenAddr, PlannedEndpoint, Targets};
use super::endpoint_plan::EndpointPlan;
use super::error::{BindError, fix_for, reason};
use super::given_socket::{GivenSocket, Held};
#[cfg(target_os = "linux")]
use super::holder::holder_of_abstract;
#[cfg(unix)]
use super::holder::holder_of_socket;
use super::holder::{Holder, holder_of};
use super::ip_literal::{IpLiteral, Scope};
use super::network::Network;
use super::passed;
use super::privilege;
use super::scope;
use super::unix_socket::{RightsError, SocketIdentity};
use crate::diagnostics::events;

/// How many connections may wait to be accepted on one socket, as on Kestrel.
const BACKLOG: i32 = 512;

/// An endpoint with its open sockets. Dropping it closes them and removes the file of a Unix
/// socket.
#[derive(Debug)]
pub(crate) struct BoundEndpoint {
    /// What was planned.
    pub(crate) planned: PlannedEndpoint,
    /// The address to publish, with the port the system chose.
    pub(crate) address: String,
    /// What could not be had of it: a loopback that this machine lacks. It is served all the same.
    pub(crate) missing: Option<BindError>,
    pub(crate) listeners: Vec<Listener>,
}

/// One open socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        /// Removes the socket's file when dropped, which is before the socket is closed; an abstract
        /// socket has none.
        file: Option<super::unix_socket::SocketFile>,
        /// Who may listen on it besides.
        holders: Holders,
        listener: std::os::unix::net::UnixListener,
    },
    #[cfg(feature = "testing")]
    InMemory(super::in_memory::MemoryListener),
}

/// Who may have a socket besides this process.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holders {
    Nobody,
    /// Whoever gave it, such as systemd, whose next process goes on with it: it must not be shut down.
    Others,
}

impl Listener {
    /// Its address; a Unix socket has none of this kind.
    pub(crate) fn socket_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix { .. } => None,
            #[cfg(feature = "testing")]
            Self::InMemory(_) => None,
        }
    }
}

impl BoundEndpoint {
    /// The addresses of its sockets; a Unix socket has none.
    pub(crate) fn socket_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().filter_map(Listener::socket_address)
    }

    /// Which file its socket has, if it has one.
    pub(crate) fn socket_file(&self) -> Option<SocketIdentity> {
        self.listeners.iter().find_map(Listener::socket_file).cloned()
    }
}

/// Binds every endpoint of a plan, one after the other, as Kestrel does: `localhost` on 127.0.0.1
/// and then on `[::1]`, all interfaces on `[::]` and else on `0.0.0.0`.
///
/// # Errors
///
/// Every endpoint that cannot be bound: all are tried. Those that could be are closed again.
pub(crate) fn bind(
    plan: &EndpointPlan,
    network: &Network,
) -> Result<Vec<BoundEndpoint>, Vec<BindError>> {
    let mut binding = Binding::of(plan, network);
    all_or_none(plan.endpoints.iter().map(|planned| binding.bind(planned)))
}

/// The binding of endpoints of a plan: what cannot be had is told with a port to take instead.
#[derive(Debug)]
pub(crate) struct Binding<'a> {
    plan: &'a EndpointPlan,
    network: &'a Network,
    /// The ports that were named as free.
    offered: Vec<u16>,
}

impl<'a> Binding<'a> {
    /// Of endpoints of this plan, be it all of them or those that are new.
    pub(crate) const fn of(plan: &'a EndpointPlan, network: &'a Network) -> Self {
        Self { plan, network, offered: Vec::new() }
    }

    /// Binds one endpoint.
    ///
    /// # Errors
    ///
    /// Every socket of it that is wanted and cannot be had.
    pub(crate) fn bind(
        &mut self,
        planned: &PlannedEndpoint,
    ) -> Result<BoundEndpoint, Vec<BindError>> {
        bind_endpoint(planned, self.network)
            .map_err(|errors| with_free_port(errors, planned, self.plan, &mut self.offered))
    }
}

/// What a binding at this moment would fail for, as far as that is found without anybody noticing: a
/// socket is given the address and let go, and nobody can connect to it meanwhile. The file of a Unix
/// socket would be noticed, and is only looked at; what was given to us listens already.
pub(crate) fn hindrances(plan: &EndpointPlan, network: &Network) -> Vec<BindError> {
    match network {
        Network::System => {}
        #[cfg(feature = "testing")]
        Network::InMemory(_) => return Vec::new(),
    }
    let mut offered = Vec::new();
    let ours = plan.endpoints.iter().filter(|it| it.given.is_none() && it.passed.is_empty());
    ours.flat_map(|planned| with_free_port(hindrances_of(planned), planned, plan, &mut offered))
        .collect()
}

fn hindrances_of(planned: &PlannedEndpoint) -> Vec<BindError> {
    let tried = |listen: &ListenAddr| bound_tcp(listen).err().map(|error| (listen.clone(), error));
    let told = |(listen, error)| refused(planned, &listen, error);
    let is_taken = |(_, error): &(_, io::Error)| error.kind() == io::ErrorKind::AddrInUse;
    match &planned.targets {
        Targets::Exactly(listen) => tried(listen).map(told).into_iter().collect(),
        // One may be missing, but neither may be taken.
        Targets::AtLeastOne(loopbacks) => {
            let mut failed: Vec<_> = loopbacks.iter().filter_map(tried).collect();
            match failed.iter().any(is_taken) {
                true => failed.retain(is_taken),
                false if failed.len() == loopbacks.len() => failed.truncate(1),
                false => failed.clear(),
            }
            failed.into_iter().map(told).collect()
        }
        Targets::FirstThatWorks([any, ipv4]) => match tried(any) {
            Some(failed) if !is_taken(&failed) => tried(ipv4).map(told).into_iter().collect(),
            failed => failed.map(told).into_iter().collect(),
        },
        #[cfg(unix)]
        Targets::UnixSocket(path) => unix_hindrance(planned, path).into_iter().collect(),
        #[cfg(target_os = "linux")]
        Targets::AbstractSocket(name) => match bound_abstract(name) {
            Ok(_) => Vec::new(),
            Err(error) => vec![abstract_refused(planned, name, error)],
        },
        _ => Vec::new(),
    }
}

#[cfg(unix)]
fn unix_hindrance(planned: &PlannedEndpoint, path: &std::path::Path) -> Option<BindError> {
    use super::error::FileInTheWay;

    match super::unix_socket::looked_at(path) {
        Ok(None) => None,
        // Who has it, as of a port.
        Ok(Some(FileInTheWay::LiveSocket)) => Some(BindError::AddressInUse {
            address: planned_text(planned),
            key: planned.key.clone(),
            origin: planned.origin.clone(),
            holder: holder_of_socket(path).map(Box::new),
            instead: None,
        }),
        Ok(Some(what)) => Some(file_in_the_way(planned, path, what)),
        Err(error) => Some(socket_refused(planned, path, error)),
    }
}

/// Why a program on this machine could not listen on a port of 127.0.0.1 at this moment, and who has it.
#[cfg_attr(not(feature = "child-process"), allow(dead_code, reason = "only programs have one"))]
pub(crate) fn hindrance_of_port(port: u16) -> Option<(io::Error, Option<Holder>)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen =
        ListenAddr { address: IpLiteral { address: address.ip(), scope: Scope::None }, port };
    bound_tcp(&listen).err().map(|error| (error, holder_of(address)))
}

/// All the endpoints, or every reason why one is not among them; those that are there are dropped
/// then.
pub(crate) fn all_or_none<T>(
    results: impl Iterator<Item = Result<T, Vec<BindError>>>,
) -> Result<Vec<T>, Vec<BindError>> {
    let (mut bound, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(endpoint) => bound.push(endpoint),
            Err(reasons) => errors.extend(reasons),
        }
    }
    if errors.is_empty() { Ok(bound) } else { Err(errors) }
}

/// Binds one endpoint, as it was bound before.
///
/// # Errors
///
/// Every socket of it that is wanted and cannot be had.
pub(crate) fn bind_endpoint(
    planned: &PlannedEndpoint,
    network: &Network,
) -> Result<BoundEndpoint, Vec<BindError>> {
    match network {
        Network::System => bind_sockets(planned),
        #[cfg(feature = "testing")]
        Network::InMemory(memory) => {
            let (address, listener) = memory.bind(planned);
            let (planned, listeners) = (planned.clone(), vec![Listener::InMemory(listener)]);
            Ok(BoundEndpoint { planned, address, missing: None, listeners })
        }
    }
}

fn bind_sockets(planned: &PlannedEndpoint) -> Result<BoundEndpoint, Vec<BindError>> {
    let one = |result: Result<Listener, BindError>| match result {
        Ok(listener) => Ok((vec![listener], None)),
        Err(error) => Err(vec![error]),
    };
    if let Some(socket) = &planned.given {
        let (listeners, missing) = one(take_given(planned, socket))?;
        let address = bound_text(planned, listeners.iter().find_map(Listener::local_address));
        return Ok(BoundEndpoint { planned: planned.clone(), address, missing, listeners });
    }
    let (listeners, missing) = match &planned.targets {
        // All the interfaces may be two sockets, and a Unix socket has its file already.
        targets if !planned.passed.is_empty() && !matches!(targets, Targets::AtLeastOne(_)) => {
            let taken = planned.passed.iter().map(|socket| take_given(planned, socket));
            taken.collect::<Result<Vec<_>, _>>().map_err(|error| vec![error]).map(|all| (all, None))
        }
        Targets::Exactly(listen) => one(bind_tcp(planned, listen)),
        Targets::AtLeastOne(loopbacks) => bind_loopbacks(planned, loopbacks),
        Targets::FirstThatWorks([any, ipv4]) => one(bind_any_ip(planned, any, ipv4)),
        #[cfg(unix)]
        Targets::UnixSocket(path) => one(bind_unix(planned, path)),
        #[cfg(target_os = "linux")]
        Targets::AbstractSocket(name) => one(bind_abstract(planned, name)),
        other => Err(vec![unsupported(planned, other)]),
    }?;
    let first = listeners.iter().find_map(Listener::local_address);
    let address = bound_text(planned, first);
    Ok(BoundEndpoint { planned: planned.clone(), address, missing, listeners })
}

impl Listener {
    fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix { .. } => None,
            #[cfg(feature = "testing")]
            Self::InMemory(_) => None,
        }
    }

    fn socket_file(&self) -> Option<&SocketIdentity> {
        match self {
            Self::Tcp(_) => None,
            #[cfg(feature = "testing")]
            Self::InMemory(_) => None,
            #[cfg(unix)]
            Self::Unix { file, .. } => file.as_ref().map(super::unix_socket::SocketFile::identity),
        }
    }
}

/// A socket that listens already. Its file, if it has one, is not ours to remove.
fn take_given(planned: &PlannedEndpoint, socket: &GivenSocket) -> Result<Listener, BindError> {
    taken(socket).map_err(|source| BindError::Refused {
        address: planned_text(planned),
        key: planned.key.clone(),
        origin: planned.origin.clone(),
        fix: "give each host a socket of its own that listens".to_owned(),
        source,
    })
}

fn taken(socket: &GivenSocket) -> io::Result<Listener> {
    match socket.take()? {
        Held::Tcp(listener) => listener.set_nonblocking(true).map(|()| Listener::Tcp(listener)),
        #[cfg(unix)]
        Held::Unix(listener) => {
            let ready = listener.set_nonblocking(true);
            ready.map(|()| Listener::Unix { file: None, holders: Holders::Others, listener })
        }
    }
}

/// The listening socket of an endpoint at an address: the one that was passed for it, if there is one.
fn opened(planned: &PlannedEndpoint, listen: &ListenAddr) -> io::Result<Listener> {
    match passed::at_address(listen, &planned.passed) {
        Some(socket) => taken(socket),
        None => open_tcp(listen),
    }
}

fn bind_tcp(planned: &PlannedEndpoint, listen: &ListenAddr) -> Result<Listener, BindError> {
    open_tcp(listen).map_err(|error| refused(planned, listen, error))
}

/// Both loopbacks: one may be missing, but a port that is taken on either is an error, because
/// half of the clients would reach somebody else.
fn bind_loopbacks(
    planned: &PlannedEndpoint,
    [ipv4, ipv6]: &[ListenAddr; 2],
) -> Result<(Vec<Listener>, Option<BindError>), Vec<BindError>> {
    let mut listeners = Vec::new();
    let (mut missing, mut taken) = (Vec::new(), Vec::new());
    let loopbacks = [(ipv4, "IPv4 loopback", ipv6), (ipv6, "IPv6 loopback", ipv4)];
    for (listen, interface, other) in loopbacks {
        match opened(planned, listen) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                taken.push(refused(planned, listen, error));
            }
            Err(error) => missing.push((interface, other, error)),
        }
    }
    if !taken.is_empty() {
        return Err(taken);
    }
    let (address, key, origin) =
        (planned_text(planned), planned.key.clone(), planned.origin.clone());
    match <[_; 2]>::try_from(missing) {
        Ok([(_, _, ipv4_error), (_, _, ipv6_error)]) => {
            let (cause, fix) = match ipv4_error.kind() {
                io::ErrorKind::PermissionDenied => {
                    let (cause, fix) = denied(planned, ipv4.port, None);
                    (Some(cause), fix)
                }
                _ => (None, fix_for(&ipv4_error)),
            };
            Err(vec![BindError::NoLoopback {
                address,
                key,
                origin,
                cause,
                fix,
                ipv4: ipv4_error,
                ipv6: ipv6_error,
            }])
        }
        Err(missing) => {
            let missing = missing.into_iter().next().map(|(interface, other, source)| {
                let other = format!("{}://{other}", planned.transport.scheme());
                BindError::LoopbackUnavailable { address, key, origin, interface, other, source }
            });
            Ok((listeners, missing))
        }
    }
}

fn bind_any_ip(
    planned: &PlannedEndpoint,
    any: &ListenAddr,
    ipv4: &ListenAddr,
) -> Result<Listener, BindError> {
    match open_tcp(any) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            let scheme = planned.transport.scheme();
            events::any_ipv6_unavailable(
                &format!("{scheme}://{any}"),
                &format!("{scheme}://{ipv4}"),
                &reason(&error),
            );
            bind_tcp(planned, ipv4)
        }
        result => result.map_err(|error| refused(planned, any, error)),
    }
}

fn open_tcp(listen: &ListenAddr) -> io::Result<Listener> {
    let socket = bound_tcp(listen)?;
    socket.listen(BACKLOG)?;
    Ok(Listener::Tcp(socket.into()))
}

/// A socket that is bound and does not listen yet.
fn bound_tcp(listen: &ListenAddr) -> io::Result<Socket> {
    let address = match listen.address.address {
        IpAddr::V4(ip) => SocketAddr::from((ip, listen.port)),
        IpAddr::V6(ip) => {
            SocketAddrV6::new(ip, listen.port, 0, scope::index(&listen.address.scope)).into()
        }
    };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Only the address for all interfaces is dual-mode.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // On Unix a restart must not wait for connections of the last run to be forgotten. On Windows
    // the same option would let two servers share a port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn refused(planned: &PlannedEndpoint, listen: &ListenAddr, error: io::Error) -> BindError {
    let address = format!("{}://{listen}", planned.transport.scheme());
    let (key, origin) = (planned.key.clone(), planned.origin.clone());
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder_of(SocketAddr::new(listen.address.address, listen.port));
            BindError::AddressInUse {
                address,
                key,
                origin,
                holder: holder.map(Box::new),
                instead: None,
            }
        }
        io::ErrorKind::PermissionDenied => {
            let (cause, fix) = denied(planned, listen.port, None);
            BindError::PortDenied { address, key, origin, cause, fix, source: error }
        }
        _ => {
            let unknown = match &listen.address.scope {
                Scope::Name(name) if scope::index(&listen.address.scope) == 0 => Some(name),
                _ => None,
            };
            let fix = match unknown {
                Some(name) => format!("no interface is called {name} ({INTERFACES} lists them)"),
                None => fix_for(&error),
            };
            BindError::Refused { address, key, origin, fix, source: error }
        }
    }
}

/// Why a port is denied, and what to do about it.
fn denied(planned: &PlannedEndpoint, port: u16, free: Option<u16>) -> (String, String) {
    let instead = advice::with_port(planned, free.unwrap_or_else(|| unprivileged(port)));
    privilege::advice(&privilege::facts(), port, &instead)
}

/// The errors of one endpoint with a port to take instead: one that is free at this moment, that no
/// other endpoint of the plan wants, and that was not `offered` to another one before.
fn with_free_port(
    errors: Vec<BindError>,
    planned: &PlannedEndpoint,
    plan: &EndpointPlan,
    offered: &mut Vec<u16>,
) -> Vec<BindError> {
    let is_denied = |error: &BindError| match error {
        BindError::PortDenied { .. } => true,
        BindError::NoLoopback { ipv4, .. } => ipv4.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    };
    let is_taken =
        |error: &BindError| matches!(error, BindError::AddressInUse { instead: None, .. });
    let Some(port) = port_of(&planned.targets) else { return errors };
    let from = match errors.iter().any(is_denied) {
        true => unprivileged(port),
        false if errors.iter().any(is_taken) => port.saturating_add(1),
        false => return errors,
    };
    let free = free_port(&planned.targets, from, |port| {
        !offered.contains(&port) && !is_wanted(port, plan)
    });
    offered.extend(free);
    // One for both loopbacks.
    let told = |error: BindError| match error {
        BindError::AddressInUse { address, key, origin, holder, instead: None } => {
            let instead = free.map(|port| advice::with_port(planned, port));
            BindError::AddressInUse { address, key, origin, holder, instead }
        }
        BindError::PortDenied { address, key, origin, source, .. } => {
            let (cause, fix) = denied(planned, port, free);
            BindError::PortDenied { address, key, origin, cause, fix, source }
        }
        BindError::NoLoopback { address, key, origin, cause: Some(_), ipv4, ipv6, .. } => {
            let (cause, fix) = denied(planned, port, free);
            BindError::NoLoopback { address, key, origin, cause: Some(cause), fix, ipv4, ipv6 }
        }
        other => other,
    };
    errors.into_iter().map(told).collect()
}

/// The port that everybody may bind and that is known to stand for a reserved one.
fn unprivileged(port: u16) -> u16 {
    if port == 443 { 8443 } else { 8080 }
}

/// The port that targets want.
fn port_of(targets: &Targets) -> Option<u16> {
    match targets {
        Targets::Exactly(listen)
        | Targets::AtLeastOne([listen, _])
        | Targets::FirstThatWorks([listen, _]) => Some(listen.port),
        _ => None,
    }
}

fn is_wanted(port: u16, plan: &EndpointPlan) -> bool {
    plan.endpoints.iter().any(|endpoint| port_of(&endpoint.targets) == Some(port))
}

/// A port that the system would give to these targets: one of those that begin with `from`, else any.
fn free_port(targets: &Targets, from: u16, may_be: impl Fn(u16) -> bool) -> Option<u16> {
    const NEAR: u16 = 20;
    let (wanted, all): (&[ListenAddr], bool) = match targets {
        Targets::Exactly(listen) => (std::slice::from_ref(listen), true),
        Targets::AtLeastOne(both) => (both, false),
        Targets::FirstThatWorks(both) => (both, false),
        _ => return None,
    };
    let near = (0..NEAR).filter_map(|step| from.checked_add(step)).filter(|port| may_be(*port));
    near.chain([0]).find_map(|port| {
        let mut port = port;
        let mut free = false;
        for listen in wanted {
            let listen = ListenAddr { port, ..listen.clone() };
            match bound_tcp(&listen).and_then(|socket| socket.local_addr()) {
                Ok(address) => {
                    free = true;
                    // The system's choice for the first has to be free for the others.
                    port = address.as_socket().map_or(port, |address| address.port());
                }
                // This machine may lack one of the two.
                Err(error) if all || error.kind() == io::ErrorKind::AddrInUse => return None,
                Err(_) => {}
            }
        }
        (free && may_be(port)).then_some(port)
    })
}

fn unsupported(planned: &PlannedEndpoint, targets: &Targets) -> BindError {
    // A plan has none of these.
    let fix = advice::not_served_here(targets).unwrap_or("choose another address");
    BindError::Refused {
        address: planned_text(planned),
        key: planned.key.clone(),
        origin: planned.origin.clone(),
        fix: fix.to_owned(),
        source: io::ErrorKind::Unsupported.into(),
    }
}

/// Makes the file of a socket that listens what another plan of its endpoint says.
///
/// # Errors
///
/// The system does not allow it; nothing has changed, as far as it allows that.
pub(crate) fn change_socket_file(
    file: &SocketIdentity,
    old: &PlannedEndpoint,
    new: &PlannedEndpoint,
) -> Result<(), BindError> {
    file.apply(&new.unix_socket).map_err(|error| {
        // Half of it may be done.
        let _ = file.apply(&old.unix_socket);
        rights_refused(new, &error)
    })
}

/// The rights of a socket's file could not be set.
#[cfg(unix)]
fn rights_refused(planned: &PlannedEndpoint, error: &RightsError) -> BindError {
    use super::unix_socket::AccountKind;

    let options = &planned.unix_socket;
    let (fix, source) = match error {
        RightsError::Unknown { kind, name, source } => {
            let list = match kind {
                AccountKind::User => "getent passwd",
                AccountKind::Group => "getent group",
            };
            let source = io::Error::new(source.kind(), format!("'{name}': {}", reason(source)));
            (format!("name one that '{list}' lists"), source)
        }
        RightsError::Refused(source) => {
            let fix = match (source.kind(), &options.owner, &options.group) {
                (io::ErrorKind::PermissionDenied, None, Some(group)) => format!(
                    "let the user that runs the server be a member of the group {group} (usermod -aG {group} USER, \
                     or SupplementaryGroups={group} in its unit), or name one of its groups"
                ),
                (io::ErrorKind::PermissionDenied, Some(_), _) => {
                    "only root may give a file to another user: leave out Owner, and let Group and Mode 660 open it \
                     to the proxy"
                        .to_owned()
                }
                (io::ErrorKind::NotFound, ..) => {
                    "somebody removed the file or put another in its place: start again".to_owned()
                }
                _ => "let the file lie on a file system that knows owners and modes".to_owned(),
            };
            let words = format!("the socket's file cannot have {options}: {}", reason(source));
            (fix, io::Error::new(source.kind(), words))
        }
    };
    let (address, key, origin) =
        (planned_text(planned), planned.key.clone(), planned.origin.clone());
    BindError::Refused { address, key, origin, fix, source }
}

#[cfg(not(unix))]
fn rights_refused(_: &PlannedEndpoint, error: &RightsError) -> BindError {
    match *error {}
}

#[cfg(unix)]
fn bind_unix(planned: &PlannedEndpoint, path: &std::path::Path) -> Result<Listener, BindError> {
    use super::unix_socket::{FolderLock, in_the_way};

    // Until it listens nobody may take it for one that was left behind.
    let lock = FolderLock::to_bind(path);
    let mut opened = open_unix(planned, path);
    if let Err(OpenError::Socket(error)) = &opened
        && error.kind() == io::ErrorKind::AddrInUse
    {
        let cleared = match &lock {
            Some(lock) => lock.clear(path),
            None => Err(in_the_way(path)),
        };
        cleared.map_err(|what| file_in_the_way(planned, path, what))?;
        events::stale_socket_replaced(&path.display().to_string());
        opened = open_unix(planned, path);
    }
    opened.map_err(|error| match error {
        OpenError::Rights(error) => rights_refused(planned, &error),
        OpenError::Socket(error) => socket_refused(planned, path, error),
    })
}

#[cfg(unix)]
fn file_in_the_way(
    planned: &PlannedEndpoint,
    path: &std::path::Path,
    what: super::error::FileInTheWay,
) -> BindError {
    BindError::FileInTheWay {
        address: planned_text(planned),
        key: planned.key.clone(),
        origin: planned.origin.clone(),
        path: path.to_owned(),
        what,
    }
}

/// The file of a socket cannot be made.
#[cfg(unix)]
fn socket_refused(
    planned: &PlannedEndpoint,
    path: &std::path::Path,
    error: io::Error,
) -> BindError {
    let folder = path.parent().unwrap_or(path).display();
    let (fix, source) = match error.kind() {
        io::ErrorKind::NotFound => (
            format!("the folder {folder} does not exist: create it, or choose another path"),
            // Kestrel's words for it; the fix says what they mean.
            io::Error::new(io::ErrorKind::NotFound, "Cannot assign requested address"),
        ),
        io::ErrorKind::PermissionDenied => (
            format!("let the user that runs the server write in {folder}, or choose another path"),
            error,
        ),
        io::ErrorKind::NotADirectory => {
            (format!("{folder} is no folder: choose another path"), error)
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (format!("{folder} lies where nothing can be written: choose another path"), error)
        }
        _ => (fix_for(&error), error),
    };
    let (address, key, origin) =
        (planned_text(planned), planned.key.clone(), planned.origin.clone());
    BindError::Refused { address, key, origin, fix, source }
}

/// Why a Unix socket could not be opened.
#[cfg(unix)]
enum OpenError {
    Socket(io::Error),
    Rights(RightsError),
}

/// Binds a Unix socket, sets the rights of its file and listens. Nobody can connect before that.
#[cfg(unix)]
fn open_unix(planned: &PlannedEndpoint, path: &std::path::Path) -> Result<Listener, OpenError> {
    use super::unix_socket::SocketFile;

    let bind = || -> io::Result<(Socket, SocketFile)> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        Ok((socket, SocketFile::new(path)?))
    };
    let (socket, file) = bind().map_err(OpenError::Socket)?;
    file.identity().apply(&planned.unix_socket).map_err(OpenError::Rights)?;
    socket.listen(BACKLOG).map_err(OpenError::Socket)?;
    Ok(Listener::Unix { file: Some(file), holders: Holders::Nobody, listener: socket.into() })
}

#[cfg(target_os = "linux")]
fn bind_abstract(planned: &PlannedEndpoint, name: &str) -> Result<Listener, BindError> {
    let open = || -> io::Result<Listener> {
        let socket = bound_abstract(name)?;
        socket.listen(BACKLOG)?;
        Ok(Listener::Unix { file: None, holders: Holders::Nobody, listener: socket.into() })
    };
    open().map_err(|error| abstract_refused(planned, name, error))
}

/// A socket that is bound and does not listen yet.
#[cfg(target_os = "linux")]
fn bound_abstract(name: &str) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(format!("\0{name}"))?)?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn abstract_refused(planned: &PlannedEndpoint, name: &str, error: io::Error) -> BindError {
    let (address, key, origin) =
        (planned_text(planned), planned.key.clone(), planned.origin.clone());
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder_of_abstract(name).map(Box::new);
            BindError::AddressInUse { address, key, origin, holder, instead: None }
        }
        _ => BindError::Refused { address, key, origin, fix: fix_for(&error), source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::{EndpointSettings, plan};
    use crate::configuration::{Origin, Sourced};

    /// Others may take a port between two looks at it, so one success in many is asked for.
    #[test]
    fn a_port_that_is_offered_is_free_and_in_no_other_endpoint() {
        let [ipv4, ipv6] =
            [Targets::any_ip(0), Targets::localhost(0)].map(|targets| match targets {
                Targets::FirstThatWorks([_, any]) => any,
                Targets::AtLeastOne([_, ipv6]) => ipv6,
                other => panic!("{other:?}"),
            });
        let succeeded = (0..20).any(|_| {
            let Ok(Listener::Tcp(taken)) = open_tcp(&ipv4) else { panic!("a free port") };
            let port = taken.local_addr().unwrap().port();
            let next = port.saturating_add(1);
            let offered =
                free_port(&Targets::localhost(port), next, |other| other != next).unwrap();
            assert!(![port, next].contains(&offered), "{port} {offered}");
            open_tcp(&ListenAddr { port: offered, ..ipv4.clone() }).is_ok()
                && open_tcp(&ListenAddr { port: offered, ..ipv6.clone() })
                    .map_or_else(|error| error.kind() != io::ErrorKind::AddrInUse, |_| true)
        });
        assert!(succeeded);
    }

    #[test]
    fn no_port_is_offered_twice_in_one_report() {
        let taken = [(); 2].map(|()| match open_tcp(&any_ipv4()) {
            Ok(Listener::Tcp(taken)) => taken,
            other => panic!("{other:?}"),
        });
        let ports = taken.each_ref().map(|taken| taken.local_addr().unwrap().port());
        let urls = ports.map(|port| format!("http://127.0.0.1:{port}")).join(";");
        let settings = EndpointSettings {
            urls: Some(Sourced::new(urls, Origin::Default)),
            ..EndpointSettings::default()
        };
        let plan = plan(&settings);
        let fix = |error: &BindError| match error {
            BindError::AddressInUse { instead, .. } => instead.clone().unwrap(),
            other => panic!("{other:?}"),
        };
        let fixes: Vec<_> = bind(&plan, &Network::System).unwrap_err().iter().map(fix).collect();
        assert!(fixes.len() == 2 && fixes[0] != fixes[1], "{fixes:?}");

        // The same for those that are denied, of which a test as root sees none.
        let mut offered = Vec::new();
        let ports: Vec<_> = [80, 443, 81]
            .map(|port| {
                let planned = PlannedEndpoint {
                    targets: Targets::any_ip(port),
                    written: format!("http://*:{port}"),
                    ..plan.endpoints[0].clone()
                };
                let denied = refused(
                    &planned,
                    &ListenAddr { port, ..any_ipv4() },
                    io::ErrorKind::PermissionDenied.into(),
                );
                let told = with_free_port(vec![denied], &planned, &plan, &mut offered);
                assert!(
                    matches!(&told[..], [BindError::PortDenied { fix, .. }]
                    if fix.contains(&offered.last().unwrap().to_string())),
                    "{told:?}"
                );
                *offered.last().unwrap()
            })
            .to_vec();
        assert!(ports[0] != ports[2] && ports[0] >= 8080 && ports[1] >= 8443, "{ports:?}");
    }

    fn any_ipv4() -> ListenAddr {
        let Targets::FirstThatWorks([_, any]) = Targets::any_ip(0) else { panic!("two of them") };
        any
    }
}
