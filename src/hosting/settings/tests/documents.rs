//! The tables of keys in README.md and docs/ are what the table says.
//!
//! Such a table stands behind a line that says whose keys in which columns, and is written by
//! `KESTREL_UPDATE=1 cargo test --lib documents`:
//!
//! ```text
//! <!-- keys of Kestrel:Limits:**: meaning, value, default -->
//! <!-- end of keys -->
//! ```
//!
//! Keys are named from the section on. `Section:**` has everything below it, `Section` what stands
//! right in it; `the top` is no section, `what is not there yet` and `what has no meaning` are
//! those. A section with one key that is read is shown as that key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::configuration::text::seconds_text;
use crate::hosting::settings::keys::{
    self, Default, Effect, Holds, Key, Kind, Meaning, Place, Range,
};

/// A row as it is shown.
struct Shown {
    key: String,
    row: &'static Key,
    effect: Effect,
}

const BEGIN: &str = "<!-- keys of ";
const END: &str = "<!-- end of keys -->";
/// The documents that have every key between them.
const ALL: [&str; 6] = [
    "docs/configuration.md",
    "docs/pipeline.md",
    "docs/request-logs.md",
    "docs/proxy.md",
    "docs/sites.md",
    "docs/apps.md",
];

#[test]
fn the_tables_of_the_documents_are_fresh() {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says it")]
    let updates = std::env::var_os("KESTREL_UPDATE").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    let mut tables = 0;
    for path in documents(root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let fresh = with_fresh_tables(&text);
        tables += fresh.matches(BEGIN).count();
        if fresh != text && updates {
            std::fs::write(&path, fresh).unwrap();
        } else if fresh != text {
            stale.push(path);
        }
    }
    assert!(tables > 5, "{tables}");
    assert!(
        stale.is_empty(),
        "{stale:?}: not what the table of keys says; KESTREL_UPDATE=1 cargo test --lib documents rewrites them"
    );
}

#[test]
fn the_documents_have_every_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = ALL.map(|path| std::fs::read_to_string(root.join(path)).unwrap());
    let markers = texts.iter().flat_map(|text| markers(text));
    let listed: Vec<_> = markers.flat_map(|(_, marker)| rows_of(marker.sections)).collect();
    // What is the same in several sections is shown in one.
    let same = |one: &Key, other: &Key| {
        one.name == other.name
            && one.line == other.line
            && format!("{:?}", one.default) == format!("{:?}", other.default)
    };
    keys::each(|key, row, _| {
        let section = matches!(row.holds, Holds::Names(..) | Holds::Any(..));
        if !section && row.name != "{Number}" {
            assert!(listed.iter().any(|shown| same(shown.row, row)), "{key} is missing in {ALL:?}");
        }
    });
}

#[test]
fn every_key_that_is_written_of_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = documents(root);
    sources(&root.join("src"), &mut files);
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let quoted = text.split('`').filter(|part| !part.contains(char::is_whitespace));
        let keys = quoted
            .filter(|part| part.starts_with("Kestrel:") || part.starts_with("Logging:"))
            .map(|key| key.trim_end_matches(":*"));
        for key in keys {
            assert!(is_known(key), "{}: there is no key {key}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

fn is_known(key: &str) -> bool {
    // That of an app.
    let key = key.replace("{provider}", "Console").replace("{Provider}", "Console");
    match keys::place(&key) {
        Place::Below(level) => keys::is_level_of_module(level, &key),
        Place::Known(_) | Place::Anywhere => true,
        Place::Unknown { .. } => false,
    }
}

/// The files of the crate, but those of the settings, whose tests have keys that are wrong.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("hosting/settings") {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let texts = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    texts.chain([root.join("README.md")]).collect()
}

/// What a line asks for.
struct Marker<'a> {
    sections: &'a str,
    columns: Vec<&'a str>,
}

