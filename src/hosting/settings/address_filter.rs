//! Whose requests pass, by the client's address.

use super::known_proxies::network_or_address;
use super::lists::{self, List};
use super::parse::{read_boolean, shown};
use super::switched::Switched;
use crate::configuration::{Configuration, Origin, Problem, Section, Setting, Sourced};
use crate::features::IpNetwork;
use crate::middleware::AddressFilterOptions;

const SECTION: &str = "AddressFilter";
const ENABLED: &str = "AddressFilter:Enabled";
const ALLOW: &str = "AddressFilter:Allow";
const DENY: &str = "AddressFilter:Deny";

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<AddressFilterOptions>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let before = problems.len();
    problems.extend(no_section(configuration));
    problems.extend(unasked(configuration));
    let allow = networks(configuration, ALLOW, problems);
    let deny = networks(configuration, DENY, problems);
    let is_read = !problems[before..].iter().any(Problem::is_error);
    problems.extend(allowed_is_empty(configuration).filter(|_| on && is_read && allow.is_empty()));
    let is_wrong = problems[before..].iter().any(Problem::is_error);
    let options = AddressFilterOptions { allow, deny };
    let enabled = configuration.setting(ENABLED).filter(|_| on)?;
    if options == AddressFilterOptions::default() {
        problems.extend((!is_wrong).then(|| nobody_is_kept_out(enabled)));
        return None;
    }
    if options.lets_nobody_in() {
        problems.push(nobody_passes(enabled));
    }
    let origin = |key: &str| {
        let section = configuration.section(key);
        lists::first_setting(&section).map_or(Origin::Default, |it| it.origin.clone())
    };
    let words = [("lets in", ALLOW, &options.allow), ("keeps out", DENY, &options.deny)]
        .into_iter()
        .filter(|(_, _, networks)| !networks.is_empty())
        .map(|(what, key, networks)| {
            let all: Vec<_> = networks.iter().map(ToString::to_string).collect();
            Sourced::new(format!("{what} {}", all.join(", ")), origin(key))
        })
        .collect();
    Switched::by(configuration, ENABLED, on, options).map(|it| it.shown(words))
}

