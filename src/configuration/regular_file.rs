//! Opening a file that is to be read to its end, which only a regular file is sure to have.

use std::fmt;
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Why something is not read: to open a pipe waits for whoever writes into it, a terminal or a
/// device may never end, and some devices do things when they are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotRegular(&'static str);

impl fmt::Display for NotRegular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}, and no file", self.0)
    }
}

impl std::error::Error for NotRegular {}

impl NotRegular {
    /// What it is instead, such as `a pipe`.
    pub(crate) fn what(self) -> &'static str {
        self.0
    }

    /// What the error of [`open`] found in the place of the file.
    pub(crate) fn in_error(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    fn of(kind: FileType) -> Option<Self> {
        if kind.is_file() {
            return None;
        }
        Some(Self(special(kind).unwrap_or("something else")))
    }
}

/// Opens a regular file, or what a link leads to if that is one.
///
/// # Errors
///
/// Those of the system, one of the kind `IsADirectory`, or a [`NotRegular`].
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Asked before, for what must not be opened at all, and after, for what has taken its place.
    check(fs::metadata(path)?.file_type())?;
    let file = without_waiting(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// The bytes of a regular file.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(kind: FileType) -> io::Result<()> {
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    match NotRegular::of(kind) {
        None => Ok(()),
        Some(found) => Err(io::Error::other(found)),
    }
}

#[cfg(unix)]
fn without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    // A regular file is read as ever.
    File::options().read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits()).open(path)
}

#[cfg(not(unix))]
fn without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
fn special(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;

    match kind {
        kind if kind.is_fifo() => Some("a pipe"),
        kind if kind.is_socket() => Some("a socket"),
        kind if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> Option<&'static str> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::write(at("file"), "text").unwrap();
        symlink("pipe", at("to pipe")).unwrap();
        for (path, found) in [
            (at("pipe"), "a pipe"),
            (at("to pipe"), "a pipe"),
            (at("socket"), "a socket"),
            ("/dev/null".into(), "a device"),
        ] {
            let error = open(&path).unwrap_err();
            assert_eq!(NotRegular::in_error(&error), Some(NotRegular(found)), "{path:?}");
        }
        assert_eq!(open(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(open(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);

        // A descriptor of a regular file is one, as /dev/stdin is behind `<`.
        let held = File::open(at("file")).unwrap();
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&held);
        symlink(format!("/proc/self/fd/{descriptor}"), at("to file")).unwrap();
        for path in [at("file"), at("to file")] {
            assert_eq!(read(&path).unwrap(), b"text", "{path:?}");
        }
    }
}
