//! One route.

use std::collections::HashMap;

use super::matching;
use super::reader::Reader;
use super::transforms;
use crate::apps::reverse_proxy::options::{BodyLimit, ClusterOptions, RouteOptions};
use crate::configuration::near_names::did_you_mean;
use crate::configuration::text::boolean;
use crate::configuration::{Problem, fold_key};
use crate::features::RoutePolicy;
use crate::hosting::settings::parse::shown;

/// The clusters, by their names in any case.
pub(super) struct ClusterNames<'a>(HashMap<String, (usize, &'a str)>);

impl<'a> ClusterNames<'a> {
    pub(super) fn of(clusters: &'a [ClusterOptions]) -> Self {
        let places = clusters.iter().enumerate();
        Self(places.map(|(place, it)| (fold_key(&it.id), (place, it.id.as_str()))).collect())
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.get(&fold_key(name)).map(|(place, _)| *place)
    }

    /// The one that was meant by a name that none has.
    fn near(&self, name: &str) -> Option<&'a str> {
        // The first of those that are as near as others.
        let mut names: Vec<_> = self.0.values().collect();
        names.sort_unstable();
        did_you_mean(name, names.into_iter().map(|(_, name)| *name))
    }
}

/// Reads the route of this section.
pub(super) fn read(reader: &mut Reader<'_, '_>, clusters: &ClusterNames<'_>) -> RouteOptions {
    let id = name(&reader.path);
    if let Some((setting, _)) = reader.setting("RouteId") {
        reader.wrong(
            setting,
            format!("The route '{id}' has a RouteId: routes are named by their section."),
            "remove it, and name the section so",
        );
    }
    let matching = matching::read(reader, &id);
    let transforms = transforms::read(reader, matching.path.as_ref());
    let order = reader.number(
        "Order",
        ("System.Int32", "write a whole number, such as 1; lower ones come first"),
        |number| i32::try_from(number).ok(),
    );
    let timeout = reader.time("Timeout", |text| {
        format!(
            "The Timeout value '{text}' is invalid for route '{id}'. The Timeout must be greater than zero milliseconds."
        )
    });
    let timeout_policy = timeout_policy(reader, &id);
    RouteOptions {
        order: order.unwrap_or_default(),
        cluster: cluster(reader, &id, clusters),
        timeout,
        timeout_policy,
        rate_limiter_policy: policy(reader, "RateLimiterPolicy", "RateLimiter", &id),
        cors_policy: policy(reader, "CorsPolicy", "Cors", &id),
        max_request_body_size: body_limit(reader),
        metadata: reader.metadata(&[]),
        matching,
        transforms,
        id: without_others(reader, id),
    }
}

/// The name of a section.
pub(super) fn name(path: &str) -> String {
    path.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Where the route leads to. It may lead nowhere, which is told.
fn cluster(reader: &mut Reader<'_, '_>, id: &str, clusters: &ClusterNames<'_>) -> Option<usize> {
    let Some((setting, name)) = reader.text("ClusterId") else {
        let problem = Problem::warning(format!("Route '{id}' has no cluster: it answers 503."))
            .key(reader.key("ClusterId"))
            .origin(reader.origin())
            .fix("name one of ReverseProxy:Clusters");
        reader.problems.push(problem);
        return None;
    };
    let place = clusters.place(name);
    if place.is_none() {
        let name = shown(&setting.key, name);
        let fix = match clusters.near(&name) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("write ReverseProxy:Clusters:{name}, or name one that is there"),
        };
        reader.odd(
            setting,
            format!("There is no cluster '{name}' for route '{id}': it answers 503."),
            fix,
        );
    }
    place
}

fn body_limit(reader: &mut Reader<'_, '_>) -> Option<BodyLimit> {
    let fix = "write a number of bytes, or -1 for no limit";
    reader.number("MaxRequestBodySize", ("System.Int64", fix), |number| match number {
        -1 => Some(BodyLimit::Unlimited),
        number => u64::try_from(number).ok().map(BodyLimit::Bytes),
    })
}

/// A policy that stands in another section.
fn policy(reader: &mut Reader<'_, '_>, key: &str, section: &str, id: &str) -> Option<RoutePolicy> {
    let (setting, text) = reader.text(key)?;
    let policy = match text {
        text if text.eq_ignore_ascii_case("Disable") => RoutePolicy::Disable,
        text if text.eq_ignore_ascii_case("Default") => RoutePolicy::Default,
        text => RoutePolicy::Named(text.to_owned()),
    };
    let shown = shown(&setting.key, text);
    let what = match key {
        "CorsPolicy" => "CORS policy",
        "RateLimiterPolicy" => "Rate limiter policy",
        _ => "Timeout policy",
    };
    match &policy {
        RoutePolicy::Named(name) if !reader.is_elsewhere(&format!("{section}:Policies:{name}")) => {
            reader.wrong(
                setting,
                format!("{what} '{shown}' not found for route '{id}'."),
                format!("write {section}:Policies:{shown}, or Default or Disable"),
            );
            None
        }
        RoutePolicy::Default if section == "Cors" && !reader.is_elsewhere("Cors:Enabled") => {
            reader.wrong(
                setting,
                format!("{what} '{shown}' not found for route '{id}'."),
                "set Cors:Enabled to true and write Cors:Policies:default",
            );
            None
        }
        // It is what would be without it.
        RoutePolicy::Default => Some(policy),
        RoutePolicy::Disable => Some(policy),
        RoutePolicy::Named(_) => {
            let on = reader.elsewhere(&format!("{section}:Enabled"));
            let on = on.and_then(|it| boolean(it.value.as_deref()?));
            if on != Some(true) {
                reader.odd(
                    setting,
                    format!("{what} '{shown}' of route '{id}' has no effect: {section}:Enabled is not true."),
                    format!("set {section}:Enabled to true, or remove it"),
                );
            }
            Some(policy)
        }
    }
}

fn timeout_policy(reader: &mut Reader<'_, '_>, id: &str) -> Option<RoutePolicy> {
    let both = reader.setting("Timeout").zip(reader.text("TimeoutPolicy"));
    if let Some(((_, timeout), (setting, policy))) = both {
        let policy = shown(&setting.key, policy);
        let message =
            format!("Route '{id}' has both a Timeout '{timeout}' and TimeoutPolicy '{policy}'.");
        reader.wrong(setting, message, "remove one of them");
    }
    policy(reader, "TimeoutPolicy", "RequestTimeouts", id)
}

/// What is said of policies that there are none of here.
fn without_others(reader: &mut Reader<'_, '_>, id: String) -> String {
    if let Some((setting, text)) = reader.text("AuthorizationPolicy")
        && !text.eq_ignore_ascii_case("Anonymous")
    {
        let text = shown(&setting.key, text);
        let problem =
            Problem::error(format!("Authorization policy '{text}' not found for route '{id}'."));
        let problem = problem
            .cause("There are no such policies here, and what they protect is not to be open.");
        reader.push(
            problem,
            setting,
            "remove it and set BasicAuthentication, or let the destination ask who comes",
        );
    }
    if let Some((setting, text)) = reader.text("OutputCachePolicy") {
        let text = shown(&setting.key, text);
        reader.odd(
            setting,
            format!(
                "OutputCachePolicy '{text}' of route '{id}' has no effect: answers are not kept."
            ),
            "remove it",
        );
    }
    id
}
