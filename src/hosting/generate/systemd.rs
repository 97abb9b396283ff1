//! systemd: a unit for `/etc/systemd/system`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::plain_text::{PATH, is_plain, refused};
use super::wanted::Wanted;
use crate::addresses::{PlannedEndpoint, Targets};
use crate::configuration::{Problem, speaks_of_secrets};
use crate::hosting::error::ExitKind;
use crate::hosting::prepare::Prepared;

/// Seconds beyond the shutdown timeout before systemd ends the process by force.
const BEYOND: u64 = 10;

/// The unit.
///
/// # Errors
///
/// A path or an argument cannot stand in a unit.
pub(super) fn unit(wanted: &Wanted, prepared: &Prepared) -> Result<String, Problem> {
    let program = path("the program", &wanted.program)?;
    let folder = path("the content root", &prepared.loaded.content_root.value)?;
    let command = format!("{program}{}", arguments(wanted)?);
    let stop = prepared.settings.shutdown_timeout.as_secs().saturating_add(BEYOND);
    let name = &prepared.loaded.application_name.value;
    let name: String = name.chars().filter(|it| !it.is_control() && *it != '%').collect();
    let environment = quoted(&format!("DOTNET_ENVIRONMENT={}", prepared.loaded.environment.value))?;
    let user = match &wanted.user {
        Some(user) => format!("User={user}"),
        None => "DynamicUser=yes".to_owned(),
    };
    let never_again =
        [ExitKind::Usage, ExitKind::Configuration, ExitKind::Certificate, ExitKind::App];
    let never_again: Vec<_> = never_again.iter().map(|kind| (*kind as u8).to_string()).collect();
    let mut unit = format!(
        "# By 'kestrel generate systemd'. Variables of the shell it was made in are not in it.
[Unit]
Description={name}
Wants=network-online.target
After=network-online.target

[Service]
# Started means that it listens, and refused that the start failed.
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory={folder}
Environment={environment}
{user}

# A stop waits for requests (shutdownTimeoutSeconds) before systemd ends it by force.
TimeoutStopSec={stop}
Restart=on-failure
# What is wrong with the configuration is not cured by another start.
RestartPreventExitStatus={}

LimitNOFILE=1048576
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
",
        never_again.join(" ")
    );
    if prepared.plan.endpoints.iter().any(is_privileged) {
        unit.push_str("# A port below 1024.\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n");
    }
    for folder in folders_of_sockets(&prepared.plan.endpoints) {
        let folder = path("the folder of a socket", &folder)?;
        let _ = match folder.strip_prefix("/run/") {
            // Made for the service, and gone with it.
            Some(below) => writeln!(unit, "RuntimeDirectory={below}"),
            None => writeln!(unit, "ReadWritePaths={folder}"),
        };
    }
    programs(prepared, &mut unit);
    web_root(prepared, &mut unit)?;
    logs(prepared, &mut unit)?;
    unit.push_str("\n[Install]\nWantedBy=multi-user.target\n");
    Ok(unit)
}

/// The arguments as they stand behind the program, each with a blank before it.
///
/// # Errors
///
/// One is a secret, or cannot stand in a unit.
pub(super) fn arguments(wanted: &Wanted) -> Result<String, Problem> {
    let mut text = String::new();
    for argument in &wanted.arguments {
        if speaks_of_secrets(argument) {
            let problem = Problem::error("A secret cannot stand in a unit: everybody can read it.");
            return Err(
                problem.fix("write it into a file or a credential that only the service can read")
            );
        }
        text.push(' ');
        text.push_str(&quoted(argument)?);
    }
    Ok(text)
}

fn is_privileged(endpoint: &PlannedEndpoint) -> bool {
    match &endpoint.targets {
        Targets::Exactly(listen)
        | Targets::AtLeastOne([listen, _])
        | Targets::FirstThatWorks([listen, _]) => (1..1024).contains(&listen.port),
        Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
    }
}

