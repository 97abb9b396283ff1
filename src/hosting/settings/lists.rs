//! Lists of texts that protect, such as those of the proxies that are believed: with an entry less, more
//! is let in. So what is no list there refuses the start, and what is empty is told.

use super::parse::{cannot_convert, shown};
use crate::configuration::{Configuration, Origin, Problem, Section, Setting};

/// A list as it was read.
pub(super) struct List<'a> {
    /// Its entries, each with its text, which is never blank.
    pub(super) entries: Vec<(&'a Setting, &'a str)>,
    /// The setting that says that it is empty, if one does and it is.
    pub(super) empty: Option<&'a Setting>,
}

/// Reads the list at `key`, and tells what cannot be one.
pub(super) fn list<'a>(
    configuration: &'a Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> List<'a> {
    let section = configuration.section(key);
    let children = section.children();
    let mut entries = Vec::new();
    for child in &children {
        match child.setting().map(|setting| (setting, setting.value.as_deref())) {
            Some((setting, Some(text))) if !text.trim().is_empty() => entries.push((setting, text)),
            Some((setting, _)) => problems.push(without_text(setting)),
            None => problems.extend(no_text(child)),
        }
    }
    let mut empty = None;
    if let Some(setting) = section.setting() {
        match setting.value.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => problems.push(text_in_its_place(setting, text)),
            None if children.is_empty() => empty = Some(setting),
            None => problems.push(takes_nothing_away(setting)),
        }
    }
    List { entries, empty }
}

/// Reads a list of words, in their order and without those that stand there again; all of them if there is
/// none. What is not among them is told as no text of this kind, with what to write.
pub(super) fn of_words<T: Copy + PartialEq>(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
    (words, (kind, fix)): (&[(&str, T)], (&str, &str)),
) -> Vec<T> {
    let List { entries, .. } = list(configuration, key, problems);
    let mut values = Vec::new();
    for (setting, text) in entries {
        let is_it = |(word, _): &&(&str, T)| word.eq_ignore_ascii_case(text.trim());
        match words.iter().find(is_it) {
            Some((_, value)) if !values.contains(value) => values.push(*value),
            Some(_) => {}
            None => problems.push(cannot_convert(setting, text, kind, fix)),
        }
    }
    match values.is_empty() {
        true => words.iter().map(|(_, value)| *value).collect(),
        false => values,
    }
}

/// A text where a list is read.
fn text_in_its_place(setting: &Setting, text: &str) -> Problem {
    let key = &setting.key;
    let value = shown(key, text);
    Problem::error(format!("'{key}' is a list: the text '{value}' has no effect there."))
        .cause(without_entries(key))
        .key(key.clone())
        .origin(setting.origin.clone())
        .fix(format!("write {}", written(&setting.origin, key, &parts(&value))))
}

/// What a list would mean without what it is to have.
fn without_entries(key: &str) -> &'static str {
    let is_in = |section: &str| key.split(':').any(|part| part.eq_ignore_ascii_case(section));
    match is_in("ForwardedHeaders") || is_in("AddressFilter") {
        true => "Without its entries more would be let in than is meant.",
        false => "It would be as if nothing stood there.",
    }
}

/// An entry that names nothing, and may stand in the place of one that did.
fn without_text(setting: &Setting) -> Problem {
    let problem = Problem::warning(format!("'{}' is empty, and left out.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write what it is to name, or remove it");
    let said = |weaker: &&crate::configuration::Shadowed| {
        weaker.value.as_deref().is_some_and(|text| !text.trim().is_empty())
    };
    match setting.shadowed.iter().find(said) {
        Some(weaker) => {
            let text = shown(&setting.key, weaker.value.as_deref().unwrap_or_default());
            problem.cause(format!("It takes the place of '{text}', set by {}.", weaker.origin))
        }
        None => problem,
    }
}

/// A section, or a list, in the place of an entry.
fn no_text(entry: &Section<'_>) -> Option<Problem> {
    let inside = first_setting(entry)?;
    let key = entry.path();
    Some(
        Problem::error(format!("'{key}' is one text: what stands below it has no effect there."))
            .cause(without_entries(key))
            .key(key)
            .origin(inside.origin.clone())
            .fix("write each entry of the list as one text"),
    )
}

pub(super) fn first_setting<'a>(section: &Section<'a>) -> Option<&'a Setting> {
    let below = || section.children().iter().find_map(first_setting);
    section.setting().or_else(below)
}

/// An empty list over one that is not.
fn takes_nothing_away(setting: &Setting) -> Problem {
    let key = &setting.key;
    Problem::warning(format!("'{key}' is empty here, and takes nothing from the list."))
        .cause("Lists of several sources are merged entry by entry.")
        .key(key.clone())
        .origin(setting.origin.clone())
        .fix("remove the entries where they are set")
}

/// The entries that a text may have been meant for.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let inside = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let text = inside.filter(|inside| inside.contains('"')).unwrap_or(text);
    let is_between = |character: char| character.is_whitespace() || ",;\"'".contains(character);
    text.split(is_between).filter(|part| !part.is_empty()).collect()
}

/// How a list of `texts` is written in the place that `origin` is.
pub(super) fn written(origin: &Origin, key: &str, texts: &[&str]) -> String {
    let last = key.rsplit(':').next().unwrap_or_default();
    let each = |entry: &dyn Fn(usize, &str) -> String| -> String {
        let entries: Vec<_> = texts.iter().enumerate().map(|(at, text)| entry(at, text)).collect();
        entries.join(" ")
    };
    match origin {
        Origin::EnvironmentVariable(name) => {
            let is_of = |prefix: &&str| {
                name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            };
            let prefix = ["ASPNETCORE_", "DOTNET_"].into_iter().find(is_of).unwrap_or_default();
            let name = format!("{prefix}{}", key.replace(':', "__"));
            each(&|at, text| format!("{name}__{at}={text}"))
        }
        Origin::CommandLine { .. } => each(&|at, text| format!("--{key}:{at}={text}")),
        Origin::Code(_) | Origin::Source(_) => {
            each(&|at, text| format!("\"{key}:{at}\", \"{text}\""))
        }
        Origin::File { .. } | Origin::Default => {
            let texts: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            format!("a list: \"{last}\": [{}]", texts.join(", "))
        }
    }
}
