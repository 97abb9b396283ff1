//! A file that lines are appended to, until somebody renames it and says so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use super::sink::LineSink;
use crate::diagnostics::{Repeated, Telling, events};

/// A file by its path. It is made, with the folders above it, if it is not there.
pub(crate) struct LogFile {
    path: PathBuf,
    file: Option<File>,
    failures: Repeated,
}

impl LogFile {
    /// Opens it at once, so that it is there. That it cannot be written, whoever reads settings tells; what else
    /// is wrong is told with the first line.
    pub(crate) fn open(path: PathBuf) -> Self {
        let mut file = Self { path, file: None, failures: Repeated::default() };
        file.file = file.opened().ok();
        file
    }

    fn opened(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        OpenOptions::new().append(true).create(true).open(&self.path)
    }

    fn tell(&self, error: &io::Error) {
        if let Telling::Now { more } = self.failures.happened(Instant::now()) {
            let path = self.path.display().to_string();
            events::request_log_not_written(&path, &error.to_string(), more);
        }
    }
}

impl LineSink for LogFile {
    fn write(&mut self, lines: &str) {
        if self.file.is_none() {
            self.reopen();
        }
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.write_all(lines.as_bytes()) {
            self.tell(&error);
        }
    }

    /// What was open stays if there is no other.
    fn reopen(&mut self) {
        match self.opened() {
            Ok(file) => self.file = Some(file),
            Err(error) => self.tell(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_renamed_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/access.log");
        let mut file = LogFile::open(path.clone());
        file.write("1\n");
        let renamed = path.with_extension("1");
        fs::rename(&path, &renamed).unwrap();
        file.write("2\n");
        file.reopen();
        file.write("3\n");
        file.reopen();
        file.write("4\n");
        assert_eq!(fs::read_to_string(&renamed).unwrap(), "1\n2\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n4\n");
    }

    #[test]
    fn what_cannot_be_opened_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        fs::create_dir(&path).unwrap();
        let mut file = LogFile::open(path.clone());
        file.write("lost\n");
        fs::remove_dir(&path).unwrap();
        file.write("1\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }
}
