//! The text of addresses: as planned, and as `Now listening on:` announces them.

use std::net::SocketAddr;
use std::path::Path;

use super::endpoint::{PlannedEndpoint, Targets};
use super::socket_options::UnixSocketOptions;
use crate::configuration::Problem;

/// What a planned endpoint is called in messages, such as `http://localhost:5000`.
pub(crate) fn planned_text(endpoint: &PlannedEndpoint) -> String {
    let scheme = endpoint.transport.scheme();
    match &endpoint.targets {
        Targets::Exactly(listen) => format!("{scheme}://{listen}"),
        Targets::AtLeastOne([listen, _]) => {
            format!("{scheme}://{}:{}", endpoint.local_name, listen.port)
        }
        Targets::FirstThatWorks([listen, _]) => format!("{scheme}://{listen}"),
        other => other_text(scheme, other),
    }
}

/// The text of a socket that has no port.
pub(super) fn other_text(scheme: &str, targets: &Targets) -> String {
    match targets {
        Targets::UnixSocket(path) => format!("{scheme}://unix:{}", path.display()),
        Targets::AbstractSocket(name) => format!("{scheme}://unix:@{name}"),
        Targets::NamedPipe(name) => format!("{scheme}://pipe:/{name}"),
        Targets::Exactly(listen)
        | Targets::AtLeastOne([listen, _])
        | Targets::FirstThatWorks([listen, _]) => {
            format!("{scheme}://{listen}")
        }
    }
}

/// The endpoint as Kestrel's messages about protocols name it: `127.0.0.1:5000`.
pub(super) fn socket_text(endpoint: &PlannedEndpoint) -> String {
    let text = planned_text(endpoint);
    text.split_once("://").map_or_else(|| text.clone(), |(_, rest)| rest.to_owned())
}

/// Every socket of the plan, with the rule that holds between them.
pub(super) fn sockets_text(endpoint: &PlannedEndpoint) -> String {
    match &endpoint.targets {
        Targets::Exactly(listen) => listen.to_string(),
        Targets::AtLeastOne([first, second]) => {
            format!("{first} and {second}, at least one of them")
        }
        Targets::FirstThatWorks([first, second]) => format!("{first}, or {second} without IPv6"),
        Targets::UnixSocket(path) => path.display().to_string(),
        Targets::AbstractSocket(name) => format!("@{name}"),
        Targets::NamedPipe(name) => name.clone(),
    }
}

/// Several of a kind, such as who is believed by the PROXY protocol.
pub(super) fn list_text(several: &[impl ToString]) -> String {
    several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The address to publish for an endpoint whose first socket is bound at `bound`.
pub(super) fn bound_text(endpoint: &PlannedEndpoint, bound: Option<SocketAddr>) -> String {
    let scheme = endpoint.transport.scheme();
    match (&endpoint.targets, bound) {
        (Targets::AtLeastOne(_), Some(bound)) => {
            format!("{scheme}://{}:{}", endpoint.local_name, bound.port())
        }
        (Targets::Exactly(_) | Targets::FirstThatWorks(_), Some(bound)) => {
            format!("{scheme}://{bound}")
        }
        _ => planned_text(endpoint),
    }
}

/// The address to publish for an endpoint on the sockets that were published as `address`.
pub(crate) fn readdressed(address: &str, endpoint: &PlannedEndpoint) -> String {
    let port = || address.rsplit_once(':').map_or("", |(_, port)| port);
    let (scheme, name) = (endpoint.transport.scheme(), &endpoint.local_name);
    match (&endpoint.targets, address.split_once("://")) {
        (Targets::AtLeastOne(_), _) => format!("{scheme}://{name}:{}", port()),
        (_, Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => planned_text(endpoint),
    }
}

/// The same address with the host `localhost`, if its host is a name below that: not every client
/// knows such names.
pub(crate) fn also_reachable(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let labels = host.strip_suffix(".localhost")?;
    let is_name = !host.contains('/') && labels.split('.').all(|label| !label.is_empty());
    is_name.then(|| format!("{scheme}://localhost:{port}"))
}

/// The longest path of a Unix socket, in bytes: what the system's address holds, less the final NUL.
const MAX_UNIX_PATH: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

/// What is wrong with the length of a Unix socket's path.
pub(super) fn unix_path_problem(path: &Path) -> Option<Problem> {
    let length = path.as_os_str().len();
    if (1..=MAX_UNIX_PATH).contains(&length) {
        return None;
    }
    Some(
        Problem::error(format!(
            "The path '{}' is of an invalid length for use with domain sockets on this platform.  The length must \
             be between 1 and {} characters, inclusive. It has {length}.",
            path.display(),
            MAX_UNIX_PATH + 1,
        ))
        .fix(format!("choose a path of at most {MAX_UNIX_PATH} bytes, such as /run/app.sock")),
    )
}

/// What is wrong with what the file of a Unix socket is to be like.
pub(super) fn socket_file_problem(planned: &PlannedEndpoint) -> Option<Problem> {
    if planned.given.is_some() || !planned.passed.is_empty() {
        let message = "The file of a socket that was given is as whoever made it wants it.";
        return (!planned.unix_socket.is_empty())
            .then(|| Problem::error(message).fix("leave out mode, owner and group"));
    }
    let UnixSocketOptions { mode, .. } = planned.unix_socket;
    let Targets::UnixSocket(path) = &planned.targets else {
        let message = "Only the file of a Unix socket has a mode, an owner and a group.";
        return (!planned.unix_socket.is_empty())
            .then(|| Problem::error(message).fix("remove them, or listen on a Unix socket"));
    };
    if let Some(mode) = mode.filter(|mode| !UnixSocketOptions::is_mode(*mode)) {
        let message = format!("{mode:o} is not the mode of a socket's file.");
        return Some(Problem::error(message).fix("use a mode from 0o000 to 0o777, such as 0o660"));
    }
    // What `--listen` takes: in a URL it would be a part of the file's name.
    let path = path.to_string_lossy();
    let (_, options) = path.split_once(',')?;
    ["mode=", "owner=", "group="].iter().any(|name| options.starts_with(name)).then(|| {
        Problem::error(format!("A URL cannot say what the socket's file is to be like: '{path}' would be its name."))
            .fix(format!(
                "write --listen unix:{path}, or set Mode, Owner and Group in Kestrel:Endpoints:{{Name}}:UnixSocket"
            ))
    })
}
