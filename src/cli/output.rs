//! What commands print. Nothing else writes to standard output and standard error, but for the
//! log and the report of a host that could not start.

use std::io::{self, Write};

use crate::hosting;

/// Prints a mistake. A standard error that is closed, or that nobody reads, leaves the exit code to
/// tell it.
pub(super) fn error(text: &str) {
    hosting::last_words(format!("error: {text}\n"));
}

/// Prints what a command has to complain of, in the command's own form.
///
/// # Errors
///
/// As [`answer`].
pub(super) fn complaint(text: &str) -> io::Result<()> {
    unless_nobody_reads(writeln!(io::stderr().lock(), "{text}"))
}

/// Prints the answer of a command.
///
/// # Errors
///
/// Standard output cannot be written; a reader that has gone away is no error.
pub(super) fn answer(bytes: &[u8]) -> io::Result<()> {
    unless_nobody_reads(io::stdout().lock().write_all(bytes))
}

/// Prints what clap has to say: help and version on standard output, mistakes on standard error.
///
/// # Errors
///
/// As [`answer`].
pub(super) fn clap(error: &clap::Error) -> io::Result<()> {
    unless_nobody_reads(error.print())
}

fn unless_nobody_reads(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
