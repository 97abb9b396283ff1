//! Files that strangers would get, or that the host itself would spoil: logs in the web root, settings in the web
//! root, a log in the place of a settings file. Only paths are compared, with links followed as far as they lead.

use std::path::{Component, Path, PathBuf};

use super::keys::{Holds, Key, Kind, Place, place};
use super::password_file;
use super::places::Needed;
use crate::configuration::{
    Configuration, Loaded, Origin, Problem, Setting, Sourced, fold_key, keys_equal,
};

const ACCESS_LOG: &str = "AccessLog:Path";
const W3C_LOGS: &str = "W3CLogging:LogDirectory";

/// What is to be said of them. `whole` has all settings of the host, where `loaded` has those of a site.
pub(super) fn told(
    loaded: &Loaded,
    (whole, keys): (&Configuration, &[KeyFile<'_>]),
    places: &Needed<'_>,
) -> Vec<Problem> {
    let spoilt = places.access_log.and_then(|log| {
        let own = loaded.configuration.setting(ACCESS_LOG);
        let file = another_file(loaded, whole, (log, own.map(|it| it.key.as_str())))?;
        let origin = own.map_or(Origin::Default, |it| it.origin.clone());
        Some(
            Problem::error(format!("The access log would be written into {file}."))
                .cause("Its lines would spoil what is in it.")
                .key(ACCESS_LOG)
                .origin(origin)
                .fix("name a file of its own, such as logs/access.log"),
        )
    });
    let keys = places.site.map_or_else(Vec::new, |site| keys_in(keys, site));
    logs_in(&loaded.configuration, places).into_iter().chain(spoilt).chain(keys).collect()
}

/// Logs that lie in the site.
pub(super) fn logs_in(configuration: &Configuration, places: &Needed<'_>) -> Vec<Problem> {
    let origin =
        |key: &str| configuration.setting(key).map_or(Origin::Default, |it| it.origin.clone());
    let logs = [
        (places.access_log, "The access log", ACCESS_LOG),
        (places.w3c_logs, "The W3C log files", W3C_LOGS),
    ];
    let told = logs.into_iter().filter_map(|(path, what, key)| {
        let (path, site) = (path?, places.site?);
        can_be_asked_for(path, site).then(|| {
            Problem::warning(format!("{what} can be asked for: {}.", path.display()))
                .cause(format!("It lies in {}, which is served.", site.display()))
                .key(key)
                .origin(origin(key))
                .fix("write it elsewhere, such as logs/access.log beside the web root")
        })
    });
    told.collect()
}

/// A key that settings name, or a certificate with its key in it: where it is, and who says so.
#[derive(Clone)]
pub(super) struct KeyFile<'a> {
    path: PathBuf,
    setting: &'a Setting,
}

/// The files with keys that settings name and that are there. (What is told of a folder of certificates, whoever names
/// it, is its own affair.)
pub(super) fn key_files<'a>(loaded: &Loaded, whole: &'a Configuration) -> Vec<KeyFile<'a>> {
    let named = whole.settings().filter(|setting| {
        let (section, name) = setting.key.rsplit_once(':').unwrap_or_default();
        if password_file::is_key(&setting.key) {
            return true;
        }
        if !keys_equal(name, "KeyPath") && !keys_equal(name, "Path") {
            return false;
        }
        // Beside a file with the key, that of the certificate is what every client gets anyhow.
        let has_key = || whole.non_empty(&format!("{section}:KeyPath")).is_some();
        fold_key(section).contains(&*fold_key("Certificate"))
            && (keys_equal(name, "KeyPath") || !has_key())
    });
    let file = |setting: &'a Setting| {
        let path = setting.value.as_deref().filter(|path| !path.is_empty())?;
        let path = loaded.content_root.value.join(path);
        path.is_file().then_some(KeyFile { path, setting })
    };
    named.filter_map(file).collect()
}

