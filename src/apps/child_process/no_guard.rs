//! What stands for the guard of processes where there are no groups of them: each ends with its handle, and what it has
//! started is not known.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use super::options::{ChildOptions, ResourceLimits};

/// What a process can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Term,
}

/// Nobody watches.
#[derive(Debug)]
pub(super) struct Guard;

impl Guard {
    /// # Errors
    ///
    /// None.
    pub(super) fn begin(_: &str) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn number(&self) -> u32 {
        0
    }

    pub(super) fn takes(&self, _: &mut Command) {}

    pub(super) fn signal(&self, _: Signal) {}
}

pub(super) fn signal_one(_: u32, _: Signal) {}

/// The program itself, which no limits hold.
pub(super) fn held(options: &ChildOptions, arguments: &[String]) -> Command {
    let mut command = Command::new(&options.program);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// # Errors
///
/// There are limits.
pub(super) fn limit(_: u32, limits: &ResourceLimits) -> io::Result<()> {
    match *limits == ResourceLimits::default() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::Unsupported, "limits can only be set on Linux")),
    }
}
