//! `ProcessPath`: which file is run.

use std::path::{Path, PathBuf};

use super::section::PROGRAM;
use crate::configuration::Loaded;

/// Ends of names that are left out where programs are named, on Windows.
const ENDS: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd", ".bat"] } else { &[""] };

/// The program's file: from the content root on if it lies there, else from `PATH`. One that is nowhere stays as it
/// is written.
pub(super) fn read(loaded: &Loaded) -> PathBuf {
    let text = loaded.configuration.value(PROGRAM).unwrap_or_default().trim();
    let file = found(loaded, text).unwrap_or_else(|| match is_name(text) {
        true => PathBuf::from(text),
        false => loaded.content_root.value.join(text),
    });
    // `./shop`, without the dot in the middle of a path.
    file.components().collect()
}

fn found(loaded: &Loaded, text: &str) -> Option<PathBuf> {
    let named = loaded.content_root.value.join(text);
    let is_there = |path: &PathBuf| path.is_file();
    if let Some(file) = with_ends(&named).find(is_there) {
        return Some(file);
    }
    let folders = is_name(text).then(|| folders(loaded));
    // A file of this name that may not be run does not hide one that may.
    let mut all =
        folders.into_iter().flatten().flat_map(|it| with_ends(&it.join(text)).collect::<Vec<_>>());
    let first = all.find(is_there)?;
    let runs = |path: &PathBuf| path.is_file() && may_be_run(path);
    Some(std::iter::once(first.clone()).chain(all).find(runs).unwrap_or(first))
}

fn with_ends(path: &Path) -> impl Iterator<Item = PathBuf> {
    let path = path.as_os_str().to_owned();
    ENDS.iter().map(move |end| {
        let mut path = path.clone();
        path.push(end);
        path.into()
    })
}

/// The folders that programs are looked for in by their names.
pub(super) fn folders(loaded: &Loaded) -> Vec<PathBuf> {
    let path = loaded.search_path.as_deref().unwrap_or_default();
    std::env::split_paths(path).filter(|it| !it.as_os_str().is_empty()).collect()
}

/// Whether this is a name, and no path.
pub(super) fn is_name(text: &str) -> bool {
    !text.contains(std::path::is_separator)
}

/// Whether somebody may run the file.
pub(super) fn may_be_run(path: &Path) -> bool {
    #[cfg(unix)]
    let may = {
        use std::os::unix::fs::PermissionsExt as _;

        path.metadata().is_ok_and(|it| it.permissions().mode() & 0o111 != 0)
    };
    #[cfg(not(unix))]
    let may = path.is_file();
    may
}
