//! The file that the output of a process is written to.
//!
//! A process that runs as another user may own the folder: what it puts in the place of the file is not followed, and not
//! waited for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use crate::diagnostics::{Repeated, Telling, events};
use crate::middleware::LineSink;

/// A file by its path, which is opened with the first line.
pub(super) struct OutputFile {
    path: PathBuf,
    file: Option<File>,
    failures: Repeated,
}

impl OutputFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, failures: Repeated::default() }
    }

    fn opened(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            options.custom_flags(flags.bits().cast_signed()).mode(0o640);
        }
        let file = options.open(&self.path)?;
        is_ours(&file)?;
        Ok(file)
    }
}

/// A file that somebody else has put there, or that has another name besides, may be anything.
#[cfg(unix)]
fn is_ours(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let facts = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    match facts.is_file() && facts.uid() == own && facts.nlink() == 1 {
        true => Ok(()),
        false => Err(io::Error::other("it is no file of this server's")),
    }
}

#[cfg(not(unix))]
fn is_ours(_: &File) -> io::Result<()> {
    Ok(())
}

impl LineSink for OutputFile {
    fn write(&mut self, lines: &str) {
        let written = match &mut self.file {
            Some(file) => file.write_all(lines.as_bytes()),
            None => {
                self.opened().and_then(|file| self.file.insert(file).write_all(lines.as_bytes()))
            }
        };
        if let Err(error) = written
            && let Telling::Now { more } = self.failures.happened(Instant::now())
        {
            let path = self.path.display().to_string();
            events::request_log_not_written(&path, &error.to_string(), more);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn what_stands_in_its_place_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str| OutputFile::new(path(name)).write("a line\n");
        write("deep/plain");
        assert_eq!(fs::read_to_string(path("deep/plain")).unwrap(), "a line\n");
        assert_eq!(fs::metadata(path("deep/plain")).unwrap().mode() & 0o137, 0);
        fs::write(path("victim"), "").unwrap();
        symlink(path("victim"), path("link")).unwrap();
        fs::hard_link(path("victim"), path("other name")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["link", "other name", "fifo"] {
            write(name);
        }
        assert_eq!(fs::read_to_string(path("victim")).unwrap(), "");
    }
}
