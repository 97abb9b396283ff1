//! Help that is asked for in another way, and what a command that does not exist was meant to be.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::configuration::near_names::did_you_mean;
use crate::configuration::sources::command_line::shown_argument;
use crate::hosting::is_switch;

const COMMANDS: [&str; 7] =
    ["run", "check", "serve", "dev-certs", "generate", "completions", "help"];

/// Words for `run` in other programs.
const RUN: [&str; 4] = ["start", "up", "listen", "host"];

/// Those for `check`.
const CHECK: [&str; 4] = ["test", "configtest", "validate", "plan"];

/// `kestrel help COMMAND` as `kestrel COMMAND --help`, so that there is one answer to both.
pub(super) fn asked_by_a_word(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|command| command == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Commands that are not there yet, and what to do until they are.
const NOT_YET: [(&str, &str); 2] = [
    ("config", "kestrel run --plan tells what would be bound, and who said so"),
    ("user-secrets", "write the secrets into variables, such as MyApp__Password=..."),
];

/// Leaves out of a mistake what may be a secret: who forgets the command, or what stands between a
/// name and its value, has all of it in one argument.
pub(super) fn hide_secrets(error: &mut clap::Error) {
    let of_user = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if argument.starts_with("--auth")
    );
    if of_user && error.get(ContextKind::InvalidValue).is_some() {
        let hidden = ContextValue::String("(hidden)".to_owned());
        let _ = error.insert(ContextKind::InvalidValue, hidden);
    }
    let typed =
        [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    for kind in typed {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        let shown = shown_argument(text);
        if shown != *text {
            let _ = error.insert(kind, ContextValue::String(shown));
            // It says how to write all of it.
            let _ = error.remove(ContextKind::Suggested);
        }
    }
}

/// Adds to a mistake what was probably meant, where clap does not know. `first` is what stands in
/// the place of the command.
pub(super) fn suggest(error: &mut clap::Error, first: Option<&OsString>) {
    let Some(first) = first.and_then(|first| first.to_str()) else { return };
    let tip = |text: String| ContextValue::StyledStrs(vec![text.into()]);
    match error.kind() {
        ErrorKind::InvalidSubcommand if NOT_YET.iter().any(|(name, _)| *name == first) => {
            let until = NOT_YET.iter().find(|(name, _)| *name == first).map(|(_, until)| until);
            let text = format!("{first} is not there yet; {}", until.unwrap_or(&""));
            let _ = error.insert(ContextKind::Suggested, tip(text));
        }
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let lower = first.to_lowercase();
            let meant = match did_you_mean(&lower, COMMANDS) {
                None if RUN.contains(&&*lower) => Some("run"),
                None if CHECK.contains(&&*lower) => Some("check"),
                meant => meant,
            };
            let _ = match meant {
                Some(meant) => error.insert(
                    ContextKind::SuggestedSubcommand,
                    ContextValue::Strings(vec![meant.to_owned()]),
                ),
                None => error
                    .insert(ContextKind::Suggested, tip("to serve, write: kestrel run".to_owned())),
            };
        }
        ErrorKind::UnknownArgument if first == "serve" => suggest_run(error),
        ErrorKind::UnknownArgument if first.starts_with('-') => {
            let name = first.split('=').next().unwrap_or_default();
            let text = match name {
                "-v" => "for the version, write: kestrel --version".to_owned(),
                "-t" => "to look what would be served, write: kestrel check".to_owned(),
                name if name.strip_prefix("--").is_some_and(is_switch) => format!(
                    "what is to be served with stands behind the command: kestrel run {name} ..."
                ),
                _ => "what can be served with is told by: kestrel run --help".to_owned(),
            };
            let _ = error.insert(ContextKind::Suggested, tip(text));
        }
        _ => {}
    }
}

/// What is a switch of `run` is none of those of `serve` that are spelled like it.
fn suggest_run(error: &mut clap::Error) {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return };
    let name = argument.split('=').next().unwrap_or_default().to_owned();
    if !name.strip_prefix("--").is_some_and(is_switch) {
        return;
    }
    let instead = match name.as_str() {
        "--urls" | "--listen" => "serve takes --port and --lan; ",
        _ => "",
    };
    let text = format!("{instead}{name} is a switch of run: kestrel run --webroot DIR {name} ...");
    let _ = error.remove(ContextKind::SuggestedArg);
    let _ = error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![text.into()]));
    let usage = "Usage: kestrel serve [OPTIONS] [DIR]".to_owned();
    let _ = error.insert(ContextKind::Usage, ContextValue::StyledStr(usage.into()));
}
