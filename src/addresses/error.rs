//! Why an endpoint could not be bound.

use std::io;
use std::path::PathBuf;

use super::advice::{ADDRESSES, WITH_SCOPE};
use super::holder::{self, Holder};
use crate::configuration::{Origin, Problem};
use crate::diagnostics::{Notice, events};

/// An endpoint that could not be bound; everything that was bound before it is released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has the address.
    #[error("Failed to bind to address {address}: address already in use.")]
    AddressInUse {
        /// The address, as `http://127.0.0.1:5000`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// Who has it, if that could be found out.
        holder: Option<Box<Holder>>,
        /// What to do instead, with a port that was free when the error was made, if there was one.
        instead: Option<String>,
    },
    /// Something lies where the file of a Unix socket should be.
    #[error("Failed to bind to address {address}: address already in use.")]
    FileInTheWay {
        /// The address, as `http://unix:/run/app.sock`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// What it is.
        what: FileInTheWay,
    },
    /// One of the two loopback addresses could not be bound. That refuses a strict start only.
    #[error("Unable to bind to {address} on the {interface} interface: '{}'.", reason(.source))]
    LoopbackUnavailable {
        /// The address, as `http://localhost:5000`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// Which one, as `IPv6 loopback`.
        interface: &'static str,
        /// The address of the loopback that is there.
        other: String,
        /// What the system said.
        source: io::Error,
    },
    /// Neither loopback address could be bound.
    #[error("Failed to bind to address {address}. ({ipv4}) ({ipv6})", ipv4 = reason(.ipv4), ipv6 = reason(.ipv6))]
    NoLoopback {
        /// The address, as `http://localhost:5000`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// Why, where the system's words are not enough.
        cause: Option<String>,
        /// How to put it right.
        fix: String,
        /// Why not on 127.0.0.1.
        ipv4: io::Error,
        /// Why not on `[::1]`.
        ipv6: io::Error,
    },
    /// The system denies the port to this process.
    #[error("Failed to bind to address {address}: {}.", reason(.source))]
    PortDenied {
        /// The address, as `http://[::]:80`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// Why, by the facts of the moment.
        cause: String,
        /// How to put it right.
        fix: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused for another reason.
    #[error("Failed to bind to address {address}: {}.", reason(.source))]
    Refused {
        /// The address, as `http://192.0.2.1:80`.
        address: String,
        /// The key or call that made it.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// How to put it right.
        fix: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What lies in the way of a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileInTheWay {
    /// A socket that a process listens on.
    LiveSocket,
    /// A socket that nobody listens on any more, and that could not be removed.
    StaleSocket,
    /// A socket that we may not connect to: nobody knows whether anybody listens.
    ForbiddenSocket,
    /// A file or a folder.
    NoSocket,
}

/// The system's words for an error, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl BindError {
    /// The address that could not be bound, such as `http://127.0.0.1:5000`.
    pub fn address(&self) -> &str {
        match self {
            Self::AddressInUse { address, .. }
            | Self::FileInTheWay { address, .. }
            | Self::LoopbackUnavailable { address, .. }
            | Self::NoLoopback { address, .. }
            | Self::PortDenied { address, .. }
            | Self::Refused { address, .. } => address,
        }
    }

    /// The same for the log of a start that goes on.
    pub(crate) fn notice(&self) -> Option<Notice> {
        match self {
            Self::LoopbackUnavailable { address, interface, source, .. } => {
                Some(events::loopback_unavailable(address, interface, &reason(source)))
            }
            _ => None,
        }
    }

    /// The error as what / where it was set / how to fix.
    pub fn problem(&self) -> Problem {
        let problem = Problem::error(self.to_string());
        match self {
            Self::AddressInUse { address, key, origin, holder, instead } => {
                let mut problem = problem.key(key.clone()).origin(origin.clone());
                problem.cause = holder.as_ref().map(|holder| holder.to_string());
                problem.fix(taken_fix(address, holder.as_deref(), instead.as_deref()))
            }
            Self::FileInTheWay { key, origin, path, what, .. } => {
                let path = path.display();
                problem.key(key.clone()).origin(origin.clone()).fix(match what {
                    FileInTheWay::LiveSocket => {
                        format!("a process listens on {path}: stop it, or choose another path")
                    }
                    FileInTheWay::StaleSocket => format!(
                        "{path} was left behind by a process that is gone, and could not be removed: remove it (rm {path}), or let the user that runs the server write in its folder"
                    ),
                    FileInTheWay::ForbiddenSocket => format!(
                        "{path} is the socket of another user, and may be in use: let its user stop it and remove it, or choose another path"
                    ),
                    FileInTheWay::NoSocket => {
                        format!("{path} is no socket, so it is left alone: choose another path")
                    }
                })
            }
            Self::LoopbackUnavailable { key, origin, other, .. } => {
                problem.key(key.clone()).origin(origin.clone()).fix(format!(
                    "write {other} if the other loopback is enough, or switch this one on"
                ))
            }
            Self::NoLoopback { key, origin, cause, fix, .. } => {
                let mut problem = problem.key(key.clone()).origin(origin.clone());
                problem.cause = cause.clone();
                problem.fix(fix.clone())
            }
            Self::PortDenied { key, origin, cause, fix, .. } => problem
                .cause(cause.clone())
                .key(key.clone())
                .origin(origin.clone())
                .fix(fix.clone()),
            Self::Refused { key, origin, fix, .. } => {
                problem.key(key.clone()).origin(origin.clone()).fix(fix.clone())
            }
        }
    }
}

/// What to do about an address that somebody else has.
fn taken_fix(address: &str, holder: Option<&Holder>, instead: Option<&str>) -> String {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let Some(port) = port else {
        let release = holder.and_then(Holder::release);
        let release = release
            .unwrap_or_else(|| "end the process that has it ('sudo ss -lxp' names it)".to_owned());
        let other = if address.contains("unix:@") { "name" } else { "path" };
        return format!("{release}, or choose another {other}");
    };
    let release = match holder {
        Some(holder) if holder.process.is_some() => holder.release(),
        _ => Some(format!("end the process that has it ({})", holder::found_and_ended_by(port))),
    };
    let other = match instead {
        Some(instead) => format!("{instead}: that port is free now"),
        None => "choose another port".to_owned(),
    };
    release.map_or_else(|| other.clone(), |release| format!("{release}, or {other}"))
}

/// What to do about an error of the system.
pub(super) fn fix_for(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "no interface of this machine has that address ({ADDRESSES} lists them); * stands for all interfaces"
            )
        }
        io::ErrorKind::InvalidInput => {
            format!(
                "a link-local address needs its interface ({WITH_SCOPE}); write an IPv4 address without ::ffff:"
            )
        }
        io::ErrorKind::Unsupported => {
            "this machine has no such address family: use an IPv4 address".to_owned()
        }
        _ => "choose another address, or ask the system's administrator what the reason means"
            .to_owned(),
    }
}
