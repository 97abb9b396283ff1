//! Every key of the configuration, in one table.
//!
//! A row of [`rows`] says what a key is called, what it holds and in which unit, which of that is
//! taken, what counts without it, what a reload does with a new value, whether it is a secret, and
//! what it means in one line. Rows stand in a tree, because what is below `Certificate` is the same
//! wherever a certificate can be named. What follows from a row is written down nowhere else:
//!
//! - which names there are, and whether a text, a list or a section stands at each: [`place`], by
//!   which `unknown` tells what means nothing, with the name that was meant;
//! - what a feature that is not there yet leaves undone: `not_yet`;
//! - when a changed value counts: [`effect`];
//! - which words of other servers are meant for it: [`called`], by which `near` tells what to write;
//! - the tables of README.md and docs/, which `tests/documents.rs` writes and compares.
//!
//! What a row says of a limit's range and default is what the rule says that it points to, in
//! `server/limit_rules.rs`: limits that are set in code are held to the same.
//!
//! The table knows no reader. A reader spells its key itself, so that who searches for a key finds
//! two places, its row and its reader. They cannot part: `tests/rows.rs` sets every key to its
//! default, to another value and to one that cannot be, and looks at what the reader makes of it;
//! `tests/told.rs` lets no reader ask for a key without a row. So a new key is a row, and its reader.

mod certificate;
mod child_process;
mod forwarded_headers;
mod request_logs;
mod reverse_proxy;
mod row;
mod rows;
mod sites;
mod stages;
mod static_files;

pub(crate) use self::row::Effect;
#[cfg(test)]
pub(super) use self::row::{Default, Range};
pub(super) use self::row::{Holds, Key, Kind, Meaning, NotYet, Others, Part};
use self::rows::ROOT;
use crate::configuration::keys_equal;

/// Where a key leads.
pub(super) enum Place<'a> {
    /// To a row.
    Known(&'static Key),
    /// To something below a text or a list's element, which is the key up to there.
    Below(&'a str),
    /// Out of these names, with this one.
    Unknown { names: &'static [Key], others: Others, name: &'a str },
    /// To an app's own.
    Anywhere,
}

/// Follows a key through the table.
pub(super) fn place(key: &str) -> Place<'_> {
    walk(key).0
}

/// Where a key leads, and when what stands there counts.
fn walk(key: &str) -> (Place<'_>, Effect) {
    let mut row = &ROOT;
    let mut effect = Effect::None;
    let mut end = 0;
    for name in key.split(':') {
        let above = key[..end].trim_end_matches(':');
        let up_to_here = &key[..end + name.len()];
        end += name.len() + 1;
        row = match row.holds {
            Holds::TextOrList(_) | Holds::Open => return (Place::Anywhere, effect),
            Holds::Text(_) => return (Place::Below(above), effect),
            Holds::List(each) | Holds::Any(_, each) => each,
            Holds::Names(names, others) => {
                match names.iter().find(|known| keys_equal(known.name, name)) {
                    Some(known) => known,
                    None => {
                        return (Place::Unknown { names, others, name: up_to_here }, effect);
                    }
                }
            }
        };
        effect = row.reload.unwrap_or(effect);
    }
    (Place::Known(row), effect)
}

/// When a new value of `key` takes effect. (Environment, content root and the application's name
/// never come from a file, so they cannot be edited.)
pub(crate) fn effect(key: &str) -> Effect {
    let (place, effect) = walk(key);
    let is_read = match place {
        Place::Known(row) => row.is_read(),
        // The category of a level may be the path of a module, and a list is taken for a text of parts.
        Place::Below(above) => {
            let element = key.get(above.len() + 1..).unwrap_or_default();
            is_level_of_module(above, key)
                || (is_separated(above) && element.parse::<u32>().is_ok())
        }
        Place::Unknown { .. } | Place::Anywhere => false,
    };
    // What nothing reads has no time either.
    if is_read { effect } else { Effect::None }
}

/// Whether `key` is a log level whose category is the path of a module: what looks like a section
/// below `level` is the rest of it.
pub(super) fn is_level_of_module(level: &str, key: &str) -> bool {
    let category = |above: &str| key.get(above.len() + 1..).is_some_and(is_category);
    level.rsplit_once(':').is_some_and(|(above, _)| {
        let levels = matches!(
            place(above),
            Place::Known(Key { holds: Holds::Any(_, Key { holds: Holds::Text(_), .. }), .. })
        );
        levels && category(above)
    })
}

/// Whether this is one name, or the path of a module, and no section of sections.
pub(super) fn is_category(name: &str) -> bool {
    !name.replace("::", "").contains(':')
}

/// Whether `key` is known, as itself or as one of any name.
#[cfg(test)]
pub(super) fn is_in_vocabulary(key: &str) -> bool {
    matches!(place(key), Place::Known(_) | Place::Anywhere)
}

