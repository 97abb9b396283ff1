//! Which section at the top was meant by one that has another name: an app may have sections of its own there, so what
//! one holds has to fit, too.

use super::keys::{Holds, Key, Kind};
use crate::configuration::{Section, keys_equal};

/// How long a name is of which one letter, or two, may be wrong: no other word is so near.
const LONG: usize = 7;
const VERY_LONG: usize = 16;

/// Whether what stands at the top under another name can be meant for the row `meant`. Beside its own
/// `Hosts` and `Environments` an app has no `Hsts` and no `environment` in mind: what it holds has to be of
/// the same shape, and names in a section have to agree, unless hardly a letter of a long name is wrong.
pub(super) fn can_be_meant(section: &Section<'_>, meant: &str, names: &[Key]) -> bool {
    let Some(row) = names.iter().find(|row| row.name == meant) else { return false };
    let nearly_is = || {
        let name = section.name();
        let letters = letters_off(name, meant);
        (name.len() >= LONG && letters == 1) || (name.len() >= VERY_LONG && letters == 2)
    };
    let children = section.children();
    let is_list =
        !children.is_empty() && children.iter().all(|it| it.name().parse::<u32>().is_ok());
    let has_text = section.setting().is_some_and(|setting| setting.value.is_some());
    match row.holds {
        Holds::Text(Kind::Separated(_)) => has_text || is_list,
        Holds::Text(_) | Holds::TextOrList(_) => has_text,
        Holds::Names(below, _) if !children.is_empty() => {
            // Half of all sections have one that is called so.
            let is_known = |child: &Section<'_>| {
                let known = below.iter().any(|row| keys_equal(row.name, child.name()));
                known && !keys_equal(child.name(), "Enabled")
            };
            children.iter().any(is_known) || nearly_is()
        }
        // Of sections of any name, it is what they hold.
        Holds::Any(_, Key { holds: Holds::Names(below, _), .. }) if !children.is_empty() => {
            let of_each = children.iter().flat_map(Section::children);
            let known = of_each.filter(|it| !keys_equal(it.name(), "Enabled"));
            let known = known.filter(|it| below.iter().any(|row| keys_equal(row.name, it.name())));
            known.count() >= children.len() || nearly_is()
        }
        Holds::Names(..) | Holds::Any(..) | Holds::List(_) | Holds::Open => {
            (has_text || !children.is_empty()) && nearly_is()
        }
    }
}

/// The section at the top that one was meant for which shares the most of its name: `BasicAuth`,
/// `RateLimiting`, `Compression`. Something in it has to be known there: the file may be that of an app beside.
pub(super) fn section_meant(section: &Section<'_>, names: &[Key]) -> Option<&'static str> {
    let name = section.name().to_lowercase();
    // Names first: what is in a section takes long to gather, and most are large.
    let akin = names.iter().filter(|row| is_akin(&name, &row.name.to_lowercase()));
    let fits = |row: &&Key| {
        let Holds::Names(below, _) = row.holds else { return false };
        let has = |child: &Section<'_>| below.iter().any(|it| keys_equal(it.name, child.name()));
        let is_text = section.setting().is_some_and(|setting| setting.value.is_some());
        is_text || section.children().iter().any(has)
    };
    // Of those that share as much, the first.
    let more = |best: &'static str, other: &'static str| {
        let shares = |known: &str| shared(&name, &known.to_lowercase());
        if shares(other) > shares(best) { other } else { best }
    };
    akin.filter(fits).map(|row| row.name).reduce(more)
}

/// How many letters two names share, at their beginning or as the end of one.
fn shared(one: &str, other: &str) -> usize {
    if one.ends_with(other) || other.ends_with(one) {
        return one.len().min(other.len());
    }
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

/// Whether one of two names is the beginning or the end of the other, or nearly its beginning.
fn is_akin(one: &str, other: &str) -> bool {
    const FEW: usize = 5;
    const OF_AN_ENDING: usize = 3;
    let shorter = one.len().min(other.len());
    shorter >= FEW && shared(one, other) + OF_AN_ENDING >= shorter.max(2 * OF_AN_ENDING)
}

/// How many letters are too many, missing, other, or changed with their neighbours.
fn letters_off(name: &str, meant: &str) -> usize {
    strsim::damerau_levenshtein(&name.to_lowercase(), &meant.to_lowercase())
}
