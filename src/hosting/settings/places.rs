//! Whether the folders and files that settings name can be used, as far as that is known without trying. Who
//! would learn it at the first request only, learns it at the start, and from the plan.

use std::path::Path;

use crate::configuration::{Configuration, Origin, Problem, Sourced};
use crate::tls::user::user;

/// What the stages that are on need.
#[derive(Default)]
pub(super) struct Needed<'a> {
    /// The file of the access log, unless that is on the console.
    pub(super) access_log: Option<&'a Path>,
    /// The folder of W3C log files.
    pub(super) w3c_logs: Option<&'a Path>,
    /// What files are served from.
    pub(super) site: Option<&'a Path>,
}

/// What is to be said of places that cannot be used.
pub(super) fn told(configuration: &Configuration, needed: &Needed<'_>) -> Vec<Problem> {
    let origin =
        |key: &str| configuration.setting(key).map_or(Origin::Default, |it| it.origin.clone());
    let logs = [
        (needed.access_log, Made::File, "AccessLog:Path"),
        (needed.w3c_logs, Made::Folder, "W3CLogging:LogDirectory"),
    ];
    let logs = logs.into_iter().filter_map(|(path, made, key)| {
        let why = why_unwritable(path?, made)?;
        let what = if made == Made::File { "The access log" } else { "W3C log files" };
        let message = format!("{what} cannot be written: {}: {why}.", path?.display());
        let fix = "let whoever runs the host write there, or name another place";
        Some(Problem::warning(message).key(key).origin(origin(key)).fix(fix))
    });
    let site = needed.site.and_then(unreadable);
    logs.chain(site.map(|it| it.key("webroot").origin(origin("webroot")))).collect()
}

/// A folder that is there and that nothing can be read from.
fn unreadable(root: &Path) -> Option<Problem> {
    // What is below a folder is found by those alone who may search it.
    let refused = root.join(".").symlink_metadata().err()?;
    let is_refused = refused.kind() == std::io::ErrorKind::PermissionDenied;
    is_refused.then(|| {
        Problem::warning(format!(
            "The web root {} cannot be read by the {}.",
            root.display(),
            user()
        ))
        .cause("Every file in it is 404, or 500.")
        .fix("give it the rights r and x (chmod a+rX), and x to the folders around it")
    })
}

/// What is made at a path, with the folders around it.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    File,
    Folder,
}

/// Why `path` could not be made, or written in.
fn why_unwritable(path: &Path, made: Made) -> Option<String> {
    let there = path.ancestors().find(|it| it.exists())?;
    match (there == path, there.is_dir()) {
        (true, true) if made == Made::File => Some("it is a folder".to_owned()),
        (true, false) if made == Made::Folder => Some("it is no folder".to_owned()),
        (false, false) => Some(format!("{} is no folder", there.display())),
        _ => (!may_write(there)).then(|| format!("the {} may not", user())),
    }
}

#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};

    let search = if path.is_dir() { AccessFlags::X_OK } else { AccessFlags::empty() };
    access(path, AccessFlags::W_OK | search).is_ok()
}

/// The rights that a folder has elsewhere are not told by the standard library.
#[cfg(not(unix))]
fn may_write(_: &Path) -> bool {
    true
}

/// Pages of the site that are answered with where nothing else is, and are not there themselves.
pub(super) fn missing_pages(root: &Path, pages: [Option<Sourced<String>>; 2]) -> Vec<Problem> {
    const KEYS: [&str; 2] = ["NavigationFallback:Path", "StaticFiles:NotFoundPage"];
    let named = KEYS.into_iter().zip(pages).filter_map(|(key, page)| Some((key, page?)));
    let is_missing =
        |page: &str| root.is_dir() && !root.join(page.trim_start_matches('/')).is_file();
    let missing = named.filter(|(_, page)| is_missing(&page.value));
    let told = missing.map(|(key, page)| {
        let there = root.join(page.value.trim_start_matches('/'));
        Problem::warning(format!("'{key}' has no effect: {} is not there.", there.display()))
            .key(key)
            .origin(page.origin)
            .fix("create the file, or name one from the web root on, such as index.html")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_writable_or_it_is_told_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "").unwrap();
        let told = |path: &Path, made| why_unwritable(path, made);
        assert_eq!(told(&folder.path().join("logs/today/access.log"), Made::File), None);
        assert_eq!(told(&folder.path().join("logs"), Made::Folder), None);
        assert_eq!(told(&file, Made::File), None);
        assert_eq!(told(&file, Made::Folder).as_deref(), Some("it is no folder"));
        assert_eq!(told(folder.path(), Made::File).as_deref(), Some("it is a folder"));
        let below = format!("{} is no folder", file.display());
        assert_eq!(told(&file.join("logs"), Made::Folder), Some(below));
    }
}
