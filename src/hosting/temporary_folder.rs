//! The folder of a host that sees no other.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A folder that goes with its owner.
#[derive(Debug)]
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// A new one in another.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);

        // Whoever was here before with the same number may have left one.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (process, place) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(format!("kestrel-{process}-{place}-{}", now.subsec_nanos()));
        private_folder().create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file that is to be in the folder.
    pub(super) fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let is_inside = path.components().all(|it| matches!(it, Component::Normal(_)));
        if !is_inside || path.as_os_str().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no path in a folder"));
        }
        let path = self.0.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }
}

/// Makes folders that nobody else sees into. (On Windows those of a user's are.)
fn private_folder() -> fs::DirBuilder {
    #[cfg(unix)]
    {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
    }
    #[cfg(not(unix))]
    fs::DirBuilder::new()
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}
