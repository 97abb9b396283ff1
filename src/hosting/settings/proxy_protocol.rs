//! `ProxyProtocol` of an endpoint: who begins its connections with who the client is.

use super::known_proxies;
use super::parse::read_boolean;
use crate::configuration::{Configuration, Problem, Section};
use crate::features::IpNetwork;

/// Reads whether the endpoint speaks the PROXY protocol, and with whom; `None` if it does not.
pub(super) fn read(
    configuration: &Configuration,
    endpoint: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<IpNetwork>> {
    let path = endpoint.path();
    let key = format!("{path}:ProxyProtocol");
    let on = read_boolean(configuration, &key, problems).unwrap_or_default();
    let otherwise = match on {
        true => "whoever is on this machine is believed",
        false => "nobody is believed",
    };
    let known = known_proxies::read(configuration, path, otherwise, problems);
    if !on {
        problems.extend(without_effect(endpoint, &key, &known));
        return None;
    }
    Some(if known.is_empty() { IpNetwork::this_machine().to_vec() } else { known })
}

/// What is to be said of proxies that tell nothing.
fn without_effect(endpoint: &Section<'_>, key: &str, known: &[IpNetwork]) -> Option<Problem> {
    let first = known.first()?;
    let lists = ["KnownProxies", "KnownIPNetworks"];
    let entry = lists.iter().find_map(|list| {
        let children = endpoint.section(list).children();
        children.iter().find_map(Section::first_setting).cloned()
    })?;
    Some(
        Problem::warning(format!(
            "{first} is a known proxy of an endpoint that does not speak the PROXY protocol."
        ))
        .cause("It is believed nothing.")
        .key(entry.key)
        .origin(entry.origin)
        .fix(format!(
            "set {key} to true; proxies that send X-Forwarded-For are named in ForwardedHeaders"
        )),
    )
}
