//! `kestrel check`: `kestrel run --plan`, by the name under which people look for `nginx -t`.

use std::ffi::OsString;

use clap::{ArgMatches, Command};

use super::run;

/// `check`, for clap.
#[derive(Debug)]
pub(super) struct CheckArgs;

impl clap::Args for CheckArgs {
    fn augment_args(command: Command) -> Command {
        const ABOUT: &str =
            "Check what run would serve, with the same arguments, and print it: run --plan";
        // It is one.
        run::described(command, ABOUT, |flag| flag.name != "plan")
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for CheckArgs {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// The arguments of `check` as those of `run`, each with its place on the whole command line; `None` if it is another
/// command.
pub(super) fn arguments(arguments: &[OsString]) -> Option<Vec<(usize, OsString)>> {
    let is_check = arguments.get(1).is_some_and(|command| command == "check");
    is_check.then(|| {
        let own = arguments.iter().cloned().enumerate().skip(2);
        // It stands for the word, and before a `--`.
        [(1, "--plan".into())].into_iter().chain(own).collect()
    })
}
