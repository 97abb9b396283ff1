//! What is wrong with a value, in words.

use std::borrow::Cow;

use super::failure::Why;
use super::names;
use super::node::{Node, Place};
use crate::configuration::how_to_set::how_to_set;
use crate::configuration::key::{key_without_secret, speaks_of_secrets};
use crate::configuration::layers::Setting;
use crate::configuration::merged::Section;
use crate::configuration::near_names::{did_you_mean, meant_value};
use crate::configuration::problem::Problem;
use crate::configuration::user_info::address_without_user_info;

/// A type, for messages: its name, what a text is that is none, and what to write.
pub(super) struct Wanted<'w> {
    pub(super) kind: &'w str,
    pub(super) is_not: &'w str,
    pub(super) write: String,
}

/// A text that cannot be read.
pub(super) fn cannot_convert(node: &Node<'_>, text: &str, wanted: &Wanted<'_>) -> Problem {
    let (key, shown) = (node.key(), shown(node.key(), text));
    let problem = Problem::error(format!(
        "Failed to convert configuration value '{shown}' at '{key}' to type '{}'.",
        wanted.kind
    ));
    placed(problem.cause(format!("'{shown}' is {}.", wanted.is_not)), &node.place())
        .fix(wanted.write.clone())
}

/// There is no value where one is needed.
pub(super) fn no_value(node: &Node<'_>, wanted: &Wanted<'_>) -> Problem {
    let key = shown_key(node.key());
    let problem = match (node.setting(), node.has_children()) {
        (_, true) => is_section(node, wanted),
        (Some(_), false) => {
            let nothing = if node.text().is_some() { "empty" } else { "null" };
            Problem::error(format!("'{key}' is {nothing}, and needs a value."))
                .fix(wanted.write.clone())
        }
        (None, false) => Problem::error(format!("'{key}' is missing.")).fix(how_to_set(node.key())),
    };
    placed(problem, &node.place())
}

fn is_section(node: &Node<'_>, wanted: &Wanted<'_>) -> Problem {
    let key = shown_key(node.key());
    Problem::error(format!("'{key}' has to be one value, and is a section."))
        .fix(wanted.write.clone())
}

/// There is a value where one is needed, and something stronger below it.
pub(super) fn section_over_value(
    node: &Node<'_>,
    stronger: &Setting,
    wanted: &Wanted<'_>,
) -> Problem {
    let problem = is_section(node, wanted).key(&*stronger.key).origin(stronger.origin.clone());
    match node.setting() {
        Some(Setting { key, origin, .. }) => problem
            .cause(format!("It is stronger than the value: {origin}, key {}.", shown_key(key))),
        None => problem,
    }
}

/// There is one value where a section, or a list, is needed.
pub(super) fn no_section(node: &Node<'_>, text: &str, what: &str, write: &str) -> Problem {
    let key = shown_key(node.key());
    let shown = shown(node.key(), text);
    let problem = Problem::error(format!("'{key}' has to be {what}, and is one value: '{shown}'."));
    let problem = match node.beaten_below() {
        Some(Setting { key, origin, .. }) => problem.cause(format!(
            "It is stronger than what stands below it: {origin}, key {}.",
            shown_key(key)
        )),
        None => problem,
    };
    placed(problem, &node.place()).fix(write.replace("{key}", &key))
}

/// A list of another length.
pub(super) fn other_length(node: &Node<'_>, length: usize, there: usize) -> Problem {
    let key = shown_key(node.key());
    let problem =
        Problem::error(format!("'{key}' has {length} elements, and there are {there} of them."));
    placed(problem, &node.place()).fix(format!("give '{key}:0' to '{key}:{}'", length.max(1) - 1))
}

/// Two keys for one value.
pub(super) fn two_keys(node: &Node<'_>, other: &str) -> Problem {
    let problem = Problem::error(format!(
        "'{}' and '{}' are the same setting, and the same source has both.",
        shown_key(node.key()),
        shown_key(other)
    ));
    placed(problem, &node.place()).fix("keep one of them")
}

/// No variant is called so.
pub(super) fn no_variant(node: &Node<'_>, text: &str, variants: &[&str]) -> Problem {
    unknown_variant(&node.place(), text, variants)
}

fn unknown_variant(place: &Place, text: &str, variants: &[&str]) -> Problem {
    let (key, shown) = (shown_key(&place.key), shown(&place.key, text));
    let listed = variants.join(", ");
    let problem = Problem::error(format!("'{shown}' at '{key}' is not known."))
        .cause(format!("'{key}' is one of {listed}."));
    let meant = match speaks_of_secrets(&place.key) {
        true => None,
        false => meant_value(text, variants),
    };
    placed(problem, place).fix(match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("write one of {listed}"),
    })
}

