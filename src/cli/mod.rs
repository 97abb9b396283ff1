//! Which flags and subcommands exist. No decision lives here: a subcommand gathers what was typed
//! and calls the library.

mod completions;
mod dev_certs;
mod help;
mod output;
mod run;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::hosting::ExitKind;

/// A web host: layered configuration, Kestrel's binding rules, a clean stop.
#[derive(Debug, Parser)]
#[command(name = "kestrel", version, about, arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    DevCerts(dev_certs::DevCertsArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs a command line, program name first.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitKind::Internal.into()
        }
    }
}

fn execute(arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let arguments = help::asked_by_a_word(arguments);
    let first = arguments.get(1).cloned();
    if let Some(arguments) = dev_certs::arguments(&arguments) {
        return dev_certs::exec(arguments);
    }
    let (own, settings) = match run::split(&arguments) {
        Ok(split) => split,
        Err(message) => {
            output::error(&message);
            return Ok(ExitKind::Usage.into());
        }
    };
    match Args::try_parse_from(own) {
        Ok(Args { command: Command::Run(args) }) => run::exec(args, settings),
        // Its arguments were taken above.
        Ok(Args { command: Command::DevCerts(_) }) => dev_certs::exec(&[]),
        Ok(Args { command: Command::Completions(args) }) => {
            completions::exec(&args, &mut Args::command())
        }
        Err(mut error) => {
            help::suggest(&mut error, first.as_ref());
            // Help and version are answers, not mistakes.
            let code = if error.use_stderr() { ExitKind::Usage } else { ExitKind::Stopped };
            output::clap(&error)?;
            Ok(code.into())
        }
    }
}