/// A list of networks and addresses. One that cannot be read is told: it is to open nothing.
fn networks(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Vec<IpNetwork> {
    let List { entries, empty } = lists::list(configuration, key, problems);
    // One of those who pass is no warning.
    problems.extend(empty.filter(|_| key == DENY).map(|setting| {
        Problem::warning(format!("'{}' names nobody, and is as if it were not there.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write addresses and networks, such as 10.0.0.0/8, or remove it")
    }));
    let read = |(setting, text): (&Setting, &str)| match network_or_address(text.trim()) {
        Ok(network) => Some(network.to_canonical()),
        Err((why, fix)) => {
            problems.push(
                Problem::error(format!("'{}' {why}.", shown(&setting.key, text)))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
            );
            None
        }
    };
    entries.into_iter().filter_map(read).collect()
}

/// A list of those who pass that names nobody, as of a variable that is empty: everybody would pass.
fn allowed_is_empty(configuration: &Configuration) -> Option<Problem> {
    let section = configuration.section(ALLOW);
    let setting = section.setting().or_else(|| lists::first_setting(&section))?;
    Some(
        Problem::error(format!(
            "Everybody passes whom '{DENY}' does not name: '{ALLOW}' is empty."
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write addresses and networks, such as 10.0.0.0/8, or remove it"),
    )
}

/// A text or a list in the place of the section: whom it is to keep out would come in.
fn no_section(configuration: &Configuration) -> Option<Problem> {
    let section = configuration.section(SECTION);
    let text = section.setting().filter(|it| it.value.as_ref().is_some_and(|it| !it.is_empty()));
    let children = section.children();
    let is_numbered = |child: &&Section<'_>| child.name().parse::<u32>().is_ok();
    let listed = || children.iter().find(is_numbered).and_then(lists::first_setting);
    let (setting, what) = match text {
        Some(setting) => (setting, "a text"),
        None => (listed()?, "a list"),
    };
    Some(
        Problem::error(format!("Nobody is kept out: '{SECTION}' is a section, and not {what}."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write \"AddressFilter\": { \"Enabled\": true, \"Allow\": [ \"10.0.0.0/8\" ] }"),
    )
}

/// Lists without a word whether they count: `Enabled` may have been misspelled, and what is to be kept out would come in.
fn unasked(configuration: &Configuration) -> Option<Problem> {
    if configuration.value(ENABLED).is_some() {
        return None;
    }
    let listed = [ALLOW, DENY].into_iter().find_map(|key| {
        let section = configuration.section(key);
        lists::first_setting(&section).cloned()
    })?;
    Some(
        Problem::error(format!("Nobody is kept out: '{ENABLED}' is not set."))
            .key(listed.key)
            .origin(listed.origin)
            .fix(format!("set {ENABLED} to true, or to false if nobody is to be kept out yet")),
    )
}

fn nobody_is_kept_out(enabled: &Setting) -> Problem {
    Problem::error("Nobody is kept out: neither 'Allow' nor 'Deny' names an address.")
        .key(enabled.key.clone())
        .origin(enabled.origin.clone())
        .fix(format!("write addresses and networks: {ALLOW} or {DENY}"))
}

fn nobody_passes(enabled: &Setting) -> Problem {
    Problem::warning("Nobody passes: every address that is allowed is denied, too.")
        .key(enabled.key.clone())
        .origin(enabled.origin.clone())
        .fix(format!("remove the networks from {DENY} that are to pass"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[&str]) -> (bool, Vec<(bool, String)>) {
        let arguments = settings.iter().map(|it| format!("--AddressFilter{it}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let on = read(&load(&inputs).configuration, &mut problems).is_some();
        (on, problems.into_iter().map(|it| (it.is_error(), it.message)).collect())
    }

    #[test]
    fn it_is_on_with_networks() {
        for (settings, on) in [
            (&[":Enabled=true", ":Allow:0=10.0.0.0/8"][..], true),
            (&[":Enabled=true", ":Deny:0=10.1.2.3", ":Deny:1=2001:db8::/32"], true),
            (&[":Enabled=false", ":Allow:0=10.0.0.0/8"], false),
            (&[], false),
        ] {
            assert_eq!(read_of(settings), (on, vec![]), "{settings:?}");
        }
    }

    #[test]
    fn what_would_open_it_is_refused() {
        for (settings, is_error, message) in [
            (
                &[":Enabled=true"][..],
                true,
                "Nobody is kept out: neither 'Allow' nor 'Deny' names an address.",
            ),
            (
                &[":Enable=true", ":Deny:0=10.0.0.1"],
                true,
                "Nobody is kept out: 'AddressFilter:Enabled' is not set.",
            ),
            (
                &[":0=10.0.0.0/8"],
                true,
                "Nobody is kept out: 'AddressFilter' is a section, and not a list.",
            ),
            (
                &[":Enabled=true", ":Allow=", ":Deny:0=10.0.0.1"],
                true,
                "Everybody passes whom 'AddressFilter:Deny' does not name: 'AddressFilter:Allow' is empty.",
            ),
            (
                &["=10.0.0.1"],
                true,
                "Nobody is kept out: 'AddressFilter' is a section, and not a text.",
            ),
            (
                &[":Enabled=true", ":Deny:0=10.0.0.1/8"],
                true,
                "'10.0.0.1/8' is no network: its first address is 10.0.0.0.",
            ),
            (
                &[":Enabled=true", ":Deny:0=evil.example"],
                true,
                "'evil.example' is no network of IP addresses.",
            ),
            (
                &[":Enabled=true", ":Deny:0=10.0.0.0/33"],
                true,
                "'10.0.0.0/33' has more bits than an address, which has 32.",
            ),
            (
                &[":Enabled=true", ":Allow=10.0.0.0/8"],
                true,
                "'AddressFilter:Allow' is a list: the text '10.0.0.0/8' has no effect there.",
            ),
            (
                &[":Enabled=true", ":Allow:0=10.0.0.0/8", ":Deny:0=10.0.0.0/7"],
                false,
                "Nobody passes: every address that is allowed is denied, too.",
            ),
            (
                &[":Enabled=true", ":Allow:0=10.0.0.0/8", ":Deny="],
                false,
                "'AddressFilter:Deny' names nobody, and is as if it were not there.",
            ),
        ] {
            let (_, told) = read_of(settings);
            assert_eq!(told, [(is_error, message.to_owned())], "{settings:?}");
        }
    }
}
