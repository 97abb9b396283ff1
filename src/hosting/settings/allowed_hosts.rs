//! Lists of hosts: as one text, and as a list.

use super::lists::{self, List};
use super::parse::separated;
use crate::configuration::{
    Configuration, Origin, Problem, Setting, Shadowed, Sourced, address_without_user_info,
};
use crate::middleware::{AllowedHosts, is_understood};

const KEY: &str = "AllowedHosts";

/// `AllowedHosts`: host names, separated by `;`. Beside them, the text that was read.
pub(super) fn allowed_hosts(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<(Sourced<AllowedHosts>, String)> {
    if let Some(problem) = no_list(configuration) {
        problems.push(problem);
        return None;
    }
    let Some(list) = separated(configuration, KEY, problems) else {
        problems.extend(emptied(configuration));
        return None;
    };
    // As a whole, because a password may hold what separates hosts.
    let shown = address_without_user_info(&list.value);
    let entries: Vec<_> = shown.split(';').filter(|entry| !entry.is_empty()).collect();
    let Some(allowed) = AllowedHosts::parse(&list.value) else {
        let weaker = configuration.setting(KEY).and_then(|setting| filtering(&setting.shadowed));
        let problem = opened(&entries, weaker, "every host passes");
        problems.extend(problem.map(|it| it.key(KEY).origin(list.origin)));
        return None;
    };
    for entry in entries {
        problems.extend(tell_if_never(entry, KEY, &list.origin));
    }
    Some((Sourced::new(allowed, list.origin), list.value))
}

/// Hosts, one in each element of a list; `None` if any host may be.
pub(super) fn hosts_of_list(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<AllowedHosts> {
    let List { entries, empty } = lists::list(configuration, key, problems);
    if let Some(setting) = empty {
        problems.push(
            Problem::warning(format!("'{}' names no host: a proxy may tell any.", setting.key))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("name the hosts that a proxy may tell, or remove it"),
        );
    }
    let hosts: Vec<_> = entries.iter().map(|(_, host)| *host).collect();
    let allowed = AllowedHosts::parse(&hosts.join(";"));
    if let (None, Some((setting, _))) = (&allowed, entries.first()) {
        let problem = opened(&hosts, None, "a proxy may tell any host");
        let origin = setting.origin.clone();
        problems.extend(problem.map(|it| it.key(key).origin(origin)));
    }
    for (setting, host) in entries.iter().filter(|_| allowed.is_some()) {
        let shown = address_without_user_info(host);
        problems.extend(tell_if_never(&shown, &setting.key, &setting.origin));
    }
    allowed
}

/// A section, or a list of something else than texts, where the hosts should be: whatever was meant by it,
/// not that every host passes.
fn no_list(configuration: &Configuration) -> Option<Problem> {
    let section = configuration.section(KEY);
    let children = section.children();
    let is_text = |child: &crate::configuration::Section<'_>| {
        child.name().parse::<u32>().is_ok() && child.setting().is_some_and(|it| it.value.is_some())
    };
    let wrong = children.iter().find(|child| !is_text(child))?;
    let inside = lists::first_setting(wrong)?;
    if section.setting().is_some_and(|text| text.layer >= inside.layer && text.value.is_some()) {
        return None;
    }
    Some(
        Problem::error(format!("'{KEY}' is one text: what stands below it has no effect there."))
            .cause("Every host would pass.")
            .key(KEY)
            .origin(inside.origin.clone())
            .fix("write one text, with ; between the hosts: \"AllowedHosts\": \"a.example;b.example\""),
    )
}

/// What is to be said of nothing where hosts are named, here or by a weaker source. (As on the reference, every host
/// passes then; a variable that is empty by mistake is mostly meant otherwise.)
fn emptied(configuration: &Configuration) -> Option<Problem> {
    let section = configuration.section(KEY);
    let listed = section.children().into_iter().find_map(|child| child.setting());
    let setting = section.setting().or(listed)?;
    let elsewhere = listed.filter(|listed| listed.layer < setting.layer);
    let weaker = match (filtering(&setting.shadowed), elsewhere) {
        (Some(weaker), _) => Some((weaker.value.as_deref(), &weaker.origin)),
        (None, Some(listed)) => Some((listed.value.as_deref(), &listed.origin)),
        // Null says that nothing is set.
        (None, None) if setting.value.is_none() => return None,
        (None, None) => None,
    };
    let problem = Problem::warning(format!("'{KEY}' is empty here: every host passes."))
        .key(KEY)
        .origin(setting.origin.clone())
        .fix("remove it, or write the hosts; if every host is to pass, write *");
    Some(match weaker {
        Some((text, origin)) => {
            let text = address_without_user_info(text.unwrap_or_default());
            problem.cause(format!("It takes the place of '{text}', set by {origin}."))
        }
        None => problem,
    })
}

/// The strongest of what lost, if it lets some hosts pass and no others.
fn filtering(shadowed: &[Shadowed]) -> Option<&Shadowed> {
    let strongest = shadowed.first()?;
    AllowedHosts::parse(strongest.value.as_deref()?).map(|_| strongest)
}

/// What is to be said of entries of which one lets every host pass. A `*` alone says it plainly: that is
/// only told where a weaker source names hosts.
fn opened(entries: &[&str], weaker: Option<&Shadowed>, so: &str) -> Option<Problem> {
    let all = entries.iter().find(|entry| AllowedHosts::parse(entry).is_none());
    let others = entries.iter().any(|entry| AllowedHosts::parse(entry).is_some());
    let in_place = |weaker: &Shadowed| {
        let text = address_without_user_info(weaker.value.as_deref().unwrap_or_default());
        format!("It takes the place of '{text}', set by {}.", weaker.origin)
    };
    let Some(all) = all else {
        // Nothing but separators.
        let problem = Problem::warning(format!("No host is named: {so}."))
            .fix("write the hosts; if every host is meant, write *");
        return Some(match weaker {
            Some(weaker) => problem.cause(in_place(weaker)),
            None => problem,
        });
    };
    let plain = *all == "*";
    let problem = match (others, weaker) {
        (true, _) => {
            Problem::warning(format!("'{all}' is every host: {so}, whatever stands beside it."))
                .fix(format!("remove {all}, or the other entries"))
        }
        (false, Some(_)) if !plain => Problem::warning(format!("'{all}' is every host: {so}."))
            .fix("write the hosts; if every host is meant, write *"),
        (false, None) if plain => return None,
        (false, _) => Problem::information(format!("'{all}' is every host: {so}."))
            .fix("write the hosts, if not every host is meant"),
    };
    Some(match weaker {
        Some(weaker) => problem.cause(in_place(weaker)),
        None => problem,
    })
}

/// A warning of an entry, without a password, that no host matches.
fn tell_if_never(entry: &str, key: &str, origin: &Origin) -> Option<Problem> {
    let (why, fix) = never_matches(entry)?;
    let problem = Problem::warning(format!("No request can be for '{entry}': {why}."));
    Some(problem.key(key).origin(origin.clone()).fix(fix))
}

/// A warning of a host that is to be left out of something, and is compared as a whole.
pub(super) fn tell_if_never_exactly(setting: &Setting, host: &str) -> Option<Problem> {
    let shown = address_without_user_info(host);
    let (why, fix) = match shown.contains('*') {
        true => ("* stands for nothing here", "write each host by its name".to_owned()),
        false if shown.trim().contains(SEPARATORS) => {
            let hosts: Vec<_> = listed(&shown).iter().map(|host| format!("'{host}'")).collect();
            let fix = format!("write {} entries of the list: {}", hosts.len(), hosts.join(", "));
            ("each host is an entry of its own", fix)
        }
        false => never_matches(&shown)?,
    };
    let problem = Problem::warning(format!("No request can be for '{shown}': {why}."));
    Some(problem.key(setting.key.clone()).origin(setting.origin.clone()).fix(fix))
}

/// Why no host matches an entry, and what to write instead.
pub(super) fn never_matches(entry: &str) -> Option<(&'static str, String)> {
    if entry.contains('@') || entry.contains("%40") {
        return Some(("a host has no user", "write the host alone".to_owned()));
    }
    let trimmed = entry.trim();
    if trimmed.is_empty() {
        return Some(("it is blank", "remove it".to_owned()));
    }
    if let Some((_, between)) = trimmed.match_indices(SEPARATORS).next() {
        let why = match between {
            "," => "hosts are separated by ';', and not by ','",
            _ => "hosts are separated by ';'",
        };
        return Some((why, instead(&listed(entry).join(";"))));
    }
    if trimmed != entry {
        return Some(("blanks beside ';' belong to the host", format!("write {trimmed}")));
    }
    if let Some((_, rest)) = entry.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or(rest);
        return Some(("it is a URL, and hosts are meant", instead(host)));
    }
    if entry.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some(("an IPv6 address has brackets in a request", format!("write [{entry}]")));
    }
    let port =
        entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    if let Some((host, _)) = port {
        return Some(("hosts are compared without their port", instead(host)));
    }
    no_host(entry)
}

