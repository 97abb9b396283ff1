//! The section `ReverseProxy`, as YARP has it: routes, clusters and destinations.
//!
//! All mistakes of a load are told together, each with the key, where it was set and what to write. The first
//! lines say what YARP says, so that whoever knows it, or searches for it, finds it.

mod address;
mod affinity;
mod client;
mod clusters;
mod equal_routes;
mod forwarded;
mod health;
mod matching;
mod one_transform;
mod reader;
mod response_transforms;
mod routes;
mod shown;
mod transforms;

use self::reader::{Reader, in_order};
use self::routes::ClusterNames;
use super::switched::Switched;
use crate::apps::reverse_proxy::options::{ClusterOptions, ProxyOptions, RouteOptions};
use crate::configuration::{Configuration, Loaded, Origin, Problem};

const ROUTES: &str = "ReverseProxy:Routes";
const CLUSTERS: &str = "ReverseProxy:Clusters";

pub(super) use self::affinity::{
    AFFINITY_FAILURES, AFFINITY_POLICIES, SAME_SITES, SECURE_POLICIES,
};
pub(super) use self::client::{VERSION_POLICIES, VERSIONS};
pub(super) use self::clusters::LOAD_BALANCING;
pub(super) use self::health::AVAILABLE_DESTINATIONS;
pub(super) use self::matching::{HEADER_MODES, METHODS, QUERY_MODES};

/// Reads the section. `None` if there is no route.
pub(super) fn read(loaded: &Loaded, problems: &mut Vec<Problem>) -> Option<Switched<ProxyOptions>> {
    let configuration = &loaded.configuration;
    let mut clusters = Vec::new();
    for section in in_order(&configuration.section(CLUSTERS)) {
        clusters.push(clusters::read(&mut Reader::new(loaded, section.path(), problems)));
    }
    let names = ClusterNames::of(&clusters);
    let mut routes = Vec::new();
    let mut keys = Vec::new();
    for section in in_order(&configuration.section(ROUTES)) {
        let mut reader = Reader::new(loaded, section.path(), problems);
        routes.push(routes::read(&mut reader, &names));
        keys.push(section.path().to_owned());
    }
    equal_routes::leave_out(configuration, (&mut routes, &mut keys), problems);
    equal_routes::tell(configuration, (&routes, &keys), problems);
    problems.extend(without_destinations(configuration, &routes, &clusters));
    let is_last = loaded.host_alone;
    let shows_details = loaded.environment.value.eq_ignore_ascii_case("Development");
    let options = ProxyOptions { routes, clusters, is_last, marks_answers: false, shows_details };
    let Some(first) = keys.first() else {
        problems.extend(without_routes(configuration));
        return None;
    };
    let first = configuration.section(first).first_setting().map(|it| it.origin.clone());
    let shown = shown::words(configuration, &options, &keys);
    let origin = first.unwrap_or(Origin::Default);
    Some(Switched { key: ROUTES, origin, value: options, shown })
}

/// What is to be said of clusters that routes lead to, and that lead nowhere.
fn without_destinations(
    configuration: &Configuration,
    routes: &[RouteOptions],
    clusters: &[ClusterOptions],
) -> Vec<Problem> {
    let told = clusters.iter().enumerate().filter_map(|(place, cluster)| {
        let route = routes.iter().find(|route| route.cluster == Some(place))?;
        let key = format!("{CLUSTERS}:{}", cluster.id);
        let section = configuration.section(&key);
        // Of one that is there and wrong, the mistake is told.
        if !section.section("Destinations").children().is_empty() {
            return None;
        }
        let setting = section.first_setting()?;
        let id = &cluster.id;
        Some(
            Problem::warning(format!(
                "The cluster '{id}' has no destination: route '{}' answers 503.",
                route.id
            ))
            .key(format!("{key}:Destinations"))
            .origin(setting.origin.clone())
            .fix(format!("write {key}:Destinations:one:Address, such as http://localhost:5000")),
        )
    });
    told.collect()
}

/// What is to be said of clusters that no route leads to.
fn without_routes(configuration: &Configuration) -> Option<Problem> {
    let setting = configuration.section(CLUSTERS).first_setting()?;
    Some(
        Problem::warning(format!("'{CLUSTERS}' has no effect: there is no route."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(format!(
                "write {ROUTES}, such as {{ \"all\": {{ \"ClusterId\": .., \"Match\": {{ \"Path\": \"/{{**rest}}\" }} }} }}"
            )),
    )
}

#[cfg(test)]
mod tests;
