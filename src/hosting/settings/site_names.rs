//! Keys of sites, and what is told of them.

use crate::configuration::{Problem, keys_equal};

pub(super) const KEY: &str = "Sites";

/// The section of a site.
pub(crate) fn site_section(name: &str) -> String {
    format!("{KEY}:{name}")
}

/// The name of the site that a key is of.
pub(crate) fn site_of(key: &str) -> Option<&str> {
    let mut parts = key.splitn(3, ':');
    let is_of_sites = parts.next().is_some_and(|first| keys_equal(first, KEY));
    parts.next().filter(|name| is_of_sites && !name.is_empty())
}

/// What is to be said of a site, with its name: to whoever found it, the section of the site was everything.
pub(crate) fn of_site(name: &str, mut problem: Problem) -> Problem {
    let key = match problem.key.take() {
        Some(key) if site_of(&key).is_some() => key,
        Some(key) => format!("{}:{key}", site_section(name)),
        None => site_section(name),
    };
    problem.message = format!("The site '{name}': {}", problem.message);
    problem.key(key)
}
