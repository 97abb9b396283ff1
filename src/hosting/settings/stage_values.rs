//! What the stages go by, in words and with where each was set: lists merge entry by entry across
//! sources, and nothing else shows what came out of it. Pure.

use super::forwarded_headers::ForwardedHeadersSettings;
use crate::configuration::{Configuration, Origin, Section, Sourced, address_without_user_info};
use crate::features::Proxies;
use crate::middleware::{AllowedHosts, Hsts};

/// The texts of a list, each with where it was set, behind a word or two.
fn entries(configuration: &Configuration, key: &str, before: &str) -> Vec<Sourced<String>> {
    let entry = |item: &Section<'_>| {
        let setting = item.setting()?;
        let text = setting.value.as_deref().filter(|text| !text.trim().is_empty())?;
        let text = format!("{before}{}", address_without_user_info(text).trim());
        Some(Sourced::new(text, setting.origin.clone()))
    };
    configuration.section(key).children().iter().filter_map(entry).collect()
}

/// A value with where `key` was set, or nobody.
pub(super) fn of_key(configuration: &Configuration, key: &str, text: String) -> Sourced<String> {
    let origin = configuration.setting(key).map_or(Origin::Default, |it| it.origin.clone());
    Sourced::new(text, origin)
}

/// The hosts that pass.
pub(super) fn of_host_filtering(
    configuration: &Configuration,
    (hosts, list): (&Sourced<AllowedHosts>, &str),
) -> Vec<Sourced<String>> {
    let listed = entries(configuration, "AllowedHosts", "");
    let texts: Vec<_> = listed.iter().map(|entry| entry.value.as_str()).collect();
    if !listed.is_empty() && texts.join(";") == list {
        return listed;
    }
    let shown = address_without_user_info(list);
    let hosts_of = shown.split(';').filter(|entry| !entry.is_empty());
    hosts_of.map(|entry| Sourced::new(entry.to_owned(), hosts.origin.clone())).collect()
}

/// What is believed, of whom, and how much of it.
pub(super) fn of_forwarded_headers(
    configuration: &Configuration,
    it: &ForwardedHeadersSettings,
) -> Vec<Sourced<String>> {
    let key = |name: &str| format!("ForwardedHeaders:{name}");
    let believed = &it.believed;
    let kinds = [&believed.client, &believed.scheme, &believed.host, &believed.path_base];
    let names: Vec<_> = kinds.into_iter().flatten().map(|names| names.forwarded.as_str()).collect();
    let headers = format!("believes {}", names.join(", "));
    let mut values = vec![of_key(configuration, &key("ForwardedHeaders"), headers)];
    let mut known = entries(configuration, &key("KnownProxies"), "of ");
    known.extend(entries(configuration, &key("KnownIPNetworks"), "of "));
    match &believed.proxies {
        Proxies::All => values.push(Sourced::new("of everybody".to_owned(), it.origin.clone())),
        Proxies::Of(_) if !known.is_empty() => values.extend(known),
        Proxies::Of(networks) => values
            .extend(networks.iter().map(|it| Sourced::new(format!("of {it}"), Origin::Default))),
    }
    let limit = match believed.limit {
        Some(1) => "of one proxy in a row".to_owned(),
        Some(limit) => format!("of {limit} proxies in a row"),
        None => "of any number of proxies in a row".to_owned(),
    };
    values.push(of_key(configuration, &key("ForwardLimit"), limit));
    if believed.host.is_some() {
        let hosts = entries(configuration, &key("AllowedHosts"), "for the host ");
        match believed.hosts.is_some() {
            true => values.extend(hosts),
            false => {
                values.push(of_key(configuration, &key("AllowedHosts"), "for any host".into()))
            }
        }
    }
    if believed.all_or_nothing {
        let text = "all of it, or nothing".to_owned();
        values.push(of_key(configuration, &key("RequireHeaderSymmetry"), text));
    }
    values
}

/// What browsers are told, and for which hosts not.
pub(super) fn of_hsts(configuration: &Configuration, hsts: &Hsts) -> Vec<Sourced<String>> {
    let mut values = vec![of_key(configuration, "Hsts:MaxAge", hsts.text().to_owned())];
    let listed = entries(configuration, "Hsts:ExcludedHosts", "not for ");
    match listed.is_empty() {
        false => values.extend(listed),
        true => values.extend(
            hsts.excluded().map(|host| Sourced::new(format!("not for {host}"), Origin::Default)),
        ),
    }
    values
}
