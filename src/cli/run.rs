//! `kestrel run`: serve.
//!
//! The host itself reads the command line, as it does in every program
//! ([`command_line`](crate::hosting::command_line)). What clap knows of it is there for the help and for
//! completions, from the lists that programs' own help is made of.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use crate::Host;
use crate::hosting::command_line::{self, Asked, Form};
use crate::hosting::usage::{self, Flag};

/// `run`, for clap.
#[derive(Debug)]
pub(super) struct RunArgs;

impl clap::Args for RunArgs {
    fn augment_args(command: Command) -> Command {
        described(command, "Serve, until Ctrl+C or SIGTERM", |_| true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for RunArgs {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// A command that takes what `run` takes, with those of its flags that `has` is true of.
pub(super) fn described(
    command: Command,
    about: &'static str,
    has: impl Fn(&&Flag) -> bool,
) -> Command {
    let flags = usage::FLAGS.iter().chain(&usage::OF_RUN).filter(has).map(argument);
    // What it is given is taken by the host: here it is for the help and for completions.
    let command_to_run = Arg::new("command")
        .value_names(["COMMAND", "ARGUMENTS"])
        .num_args(1..)
        .last(true)
        .value_hint(ValueHint::CommandWithArguments)
        .help(usage::COMMAND);
    let settings = usage::SETTINGS.iter().map(|flag| argument(flag).help_heading("Settings"));
    command
        .about(about)
        .long_about(format!("{about}\n\n{}", usage::ABOUT))
        .args(flags.chain(settings).chain([command_to_run]))
}

fn argument(flag: &Flag) -> Arg {
    let argument = Arg::new(flag.name).long(flag.name).help(flag.help);
    let argument = match (flag.value, flag.repeated) {
        (None, _) => return argument.action(ArgAction::SetTrue),
        (Some(value), repeated) => argument.value_name(value).action(match repeated {
            true => ArgAction::Append,
            false => ArgAction::Set,
        }),
    };
    if flag.is_folder { argument.value_hint(ValueHint::DirPath) } else { argument }
}

/// The arguments of `run`, each with its place on the whole command line; `None` if it is another
/// command.
pub(super) fn arguments(arguments: &[OsString]) -> Option<Vec<(usize, OsString)>> {
    let is_run = arguments.get(1).is_some_and(|command| command == "run");
    is_run.then(|| arguments.iter().cloned().enumerate().skip(2).collect())
}

/// The flag that asks clap for the help, if there is one among them.
pub(super) fn help(arguments: &[(usize, OsString)]) -> Option<&'static str> {
    match command_line::read(arguments, Form::OfRun).asked {
        Some(Asked::Help { short: true }) => Some("-h"),
        Some(Asked::Help { short: false }) => Some("--help"),
        _ => None,
    }
}

pub(super) fn exec(arguments: Vec<(usize, OsString)>) -> anyhow::Result<ExitCode> {
    let host = Host::builder()
        .numbered_args(arguments)
        .named_after_content_root()
        .version(env!("CARGO_PKG_VERSION"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(host.run());
    // A handler that blocks its thread must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}
