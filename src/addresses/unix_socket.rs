//! Unix sockets and their files.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::error::FileInTheWay;

/// The file that binding a Unix socket made; it is removed when the endpoint ends, unless another
/// process has put its own in the place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Takes charge of the file of a socket that was just bound.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        let path = std::path::absolute(path)?;
        Ok(Self { path, device: metadata.dev(), inode: metadata.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let still_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if still_ours {
            // A folder that became read-only keeps the file; the next start names it as stale.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What lies at `path`, once the system has said that the address is in use.
pub(super) fn in_the_way(path: &Path) -> FileInTheWay {
    match fs::metadata(path) {
        Ok(found) if found.file_type().is_socket() => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                FileInTheWay::StaleSocket
            }
            // Connected, or alive but not for us: somebody listens.
            _ => FileInTheWay::LiveSocket,
        },
        _ => FileInTheWay::NoSocket,
    }
}
