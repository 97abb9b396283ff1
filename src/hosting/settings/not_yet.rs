//! Settings of features that are not there yet: whoever sets one is told that it has no effect.
//!
//! What is told of each stands in its row of [`keys`](super::keys).

use super::keys::{self, Meaning, NotYet};
use super::unknown::is_told;
use crate::configuration::{Loaded, Problem, Section, Setting};

/// Adds a warning for every setting of a feature that is not there yet.
pub(super) fn report(loaded: &Loaded, problems: &mut Vec<Problem>) {
    keys::each(|key, row, _| {
        if let Meaning::NotYet(feature) = &row.meaning {
            problems.extend(without_effect(loaded, key, feature, problems));
        }
    });
}

fn without_effect(
    loaded: &Loaded,
    key: &str,
    feature: &NotYet,
    problems: &[Problem],
) -> Option<Problem> {
    let section = loaded.configuration.section(key);
    let list = listed(&section);
    if list.iter().any(|text| feature.harmless.contains(text)) {
        return None;
    }
    let setting = asked_for(&section, feature.harmless)?;
    if is_told(problems, &setting.key, &setting.origin) {
        return None;
    }
    let without = feature.without;
    Some(
        Problem::warning(format!("{key} has no effect in this version: {without}."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(feature.fix),
    )
}

/// The texts of a list in the place of a text.
fn listed<'a>(section: &Section<'a>) -> Vec<&'a str> {
    let elements = section.children();
    elements.iter().filter_map(|element| element.setting()?.value.as_deref()).collect()
}

/// The first setting at a key or below it that asks for something.
fn asked_for<'a>(section: &Section<'a>, harmless: &[&str]) -> Option<&'a Setting> {
    let asks = |setting: &&Setting| {
        setting.value.as_deref().is_some_and(|text| {
            let mut parts = text.split(';').map(str::trim);
            // One `*` lets every host pass, whatever stands beside it.
            !text.is_empty()
                && !parts.any(|part| harmless.iter().any(|word| word.eq_ignore_ascii_case(part)))
        })
    };
    let here = section.setting().filter(asks);
    here.or_else(|| section.children().iter().find_map(|child| asked_for(child, harmless)))
}