/// Not one variant, but several, or none.
pub(super) fn not_one_variant(node: &Node<'_>, variants: &[&str]) -> Problem {
    let key = shown_key(node.key());
    let children: Vec<_> = node.children().iter().map(|it| format!("'{}'", it.name())).collect();
    let problem = Problem::error(format!("'{key}' is one of {}.", variants.join(", ")))
        .cause(format!("There are {} below it.", children.join(", ")));
    placed(problem, &node.place()).fix(format!("keep one of them, or set '{key}' to its name"))
}

/// It goes down further than anybody means.
pub(super) fn too_deep(node: &Node<'_>) -> Problem {
    let problem = Problem::error("The configuration is nested too deeply to be read.");
    placed(problem, &node.place())
}

/// A field has no value and no default.
pub(super) fn missing(field: &str, place: &Place) -> Problem {
    let name = names::key_case(field);
    let key = match &*place.key {
        "" => name.clone(),
        above => format!("{above}:{name}"),
    };
    let problem = Problem::error(format!("'{}' is missing.", shown_key(&key))).key(key.clone());
    let meant = did_you_mean(&name, place.names.iter().map(String::as_str));
    let problem = match meant {
        Some(meant) => problem.cause(format!("There is '{meant}' beside it: is that meant?")),
        None => problem,
    };
    problem.fix(how_to_set(&key))
}

/// What is missing of a section that is not there, while one of a similar name is.
pub(super) fn of_absent(section: &Section<'_>, problems: Vec<Problem>) -> Vec<Problem> {
    let beside = section.beside();
    let names = beside.iter().map(Section::name);
    let Some(meant) = did_you_mean(section.name(), names).filter(|_| !section.exists()) else {
        return problems;
    };
    let Some(meant) = beside.iter().find(|section| section.name() == meant) else {
        return problems;
    };
    let (meant, wanted) = (shown_key(meant.path()), shown_key(section.path()));
    let says = |problem: Problem| match problem.cause {
        None => problem.cause(format!("There is '{meant}' beside '{wanted}': is that meant?")),
        Some(_) => problem,
    };
    problems.into_iter().map(says).collect()
}

/// What serde, or the type itself, says.
pub(super) fn of_failure(why: Why, place: &Place) -> Problem {
    match why {
        Why::Mistake(problem) => problem,
        Why::UnknownVariant { variant, known } => unknown_variant(place, &variant, known),
        Why::UnknownField { field, known } => unknown_field(&field, known, place),
        Why::Missing(field) | Why::NoStandIn(field) => missing(field, place),
        Why::Refused(message) | Why::OtherType { message, .. } => refused(&message, place),
        Why::Told => refused("it cannot be read", place),
    }
}

fn refused(message: &str, place: &Place) -> Problem {
    let key = shown_key(&place.key);
    let problem = match &place.value {
        Some(value) => Problem::error(format!(
            "The value '{}' of '{key}' is refused.",
            shown(&place.key, value)
        )),
        None if key.is_empty() => Problem::error("The configuration is refused."),
        None => Problem::error(format!("'{key}' is refused.")),
    };
    let cause = match speaks_of_secrets(&place.key) {
        true => "Why is not shown, since it may hold what is secret.".to_owned(),
        false => {
            let message = place
                .secrets
                .iter()
                .filter(|secret| !secret.is_empty())
                .fold(message.trim_end_matches('.').to_owned(), |message, secret| {
                    message.replace(secret.as_str(), "(hidden)")
                });
            format!("{message}.")
        }
    };
    placed(problem.cause(cause), place)
}

fn unknown_field(field: &str, known: &[&str], place: &Place) -> Problem {
    // Serde keeps the fields of some structs for itself: then the place is that of the struct.
    let key = match place.key.rsplit(':').next() == Some(field) {
        true => place.key.clone(),
        false => format!("{}:{field}", place.key),
    };
    let problem = Problem::error(format!("'{}' is not known.", shown_key(&key))).key(key);
    let problem = match &place.origin {
        Some(origin) => problem.origin(origin.clone()),
        None => problem,
    };
    let keys: Vec<_> = known.iter().map(|name| names::key_case(name)).collect();
    let meant =
        did_you_mean(&names::key_case(&names::snake_case(field)), keys.iter().map(String::as_str));
    problem.fix(match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("remove it; known are {}", keys.join(", ")),
    })
}

fn placed(problem: Problem, place: &Place) -> Problem {
    let problem = match &*place.key {
        "" => problem,
        key => problem.key(key),
    };
    match &place.origin {
        Some(origin) => problem.origin(origin.clone()),
        None => problem,
    }
}

/// A value as it may be shown.
fn shown<'v>(key: &str, value: &'v str) -> Cow<'v, str> {
    match speaks_of_secrets(key) {
        true => Cow::Borrowed("(hidden)"),
        false => address_without_user_info(value),
    }
}

fn shown_key(key: &str) -> Cow<'_, str> {
    key_without_secret(key)
}