/// Whether the server reads a text at `key`.
pub(super) fn is_text(key: &str) -> bool {
    matches!(place(key), Place::Known(Key { holds: Holds::Text(_) | Holds::TextOrList(_), .. }))
}

/// Whether the text at `key` has several parts, with `;` between.
pub(super) fn is_separated(key: &str) -> bool {
    matches!(place(key), Place::Known(Key { holds: Holds::Text(Kind::Separated(_)), .. }))
}

/// Whether the text at `key` has several words, with `,` between.
pub(super) fn is_flags(key: &str) -> bool {
    matches!(place(key), Place::Known(Key { holds: Holds::Text(Kind::Flags(_)), .. }))
}

/// Whether `key` is that of a row, of whatever shape.
pub(super) fn is_known(key: &str) -> bool {
    matches!(place(key), Place::Known(_))
}

/// Whether `name` is that of a host setting of .NET, which comes by a variable with a prefix.
pub(super) fn is_host_setting(name: &str) -> bool {
    matches!(place(name), Place::Known(row) if row.is_host_setting)
}

/// The key that other servers have this word for, and what of its value stands under it. (What is called
/// so below a name of the user's, as the address of an endpoint, or of a program behind the host, is meant only there.)
pub(super) fn called(word: &str) -> Option<(String, Part)> {
    called_below(&ROOT, word)
}

/// The same below a row. (A start asks this of every word that it was given: what cannot be meant is passed over as a whole.)
fn called_below(above: &'static Key, word: &str) -> Option<(String, Part)> {
    above.below().filter(|row| !row.name.contains('{')).find_map(|row| {
        if let Some(part) = row.part_called(word) {
            return Some((row.name.to_owned(), part));
        }
        let (below, part) = Some(row)
            .filter(|row| row.name != "AspNetCore")
            .and_then(|row| called_below(row, word))?;
        Some((format!("{}:{below}", row.name), part))
    })
}

/// The words of other servers for a part of what stands at `key`.
pub(super) fn words_for(key: &str, part: Part) -> &'static [&'static str] {
    match place(key) {
        Place::Known(row) => row.words_for(part),
        _ => &[],
    }
}

/// Every row with its key and the time when a new value counts, in the order of the table.
pub(super) fn each(mut take: impl FnMut(&str, &'static Key, Effect)) {
    each_below(&ROOT, Effect::None, &mut String::new(), &mut take);
}

fn each_below(
    row: &'static Key,
    effect: Effect,
    key: &mut String,
    take: &mut impl FnMut(&str, &'static Key, Effect),
) {
    let end = key.len();
    for row in row.below() {
        if end > 0 {
            key.push(':');
        }
        key.push_str(row.name);
        let effect = row.reload.unwrap_or(effect);
        take(key, row, if row.is_read() { effect } else { Effect::None });
        each_below(row, effect, key, take);
        key.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_time() {
        for (key, expected) in [
            ("Kestrel:Endpoints:A:Url", Effect::Endpoints),
            ("kestrel:certificates:Default:Path", Effect::Endpoints),
            ("Kestrel:Limits:KeepAliveTimeout", Effect::NewConnections),
            ("Kestrel:AddServerHeader", Effect::NewConnections),
            ("Kestrels:Limits", Effect::None),
            ("Kestrel:Limitz:MaxRequestBodySize", Effect::None),
            ("Kestrel:Limits:MaxRequestBodySiz", Effect::None),
            ("Kestrel:Limits:MinRequestBodyDataRate", Effect::NewConnections),
            ("Kestrel:Limits:MinRequestBodyDataRate:GracePeriod", Effect::NewConnections),
            ("Kestrel:Limits:Http3:X", Effect::None),
            ("Kestrel:AllowSynchronousIO", Effect::None),
            ("Logging:Console:FormaterName", Effect::None),
            ("Logging:LogLevel:Default", Effect::AtOnce),
            ("Logging:Console:LogLevel:A.B", Effect::AtOnce),
            ("Logging:Console:FormatterName", Effect::Restart),
            ("Logging:CaptureScopes", Effect::Restart),
            (
                "Logging:Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider:LogLevel:A",
                Effect::AtOnce,
            ),
            // Nobody here writes their lines.
            ("Logging:EventLog:LogLevel:Default", Effect::None),
            ("Logging:Seq:LogLevel:Default", Effect::None),
            ("URLS", Effect::Restart),
            ("urls2", Effect::None),
            ("urls:0", Effect::Restart),
            ("AllowedHosts:12", Effect::AtOnce),
            ("AllowedHosts:a", Effect::None),
            ("AllowedHosts:0:a", Effect::None),
            ("ForwardedHeaders:KnownProxies:0", Effect::AtOnce),
            ("Greeting", Effect::None),
        ] {
            assert_eq!(effect(key), expected, "{key}");
        }
    }
}
