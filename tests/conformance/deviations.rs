//! The cases that docs/deviations.md names: those that are to differ, and those that wait.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs, io};

use anyhow::{Context as _, Result};

/// The cases that docs/deviations.md names.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// There we mean to differ, and must.
    pub(crate) deviations: BTreeSet<String>,
    /// These wait for a feature.
    pub(crate) later: BTreeSet<String>,
}

/// The heading above the cases that wait for a feature.
const LATER: &str = "\n## Not there yet\n";

/// Reads docs/deviations.md.
///
/// # Errors
/// When the file is there but cannot be read.
pub(crate) fn listed() -> Result<Listed> {
    let folder = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let path = folder.join("docs/deviations.md");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(split(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Listed::default()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn split(text: &str) -> Listed {
    let (deviations, later) = text.split_once(LATER).unwrap_or((text, ""));
    Listed { deviations: case_ids(deviations), later: case_ids(later) }
}

/// All words of the form `group-123`, or `group-part-1.1`. Words that name no case are among them,
/// such as `back-references`: nobody asks for those.
fn case_ids(text: &str) -> BTreeSet<String> {
    let of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let words = text.split(|c| !of_id(c)).map(|word| word.trim_end_matches('.'));
    let is_name = |part: &str| {
        let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
        !part.is_empty() && part.chars().all(of_name)
    };
    let is_id = |word: &&str| word.contains('-') && word.split('-').all(is_name);
    words.filter(is_id).map(str::to_owned).collect()
}

/// The harness's test of this file.
pub(crate) fn check() {
    let text =
        "| `life-004`, url-027 | UTF-8 | a-b-001 (le-005). | -a-002 | ver-h2c-1.1-default. |";
    let ids: Vec<_> = case_ids(text).into_iter().collect();
    assert_eq!(ids, ["a-b-001", "le-005", "life-004", "url-027", "ver-h2c-1.1-default"]);
    let listed = split("| x-001 |\n## Not there yet\n| y-001 |");
    assert!(listed.deviations.contains("x-001") && !listed.deviations.contains("y-001"));
    assert!(listed.later.contains("y-001") && !listed.later.contains("x-001"));
}
