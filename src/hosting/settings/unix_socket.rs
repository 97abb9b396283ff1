//! `UnixSocket` of an endpoint: the rights of its socket's file.
//!
//! Users and groups are looked up here, so that a name that nobody has is told with everything else
//! that is wrong, and not by the system when the socket is bound.

use super::parse::shown;
use crate::addresses::unix_socket::AccountKind;
use crate::addresses::{ConfiguredEndpoint, UnixSocketOptions};
use crate::configuration::{Origin, Problem, Section};

/// Reads the rights of an endpoint on a Unix socket.
pub(super) fn read(endpoint: &Section<'_>, problems: &mut Vec<Problem>) -> UnixSocketOptions {
    let section = endpoint.section("UnixSocket");
    let mut options = UnixSocketOptions::default();
    if let Some(text) = section.non_empty("Mode") {
        let told = match UnixSocketOptions::parse_mode(text.value) {
            Ok(mode) => {
                options.mode = Some(mode);
                useless(mode)
            }
            Err(fix) => {
                let given = shown("Mode", text.value);
                let message = format!("'{given}' is not the mode of a socket's file.");
                Some(Problem::error(message).fix(fix))
            }
        };
        let key = format!("{}:Mode", section.path());
        problems.extend(told.map(|problem| problem.key(key).origin(text.origin)));
    }
    let mut account = |name: &str, kind| {
        let found = section.non_empty(name)?;
        let key = format!("{}:{name}", section.path());
        problems.extend(unknown(kind, found.value, &key, &found.origin));
        Some(found.value.to_owned())
    };
    options.owner = account("Owner", AccountKind::User);
    options.group = account("Group", AccountKind::Group);
    options
}

/// Tells of rights for a socket that has no file.
pub(super) fn tell_without_meaning(endpoint: &Section<'_>, problems: &mut Vec<Problem>) {
    let section = endpoint.section("UnixSocket");
    let names = ["Mode", "Owner", "Group"];
    let said = names.iter().find_map(|name| Some((name, section.non_empty(name)?)));
    if let Some((name, found)) = said {
        problems.push(
            Problem::warning("Only the file of a Unix socket has a mode, an owner and a group.")
                .key(format!("{}:{name}", section.path()))
                .origin(found.origin)
                .fix(format!("remove {}, or write http://unix:/path in the Url", section.path())),
        );
    }
}

/// Tells of what code and the command line say of rights.
pub(super) fn check_accounts<'a>(
    listen: impl IntoIterator<Item = &'a ConfiguredEndpoint>,
    problems: &mut Vec<Problem>,
) {
    for endpoint in listen {
        let UnixSocketOptions { mode, owner, group, .. } = &endpoint.unix_socket;
        let (key, origin) = (&endpoint.key, &endpoint.target.origin);
        let useless = mode.and_then(useless);
        problems.extend(useless.map(|problem| problem.key(key).origin(origin.clone())));
        for (kind, name) in [(AccountKind::User, owner), (AccountKind::Group, group)] {
            problems.extend(name.as_ref().and_then(|name| unknown(kind, name, key, origin)));
        }
    }
}

fn useless(mode: u32) -> Option<Problem> {
    UnixSocketOptions::shuts_everybody_out(mode).then(|| {
        Problem::warning(format!(
            "With the mode {mode:03o} nobody but root can connect: that takes the right to write."
        ))
        .fix("write 660 to let the owner and the group connect")
    })
}

/// What is to be said of an account that is not there.
pub(super) fn unknown(
    kind: AccountKind,
    name: &str,
    key: &str,
    origin: &Origin,
) -> Option<Problem> {
    let (called, list) = match kind {
        AccountKind::User => ("user", "getent passwd"),
        AccountKind::Group => ("group", "getent group"),
    };
    let cause = match kind.id(name) {
        Ok(Some(_)) => return None,
        Ok(None) => None,
        Err(error) => Some(format!("The system's accounts cannot be read: {error}.")),
    };
    let name = shown(key, name);
    let mut problem = Problem::error(format!("There is no {called} '{name}' on this machine."))
        .key(key)
        .origin(origin.clone())
        .fix(format!("create it, or name one that '{list}' lists; a number will do, too"));
    problem.cause = cause;
    Some(problem)
}
