//! Routes that nothing tells apart: a request for both is answered with 500, as by YARP, and that is known
//! beforehand.

use std::collections::HashMap;

use crate::apps::reverse_proxy::options::{RouteMatch, RouteOptions};
use crate::apps::reverse_proxy::template::Template;
use crate::configuration::{Configuration, Origin, Problem};

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
        let (Some(other), Some(key)) = (equal, keys.get(place)) else { continue };
        let origin = |key: &str| {
            let setting = configuration.section(key).first_setting();
            setting.map(|it| it.origin.clone())
        };
        let (of_other, of_this) = (keys.get(other).and_then(|it| origin(it)), origin(key));
        let other = &routes[other];
        let mut problem = match (&of_other, &of_this) {
            (Some(first), Some(second)) if is_argument(first) && is_argument(second) => {
                // Nobody means that by two arguments, and there is nothing to tell them apart by.
                Problem::error(format!(
                    "Two --proxy are for the same requests: '{}' and '{}'.",
                    template(other),
                    template(route)
                ))
                .cause(format!("The first one: {first}."))
                .fix("leave one of them out; several servers for the same requests are Destinations of a cluster, in a file")
            }
            _ => Problem::warning(format!(
                "The routes '{}' and '{}' are for the same requests: they are answered with 500.",
                other.id, route.id
            ))
            .fix("give one of them an Order, or another Match"),
        };
        problem = problem.key(key.clone());
        if let Some(origin) = of_this {
            problem = problem.origin(origin);
        }
        problems.push(problem);
    }
}

fn is_argument(origin: &Origin) -> bool {
    matches!(origin, Origin::CommandLine { argument, .. } if argument == "--proxy")
}

fn template(route: &RouteOptions) -> &str {
    route.matching.path.as_ref().map_or("", Template::text)
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