/// Where each marker ends, and what it asks for.
fn markers(text: &str) -> impl Iterator<Item = (usize, Marker<'_>)> {
    text.match_indices(BEGIN).map(|(at, _)| {
        let line = text[at..].lines().next().unwrap_or_default();
        let asked = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->"));
        let asked = asked.expect(line);
        let (sections, columns) = asked.rsplit_once(": ").unwrap_or((asked, ""));
        let columns = columns.split(", ").filter(|column| !column.is_empty()).collect();
        (at + line.len() + 1, Marker { sections, columns })
    })
}

fn with_fresh_tables(text: &str) -> String {
    let mut fresh = String::new();
    let mut done = 0;
    for (at, marker) in markers(text) {
        let end = at + text[at..].find(END).expect(marker.sections);
        fresh.push_str(&text[done..at]);
        fresh.push_str(&table(&marker));
        done = end;
    }
    fresh + &text[done..]
}

fn table(marker: &Marker<'_>) -> String {
    let rows = rows_of(marker.sections);
    assert!(!rows.is_empty(), "there is nothing in {}", marker.sections);
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let columns = || std::iter::once("key").chain(marker.columns.iter().copied());
    let mut table = line(&columns().map(str::to_owned).collect::<Vec<_>>());
    writeln!(table, "{}|", "|---".repeat(columns().count())).unwrap();
    for shown in rows {
        table.push_str(&line(&columns().map(|column| cell(&shown, column)).collect::<Vec<_>>()));
    }
    table
}

fn rows_of(sections: &str) -> Vec<Shown> {
    match sections {
        "what is not there yet" => whole(|row| matches!(row.meaning, Meaning::NotYet(_))),
        "what has no meaning" => {
            let mut rows = whole(|row| matches!(row.meaning, Meaning::Nothing));
            // What has none at the top has none in a site.
            rows.retain(|shown| !shown.key.starts_with("Sites:"));
            rows
        }
        "the top" => section(""),
        name => match name.strip_suffix("**") {
            Some(start) => everything_below(start),
            None => section(&format!("{name}:")),
        },
    }
}

/// All rows that `wanted` takes, by their whole keys.
fn whole(wanted: impl Fn(&Key) -> bool) -> Vec<Shown> {
    let mut rows = Vec::new();
    keys::each(|key, row, effect| {
        if wanted(row) {
            rows.push(Shown { key: key.to_owned(), row, effect });
        }
    });
    rows
}

fn is_read(row: &Key) -> bool {
    matches!(row.meaning, Meaning::Read)
}

/// The texts and lists below a section whose key begins so.
fn everything_below(start: &str) -> Vec<Shown> {
    let mut rows = whole(is_read);
    rows.retain_mut(|shown| {
        let below = shown.key.strip_prefix(start).map(str::to_owned);
        shown.key = below.clone().unwrap_or_default();
        let section = matches!(shown.row.holds, Holds::Names(..) | Holds::Any(..));
        below.is_some() && !section && shown.row.name != "{Number}"
    });
    rows
}

/// What stands right in a section whose keys begin so.
fn section(start: &str) -> Vec<Shown> {
    let all = whole(is_read);
    let inside = |shown: &&Shown| {
        shown.key.strip_prefix(start).is_some_and(|name| !name.is_empty() && !name.contains(':'))
    };
    let here = all.iter().filter(inside).map(|shown| {
        let name = shown.key.strip_prefix(start).unwrap_or_default();
        let (key, row) = match shown.row.holds {
            Holds::Names(names, _) if names.iter().filter(|row| is_read(row)).count() == 1 => {
                let one = names.iter().find(|row| is_read(row)).unwrap_or(shown.row);
                (format!("{name}:{}", one.name), one)
            }
            Holds::Any(_, each) if matches!(each.holds, Holds::Text(_)) => {
                (format!("{name}:{}", each.name), each)
            }
            Holds::Names(..) => (format!("{name}:*"), shown.row),
            Holds::Any(_, each) => (format!("{name}:{}:*", each.name), shown.row),
            _ => (name.to_owned(), shown.row),
        };
        let same = all.iter().find(|other| std::ptr::eq(other.row, row));
        let effect = same.map_or(shown.effect, |same| same.effect);
        Shown { key, row, effect }
    });
    here.collect()
}

