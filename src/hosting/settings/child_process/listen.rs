//! `Listen`: what the program listens on, and how it is told.

use super::arguments::Argument;
use super::other_systems::{IS_WINDOWS, no_socket};
use super::section::SECTION;
use super::variables::Variable;
use crate::apps::child_process::options::Listen;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{Configuration, Origin, Problem, Setting};
use crate::hosting::settings::parse::shown;

const PORT: &str = "{port}";
const SOCKET: &str = "{socket}";
const URL: &str = "{url}";

/// A text that may name what the program listens on.
struct Text<'a> {
    text: &'a str,
    key: &'a str,
    origin: &'a Origin,
}

/// Reads it. Where it is not said, the texts of arguments and variables say it.
pub(super) fn read(
    configuration: &Configuration,
    (arguments, variables): (&[Argument], &[Variable]),
    processes: u32,
    problems: &mut Vec<Problem>,
) -> Listen {
    let of_arguments =
        arguments.iter().map(|it| Text { text: &it.text, key: &it.key, origin: &it.origin });
    let of_variables =
        variables.iter().map(|it| Text { text: &it.text, key: &it.key, origin: &it.origin });
    let texts: Vec<_> = of_arguments.chain(of_variables).collect();
    problems.extend(texts.iter().filter_map(nearly));
    let setting = configuration.setting(&format!("{SECTION}:Listen"));
    let said = setting.and_then(|it| Some((it, it.value.as_deref()?.trim())));
    let listen = match said.filter(|(_, text)| !text.is_empty()) {
        None if texts.iter().any(|it| it.text.contains(SOCKET)) => Listen::Socket,
        None => Listen::Port,
        Some((setting, text)) => match of_text(text) {
            Some(listen) => listen,
            None => {
                problems.push(no_listen(setting, text));
                return Listen::default();
            }
        },
    };
    let (other, has) = match listen {
        Listen::Socket => (PORT, "a Unix socket, and no port"),
        Listen::Port | Listen::ThisPort(_) => (SOCKET, "a port, and no Unix socket"),
    };
    let vain = texts.iter().filter(|it| it.text.contains(other));
    problems.extend(vain.map(|it| not_there(it, other, has)));
    if listen == Listen::Socket && IS_WINDOWS {
        let by_text =
            texts.iter().find(|it| it.text.contains(SOCKET)).map(|it| (it.key, it.origin));
        let by_key = said.map(|(setting, _)| (&*setting.key, &setting.origin));
        problems.extend(by_key.or(by_text).map(|(key, origin)| no_socket(key, origin)));
    }
    if let (Listen::ThisPort(port), true, Some(setting)) = (listen, processes > 1, setting) {
        problems.push(one_port(setting, port, processes));
    }
    listen
}

fn of_text(text: &str) -> Option<Listen> {
    if text.eq_ignore_ascii_case("port") {
        return Some(Listen::Port);
    }
    if text.eq_ignore_ascii_case("socket") {
        return Some(Listen::Socket);
    }
    text.parse().ok().filter(|port| *port > 0).map(Listen::ThisPort)
}

fn no_listen(setting: &Setting, text: &str) -> Problem {
    let fix = match text {
        "0" => "write port for one that is free",
        _ => {
            "write port for one that is free, a number from 1 to 65535 for that one, or socket for a Unix socket"
        }
    };
    Problem::error(format!(
        "'{}' is nothing that the program could listen on.",
        shown(&setting.key, text)
    ))
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix(fix)
}

fn not_there(it: &Text<'_>, other: &str, has: &str) -> Problem {
    let listen = if other == PORT { "port" } else { "socket" };
    Problem::error(format!("Nothing can stand for {other} in '{}': the program has {has}.", it.key))
        .key(it.key)
        .origin(it.origin.clone())
        .fix(format!("set {SECTION}:Listen to {listen}, or write {URL}, which goes with both"))
}

fn one_port(setting: &Setting, port: u16, processes: u32) -> Problem {
    Problem::error(format!("{processes} processes cannot have port {port} at once."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!(
            "set Listen to port, and name {PORT} in the arguments; or remove ProcessesPerApplication"
        ))
}

/// A word in braces that nearly is one that something stands for.
fn nearly(it: &Text<'_>) -> Option<Problem> {
    let words = it.text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let names = ["port", "socket", "url"];
    let near = |word: &str| {
        let meant = did_you_mean(word, names)?;
        (!names.contains(&word)).then(|| (word.to_owned(), meant))
    };
    let (word, meant) = words.filter(|word| word.len() < 10).find_map(near)?;
    Some(
        Problem::warning(format!(
            "Nothing stands for {{{word}}} in '{}': it is handed over as it is.",
            it.key
        ))
        .key(it.key)
        .origin(it.origin.clone())
        .fix(format!("did you mean {{{meant}}}?")),
    )
}
