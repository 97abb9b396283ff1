//! Where sites are, and what they would have of each other.

use std::collections::HashMap;

use super::pipeline::{SiteSettings, StageSettings};
use super::site_names::site_section;
use crate::apps::child_process::options::Listen;
use crate::configuration::{Configuration, Problem};
use crate::features::{decoded_path, path_of_escapes};

const PATH_BASE: &str = "PathBase";

/// What the paths of a site's requests begin with, without escapes; empty for every path. What no request can begin
/// with is told: a site that is meant to protect would protect nothing.
pub(super) fn path(
    configuration: &Configuration,
    stages: &StageSettings,
    problems: &mut Vec<Problem>,
) -> String {
    let section = configuration.section(PATH_BASE);
    if let Some(inside) = section.children().iter().find_map(|it| it.first_setting()) {
        problems.push(
            Problem::error(format!(
                "'{PATH_BASE}' of a site is one text: it would have every path."
            ))
            .key(inside.key.clone())
            .origin(inside.origin.clone())
            .fix("write one path, such as /docs; for several write as many sites"),
        );
    }
    let Some(path) = stages.path_base.as_ref().map(|it| it.value.text()) else {
        return String::new();
    };
    let text = configuration.value(PATH_BASE).unwrap_or_default();
    let why = if path_of_escapes(text) != decoded_path(text) {
        Some("requests have no segments of dots")
    } else if path.contains("//") || path.to_lowercase().contains("%2f") {
        Some("several slashes count as one")
    } else if path.contains(['*', '{', '}']) {
        Some("there are no patterns")
    } else {
        None
    };
    if let (Some(why), Some(setting)) = (why, configuration.setting(PATH_BASE)) {
        problems.push(
            Problem::error(format!("No request begins with '{}': {why}.", path.escape_debug()))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write the path as it stands in a URL, such as /docs/api"),
        );
    }
    path.to_owned()
}

/// Sites for the same requests. Each is told of the other: a reload may have changed either.
pub(super) fn at_one_place(sites: &[SiteSettings]) -> Vec<Problem> {
    let mut seen: HashMap<String, &SiteSettings> = HashMap::new();
    let mut problems = Vec::new();
    for site in sites {
        for host in &site.place.hosts {
            let place = format!("{host}{}", site.place.path.to_lowercase());
            let Some(other) = seen.insert(place, site).filter(|it| it.name != site.name) else {
                continue;
            };
            let below = match &*site.place.path {
                "" => String::new(),
                path => format!(", below {path}"),
            };
            for (one, other) in [(other, site), (site, other)] {
                problems.push(
                    Problem::error(format!(
                        "The site '{}' is for the same requests as the site '{}': those for {host}{below}.",
                        one.name, other.name
                    ))
                    .key(site_section(&one.name))
                    .origin(one.origin.clone())
                    .fix("let one of them have another host, or a PathBase"),
                );
            }
        }
    }
    problems
}

/// Programs that are to listen on one port: the one that is there first would get the requests of both.
pub(super) fn at_one_port(host: &StageSettings, sites: &[SiteSettings]) -> Vec<Problem> {
    let port = |stages: &StageSettings| match stages.child_process.as_ref()?.value.listen {
        Listen::ThisPort(port) => Some(port),
        Listen::Port | Listen::Socket => None,
    };
    let of_host = port(host).map(|port| (port, None));
    let of_sites = sites.iter().filter_map(|site| Some((port(&site.stages)?, Some(site))));
    let all: Vec<_> = of_host.into_iter().chain(of_sites).collect();
    let mut problems = Vec::new();
    for (own, site) in &all {
        let Some(site) = site else { continue };
        let is_other = |it: &Option<&SiteSettings>| it.is_none_or(|it| it.name != site.name);
        let Some((_, other)) = all.iter().find(|(port, it)| port == own && is_other(it)) else {
            continue;
        };
        let other = match other {
            Some(other) => format!("that of the site '{}'", other.name),
            None => "that of the host".to_owned(),
        };
        problems.push(
            Problem::error(format!(
                "The program of the site '{}' is to listen on port {own}, and {other}, too: one of them would get the requests of both.",
                site.name
            ))
            .key(format!("{}:AspNetCore:Listen", site_section(&site.name)))
            .origin(site.origin.clone())
            .fix("leave Listen out, so that each has a port that is free, or name another one"),
        );
    }
    problems
}

/// Two certificates for one name.
pub(super) fn two_certificates(sites: &[SiteSettings]) -> Vec<Problem> {
    let mut seen: HashMap<String, &SiteSettings> = HashMap::new();
    let mut problems = Vec::new();
    for site in sites.iter().filter(|site| site.certificate.is_some()) {
        for name in site.names() {
            let Some(other) = seen.get(&name) else {
                seen.insert(name, site);
                continue;
            };
            let location =
                |site: &SiteSettings| site.certificate.as_ref().map(|it| it.location.clone());
            if location(site) == location(other) {
                continue;
            }
            for (one, other) in [(*other, site), (site, *other)] {
                problems.push(
                    Problem::error(format!(
                        "The site '{}' has another certificate for {name} than the site '{}'.",
                        one.name, other.name
                    ))
                    .cause(
                        "Which one is to be served is known by the name alone, before the path is.",
                    )
                    .key(format!("{}:Certificate", site_section(&one.name)))
                    .origin(one.origin.clone())
                    .fix("leave it to one of them"),
                );
            }
        }
    }
    problems
}

/// A certificate that no client can ask for.
pub(super) fn certificate_for_nobody(site: &SiteSettings) -> Option<Problem> {
    let certificate = site.certificate.as_ref()?;
    if site.names().next().is_some() {
        return None;
    }
    Some(
        Problem::warning(format!(
            "The certificate of the site '{}' is never served: none of its hosts is a name.",
            site.name
        ))
        .key(certificate.key.clone())
        .origin(site.origin.clone())
        .fix("name its hosts, or set the certificate of the endpoint, or Kestrel:Certificates:Default"),
    )
}
