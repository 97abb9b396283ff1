//! Policies that count for paths: a name, what it says, and the `Paths` that it counts for. Routes of the reverse proxy
//! may name them, too.

use super::lists::{self, List};
use super::request_path::request_path;
use super::route_policies::{self, named_by_routes};
use crate::configuration::{Configuration, Origin, Problem, Section, Sourced};

/// A policy that counts for some paths.
pub(super) struct PathPolicy<T> {
    pub(super) name: String,
    /// As they stand in URLs, without a slash at the end; the empty one is every path.
    pub(super) paths: Vec<Sourced<String>>,
    pub(super) value: T,
}

/// Reads the policies of the section at `key`, each by `read`, which is given its key. One that counts for
/// no path, and that no route names at `of_routes`, is told, and left out; so is a path that two of them have.
pub(super) fn read<T>(
    configuration: &Configuration,
    (key, of_routes): (&str, &str),
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&str, &mut Vec<Problem>) -> Option<T>,
) -> Vec<PathPolicy<T>> {
    let mut policies: Vec<PathPolicy<T>> = Vec::new();
    let of_routes = named_by_routes(configuration, of_routes);
    for section in configuration.section(key).children() {
        let before = problems.len();
        let value = read(section.path(), problems);
        let mut paths = paths(configuration, &section, problems);
        let is_of_route = route_policies::has(&of_routes, section.name());
        if paths.is_empty() && !is_of_route && problems.len() == before {
            problems.push(for_no_path(&section));
        }
        paths.retain(|path| {
            let other = policies.iter().find(|other| has(other, path));
            problems.extend(other.map(|other| twice(&section, path, &other.name)));
            other.is_none()
        });
        if let Some(value) = value.filter(|_| !paths.is_empty() || is_of_route) {
            policies.push(PathPolicy { name: section.name().to_owned(), paths, value });
        }
    }
    policies
}

fn paths(
    configuration: &Configuration,
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Sourced<String>> {
    let key = format!("{}:Paths", section.path());
    let List { entries, .. } = lists::list(configuration, &key, problems);
    let mut paths: Vec<Sourced<String>> = Vec::new();
    for (setting, text) in entries {
        match request_path(setting, text, "/api") {
            Ok(path) if paths.iter().any(|it| it.value == path) => {}
            Ok(path) => paths.push(Sourced::new(path, setting.origin.clone())),
            Err(problem) => problems.push(problem),
        }
    }
    paths
}

fn has<T>(policy: &PathPolicy<T>, path: &Sourced<String>) -> bool {
    policy.paths.iter().any(|own| own.value.eq_ignore_ascii_case(&path.value))
}

/// A path as it is shown.
pub(super) fn shown_path(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// The paths of a policy in words.
pub(super) fn for_paths<T>(policy: &PathPolicy<T>) -> String {
    let paths: Vec<_> = policy.paths.iter().map(|path| shown_path(&path.value)).collect();
    match paths.is_empty() {
        true => "routes that name it".to_owned(),
        false => paths.join(", "),
    }
}

fn origin_of(section: &Section<'_>) -> Origin {
    lists::first_setting(section).map_or(Origin::Default, |it| it.origin.clone())
}

fn for_no_path(section: &Section<'_>) -> Problem {
    let paths = format!("{}:Paths", section.path());
    Problem::warning(format!("The policy '{}' counts for no request.", section.path()))
        .key(paths.clone())
        .origin(origin_of(section))
        .fix(format!("write {paths}, a list of paths such as /api"))
}

fn twice(section: &Section<'_>, path: &Sourced<String>, other: &str) -> Problem {
    let shown = shown_path(&path.value);
    Problem::error(format!("'{shown}' is a path of two policies, {other} and {}.", section.name()))
        .key(format!("{}:Paths", section.path()))
        .origin(path.origin.clone())
        .fix("let one of them have it")
}
