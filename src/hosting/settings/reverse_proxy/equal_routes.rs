//! Routes that nothing tells apart: a request for both is answered with 500, as by YARP, and that is known
//! beforehand.

use std::collections::HashMap;

use crate::apps::reverse_proxy::options::{RouteMatch, RouteOptions};
use crate::apps::reverse_proxy::template::Template;
use crate::configuration::{Configuration, Origin, Problem};

/// Leaves out the routes that are for the same requests as one of an argument, which wins as it does elsewhere. Each is
/// told of.
pub(super) fn leave_out(
    configuration: &Configuration,
    (routes, keys): (&mut Vec<RouteOptions>, &mut Vec<String>),
    problems: &mut Vec<Problem>,
) {
    let origin = |key: &str| configuration.section(key).first_setting().map(|it| it.origin.clone());
    let of_argument: Vec<bool> =
        keys.iter().map(|key| origin(key).is_some_and(|it| is_argument(&it))).collect();
    let mut said: HashMap<String, String> = HashMap::new();
    for (route, _) in routes.iter().zip(&of_argument).filter(|(_, is_argument)| **is_argument) {
        said.extend(signs(route).map(|sign| (sign, template(route).to_owned())));
    }
    // What an argument says is for every host and method, so that a route that shares one is for nothing else.
    let stronger: Vec<Option<&String>> = routes
        .iter()
        .zip(&of_argument)
        .map(|(route, is_argument)| match is_argument {
            true => None,
            false => signs(route).find_map(|sign| said.get(&sign)),
        })
        .collect();
    for ((route, key), by) in routes.iter().zip(&*keys).zip(&stronger) {
        let Some(by) = by else { continue };
        let mut problem = Problem::information(format!(
            "The route '{}' gets no requests: --proxy '{by}' is for the same ones, and counts.",
            route.id
        ))
        .key(key.clone())
        .fix("leave out --proxy, or give the route another Match");
        problem.origin = origin(key);
        problems.push(problem);
    }
    let mut left = stronger.iter().map(Option::is_none);
    let mut also_left = stronger.iter().map(Option::is_none);
    routes.retain(|_| left.next().unwrap_or(true));
    keys.retain(|_| also_left.next().unwrap_or(true));
}

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
