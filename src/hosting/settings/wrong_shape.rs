//! Texts, lists and sections at a key of another shape than the one that is read: what is said of them, and what to
//! write.

use super::keys::{Holds, Key, is_flags, is_separated};
use super::lists::{parts, written};
use super::parse::shown;
use crate::configuration::{Loaded, Problem, Section, Setting, keys_equal, speaks_of_secrets};

/// A text where names are read, or a list.
pub(super) fn text_in_place_of(row: &Key, setting: &Setting, text: &str) -> Problem {
    let key = &setting.key;
    let text = shown(key, text);
    if matches!(row.holds, Holds::List(_)) {
        return Problem::warning(format!(
            "'{key}' is a list: the text '{text}' has no effect there."
        ))
        .fix(format!("write {}", written(&setting.origin, key, &parts(&text))));
    }
    let fix = match header_of_files(key) {
        Some(header) => format!("name the files that it is for: StaticFiles:Headers:*:{header}"),
        None => format!("set what belongs below it, such as {key}{}", example(row)),
    };
    Problem::warning(format!("'{key}' is a section: the text '{text}' has no effect there."))
        .fix(fix)
}

/// The header of files that stands where the files are named which have it.
fn header_of_files(key: &str) -> Option<&str> {
    let (section, name) = key.rsplit_once(':')?;
    let is_pattern = name.contains(['*', '/', '.']);
    (keys_equal(section, "StaticFiles:Headers") && !is_pattern).then_some(name)
}

/// The way to the first text below a row.
fn example(row: &Key) -> String {
    match row.holds {
        Holds::Text(_) | Holds::List(_) | Holds::TextOrList(_) | Holds::Open => String::new(),
        Holds::Any(name, each) => format!(":{name}{}", example(each)),
        Holds::Names(names, _) => {
            let first = names.first();
            first.map(|row| format!(":{}{}", row.name, example(row))).unwrap_or_default()
        }
    }
}

/// A list or a section where one text is read.
pub(super) fn more_than_a_text(loaded: &Loaded, text: &str, key: &str) -> Problem {
    let configuration = &loaded.configuration;
    let below = configuration.section(text).children();
    let last = text.rsplit(':').next().unwrap_or_default();
    let is_list = below.iter().all(|child| child.name().parse::<u32>().is_ok());
    let kind = if is_list { "list" } else { "section" };
    let fix = match elements(&below) {
        _ if speaks_of_secrets(key) => "write one text".to_owned(),
        // `"Microsoft": { "AspNetCore": "Warning" }`
        _ if text.to_lowercase().contains("loglevel:") => {
            let name = key[text.len() - last.len()..].replace(':', ".");
            let level = configuration.value(key).unwrap_or("Warning");
            format!("write a category as one name: \"{name}\": \"{}\"", shown(key, level))
        }
        Some(elements) if is_list && is_flags(text) => {
            format!("write one text: \"{last}\": \"{}\"", shown(text, &elements.join(", ")))
        }
        Some(elements) if is_list && (elements.len() == 1 || is_separated(text)) => {
            format!("write one text: \"{last}\": \"{}\"", shown(text, &elements.join(";")))
        }
        _ => "write one text".to_owned(),
    };
    let counts = match configuration.non_empty(text) {
        Some(text) => format!("What counts is set by {}.", text.origin),
        None => "Its default counts.".to_owned(),
    };
    Problem::warning(format!("'{text}' is one text: the {kind} has no effect there."))
        .cause(counts)
        .fix(fix)
}

/// The texts of a list, unless something else is in it.
fn elements<'a>(list: &[Section<'a>]) -> Option<Vec<&'a str>> {
    list.iter().map(|element| configuration_text(element)).collect()
}

fn configuration_text<'a>(element: &Section<'a>) -> Option<&'a str> {
    element.setting()?.value.as_deref()
}
