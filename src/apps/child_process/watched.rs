//! Files whose changes put other processes in the place of those that run.
//!
//! They are looked at, a few times a second: that finds what no system tells of, such as changes on a network file system,
//! and is only done where somebody asks for it.

use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

/// How often it is looked. What has changed is to be the same at two looks: whoever writes many files is not half done.
const LOOK: Duration = Duration::from_millis(300);

/// So many files of each path are looked at, and so deep in folders.
const MOST: usize = 20_000;
const DEEPEST: usize = 16;

/// Folders that programs and their tools write themselves.
const PASSED_OVER: &[&str] = &["node_modules", "__pycache__", "target", "bin", "obj", "venv"];

/// Calls `changed` for each change, for as long as it is polled.
pub(super) async fn watch(paths: Vec<PathBuf>, changed: impl Fn()) {
    let mut known = look(&paths).await;
    loop {
        sleep(LOOK).await;
        let mut seen = look(&paths).await;
        if seen == known {
            continue;
        }
        loop {
            sleep(LOOK).await;
            let again = look(&paths).await;
            if again == seen {
                break;
            }
            seen = again;
        }
        known = seen;
        changed();
    }
}

/// What the files are at the moment; a file system that takes its time holds nobody up.
async fn look(paths: &[PathBuf]) -> u64 {
    let paths = paths.to_vec();
    let looked = tokio::task::spawn_blocking(move || fingerprint(&paths)).await;
    looked.unwrap_or_default()
}

fn fingerprint(paths: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        let mut left = MOST;
        add(path, &mut hasher, (&mut left, DEEPEST));
    }
    hasher.finish()
}

fn add(path: &Path, hasher: &mut DefaultHasher, (left, deepest): (&mut usize, usize)) {
    path.hash(hasher);
    let Ok(facts) = fs::metadata(path) else { return };
    if !facts.is_dir() {
        facts.len().hash(hasher);
        facts.modified().ok().hash(hasher);
        identity(&facts).hash(hasher);
        return;
    }
    let Some(deepest) = deepest.checked_sub(1) else { return };
    let mut entries: Vec<_> = fs::read_dir(path).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || PASSED_OVER.contains(&&*name) {
            continue;
        }
        let Some(fewer) = left.checked_sub(1) else { return };
        *left = fewer;
        // One that leads back would lead round for ever.
        if entry.file_type().is_ok_and(|it| it.is_symlink()) && entry.path().is_dir() {
            continue;
        }
        add(&entry.path(), hasher, (&mut *left, deepest));
    }
}

/// What differs between a file and another one that was put in its place.
#[cfg(unix)]
fn identity(facts: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(facts)
}

#[cfg(not(unix))]
fn identity(facts: &Metadata) -> Option<std::time::SystemTime> {
    facts.created().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_made_or_removed_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("app.py"), "1").unwrap();
        let paths = [folder.path().to_owned()];
        let mut seen = vec![fingerprint(&paths)];
        fs::create_dir(path("lib")).unwrap();
        fs::write(path("lib/a.py"), "1").unwrap();
        seen.push(fingerprint(&paths));
        fs::write(path("lib/a.py"), "12").unwrap();
        seen.push(fingerprint(&paths));
        // Of the same length, it is another file.
        fs::copy(path("lib/a.py"), path("new")).unwrap();
        fs::rename(path("new"), path("lib/a.py")).unwrap();
        seen.push(fingerprint(&paths));
        fs::remove_file(path("lib/a.py")).unwrap();
        seen.push(fingerprint(&paths));
        let mut others = seen.clone();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), seen.len(), "{seen:?}");
        // What programs write themselves is not.
        fs::create_dir(path("__pycache__")).unwrap();
        fs::write(path("__pycache__/a.pyc"), "1").unwrap();
        fs::write(path(".lock"), "1").unwrap();
        assert_eq!(fingerprint(&paths), *seen.last().unwrap());
    }

    #[tokio::test]
    async fn a_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.py");
        fs::write(&file, "1").unwrap();
        let (told, mut changes) = tokio::sync::mpsc::unbounded_channel();
        let tell = move || told.send(()).expect("it is heard");
        let mut watching = Box::pin(watch(vec![file.clone()], tell));
        // It has looked once when it waits for the first time.
        let first = tokio::time::timeout(LOOK, &mut watching).await;
        assert!(first.is_err() && changes.try_recv().is_err());
        fs::write(&file, "12").unwrap();
        tokio::select! {
            () = watching => {}
            told = changes.recv() => assert_eq!(told, Some(())),
        }
    }
}
