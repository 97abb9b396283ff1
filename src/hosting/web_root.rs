//! The web root that was named and is not there: why it cannot be made, and the start that makes it.

use std::path::PathBuf;

use super::settings::in_the_way;
use crate::configuration::{Problem, Sourced};
use crate::diagnostics::{Notice, events};

/// Why a web root that is not there cannot be made, as far as that is known without trying.
pub(super) fn web_root_problem(web_root: &Sourced<PathBuf>) -> Option<Problem> {
    // A link is there, also one that leads nowhere.
    let there = web_root.value.ancestors().find(|it| it.symlink_metadata().is_ok())?;
    let what = in_the_way(there)?;
    Some(web_root_refused(web_root, &format!("{} is {what}", there.display())))
}

fn web_root_refused(web_root: &Sourced<PathBuf>, why: &str) -> Problem {
    let shown = web_root.value.display();
    Problem::error(format!("The web root {shown} cannot be created: {why}."))
        .key("webroot")
        .origin(web_root.origin.clone())
        .fix("create it, or name an existing folder")
}

/// Makes a web root that was named but is not there, as Kestrel does.
pub(super) fn make_web_root(web_root: &Sourced<PathBuf>) -> Result<Notice, Problem> {
    std::fs::create_dir_all(&web_root.value)
        .map_err(|error| web_root_refused(web_root, &error.to_string()))?;
    Ok(events::web_root_created(&web_root.value.display().to_string()))
}
