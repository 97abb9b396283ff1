//! Keys that mean nothing, and texts, lists and sections at a key of another shape.
//!
//! An unknown key is no mistake where an app may have its own: at the top, and among log providers.
//! One that is a letter or two away from a known one most likely is, and so is one inside of
//! `Kestrel`, which nobody else reads. What stands at a known key in another shape than the one that
//! is read has no effect, whichever key it is: that is told here, so that no reader has to.

use super::keys::{Holds, Key, Others, Place, is_level_of_module, is_text, place};
use super::misnamed::{misnamed, related};
use super::section_meant::{can_be_meant, section_meant};
use super::wrong_shape::{more_than_a_text, text_in_place_of};
use crate::configuration::near_names::did_you_mean;
use crate::configuration::text::boolean;
use crate::configuration::{
    Configuration, Loaded, Origin, Problem, Setting, Severity, fold_key, key_without_secret,
    keys_equal,
};
use crate::hosting::usage;
use crate::logging::LogLevel;

/// What a process manager says, by variables with the prefix `ASPNETCORE_` and in no other way.
const PROCESS_MANAGER: [&str; 3] = ["port", "appl_path", "token"];

/// The flags of a command line, which are no settings.
fn flags() -> impl Iterator<Item = &'static str> {
    usage::FLAGS.iter().map(|flag| flag.name).chain(["help", "version"])
}

/// The flag of this name.
pub(super) fn flag_called(name: &str) -> Option<&'static str> {
    flags().find(|flag| flag.eq_ignore_ascii_case(name))
}

/// Adds a warning for every key that is near a known one, stands where only known ones may, or holds
/// something of another shape than is read there; once per name.
pub(super) fn report(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let mut told: Vec<String> = Vec::new();
    for setting in loaded.configuration.settings() {
        let misnamed = misnamed(setting);
        // First, because most variables are, and finding what is near costs more than all else
        // that a start does.
        if misnamed.is_none() && is_foreign(setting) {
            continue;
        }
        let Some((key, problem)) = misnamed.or_else(|| meaningless(loaded, setting)) else {
            continue;
        };
        if told.iter().any(|known| keys_equal(known, &key)) {
            continue;
        }
        if !is_told(problems, &key, &setting.origin) && !is_in_what_was_told(problems, setting) {
            problems.push(problem.key(setting.key.clone()).origin(setting.origin.clone()));
        }
        told.push(key);
    }
}

/// Whether something was said already of a key, or of the very place that it was set at.
pub(super) fn is_told(problems: &[Problem], key: &str, origin: &Origin) -> bool {
    // What is missing beside a misspelled name in a file stands at its place, and is not what is wrong with it.
    let is_of_another = |problem: &Problem| {
        let other = problem.key.as_deref().unwrap_or_default();
        matches!(origin, Origin::File { .. })
            && !other.is_empty()
            && !is_in(key, other)
            && !is_in(other, key)
    };
    let same_place = |problem: &Problem| {
        !matches!(origin, Origin::Default | Origin::Code(_) | Origin::Source(_))
            && problem.origin.as_ref() == Some(origin)
            && !is_of_another(problem)
    };
    let same_key =
        |problem: &Problem| problem.key.as_ref().is_some_and(|other| keys_equal(other, key));
    problems.iter().any(|problem| same_key(problem) || same_place(problem))
}

/// What to do about a name that means nothing in the section `above`, which has these.
fn remove_it(above: &str, name: &str, names: &[Key]) -> String {
    let mut lists = names.iter().filter(|row| matches!(row.holds, Holds::List(_)));
    // A list in the place of the section that it stands in.
    if let (Ok(_), Some(list), None) = (name.parse::<u32>(), lists.next(), lists.next()) {
        return format!("did you mean the list {above}:{}?", list.name);
    }
    let known = names.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("remove it; below {above} there {are} {known}")
}

