//! The checked walk: where the real path of something is, and whether that lies below the folder. On Unix it
//! is then opened segment by segment from the folder on, so that no link can come in between; on other
//! systems who may change the folder at that very moment can make it another file.

use std::fs::File;
use std::io;
use std::path::Path;

use super::super::site_path::is_hidden;

/// What was walked to.
pub(super) enum Walked {
    #[cfg_attr(unix, expect(dead_code, reason = "an open folder is a file there"))]
    Folder(Folder),
    File(File),
}

/// Opens what lies below `root`; `None`, if its real path is elsewhere.
pub(super) fn open(root: &Path, relative: &str) -> io::Result<Option<Walked>> {
    let root = root.canonicalize()?;
    let real = match root.join(relative).canonicalize() {
        Ok(real) => real,
        Err(error) if is_of_name(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    match real.strip_prefix(&root) {
        Ok(below) if !leads_to_hidden(below) => open_real(&root, below).map(Some),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Whether a link leads to what nobody could ask for by its name. The folders of Kubernetes' volumes are no secret:
/// each file there is a link into the one of the moment, which is called by its time (`..2026_11_29_10_00_05.1`).
fn leads_to_hidden(below: &Path) -> bool {
    let is_of_volume = |name: &[u8]| {
        name.strip_prefix(b"..").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
    };
    let mut names = below.iter().map(std::ffi::OsStr::as_encoded_bytes);
    names.any(|name| is_hidden(name) && !is_of_volume(name))
}

/// Whether the name is wrong, rather than something on the way to it.
fn is_of_name(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    ) || is_loop(error)
}

#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

#[cfg(not(unix))]
fn is_loop(_: &io::Error) -> bool {
    false
}

#[cfg(unix)]
fn open_real(root: &Path, below: &Path) -> io::Result<Walked> {
    use rustix::fs::{Mode, OFlags, openat};

    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut at = File::open(root)?;
    for segment in below {
        at = openat(&at, segment, flags | OFlags::NOFOLLOW, Mode::empty())?.into();
    }
    Ok(Walked::File(at))
}

#[cfg(not(unix))]
fn open_real(root: &Path, below: &Path) -> io::Result<Walked> {
    let path = root.join(below);
    match path.is_dir() {
        true => Ok(Walked::Folder(Folder { path })),
        false => File::open(path).map(Walked::File),
    }
}

/// A folder that was found.
#[derive(Debug)]
pub(in super::super) struct Folder {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    path: std::path::PathBuf,
}

impl Folder {
    #[cfg(unix)]
    pub(super) fn of(file: File) -> Self {
        Self { file }
    }

    /// When it was changed.
    pub(in super::super) fn modified(&self) -> Option<std::time::SystemTime> {
        #[cfg(unix)]
        let metadata = self.file.metadata();
        #[cfg(not(unix))]
        let metadata = std::fs::metadata(&self.path);
        metadata.and_then(|it| it.modified()).ok()
    }

    /// The names in it, as far as they are text: no request can name others.
    #[cfg(unix)]
    pub(in super::super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.file)? {
            if let Ok(name) = entry?.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// The names in it, as far as they are text: no request can name others.
    #[cfg(not(unix))]
    pub(in super::super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }
}
