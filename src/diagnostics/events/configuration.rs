//! What is read, and what is odd about it.

use super::categories::OUR_CONFIGURATION;
use crate::diagnostics::notice::Notice;

/// Something about the configuration is odd but does not stop the start.
pub(crate) fn configuration_warning(message: &str, detail: &str) -> Notice {
    notice!(OUR_CONFIGURATION, WARN, 1, "{problem}", detail: detail; problem = message)
}

/// Something about the configuration may not be what was meant.
pub(crate) fn configuration_note(message: &str, detail: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 4, "{note}", detail: detail; note = message)
}

pub(crate) fn configuration_file(path: &str, found: bool) -> Notice {
    let outcome = if found { "read" } else { "not there" };
    notice!(OUR_CONFIGURATION, DEBUG, 2, "Configuration file {path}: {outcome}"; path = path, outcome = outcome)
}

/// What a start would do about a web root that is not there.
pub(crate) fn web_root_missing(path: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 10, "The web root {path} does not exist: the start creates it."; path = path)
}

/// A server for files has none; something else may be in its place.
pub(crate) fn no_site(path: &str, in_the_way: Option<&str>) -> Notice {
    match in_the_way {
        None => notice!(OUR_CONFIGURATION, INFO, 11,
            "No site: {path} is not there, and a welcome page is served. Make it, or name another by --webroot or --contentRoot.";
            path = path),
        Some(what) => notice!(OUR_CONFIGURATION, INFO, 11,
            "No site: {path} is {what}, and a welcome page is served. Put a folder there, or name another by --webroot or --contentRoot.";
            path = path, what = what),
    }
}

pub(crate) fn web_root_created(path: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 3, "The web root {path} did not exist and was created."; path = path)
}
