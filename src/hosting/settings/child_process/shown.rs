//! What runs, in words.

use super::section::SECTION;
use crate::apps::child_process::options::{ChildOptions, Listen};
use crate::configuration::sources::command_line::{is_before_secret, shown_argument};
use crate::configuration::{Configuration, Sourced, path_without_user_info};
use crate::hosting::settings::parse::shown;
use crate::hosting::settings::stage_values::of_key;

/// A line for the program and for each thing that is not as usual.
pub(super) fn words(configuration: &Configuration, options: &ChildOptions) -> Vec<Sourced<String>> {
    let mut words = Vec::new();
    let mut say = |name: &str, text: String| {
        words.push(of_key(configuration, &format!("{SECTION}:{name}"), text));
    };
    say("ProcessPath", format!("runs {}", path_without_user_info(&options.program)));
    if !options.arguments.is_empty() {
        say("Arguments", format!("with the arguments {}", arguments(&options.arguments)));
    }
    let folder = path_without_user_info(&options.working_directory);
    say("WorkingDirectory", format!("in the folder {folder}"));
    let on = match options.listen {
        Listen::Port => "a port of 127.0.0.1 that is free".to_owned(),
        Listen::ThisPort(port) => format!("127.0.0.1:{port}"),
        Listen::Socket => "a Unix socket".to_owned(),
    };
    let speaks = if options.speaks_http2 { ", in HTTP/2" } else { "" };
    say("Listen", format!("it listens on {on}{speaks}"));
    for (name, text) in &options.variables {
        let key = format!("EnvironmentVariables:{name}");
        // What has a name and a value in it may be a connection to somewhere, with its password.
        let is_secret = is_short_for_secret(name) || text.contains('=');
        let text = if is_secret { "(hidden)".into() } else { shown(&key, text) };
        say(&key, format!("with {name}={}", text.escape_debug()));
    }
    if let Some(path) = &options.health {
        say("Health", format!("ready once it answers {path}"));
    }
    if options.processes > 1 {
        say("ProcessesPerApplication", format!("{} processes at once", options.processes));
    }
    if let Some(user) = &options.run_as {
        say("User", format!("as {}", user.name));
    }
    if let Some(file) = &options.output_file {
        say("StdoutLogFile", format!("its output goes to {}_...", path_without_user_info(file)));
    }
    if !options.watch.is_empty() {
        let watched: Vec<_> = options.watch.iter().map(|it| path_without_user_info(it)).collect();
        say("Watch", format!("starts again when {} changes", watched.join(" or ")));
    }
    words
}

/// Arguments as they could be typed, without what may be a secret.
fn arguments(arguments: &[String]) -> String {
    let words = each(arguments).into_iter().map(|text| {
        let is_plain = !text.is_empty()
            && text.chars().all(|it| it.is_alphanumeric() || "-_./:=@%+,{}()*".contains(it));
        if is_plain { text } else { format!("'{}'", text.escape_debug()) }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Arguments without what may be a secret.
pub(super) fn each(arguments: &[String]) -> Vec<String> {
    let mut behind_secret = false;
    let words = arguments.iter().map(|argument| {
        let is_switch = argument.starts_with('-');
        let text = match behind_secret && !is_switch {
            true => "(hidden)".to_owned(),
            false => shown_argument(argument),
        };
        let speaks = is_before_secret(argument) || is_short_for_secret(argument);
        behind_secret = is_switch && !argument.contains('=') && speaks;
        match text.split_once('=') {
            Some((name, _)) if is_short_for_secret(name) => format!("{name}=(hidden)"),
            _ => text,
        }
    });
    words.collect()
}

/// Names that programs have for what is secret, and settings of this server do not.
fn is_short_for_secret(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_lowercase();
    let words = ["pass", "auth", "credential", "connection-string", "dsn", "jwt", "sig"];
    name == "pw" || name == "conn" || words.iter().any(|word| name.contains(word))
}