/// Certificates and keys that lie in the site.
fn keys_in(files: &[KeyFile<'_>], site: &Path) -> Vec<Problem> {
    let told = files.iter().filter(|file| can_be_asked_for(&file.path, site)).map(|file| {
        let (what, fix) = match password_file::is_key(&file.setting.key) {
            true => {
                ("passwords", "move it out of the web root; if the site was public, have others")
            }
            false => {
                ("key", "move it out of the web root; if the site was public, make another key")
            }
        };
        Problem::warning(format!("The {what} in {} can be asked for.", file.path.display()))
            .cause(format!("It lies in {}, which is served.", site.display()))
            .key(file.setting.key.clone())
            .origin(file.setting.origin.clone())
            .fix(fix)
    });
    told.collect()
}

/// A settings file, or one that a setting names, which `log` is.
fn another_file(
    loaded: &Loaded,
    whole: &Configuration,
    (log, own): (&Path, Option<&str>),
) -> Option<String> {
    let log = real(log);
    let is_log = |path: &Path| real(path) == log;
    if let Some(file) = loaded.files.iter().find(|file| is_log(&file.path)) {
        return Some(format!("the settings file {}", file.path.display()));
    }
    let named = whole.settings().find(|setting| {
        let is_path =
            matches!(place(&setting.key), Place::Known(Key { holds: Holds::Text(Kind::Path), .. }));
        let path = setting.value.as_deref().filter(|path| !path.is_empty());
        is_path
            && !own.is_some_and(|own| keys_equal(&setting.key, own))
            // Sites may share one.
            && !fold_key(&setting.key).ends_with(&*fold_key(ACCESS_LOG))
            && path.is_some_and(|path| is_log(&loaded.content_root.value.join(path)))
    })?;
    Some(format!("the file of {}", named.key))
}

/// The settings of a host, in a folder that is served: the names that such files have.
pub(super) fn settings_in(loaded: &Loaded, root: &Sourced<PathBuf>) -> Option<Problem> {
    if !root.value.is_dir() {
        return None;
    }
    let of_host = loaded.files.iter().filter(|file| file.found).map(|file| file.path.clone());
    let environment = format!("appsettings.{}.json", loaded.environment.value);
    let names = ["appsettings.json", "appsettings.Development.json", &environment];
    // A folder that is served as it is may be that of an app. (Settings below a web root are meant for browsers, as
    // those of Blazor are, which come with their framework.)
    let is_of_app = real(&root.value) == real(&loaded.content_root.value)
        && !root.value.join("_framework").is_dir();
    let there = names.map(|name| root.value.join(name)).into_iter();
    let there = there.filter(|it| is_of_app && it.is_file());
    let file = of_host.chain(there).find(|file| can_be_asked_for(file, &root.value))?;
    Some(
        Problem::warning(format!("The settings in {} can be asked for.", file.display()))
            .cause(format!("The file lies in {}, which is served.", root.value.display()))
            .key("webroot")
            .origin(root.origin.clone())
            .fix("serve a folder below it, such as wwwroot"),
    )
}

/// Whether what lies at `path` is served from `root`: no name that begins with a dot is, but one.
fn can_be_asked_for(path: &Path, root: &Path) -> bool {
    let (path, root) = (real(path), real(root));
    let is_hidden = |name: Component<'_>| {
        let name = name.as_os_str().as_encoded_bytes();
        name.starts_with(b".") && name != b".well-known"
    };
    path.strip_prefix(root).is_ok_and(|below| !below.components().any(is_hidden))
}

/// The path with all links followed, of which the end may not be there yet.
fn real(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let Ok(real) = there.canonicalize() {
            let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_is_known_by_its_real_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("wwwroot");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for (path, expected) in [
            ("wwwroot/access.log", true),
            ("wwwroot/logs/today/access.log", true),
            ("wwwroot/sub/../access.log", true),
            ("wwwroot", true),
            ("wwwroot/.logs/access.log", false),
            ("wwwroot/.well-known/access.log", true),
            ("logs/access.log", false),
            ("wwwroots/access.log", false),
            ("wwwroot/../access.log", false),
        ] {
            assert_eq!(can_be_asked_for(&folder.path().join(path), &root), expected, "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("sub"), folder.path().join("link")).unwrap();
            assert!(can_be_asked_for(&folder.path().join("link/a.log"), &root));
        }
    }
}
