//! Lists of hosts: as one text, and as a list.

use super::parse::separated;
use crate::configuration::{Configuration, Origin, Problem, Sourced, address_without_user_info};
use crate::middleware::AllowedHosts;

/// `AllowedHosts`: host names, separated by `;`.
pub(super) fn allowed_hosts(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Sourced<AllowedHosts>> {
    let list = separated(configuration, "AllowedHosts", problems)?;
    let allowed = AllowedHosts::parse(&list.value)?;
    // As a whole, because a password may hold what separates hosts.
    let shown = address_without_user_info(&list.value);
    for entry in shown.split(';').filter(|entry| !entry.is_empty()) {
        problems.extend(tell_if_never(entry, "AllowedHosts", &list.origin));
    }
    Some(list.map(|_| allowed))
}

/// Hosts, one in each element of a list; `None` if any host may be.
pub(super) fn hosts_of_list(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<AllowedHosts> {
    let mut hosts = Vec::new();
    for item in configuration.section(key).children() {
        let Some(setting) = item.setting() else { continue };
        let host = setting.value.as_deref().unwrap_or_default();
        if !host.is_empty() {
            let shown = address_without_user_info(host);
            problems.extend(tell_if_never(&shown, &setting.key, &setting.origin));
            hosts.push(host);
        }
    }
    AllowedHosts::parse(&hosts.join(";"))
}

/// A warning of an entry, without a password, that no host matches.
fn tell_if_never(entry: &str, key: &str, origin: &Origin) -> Option<Problem> {
    let (why, fix) = never_matches(entry)?;
    let problem = Problem::warning(format!("No request can be for '{entry}': {why}."));
    Some(problem.key(key).origin(origin.clone()).fix(fix))
}

/// Why no host matches an entry, and what to write instead.
fn never_matches(entry: &str) -> Option<(&'static str, String)> {
    if entry.contains('@') || entry.contains("%40") {
        return Some(("a host has no user", "write the host alone".to_owned()));
    }
    let trimmed = entry.trim();
    if trimmed != entry {
        return Some(("blanks beside ';' belong to the host", format!("write {trimmed}")));
    }
    if let Some((_, rest)) = entry.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or(rest);
        return Some(("it is a URL, and hosts are meant", format!("write {host}")));
    }
    let port =
        entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    port.map(|(host, _)| ("hosts are compared without their port", format!("write {host}")))
}
