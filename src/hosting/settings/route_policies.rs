//! The policies that routes of the reverse proxy name, for the sections that have them.

use crate::configuration::Configuration;

/// The names that stand in routes at `key`, such as `RateLimiterPolicy`.
pub(super) fn named_by_routes(configuration: &Configuration, key: &str) -> Vec<String> {
    let routes = configuration.section("ReverseProxy:Routes").children();
    let named = routes.iter().filter_map(|route| route.non_empty(key));
    let is_name =
        |text: &&str| !["Default", "Disable"].iter().any(|word| word.eq_ignore_ascii_case(text));
    named.map(|it| it.value).filter(is_name).map(str::to_owned).collect()
}

/// Whether a name is among them.
pub(super) fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}