/// What stands between hosts for whoever does not know that it is `;`.
const SEPARATORS: [char; 3] = [',', ' ', '|'];

/// The hosts of an entry that has several, without what is no part of a host.
fn listed(entry: &str) -> Vec<&str> {
    let bare = entry.split(SEPARATORS).map(|part| {
        let part = part.trim_matches(['"', '\'']);
        let part = part.split_once("://").map_or(part, |(_, rest)| rest);
        let part = part.split('/').next().unwrap_or(part);
        match part.rsplit_once(':') {
            Some((host, _)) if !host.contains(':') || host.ends_with(']') => host,
            _ => part,
        }
    });
    bare.filter(|host| !host.is_empty()).collect()
}

/// Why an entry without a port, which may begin with `*.`, is no host.
fn no_host(entry: &str) -> Option<(&'static str, String)> {
    if let Some((host, rest)) = entry.split_once('/') {
        let is_network = host.parse::<std::net::IpAddr>().is_ok() && rest.parse::<u8>().is_ok();
        return Some(match is_network {
            true => (
                "it is a network, and hosts are compared as they are written",
                "write the hosts by name".to_owned(),
            ),
            false => ("a host has no path", instead(host)),
        });
    }
    let bare = entry.trim_matches(['"', '\'']);
    if bare != entry {
        return Some(("a host has no quotes", instead(bare)));
    }
    if entry.contains(['$', '%', '{', '}']) {
        return Some((
            "it is no host, and variables are not replaced",
            "write the host itself".to_owned(),
        ));
    }
    if let Some(rest) = entry.strip_prefix('.') {
        return Some((
            "a host begins with a letter or a digit",
            format!("write *.{rest} for what is below it"),
        ));
    }
    let name = entry.strip_prefix("*.").unwrap_or(entry);
    if let Some(rest) = name.strip_prefix('*').filter(|rest| !rest.contains('*')) {
        return Some(("a * stands before a dot", format!("write *.{rest}")));
    }
    let inside = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name
            .chars()
            .all(|it| it.is_alphanumeric() || "-._~!&()+=".contains(it) || !it.is_ascii()),
    };
    match (is_host && !name.is_empty(), name.contains('*')) {
        (true, _) if !is_understood(name) => Some((
            "it is not in ASCII, and this program was built without the feature 'idna'",
            "write it as requests have it (xn--...), or build the program with the feature 'idna' of the \
             crate kestrel"
                .to_owned(),
        )),
        (true, _) => None,
        (false, true) => Some((
            "a * stands at the beginning, before a dot",
            "write *. and the end of the hosts".to_owned(),
        )),
        (false, false) => {
            Some(("it is no host", "write the host as it stands in a URL".to_owned()))
        }
    }
}

/// To write `host` in the place of an entry: unless that is every host, which nobody meant.
fn instead(host: &str) -> String {
    match AllowedHosts::parse(host) {
        Some(_) => format!("write {host}"),
        None => "write the hosts by name; * alone lets every host pass".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_written_is_right_as_it_stands() {
        for (entry, fix) in [
            ("a.example,b.example", "write a.example;b.example"),
            (" a.example, b.example ", "write a.example;b.example"),
            ("a.example|*.b.example", "write a.example;*.b.example"),
            ("https://a.example,https://b.example/x", "write a.example;b.example"),
            ("a.example:80,[::1]:81,::1", "write a.example;[::1];::1"),
            ("\"a.example\",\"b.example\"", "write a.example;b.example"),
            ("a.example,*", "write the hosts by name; * alone lets every host pass"),
            (" a.example", "write a.example"),
            ("https://a.example:81/b", "write a.example"),
            ("a.example:80", "write a.example"),
        ] {
            let (_, told) = never_matches(entry).unwrap_or_else(|| panic!("{entry}"));
            assert_eq!(told, fix, "{entry}");
        }
    }
}
