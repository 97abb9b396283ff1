//! What a proxy does, in words: which requests go where.

use super::routes::name;
use crate::apps::reverse_proxy::options::{
    ClusterOptions, DestinationAddress, HostName, HostPattern, Place, ProxyOptions, RouteOptions,
    Scheme,
};
use crate::apps::reverse_proxy::template::Template;
use crate::configuration::{Configuration, Origin, Sourced};

/// So many routes are shown, and of the others their number: nobody reads a thousand lines.
const MOST_ROUTES: usize = 40;

/// So many destinations are shown of each cluster.
const MOST_DESTINATIONS: usize = 4;

/// A line for each route, in the order in which they are written.
pub(super) fn words(
    configuration: &Configuration,
    options: &ProxyOptions,
    keys: &[String],
) -> Vec<Sourced<String>> {
    let origin = |key: &String| {
        let first = configuration.section(key).first_setting();
        first.map_or(Origin::Default, |it| it.origin.clone())
    };
    let routes = options.routes.iter().zip(keys);
    let lines = routes.take(MOST_ROUTES).map(|(route, key)| {
        let cluster = route.cluster.and_then(|it| options.clusters.get(it));
        Sourced::new(line(route, cluster), origin(key))
    });
    let mut lines: Vec<_> = lines.collect();
    if let Some(key) = keys.get(MOST_ROUTES) {
        let more = keys.len() - MOST_ROUTES;
        let plural = if more == 1 { "" } else { "s" };
        lines.push(Sourced::new(
            format!("{more} more route{plural}, from {} on", name(key)),
            origin(key),
        ));
    }
    lines
}

/// `GET a.example/api/{**rest} to http://localhost:5000`, with what else a route says.
fn line(route: &RouteOptions, cluster: Option<&ClusterOptions>) -> String {
    let matching = &route.matching;
    let path = matching.path.as_ref().map_or("/{**catchall}", Template::text);
    let slash = if path.starts_with(['/', '~']) { "" } else { "/" };
    let methods: Vec<_> = matching.methods.iter().map(http::Method::as_str).collect();
    let methods = match methods.is_empty() {
        true => String::new(),
        false => format!("{} ", methods.join(", ")),
    };
    let hosts: Vec<_> = matching.hosts.iter().map(host).collect();
    let conditions = match matching.headers.len() + matching.query.len() {
        0 => String::new(),
        1 => " (1 condition)".to_owned(),
        several => format!(" ({several} conditions)"),
    };
    let to = cluster.map_or_else(|| "nowhere: 503".to_owned(), destinations);
    format!("{methods}{}{slash}{path}{conditions} to {to}", hosts.join(", "))
}

fn host(pattern: &HostPattern) -> String {
    let name = match &pattern.name {
        HostName::Any => "*".to_owned(),
        HostName::Exactly(name) => name.to_string(),
        HostName::Below(name) => format!("*.{name}"),
    };
    pattern.port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"))
}

/// `http://localhost:5000, http://localhost:5001`, and the cluster's name if there is no or more than one.
fn destinations(cluster: &ClusterOptions) -> String {
    let all = &cluster.destinations;
    let mut shown: Vec<_> =
        all.iter().take(MOST_DESTINATIONS).map(|it| address(&it.address)).collect();
    if let Some(more) = all.len().checked_sub(MOST_DESTINATIONS).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    match all.len() {
        0 => format!("{}, which has no destination: 503", cluster.id),
        1 => shown.concat(),
        _ => format!("{} ({})", cluster.id, shown.join(", ")),
    }
}

fn address(address: &DestinationAddress) -> String {
    let scheme = match address.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    match &address.place {
        Place::Tcp(..) => format!("{scheme}://{}{}", address.authority, address.base_path),
        Place::Unix(path) => {
            let colon = if address.base_path.is_empty() { "" } else { ":" };
            format!("{scheme}://unix:{}{colon}{}", path.display(), address.base_path)
        }
    }
}
