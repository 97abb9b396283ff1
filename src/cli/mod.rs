//! Which flags and subcommands exist. No decision lives here: a subcommand gathers what was typed
//! and calls the library.

mod check;
mod completions;
mod dev_certs;
mod generate;
mod help;
mod output;
mod run;
mod serve;

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
    Check(check::CheckArgs),
    Serve(serve::ServeArgs),
    DevCerts(dev_certs::DevCertsArgs),
    Generate(generate::GenerateArgs),
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
    let of_run = run::arguments(&arguments).or_else(|| check::arguments(&arguments));
    let arguments = match of_run {
        None => arguments,
        // The host has no help for clap's layout.
        Some(of_run) => match run::help(&of_run) {
            Some(help) => {
                let command = first.clone().unwrap_or_default();
                vec!["kestrel".into(), command, help.into()]
            }
            None => return run::exec(of_run),
        },
    };
    let behind = arguments.iter().position(|argument| argument == "--").map_or(0, |at| at + 1);
    let typed = arguments.clone();
    match Args::try_parse_from(arguments) {
        // Their arguments were taken above.
        Ok(Args { command: Command::Run(_) | Command::Check(_) }) => run::exec(Vec::new()),
        Ok(Args { command: Command::Serve(args) }) => serve::exec(args, &typed),
        Ok(Args { command: Command::DevCerts(_) }) => dev_certs::exec(&[]),
        Ok(Args { command: Command::Generate(args) }) => generate::exec(args, behind),
        Ok(Args { command: Command::Completions(args) }) => {
            completions::exec(&args, &mut Args::command())
        }
        Err(mut error) => {
            help::hide_secrets(&mut error);
            help::suggest(&mut error, first.as_ref());
            // Help and version are answers, not mistakes.
            let code = if error.use_stderr() { ExitKind::Usage } else { ExitKind::Stopped };
            output::clap(&error)?;
            Ok(code.into())
        }
    }
}
