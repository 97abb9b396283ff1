//! Names in the section that mean nothing. A typo must not be passed over: the program would run without what is
//! written.

use super::section::SECTION;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Section, Setting};
use crate::hosting::settings::keys::{Holds, Key, Place, place};
use crate::hosting::settings::parse::shown;

/// The first setting of the section that is the module's.
pub(super) fn first_known(configuration: &Configuration) -> Option<&Setting> {
    let children = configuration.section(SECTION).children();
    let known = children.iter().filter(|it| named(names(SECTION), it.name()).is_some());
    known.filter_map(Section::first_setting).find(|it| it.value.is_some())
}

/// Whether something is said of a program, or that none is to run. That one is watched (`--watch`) says neither.
#[cfg(feature = "child-process")]
pub(crate) fn says_of_program(configuration: &Configuration) -> bool {
    let children = configuration.section(SECTION).children();
    let mut known = children.iter().filter(|it| named(names(SECTION), it.name()).is_some());
    known.any(|it| !it.name().eq_ignore_ascii_case("Watch") && it.first_setting().is_some())
}

/// A section of nearly this name that names a program, in the settings of a host without an app of its own: nobody else
/// reads it, and the folder that the program's files lie in would be served in its place.
pub(super) fn section_misspelled(loaded: &Loaded) -> Option<Problem> {
    if !loaded.host_alone {
        return None;
    }
    let sections = loaded.configuration.section("").children();
    let (name, program) = sections.iter().find_map(|section| {
        did_you_mean(section.name(), [SECTION])?;
        Some((section.name(), section.section("ProcessPath").setting()?.clone()))
    })?;
    Some(
        Problem::error(format!(
            "'{name}' is no section of this server, and what it names is not run."
        ))
        .key(program.key.clone())
        .origin(program.origin.clone())
        .fix(format!("did you mean {SECTION}?")),
    )
}

/// A text in the place of the section, which runs nothing. A variable of this name may be anybody's.
pub(super) fn text_in_its_place(configuration: &Configuration) -> Option<Problem> {
    let setting = configuration.setting(SECTION)?;
    let text = setting.value.as_deref().filter(|text| !text.trim().is_empty())?;
    if matches!(setting.origin, Origin::EnvironmentVariable(_)) {
        return None;
    }
    let (key, text) = (&setting.key, shown(&setting.key, text));
    Some(
        Problem::error(format!("'{key}' is a section: the text '{text}' runs nothing."))
            .key(key.clone())
            .origin(setting.origin.clone())
            .fix(format!("name the program below it, such as {key}:ProcessPath")),
    )
}

/// Tells of every name that means nothing; whether one of them was meant for the program.
pub(super) fn tell(configuration: &Configuration, problems: &mut Vec<Problem>) -> bool {
    let section = configuration.section(SECTION);
    tell_in(&section, SECTION, problems);
    let names = names(SECTION);
    let is_meant = |child: &Section<'_>| {
        named(names, child.name()).is_none() && meant(names, child.name()) == Some("ProcessPath")
    };
    section.children().iter().any(is_meant)
}

/// The name that was probably meant by another one.
fn meant(names: &'static [Key], name: &str) -> Option<&'static str> {
    called(names, name).or_else(|| did_you_mean(name, names.iter().map(|row| row.name)))
}

/// The same in a section that is called `key` at the top.
fn tell_in(section: &Section<'_>, key: &str, problems: &mut Vec<Problem>) {
    let names = names(key);
    for child in section.children() {
        match named(names, child.name()) {
            Some(Key { name, holds: Holds::Names(..), .. }) => {
                tell_in(&child, &format!("{key}:{name}"), problems);
            }
            Some(_) => {}
            None => problems.extend(unknown(&child, (key, names))),
        }
    }
}

fn unknown(child: &Section<'_>, (key, names): (&str, &'static [Key])) -> Option<Problem> {
    let setting = child.first_setting()?;
    let name = child.name();
    let known = || names.iter().map(|row| row.name);
    let (above, spelled) = spelled(setting, child);
    let fix = match meant(names, name) {
        Some(meant) => format!("did you mean {above}:{meant}?"),
        // `ASPNETCORE__URLS` is a variable with an underscore too many, and no key of this section.
        None if matches!(setting.origin, Origin::EnvironmentVariable(_)) => return None,
        None => format!("remove it; {key} has {}", known().collect::<Vec<_>>().join(", ")),
    };
    let problem = Problem::error(format!("The key '{spelled}' means nothing to the server."));
    Some(problem.key(spelled).origin(setting.origin.clone()).fix(fix))
}

/// The key of a section whose setting this is, with that of the section above it, as they are spelled: in a site, the
/// section's own path begins with the site.
fn spelled(setting: &Setting, section: &Section<'_>) -> (String, String) {
    let below = setting.key.split(':').count();
    let site = setting.key.split(':').position(|it| it.eq_ignore_ascii_case(SECTION));
    let end = (site.unwrap_or(0) + section.path().split(':').count()).min(below);
    let names: Vec<_> = setting.key.split(':').take(end).collect();
    let above = names.split_last().map_or(String::new(), |(_, above)| above.join(":"));
    (above, names.join(":"))
}

/// The names of a section.
fn names(key: &str) -> &'static [Key] {
    match place(key) {
        Place::Known(Key { holds: Holds::Names(names, _), .. }) => names,
        _ => &[],
    }
}

fn named<'a>(names: &'a [Key], name: &str) -> Option<&'a Key> {
    names.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// What other servers call so.
fn called(names: &[Key], word: &str) -> Option<&'static str> {
    names.iter().find(|row| row.is_called(word)).map(|row| row.name)
}
