//! `kestrel completions`: the completion script of a shell.

use std::process::ExitCode;

use clap_complete::Shell;

use super::output;
use crate::hosting::ExitKind;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn exec(
    args: &CompletionsArgs,
    command: &mut clap::Command,
) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "kestrel", &mut script);
    output::answer(&script)?;
    Ok(ExitKind::Stopped.into())
}
