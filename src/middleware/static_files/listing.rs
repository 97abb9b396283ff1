//! What is in a folder: only what can be asked for. The page of it is in `listing/page.rs`.

pub(super) mod page;

use std::cmp::Reverse;
use std::io;
use std::time::SystemTime;

use super::root::{Found, Root, Wait};
use super::site_path::{Names, SitePath};

/// How many entries are shown: more is nothing that anybody reads.
const MOST: usize = 10_000;

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Of a file; a folder has none.
    pub(super) length: Option<u64>,
    pub(super) modified: Option<SystemTime>,
}

/// What is shown of a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// How many there are besides.
    pub(super) more: usize,
}

/// Reads a folder; `None`, if it is none. Waits for the disk. Names that begin with a dot, links out of the root
/// or to nothing, and what this process cannot open are not in it.
pub(super) fn read(root: &Root, relative: &str) -> io::Result<Option<Listing>> {
    let folder = match root.open(relative, Wait::Yes) {
        Ok(Found::Folder(folder)) => folder,
        Ok(Found::Refused(error)) => return Err(error),
        Ok(Found::File(_) | Found::Nothing) | Err(_) => return Ok(None),
    };
    let mut names = folder.names()?;
    names.retain(|name| !name.contains('/') && SitePath::of(name, Names::HERE).is_some());
    names.sort_unstable();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let entries = names.into_iter().filter_map(|name| {
        let path = if relative.is_empty() { name.clone() } else { format!("{relative}/{name}") };
        match root.open(&path, Wait::Yes) {
            Ok(Found::File(it)) => {
                Some(Entry { name, length: Some(it.length), modified: Some(it.modified) })
            }
            Ok(Found::Folder(it)) => Some(Entry { name, length: None, modified: it.modified() }),
            Ok(Found::Nothing | Found::Refused(_)) | Err(_) => None,
        }
    });
    Ok(Some(Listing { entries: entries.collect(), more }))
}

/// By what a page is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Column {
    #[default]
    Name,
    Size,
    Modified,
}

/// How a page is sorted, as its query says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) column: Column,
    pub(super) descending: bool,
}

impl Order {
    /// What a query with its `?` says; what it does not know it passes over.
    pub(super) fn of(query: &str) -> Self {
        let mut order = Self::default();
        for part in query.trim_start_matches('?').split('&') {
            match part {
                "sort=name" => order.column = Column::Name,
                "sort=size" => order.column = Column::Size,
                "sort=modified" => order.column = Column::Modified,
                "order=desc" => order.descending = true,
                _ => {}
            }
        }
        order
    }

    /// Sorts: folders stay before files, and equals by name.
    pub(super) fn sort(self, entries: &mut [Entry]) {
        entries.sort_by_cached_key(|entry| (entry.name.to_lowercase(), entry.name.clone()));
        match self.column {
            Column::Name => {}
            Column::Size => entries.sort_by_key(|entry| entry.length),
            Column::Modified => entries.sort_by_key(|entry| entry.modified),
        }
        if self.descending {
            entries.reverse();
        }
        entries.sort_by_key(|entry| Reverse(entry.length.is_none()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_query_says_the_order() {
        let entry = |name: &str, length: Option<u64>, second: u64| Entry {
            name: name.to_owned(),
            length,
            modified: Some(UNIX_EPOCH + Duration::from_secs(second)),
        };
        let all = [
            entry("b", Some(1), 30),
            entry("A", Some(2), 20),
            entry("c", Some(1), 10),
            entry("z", None, 5),
            entry("y", None, 6),
        ];
        for (query, expected) in [
            ("", "y z A b c"),
            ("?sort=name", "y z A b c"),
            ("?sort=name&order=desc", "z y c b A"),
            ("?sort=size", "y z b c A"),
            ("?sort=modified", "z y c A b"),
            ("?sort=modified&order=desc", "y z b A c"),
            ("?sort=other&x", "y z A b c"),
        ] {
            let mut entries = all.to_vec();
            Order::of(query).sort(&mut entries);
            let names: Vec<_> = entries.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names.join(" "), expected, "{query}");
        }
    }
}
