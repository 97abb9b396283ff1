//! Files, and what leads to them: is this still the file that was read?

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// As many links as the system follows on one way (Linux: 40).
const MOST_LINKS: usize = 40;

/// What tells a file from the one that was there before. A link that leads elsewhere makes it
/// another, and so does everything that the system notes of its content and rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Where its path leads.
    resolved: PathBuf,
    /// `None` if nothing is there.
    identity: Option<Identity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    /// When its content changed, and when its rights or its name did: a key that the server may
    /// read at last is worth another attempt, too.
    changed: Vec<Option<SystemTime>>,
}

impl Fingerprint {
    /// Looks at a file.
    pub(super) fn of(path: &Path) -> Self {
        Self {
            resolved: way(path).pop().unwrap_or_default(),
            identity: fs::metadata(path).ok().map(|metadata| identity(&metadata)),
        }
    }

    /// Whether there is a file.
    pub(super) fn exists(&self) -> bool {
        self.identity.is_some()
    }
}

/// Whether a path may lead to another file than at that time: the file, a link on the way to it or
/// the entries of their folders have changed since.
pub(super) fn touched_since(path: &Path, time: SystemTime) -> bool {
    let is_newer = |metadata: fs::Metadata| {
        identity(&metadata).changed.into_iter().flatten().any(|changed| changed >= time)
    };
    way(path).iter().any(|entry| {
        let folder = entry.parent().and_then(|folder| fs::metadata(folder).ok());
        fs::symlink_metadata(entry).is_ok_and(is_newer) || folder.is_some_and(is_newer)
    })
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;

    let status_changed = || {
        let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
        let nanoseconds = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_add(nanoseconds)
    };
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        changed: vec![metadata.modified().ok(), status_changed()],
    }
}

#[cfg(not(unix))]
fn identity(metadata: &fs::Metadata) -> Identity {
    Identity {
        device: 0,
        inode: 0,
        length: metadata.len(),
        changed: vec![metadata.modified().ok(), metadata.created().ok()],
    }
}

/// The entries of folders that decide which file a path leads to: every link on the way, and last
/// the file itself, whether it is there or not. Their folders are named without links.
///
/// Kubernetes mounts `appsettings.json -> ..data/appsettings.json` and `..data -> ..2026_11_21`, and
/// changes all files of a volume at once by a new `..data`: nothing happens to the file, nor to the
/// first link.
pub(super) fn way(path: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let steps = |path: &Path| -> Vec<PathBuf> {
        path.components().rev().map(|step| PathBuf::from(step.as_os_str())).collect()
    };
    let mut left = steps(&absolute);
    let mut links = Vec::new();
    let mut at = PathBuf::new();
    while let Some(step) = left.pop() {
        match step.components().next() {
            Some(Component::ParentDir) => drop(at.pop()),
            Some(Component::CurDir) | None => {}
            // An absolute one begins anew.
            Some(Component::Prefix(_) | Component::RootDir) => at.push(step),
            Some(Component::Normal(name)) => {
                at.push(name);
                if let Ok(target) = fs::read_link(&at)
                    && links.len() < MOST_LINKS
                {
                    links.push(at.clone());
                    at.pop();
                    left.extend(steps(&target));
                }
            }
        }
    }
    links.push(at);
    links
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_way_to_a_file_is_every_link_and_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("..1")).unwrap();
        fs::write(root.join("..1/a.json"), "{}").unwrap();
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/a.json", root.join("a.json")).unwrap();
        symlink(&root, root.join("self")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for (path, expected) in [
            ("..1/a.json", &["..1/a.json"][..]),
            ("a.json", &["a.json", "..data", "..1/a.json"]),
            ("self/a.json", &["self", "a.json", "..data", "..1/a.json"]),
            ("..1/../a.json", &["a.json", "..data", "..1/a.json"]),
            ("missing/b.json", &["missing/b.json"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|entry| root.join(entry)).collect();
            assert_eq!(way(&root.join(path)), expected, "{path}");
        }
        assert!(way(&root.join("loop")).len() > MOST_LINKS);
    }

    #[test]
    fn a_file_is_another_by_its_link_and_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for version in ["1", "2"] {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("a.json"), "{}").unwrap();
        }
        symlink("1", folder.path().join("data")).unwrap();
        symlink("data/a.json", &path).unwrap();
        let first = Fingerprint::of(&path);
        assert_eq!(first, Fingerprint::of(&path));
        assert!(first.exists());

        fs::remove_file(folder.path().join("data")).unwrap();
        assert!(!Fingerprint::of(&path).exists());
        symlink("2", folder.path().join("data")).unwrap();
        let second = Fingerprint::of(&path);
        assert_ne!(first, second);

        fs::write(&path, "{ }").unwrap();
        assert_ne!(second, Fingerprint::of(&path));
    }

    /// A key that the server could not read is worth another attempt when it may.
    #[test]
    fn a_file_is_another_by_its_rights() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "a").unwrap();
        let closed = Fingerprint::of(&path);
        let began = std::time::Instant::now();
        let mut mode = 0o600;
        // The clock of the file system is behind.
        while Fingerprint::of(&path) == closed {
            assert!(began.elapsed().as_secs() < 60, "rights do not count");
            mode ^= 0o040;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    #[test]
    fn a_link_is_new_even_if_it_leads_to_an_old_file() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["1", "2"] {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("a.json"), "{}").unwrap();
        }
        let (link, path) = (folder.path().join("data"), folder.path().join("data/a.json"));
        symlink("1", &link).unwrap();
        let since = SystemTime::now();
        let target = fs::metadata(folder.path().join("2/a.json")).unwrap();
        assert!(identity(&target).changed.iter().flatten().all(|changed| *changed < since));
        // The clock of the file system is behind: one of the next links is newer.
        let began = std::time::Instant::now();
        while !touched_since(&path, since) {
            assert!(began.elapsed().as_secs() < 60, "no link is new");
            fs::remove_file(&link).unwrap();
            symlink("2", &link).unwrap();
        }
        assert!(!touched_since(&path, SystemTime::now() + std::time::Duration::from_secs(60)));
    }
}