/// Who ends the programs behind the host, if there are some.
fn programs(prepared: &Prepared, unit: &mut String) {
    let stages = &prepared.settings.stages;
    let sites = stages.sites.iter().flat_map(|it| &it.sites).map(|it| &it.stages);
    if sites.chain([stages]).any(|it| it.child_process.is_some()) {
        unit.push_str("# The programs behind it end by it, once its requests have their answers.\nKillMode=mixed\n");
    }
}

/// Where a web root is made that was named and is not there: the first start does it.
fn web_root(prepared: &Prepared, unit: &mut String) -> Result<(), Problem> {
    let root = prepared.settings.web_root.as_ref().map(|it| &*it.value);
    let Some(root) = root.filter(|root| !root.is_dir()) else { return Ok(()) };
    let around = root.ancestors().skip(1).find(|it| it.is_dir()).unwrap_or(Path::new("/"));
    let (root, around) = (path("the web root", root)?, path("the web root's folder", around)?);
    let _ = match root.strip_prefix("/var/lib/") {
        Some(below) => writeln!(unit, "# The web root.\nStateDirectory={below}"),
        None => writeln!(
            unit,
            "# The web root {root} is not there: make it and remove this line; else the start makes it, and its\n\
             # user has to be let in.\nReadWritePaths={around}"
        ),
    };
    Ok(())
}

/// Where the service may write what is no answer: everything else is closed to it.
fn logs(prepared: &Prepared, unit: &mut String) -> Result<(), Problem> {
    unit.push_str("# For logs: /var/log, and the name of the unit below it.\nLogsDirectory=%p\n");
    let stages = &prepared.settings.stages;
    let file = stages.access_log.as_ref().and_then(|it| it.value.file.as_deref()?.parent());
    let folder = stages.w3c_logging.as_ref().map(|it| &*it.value.options().place.folder);
    let folder = folder.filter(|folder| file != Some(*folder));
    for folder in file.into_iter().chain(folder) {
        let folder = path("the folder of a log", folder)?;
        let made = [("/var/log/", "LogsDirectory"), ("/var/lib/", "StateDirectory")];
        let made = made.iter().find_map(|(top, key)| Some((*key, folder.strip_prefix(top)?)));
        let _ = match made {
            Some((key, below)) => writeln!(unit, "{key}={below}"),
            None => writeln!(
                unit,
                "# It has to be there, and this user has to be let in; one below /var/log would be made.\n\
                 ReadWritePaths={folder}"
            ),
        };
    }
    Ok(())
}

/// The folders in which sockets are made, each once.
fn folders_of_sockets(endpoints: &[PlannedEndpoint]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for endpoint in endpoints {
        if let Targets::UnixSocket(path) = &endpoint.targets
            && let Some(folder) = path.parent()
            && !folders.iter().any(|known| known == folder)
        {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn path(what: &str, path: &Path) -> Result<String, Problem> {
    match is_plain(path) {
        true => Ok(path.display().to_string()),
        false => Err(refused(what, &path.display().to_string(), PATH)),
    }
}

/// An argument as `ExecStart` reads it: `%` and `$` mean something there, and quotes keep blanks.
fn quoted(argument: &str) -> Result<String, Problem> {
    if argument.chars().any(char::is_control) {
        return Err(refused("an argument", argument, "one without control characters"));
    }
    let escaped = argument.replace('\\', "\\\\").replace('"', "\\\"");
    let escaped = escaped.replace('%', "%%").replace('$', "$$");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:=,~%$".contains(&byte);
    Ok(match !escaped.is_empty() && escaped.bytes().all(is_plain) {
        true => escaped,
        false => format!("\"{escaped}\""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_means_in_a_unit_what_it_means_in_a_shell() {
        for (argument, written) in [
            ("--urls=http://*:5000", Some("\"--urls=http://*:5000\"")),
            ("run", Some("run")),
            ("", Some("\"\"")),
            ("a b", Some("\"a b\"")),
            ("100%", Some("100%%")),
            ("$HOME", Some("$$HOME")),
            ("a\"b\\", Some("\"a\\\"b\\\\\"")),
            ("a\nb", None),
        ] {
            assert_eq!(quoted(argument).ok().as_deref(), written, "{argument}");
        }
    }
}
