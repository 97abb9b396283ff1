//! Writing files that only their owner may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::report::Report;

/// Writes a file, or replaces it, with its mode. At no time is there half a file, or one that
/// others may read.
///
/// # Errors
///
/// The folder is missing or cannot be written, or the path is that of something else than a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_all(&[(path.to_owned(), bytes.to_vec())]).map_err(|(_, error)| error)
}

/// Writes files that belong together: none of them is touched before there is room for all.
///
/// # Errors
///
/// As [`write`], with the file it is about.
pub(super) fn write_all(files: &[(PathBuf, Vec<u8>)]) -> Result<(), (PathBuf, io::Error)> {
    let mut temporaries = Temporaries(Vec::new());
    for (path, bytes) in files {
        let failed = |error| (path.clone(), error);
        let (temporary, mut file) = beside(path).map_err(failed)?;
        temporaries.0.push(temporary);
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    for ((path, _), temporary) in files.iter().zip(&temporaries.0) {
        fs::rename(temporary, path).map_err(|error| (path.clone(), error))?;
    }
    Ok(())
}

/// Files that are removed if they are still there at the end.
struct Temporaries(Vec<PathBuf>);

impl Drop for Temporaries {
    fn drop(&mut self) {
        for path in &self.0 {
            // What was moved to its place is gone from here.
            let _ = fs::remove_file(path);
        }
    }
}

/// A new file in the same folder, so that it can be moved in one step.
fn beside(path: &Path) -> io::Result<(PathBuf, fs::File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let refused = |kind, why| Err(io::Error::new(kind, why));
    if path.file_name().is_none() {
        return refused(io::ErrorKind::InvalidInput, "the path names no file");
    }
    let facts = fs::metadata(path);
    if facts.as_ref().is_ok_and(fs::Metadata::is_dir) {
        return refused(io::ErrorKind::IsADirectory, "it is a directory");
    }
    if facts.is_ok_and(|facts| !facts.is_file()) || is_of_the_system(path) {
        return refused(io::ErrorKind::InvalidInput, "it is not a regular file");
    }
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // In a container every process has the same number: one that was killed may have left it.
        let own = path.with_file_name(format!(".kestrel-{}-{count}", std::process::id()));
        match create(&own) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (own, file)),
        }
    }
}

/// Whether a path is one of those that the system keeps for itself. To put a file in the place of
/// /dev/stdout would break every program that writes to it, and it is a link to whatever it is.
fn is_of_the_system(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let is_in = |place: &str| folder.starts_with(place);
    is_in("/proc") || is_in("/sys") || (is_in("/dev") && !is_in("/dev/shm"))
}

fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that only its owner may enter, and those above it with the usual mode.
///
/// # Errors
///
/// It cannot be made.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    make_private(path)
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Tells if others than its owner may look into a folder.
pub(super) fn tell_if_open(folder: &Path, report: &mut Report) {
    if is_open_to_others(folder) {
        let shown = folder.display();
        report.step(112, format!("Directory '{shown}' may be readable by other users."));
    }
}

fn is_open_to_others(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(folder).is_ok_and(|facts| facts.permissions().mode() & 0o7077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

/// A path from the root on, without `.` and `..`, as .NET shows it. Links are not looked at.
pub(super) fn full_path(current_directory: &Path, path: &Path) -> PathBuf {
    let mut full = PathBuf::new();
    for part in current_directory.join(path).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                full.pop();
            }
            part => full.push(part),
        }
    }
    full
}

/// Holds a folder against other processes of ours until it is dropped, once they let it go. A
/// process that never does, and a file system that has no locks, are no reason to do nothing: what
/// two do at once may then have to be done again.
pub(super) fn hold(folder: &Path, patience: Duration) -> Option<fs::File> {
    let held = fs::File::open(folder).ok()?;
    let begin = Instant::now();
    loop {
        match held.try_lock() {
            Ok(()) => return Some(held),
            Err(fs::TryLockError::WouldBlock) if begin.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(_) => return None,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn of_files_that_belong_together_all_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&first, "old").unwrap();
        fs::create_dir(&second).unwrap();
        let files = [(first.clone(), b"new".to_vec()), (second.clone(), b"new".to_vec())];
        let (path, error) = write_all(&files).unwrap_err();
        assert_eq!((path, error.kind()), (second.clone(), io::ErrorKind::IsADirectory));
        assert_eq!(fs::read(&first).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a", "b"]);
        fs::remove_dir(&second).unwrap();
        write_all(&files).unwrap();
        assert_eq!(fs::read(&second).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a", "b"]);
    }

    #[test]
    fn what_is_no_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("device");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        assert_eq!(write(&device, b"x").unwrap_err().to_string(), "it is not a regular file");
        assert!(device.is_symlink());
        assert!(write(Path::new("/"), b"x").is_err());
        // Nothing of the sort is there, so that nothing breaks if this fails.
        for path in ["/dev/kestrel-no-such-file", "/proc/self/kestrel-no-such-file"] {
            let refused = write(Path::new(path), b"x").unwrap_err();
            assert_eq!(refused.to_string(), "it is not a regular file", "{path}");
            assert!(!Path::new(path).exists());
        }
    }

    #[test]
    fn a_folder_is_held_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let held = hold(folder.path(), Duration::ZERO);
        assert!(held.is_some());
        assert!(hold(folder.path(), Duration::from_millis(50)).is_none());
        let path = folder.path().to_owned();
        let waits = std::thread::spawn(move || hold(&path, Duration::from_secs(60)).is_some());
        drop(held);
        assert!(waits.join().unwrap());
        assert!(hold(&folder.path().join("missing"), Duration::from_secs(60)).is_none());
    }

    #[test]
    fn full_paths_have_no_detours() {
        for (path, expected) in [
            ("a.pfx", "/w/a.pfx"),
            ("./a.pfx", "/w/a.pfx"),
            ("../x/./a.pfx", "/x/a.pfx"),
            ("/b//a.pfx", "/b/a.pfx"),
            ("../../../a", "/a"),
        ] {
            assert_eq!(full_path(Path::new("/w"), Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