fn cell(shown: &Shown, column: &str) -> String {
    let row = shown.row;
    match (column, &row.meaning) {
        ("key", _) => format!("`{}`", shown.key),
        ("meaning", _) => row.line.to_owned(),
        ("value", _) => value(row),
        ("default", _) => default(row),
        ("on reload", _) => effect(shown.effect).to_owned(),
        ("until then", Meaning::NotYet(feature)) => feature.fix.to_owned(),
        (column, _) => panic!("there is no column {column}"),
    }
}

fn value(row: &Key) -> String {
    match row.holds {
        Holds::Text(kind) if row.is_secret => format!("{}, a secret", text(kind)),
        Holds::Text(kind) => text(kind),
        Holds::List(each) => format!("a list: {}", value(each)),
        Holds::TextOrList(kind) => format!("{}, or a list of such", text(kind)),
        Holds::Names(..) | Holds::Any(..) | Holds::Open => "a section".to_owned(),
    }
}

fn text(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Separated(what) => format!("{what}, separated by `;`"),
        Kind::Path => "a path, from the content root on".to_owned(),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Words(words) => one_of(words),
        Kind::Flags(words) => format!("{}, or several with `,` between", one_of(words)),
        Kind::ErrorStatus => "a status, 400 to 599".to_owned(),
        Kind::Size => "bytes, or a size such as `512MiB`".to_owned(),
        Kind::Seconds(least, most) if most > 1_296_000 => {
            format!("seconds, or time, `{}` or more", seconds_text(least))
        }
        Kind::Seconds(least, most) => {
            let (from, to) = (seconds_text(least), seconds_text(most));
            format!("seconds, or time, `{from}` to `{to}`")
        }
        Kind::Number(unit, Range::Between(least, most)) => format!("{unit}, {least} to {most}"),
        Kind::Number(unit, Range::From(0)) => unit.to_owned(),
        Kind::Number(unit, Range::From(least)) => format!("{unit}, {least} or more"),
        Kind::Number(unit, Range::Above(most)) => format!("{unit}, more than {most}"),
        Kind::Time(Range::From(least)) => format!("time, `{}` or more", seconds_text(least)),
        Kind::Time(Range::Between(least, most)) => {
            format!("time, `{}` to `{}`", seconds_text(least), seconds_text(most))
        }
        Kind::Time(Range::Above(most)) => format!("time, more than `{}`", seconds_text(most)),
        Kind::Limit(unit, rule) => {
            let none = if rule.optional { "; empty for no limit" } else { "" };
            match rule.range() {
                (0, most) if most == rule.width.most() => format!("{unit}{none}"),
                (least, most) if most == rule.width.most() => {
                    format!("{unit}, {least} or more{none}")
                }
                (least, most) => format!("{unit}, {least} to {most}{none}"),
            }
        }
        Kind::TimeLimit(rule) => {
            let is_time = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
            let words = rule.range().split(' ').map(|word| match is_time(word) {
                true => format!("`{word}`"),
                false => word.to_owned(),
            });
            format!("time, {}", words.collect::<Vec<_>>().join(" "))
        }
    }
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match &words[..] {
        [one] => one.clone(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
        [] => String::new(),
    }
}

fn default(row: &Key) -> String {
    match (row.default, &row.holds) {
        (Default::Nothing, _) => "–".to_owned(),
        (Default::Text(text), _) => format!("`{text}`"),
        (Default::Words(words), _) => words.to_owned(),
        (Default::OfLimit, Holds::Text(Kind::Limit(_, rule))) => {
            rule.default().map_or("no limit".to_owned(), |number| format!("`{number}`"))
        }
        (Default::OfLimit, Holds::Text(Kind::TimeLimit(rule))) => {
            let text = rule.default().map(|time| seconds_text(time.as_secs()));
            text.map_or("never".to_owned(), |text| format!("`{text}`"))
        }
        (Default::OfLimit, other) => panic!("{other:?} is no limit"),
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Endpoints => "its endpoints change",
        Effect::NewConnections => "for new connections",
        Effect::AtOnce => "at once",
        Effect::Restart => "at the next start",
        Effect::None => "–",
    }
}
