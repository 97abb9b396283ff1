//! Running `openssl`, `certutil` and their like.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::tls::places::Places;

/// A program that was found on `PATH`.
pub(super) struct Program {
    path: PathBuf,
}

impl Program {
    /// Looks for it as a shell does, but for parts of `PATH` that are relative: what lies in the
    /// current folder is nobody's choice.
    pub(super) fn find(places: &Places, name: &str) -> Option<Self> {
        let folders = std::env::split_paths(places.path.as_deref()?);
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        folders
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&name))
            .find(|path| is_executable(path))
            .map(|path| Self { path })
    }

    /// Its output if it ends well. It is given nothing to read, so that it cannot ask.
    pub(super) fn run<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Option<String> {
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn is_executable(path: &std::path::Path) -> bool {
    let Ok(facts) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        facts.is_file() && facts.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    facts.is_file()
}
