//! Routes that nothing tells apart: a request for both is answered with 500, as by YARP, and that is known
//! beforehand.

use std::collections::HashMap;

use crate::apps::reverse_proxy::options::{RouteMatch, RouteOptions};
use crate::apps::reverse_proxy::template::Template;
use crate::configuration::{Configuration, Problem};

/// Tells of the first route that each one is equal to.
pub(super) fn tell(
    configuration: &Configuration,
    (routes, keys): (&[RouteOptions], &[String]),
    problems: &mut Vec<Problem>,
) {
    let mut known: HashMap<String, usize> = HashMap::new();
    for (place, route) in routes.iter().enumerate() {
        let mut equal = None;
        for sign in signs(route) {
            let other = *known.entry(sign).or_insert(place);
            equal = equal.or(Some(other).filter(|other| *other != place));
        }
        let (Some(other), Some(key)) = (equal.and_then(|it| routes.get(it)), keys.get(place))
        else {
            continue;
        };
        let setting = configuration.section(key).first_setting();
        let mut problem = Problem::warning(format!(
            "The routes '{}' and '{}' are for the same requests: they are answered with 500.",
            other.id, route.id
        ))
        .key(key.clone())
        .fix("give one of them an Order, or another Match");
        if let Some(setting) = setting {
            problem = problem.origin(setting.origin.clone());
        }
        problems.push(problem);
    }
}

/// Texts of which two routes have one in common if a request can be for both of them alike: one for each host
/// and method.
fn signs(route: &RouteOptions) -> impl Iterator<Item = String> {
    let RouteMatch { path, hosts, methods, headers, query } = &route.matching;
    let shape = path.as_ref().map_or_else(|| "/{**}".to_owned(), Template::shape);
    let mut headers: Vec<_> = headers.iter().map(|it| format!("{it:?}")).collect();
    headers.sort_unstable();
    let mut query: Vec<_> = query.iter().map(|it| format!("{it:?}")).collect();
    query.sort_unstable();
    let rest = format!("{} {shape} {headers:?} {query:?}", route.order);
    let hosts: Vec<_> = match hosts.is_empty() {
        true => vec!["any".to_owned()],
        false => hosts.iter().map(|host| format!("{host:?}")).collect(),
    };
    let methods: Vec<_> = match methods.is_empty() {
        true => vec!["any".to_owned()],
        false => methods.iter().map(ToString::to_string).collect(),
    };
    hosts.into_iter().flat_map(move |host| {
        let signs = methods.iter().map(|method| format!("{method} {host} {rest}"));
        signs.collect::<Vec<_>>()
    })
}
