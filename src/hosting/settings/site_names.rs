//! Keys of sites, and what is told of them.

use super::keys::{Place, place};
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
    problem.fix = problem.fix.map(|fix| in_site(name, &fix));
    problem.key(key)
}

/// What is to be done, with the site before each key that it has. What is the host's stays as it is, and so does what
/// is to be done at the top.
fn in_site(name: &str, fix: &str) -> String {
    if fix.contains("at the top") {
        return fix.to_owned();
    }
    let mut written = String::with_capacity(fix.len() + name.len() + 8);
    for word in fix.split_inclusive(char::is_whitespace) {
        // As an argument, in quotes or in brackets.
        let bare = word.trim_start_matches(['-', '"', '\'', '(']);
        written.push_str(&word[..word.len() - bare.len()]);
        let is_of_site = |first: &str| {
            !first.is_empty() && matches!(place(&format!("{KEY}:{name}:{first}")), Place::Known(_))
        };
        let is_key = bare.split_once(':').is_some_and(|(first, rest)| {
            rest.starts_with(|it: char| it.is_alphanumeric() || it == '{') && is_of_site(first)
        });
        if is_key {
            written.push_str(&site_section(name));
            written.push(':');
        }
        written.push_str(bare);
    }
    written
}