/// Whether a key is another one, or stands below it.
fn is_in(key: &str, section: &str) -> bool {
    let (key, section) = (fold_key(key), fold_key(section));
    let rest = key.strip_prefix(&*section);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Whether the section that a text stands in was told to be wrong, as one rule in the place of their list.
fn is_in_what_was_told(problems: &[Problem], setting: &Setting) -> bool {
    let Some((section, _)) = setting.key.rsplit_once(':') else { return false };
    let is_it = |problem: &Problem| {
        problem.is_error() && problem.key.as_ref().is_some_and(|key| keys_equal(key, section))
    };
    problems.iter().any(is_it)
}

/// Whether a switch of this name, without its dashes, sets something of the server's.
pub(crate) fn is_switch(name: &str) -> bool {
    is_text(name) || flags().any(|flag| keys_equal(flag, name))
}

/// A variable without a prefix belongs to anybody, unless it is plainly inside one of our sections.
fn is_foreign(setting: &Setting) -> bool {
    let Origin::EnvironmentVariable(name) = &setting.origin else {
        return false;
    };
    let key = &setting.key;
    let top = key.split(':').next().unwrap_or_default();
    if is_prefixed(name) {
        // It is also read under its whole name: that is no second mistake.
        let whole_name = keys_equal(&name.replace("__", ":"), key);
        return whole_name || PROCESS_MANAGER.iter().any(|known| keys_equal(known, key));
    }
    let ours = || !is_text(top) || keys_equal(top, "urls");
    !key.contains(':') || !ours()
}

pub(super) fn is_prefixed(variable: &str) -> bool {
    ["ASPNETCORE_", "DOTNET_"].iter().any(|prefix| {
        variable.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// The key, up to where it goes wrong, of a setting that means nothing, and what is to be said.
fn meaningless(loaded: &Loaded, setting: &Setting) -> Option<(String, Problem)> {
    let key = setting.key.as_str();
    match place(key) {
        Place::Known(Key {
            holds: Holds::Text(_) | Holds::TextOrList(_) | Holds::Open, ..
        })
        | Place::Anywhere => None,
        Place::Known(row) => {
            let text = setting.value.as_deref().filter(|text| !text.is_empty())?;
            Some((key.to_owned(), as_grave(text_in_place_of(row, setting, text), key)))
        }
        Place::Below(level) if is_level_of_module(level, key) => None,
        Place::Below(text) => {
            Some((text.to_owned(), as_grave(more_than_a_text(loaded, text, key), key)))
        }
        Place::Unknown { names, others: Others::Like(other), name: provider } => {
            let near = fix(loaded, names, Others::AnApps, provider, setting);
            let problem = match near {
                Some(fix) => nothing(provider).fix(fix),
                None => no_provider(other, provider, setting)?,
            };
            Some((provider.to_owned(), problem))
        }
        Place::Unknown { names, others, name: wrong } => {
            let fix = fix(loaded, names, others, wrong, setting)?;
            let meant = meant_at_top(loaded, names, wrong, &setting.origin);
            let problem = match opens(&loaded.configuration, wrong, meant) {
                Some(so) => unprotected(wrong, so),
                None => nothing(wrong),
            };
            Some((wrong.to_owned(), problem.fix(fix)))
        }
    }
}

/// What is wrong with how a program is run is no warning: one whose user is not understood would run as that of the host.
fn as_grave(problem: Problem, key: &str) -> Problem {
    let names: Vec<_> = key.split(':').collect();
    let is_of_program = match *names {
        [first, ..] if keys_equal(first, "AspNetCore") => true,
        [first, _, third, ..] => keys_equal(first, "Sites") && keys_equal(third, "AspNetCore"),
        _ => false,
    };
    if is_of_program { Problem { severity: Severity::Error, ..problem } } else { problem }
}

/// What is to be said of what stands in the place of a log provider, which has levels below it, and options of its own.
fn no_provider(other: &Key, provider: &str, setting: &Setting) -> Option<Problem> {
    let text = setting.value.as_deref().filter(|text| !text.is_empty())?;
    let (above, name) = provider.rsplit_once(':').unwrap_or(("", provider));
    let is_itself = provider.len() == setting.key.len();
    let is_level = LogLevel::parse(text).is_some();
    let lower = name.to_lowercase();
    // `Level`, `MinimumLevel`, `LogLevels`.
    let is_called_so = lower.ends_with("level") || lower.ends_with("levels");
    let fix = match (is_itself, is_level) {
        (true, true) if is_called_so => format!("write {above}:LogLevel:Default"),
        (true, true) => format!("levels stand below LogLevel: {above}:LogLevel:{name}"),
        (false, true) if is_called_so => format!("did you mean {above}:LogLevel?"),
        (true, false) => match option_of_console(above, name) {
            Some(meant) => format!("did you mean {meant}?"),
            None => return Some(text_in_place_of(other, setting, text)),
        },
        (false, _) => return None,
    };
    Some(nothing(provider).fix(fix))
}

/// An option of the console's that stands beside it.
fn option_of_console(above: &str, name: &str) -> Option<String> {
    let console = format!("{above}:Console");
    let Place::Known(Key { holds: Holds::Names(names, _), .. }) = place(&console) else {
        return None;
    };
    let near = did_you_mean(name, names.iter().map(|row| row.name));
    let meant = near.or_else(|| related(&console, name, names));
    meant.map(|meant| format!("{console}:{meant}")).or_else(|| deeper(&console, name, names))
}

/// The key that was meant by a name that stands in a section of the one that it was written in, or in one of any name.
fn deeper(above: &str, name: &str, names: &[Key]) -> Option<String> {
    // Half of all sections have one that is called so.
    if keys_equal(name, "Enabled") {
        return None;
    }
    let known = |below: &[Key]| below.iter().find(|it| keys_equal(it.name, name)).map(|it| it.name);
    let in_one = names.iter().find_map(|row| match row.holds {
        Holds::Names(below, _) => Some(format!("{above}:{}:{}", row.name, known(below)?)),
        _ => None,
    });
    let in_any = || {
        names.iter().find_map(|row| match row.holds {
            Holds::Any(example, Key { holds: Holds::Names(below, _), .. }) => {
                Some(format!("{above}:{}:{example}:{}", row.name, known(below)?))
            }
            _ => None,
        })
    };
    in_one.or_else(in_any)
}

/// The one section among `names` that knows all that stands in the section `wrong`, in which this setting stands.
fn holding(loaded: &Loaded, setting: &Setting, wrong: &str, names: &[Key]) -> Option<&'static str> {
    let own = setting.key.get(wrong.len() + 1..)?.split(':').next()?;
    let knows = |row: &&Key, name: &str| {
        let Holds::Names(below, _) = row.holds else { return false };
        // Half of all sections have one that is called so.
        !keys_equal(name, "Enabled") && below.iter().any(|it| keys_equal(it.name, name))
    };
    // Itself first: what is in a section takes long to gather, and most are large.
    let mut fitting = names.iter().filter(|row| knows(row, own)).peekable();
    fitting.peek()?;
    let children = loaded.configuration.section(wrong).children();
    let mut all = fitting.filter(|row| children.iter().all(|it| knows(row, it.name())));
    match (all.next(), all.next()) {
        (Some(row), None) => Some(row.name),
        _ => None,
    }
}

fn nothing(key: &str) -> Problem {
    let key = key_without_secret(key);
    Problem::warning(format!("The key '{key}' means nothing to the server."))
}

/// What protects the most, and what is so without it: a word that is misspelled there must not open it.
const PROTECTED: [(&str, &str); 2] = [
    ("AddressFilter", "Nobody is kept out"),
    ("BasicAuthentication", "Nobody is asked for a password"),
];

/// What is so if what is meant to protect lets somebody in, because it stands at `wrong`: the section `meant`, or one of
/// that name where none is read; a word in a filter; or sites with such a section in them.
fn opens(configuration: &Configuration, wrong: &str, meant: Option<&str>) -> Option<&'static str> {
    let is_off = |section: &str| {
        let enabled = configuration.setting(&format!("{section}:Enabled"));
        enabled.and_then(|it| it.value.as_deref()).and_then(boolean) == Some(false)
    };
    let (above, name) = wrong.rsplit_once(':').unwrap_or(("", wrong));
    let called = |name: &str| {
        let row = PROTECTED.iter().find(|(section, _)| keys_equal(section, name));
        row.map(|(_, so)| *so)
    };
    let section = meant.unwrap_or(name);
    if let Some(so) = called(section) {
        // Who has said that it is off means what has no word of that.
        let says = configuration.setting(&format!("{wrong}:Enabled")).is_some();
        return Some(so).filter(|_| !is_off(wrong) && (says || !is_off(section)));
    }
    if keys_equal(above, PROTECTED[0].0) {
        return Some(PROTECTED[0].1).filter(|_| !is_off(above));
    }
    if meant == Some("Sites") {
        let below = configuration.settings().filter(|it| is_in(&it.key, wrong));
        let open = below.flat_map(|it| it.key.split(':')).find_map(called);
        return Some(open.unwrap_or("None of its sites is served"));
    }
    None
}

fn unprotected(key: &str, so: &str) -> Problem {
    Problem::error(format!("{so}: the key '{key}' means nothing to the server."))
}

/// The section or key at the top that was meant by `wrong`.
fn meant_at_top(
    loaded: &Loaded,
    names: &[Key],
    wrong: &str,
    origin: &Origin,
) -> Option<&'static str> {
    if wrong.contains(':') {
        return None;
    }
    let section = loaded.configuration.section(wrong);
    // No app is here that could mean something else by it.
    let is_ours = loaded.host_alone
        && match origin {
            Origin::CommandLine { .. } => true,
            Origin::EnvironmentVariable(name) => is_prefixed(name),
            _ => false,
        };
    let near = did_you_mean(wrong, names.iter().map(|row| row.name));
    let near = near.filter(|meant| is_ours || can_be_meant(&section, meant, names));
    near.or_else(|| loaded.host_alone.then(|| section_meant(&section, names)).flatten())
}

/// What to do about a name that is none of `names`, if that is to be told.
fn fix(
    loaded: &Loaded,
    names: &[Key],
    others: Others,
    wrong: &str,
    setting: &Setting,
) -> Option<String> {
    let origin = &setting.origin;
    let (above, name) = wrong.rsplit_once(':').unwrap_or(("", wrong));
    let known = || names.iter().map(|row| row.name);
    let closed = matches!(others, Others::Nothing);
    let with_colons = wrong.replace("__", ":");
    if with_colons != wrong && is_text(&with_colons) {
        return Some(format!("write {with_colons}; two underscores stand in variables alone"));
    }
    // An app may have endpoints and limits of its own; here is none.
    if above.is_empty()
        && loaded.host_alone
        && let Place::Known(meant) = place(&format!("Kestrel:{name}"))
    {
        return Some(format!("did you mean Kestrel:{}?", meant.name));
    }
    let is_argument = matches!(origin, Origin::CommandLine { .. });
    if above.is_empty()
        && is_argument
        && did_you_mean(name, known()).is_none()
        && let Some(flag) = did_you_mean(name, flags())
    {
        return Some(format!("did you mean --{flag}?"));
    }
    let meant = match above.is_empty() {
        true => meant_at_top(loaded, names, name, origin).map(str::to_owned),
        false => did_you_mean(name, known()).map(|meant| format!("{above}:{meant}")),
    };
    if let Some(meant) = meant {
        return Some(format!("did you mean {meant}?"));
    }
    if let (true, Place::Known(meant)) = (closed, place(name)) {
        let top = above.split(':').next().unwrap_or_default();
        return Some(format!("write {} at the top, beside {top} and not in it", meant.name));
    }
    if let (true, Some(meant)) = (closed, related(above, name, names)) {
        return Some(format!("did you mean {above}:{meant}?"));
    }
    if let (true, Some(meant)) = (closed, deeper(above, name, names)) {
        return Some(format!("did you mean {meant}?"));
    }
    if closed && let Some(meant) = holding(loaded, setting, wrong, names) {
        return Some(format!("did you mean {above}:{meant}?"));
    }
    if keys_equal(above, "Headers") && name.contains('-') {
        return Some(format!("headers that are set stand below Set: {above}:Set:{name}"));
    }
    if closed {
        return Some(remove_it(above, name, names));
    }
    if !is_argument {
        return None;
    }
    // Where an app listens to the same configuration, the key may be the app's.
    loaded.host_alone.then(|| {
        "remove it: no app is here that could read it; --help has the usual settings".to_owned()
    })
}

#[cfg(test)]
mod tests;
