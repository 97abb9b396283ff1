//! The events of our own categories: no two share an id, the note of the next free ones is true, and the
//! table of `docs/diagnostics.md` has them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Ids by category, and the functions that tell them.
type Events = BTreeMap<(String, u64), BTreeSet<String>>;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("it is there")
}

/// What `diagnostics/events` tells in categories that begin with `Kestrel.`.
fn events() -> Events {
    let categories = text("src/diagnostics/events/categories.rs");
    let constants: BTreeMap<_, _> = categories
        .split("pub(super) const ")
        .filter_map(|constant| constant.split_once(": &str ="))
        .map(|(name, value)| (name, value.split('"').nth(1).expect("a text")))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostics/events");
    let mut events = Events::new();
    for file in fs::read_dir(folder).expect("it is there") {
        let source = fs::read_to_string(file.expect("an entry").path()).expect("a source");
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        for function in source.split("pub(crate) fn ").skip(1) {
            let name = function.split('(').next().expect("a name");
            for (category, id) in told(function) {
                let category = constants.get(category).expect("a category of that file");
                if category.starts_with("Kestrel.") {
                    events.entry(((*category).to_owned(), id)).or_default().insert(name.to_owned());
                }
            }
        }
    }
    events
}

/// The categories and ids of the events that the text of a function has.
fn told(function: &str) -> Vec<(&str, u64)> {
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().expect("an id")
    };
    let mut found = Vec::new();
    for event in ["emit!(", "notice!(", "emit_request!("] {
        for arguments in function.split(event).skip(1) {
            let mut arguments = arguments.split(',').map(str::trim);
            let (category, id) = (arguments.next(), arguments.nth(1));
            found.push((category.expect("a category"), number(id.expect("an id"))));
        }
    }
    for arguments in function.split("event!(").skip(1) {
        let arguments = arguments.trim().strip_prefix("target: ").expect("the category first");
        let (category, rest) = arguments.split_once(',').expect("more of it");
        let (_, id) = rest.split_once("event.id = ").expect("an id");
        found.push((category, number(id)));
    }
    found
}

/// The macros write it for what is told with them.
#[test]
fn every_event_has_a_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostics/events");
    let mut looked_at = 0;
    for file in fs::read_dir(folder).expect("it is there") {
        let path = file.expect("an entry").path();
        let source = fs::read_to_string(&path).expect("a source");
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        for event in source.split("event!(target").skip(1) {
            let (first, _) = event.split_once("event.id").expect("an id");
            assert!(first.contains("message = "), "{}: {event}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at >= 7, "they are not where they were: {looked_at}");
}

#[test]
fn no_two_events_of_ours_share_an_id() {
    let events = events();
    assert!(events.len() > 40, "they are not where they were: {events:#?}");
    let shared: Vec<_> = events.iter().filter(|(_, functions)| functions.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

#[test]
fn the_note_of_the_next_free_ids_is_true() {
    let mut next = BTreeMap::new();
    for (category, id) in events().into_keys() {
        next.insert(category, id + 1);
    }
    let note: Vec<_> = next.iter().map(|(category, id)| format!("`{category}` {id}")).collect();
    let source = text("src/diagnostics/events.rs").replace("\n//! ", " ");
    assert!(source.contains(&format!("Next free ids: {}.", note.join(", "))), "{note:#?}");
}

#[test]
fn the_document_has_every_event_of_ours() {
    let document = text("docs/diagnostics.md");
    let mut documented = BTreeSet::new();
    let mut category = String::new();
    for line in document.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (first, ids) = (cells[1].trim_matches('`'), cells.get(2).copied().unwrap_or_default());
        if !first.is_empty() {
            category = first.to_owned();
        }
        if category.starts_with("Kestrel.") {
            let ids = ids.split(',').filter_map(|id| id.trim().parse::<u64>().ok());
            documented.extend(ids.map(|id| (category.clone(), id)));
        }
    }
    // The log itself tells of lines that it lost.
    documented.retain(|(category, _)| category != "Kestrel.Logging");
    assert_eq!(documented, events().into_keys().collect());
}
