//! Words that are meant for the server and reach nobody: `--port`, `-p 8080`, `ASPNETCORE__URLS`,
//! a lone `PORT`. Each is told with the line to write.
//!
//! An app may have a key of its own called `port` or `host`. So a key is only told where its value is
//! what such a setting of the server would be, and where it was said to the server: on the command
//! line, or in a variable with a prefix.

use std::net::IpAddr;

use super::keys::{Part, called, is_host_setting, is_known, is_text, words_for};
use super::parse::shown;
use super::process_manager;
use super::unknown::{flag_called, is_prefixed, is_switch, is_told};
use crate::addresses::EndpointSettings;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::sources::command_line::Argument;
use crate::configuration::{
    Configuration, Loaded, Origin, Problem, Unread, address_without_user_info, keys_equal,
    speaks_of_secrets,
};
use crate::logging::LogLevel;

/// What a word is meant for.
struct Meant {
    key: String,
    /// What of the key's value it holds.
    part: Part,
}

/// Levels, of which the one for all categories is meant.
const LEVELS: &str = "Logging:LogLevel";

/// Prefixes that are not `ASPNETCORE_`.
const PREFIXES: [&str; 8] = [
    "ASPNET_CORE_",
    "ASP_NET_CORE_",
    "ASP_NETCORE_",
    "ASPNET_",
    "NETCORE_",
    "DOTNETCORE_",
    "DOTNET_CORE_",
    "KESTREL_",
];

/// Adds a warning for every such word.
pub(super) fn report(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let configuration = &loaded.configuration;
    let program = program_to_start(configuration);
    let behind =
        |unread: &Unread| program.as_ref().is_some_and(|(position, _)| unread.position > *position);
    for unread in loaded.unread.iter().filter(|unread| !behind(unread)) {
        problems.push(of_argument(unread, loaded.host_alone));
    }
    problems.extend(program.map(|(_, problem)| problem));
    for setting in configuration.settings() {
        let Some(value) = setting.value.as_deref() else { continue };
        let told = match &setting.origin {
            Origin::CommandLine { .. } => {
                meant(&setting.key, value, loaded.host_alone).map(|meant| (None, meant))
            }
            Origin::EnvironmentVariable(name) => {
                let whole_name = keys_equal(&name.replace("__", ":"), &setting.key);
                match (is_prefixed(name), whole_name) {
                    (true, false) if !keys_equal(&setting.key, "port") => {
                        meant(&setting.key, value, true).map(|meant| (Some(name), meant))
                    }
                    (_, true) => {
                        problems.extend(of_variable(name, value));
                        None
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let Some((variable, meant)) = told else { continue };
        if is_told(problems, &setting.key, &setting.origin) {
            continue;
        }
        problems.push(
            Problem::warning(format!("The key '{}' means nothing to the server.", setting.key))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(written(&meant, value, variable.map(String::as_str), configuration)),
        );
    }
    for name in &loaded.unreadable_variables {
        problems.extend(unreadable(name));
    }
    problems.extend(half_a_process_manager(loaded));
}

/// What a word of other servers is meant for, if its value fits.
fn meant(word: &str, value: &str, whatever: bool) -> Option<Meant> {
    let (key, part) = called(word)?;
    let fits = match (part, key.as_str()) {
        (Part::Port, _) => port(value).is_some(),
        (Part::Host, _) => whatever || host(value).is_some(),
        (Part::Whole, "urls") => whatever || value.contains("://"),
        (Part::Whole, "environment") => {
            whatever || did_you_mean(value, ["Development", "Staging", "Production"]).is_some()
        }
        (Part::Whole, LEVELS) => LogLevel::parse(value).is_some(),
        (Part::Whole, _) => whatever,
    };
    fits.then_some(Meant { key, part })
}

fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port > 0)
}

/// The host, as it stands in a URL, and the port behind it.
fn host(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        return Some((host, None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) => (host, Some(port(digits)?)),
        None => (text, None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let known = matches!(host, "*" | "+" | "localhost") || bare.parse::<IpAddr>().is_ok();
    known.then(|| (host.to_owned(), port))
}

/// The line to write, for a key on the command line or in a variable.
fn written(
    Meant { key, part }: &Meant,
    value: &str,
    variable: Option<&str>,
    configuration: &Configuration,
) -> String {
    let value = &*address_without_user_info(value);
    let set = |key: &str, value: &str| match variable {
        Some(name) => {
            format!("{}_{}={value}", prefix(name), key.replace(':', "__").to_uppercase())
        }
        None => format!("--{key} {value}"),
    };
    // The other half, if it was given beside it.
    let other = |part| {
        words_for(key, part).iter().find_map(|word| {
            let setting = configuration.setting(word)?;
            let said = matches!(setting.origin, Origin::CommandLine { .. }) || variable.is_some();
            setting.value.as_deref().filter(|_| said)
        })
    };
    match part {
        Part::Port => {
            let port = port(value).unwrap_or(5000);
            let beside = other(Part::Host).and_then(host);
            match beside {
                Some((host, _)) => {
                    format!("write {}", set("urls", &format!("http://{host}:{port}")))
                }
                None => format!(
                    "write {} for this machine alone, or {} for all interfaces",
                    set("urls", &format!("http://localhost:{port}")),
                    set("http_ports", &port.to_string()),
                ),
            }
        }
        Part::Host => {
            let beside = other(Part::Port).and_then(port);
            let url = |host: &str, port: Option<u16>| {
                let port = port.or(beside).unwrap_or(5000);
                set("urls", &format!("http://{host}:{port}"))
            };
            match host(value) {
                Some((host, port)) => format!("write {}", url(&host, port)),
                // A name is no address to bind.
                None => format!(
                    "write {} for this machine alone, or {} for all interfaces",
                    url("localhost", None),
                    url("*", None),
                ),
            }
        }
        Part::Whole if key == LEVELS => match variable {
            Some(name) => format!("write {}_Logging__LogLevel__Default={value}", prefix(name)),
            None => format!("write --Logging:LogLevel:Default={value}"),
        },
        Part::Whole => format!("write {}", set(key, value)),
    }
}

/// The prefix of a variable that has one.
fn prefix(name: &str) -> &str {
    name.split('_').next().unwrap_or_default()
}

/// What stands behind `--`, which is to start programs one day: .NET takes it for a setting without a
/// name. The place of the `--`, and what is to be said.
fn program_to_start(configuration: &Configuration) -> Option<(usize, Problem)> {
    let setting = configuration.settings().find(|setting| setting.key.is_empty())?;
    let Origin::CommandLine { position, argument } = &setting.origin else { return None };
    let first = setting.value.as_deref().filter(|_| argument == "--")?;
    let first = &*address_without_user_info(first);
    let fix = match first.starts_with(['-', '/']) {
        true => format!("settings stand without it: leave -- out, and write {first} ..."),
        false => format!(
            "leave out -- and what follows; kestrel run -- {first} starts it, and so does AspNetCore:ProcessPath"
        ),
    };
    let problem = Problem::warning("No program is started by -- here.")
        .cause("What stands behind it is left out, or taken for settings.")
        .origin(setting.origin.clone())
        .fix(fix);
    Some((*position, problem))
}

/// A switch at the end of the command line, where no value is left for it.
fn without_value(switch: &str, key: &str, host_alone: bool) -> (String, String) {
    let told = format!("The switch '{switch}' has no value and is ignored.");
    let fix = if is_switch(key) {
        format!("write {switch} VALUE or {switch}=VALUE")
    } else if host_alone {
        "leave it out: no setting is called so; --help has the usual ones".to_owned()
    } else {
        format!("leave it out, or write {switch}=VALUE if it is a setting of the program's")
    };
    (told, fix)
}

/// An argument that sets nothing.
fn of_argument(unread: &Unread, host_alone: bool) -> Problem {
    let Unread { position, argument, value, short_switch } = unread;
    let origin = Origin::CommandLine { position: *position, argument: argument.clone() };
    if argument.starts_with('/') && is_settings_file(argument) {
        // .NET takes a slash for the beginning of a switch.
        let told = format!("The argument '{argument}' sets nothing and is ignored.");
        return Problem::warning(told).origin(origin).fix(settings_file_fix(argument));
    }
    if let Argument::Switch { key } = Argument::parse(argument) {
        let (told, fix) = without_value(argument, key, host_alone);
        return Problem::warning(told).origin(origin).fix(fix);
    }
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) if *short_switch => (name, Some(value)),
        _ => (argument.as_str(), value.as_deref()),
    };
    let longer = name.trim_start_matches('-');
    let dashed = name.starts_with('-') && !longer.is_empty();
    let nothing = Configuration::default();
    let known = is_text(longer) || flag_called(longer).is_some();
    // What a name that nobody knows is followed by may be a password: `-p` is that of many programs.
    let may_be_shown = |value: &str| {
        !speaks_of_secrets(longer)
            && (known || port(value).is_some() || meant(longer, value, false).is_some())
    };
    let hidden = value.is_some_and(|value| !may_be_shown(value));
    let value = value.filter(|_| !hidden);
    let fix = match value {
        _ if hidden => known.then(|| format!("write --{longer} VALUE")),
        Some(value) if dashed => meant(longer, value, true)
            .map(|meant| written(&meant, value, None, &nothing))
            .or_else(|| known.then(|| format!("write --{longer} {value}"))),
        _ if dashed => None,
        _ => bare_word(argument),
    };
    // `-listen *:5001` was most likely meant for the flag.
    let flag = dashed.then(|| flag_called(longer)).flatten().map(|flag| match value {
        Some(value) => format!("did you mean --{flag} {}?", address_without_user_info(value)),
        None => format!("did you mean --{flag}?"),
    });
    let fix = flag.or(fix);
    if *short_switch {
        let shown = if hidden { format!("{name}=(hidden)") } else { argument.clone() };
        let written = match hidden {
            true => format!("{longer}=VALUE"),
            false => argument.trim_start_matches('-').to_owned(),
        };
        let argument = shown.clone();
        return Problem::error(format!(
            "The short switch '{shown}' is not defined in the switch mappings."
        ))
        .origin(Origin::CommandLine { position: *position, argument })
        .fix(fix.unwrap_or_else(|| format!("settings take two dashes: --{written}")));
    }
    let told = match value {
        Some(value) => format!("The arguments '{argument} {value}' set nothing and are ignored."),
        None if hidden => {
            format!("The arguments '{argument} (hidden)' set nothing and are ignored.")
        }
        None => format!("The argument '{argument}' sets nothing and is ignored."),
    };
    let fix = fix.unwrap_or_else(|| {
        let usual = "settings are written --key value, --key=value or key=value";
        match dashed || !host_alone {
            true => usual.to_owned(),
            false => format!(
                "{usual}; a command to run stands behind two dashes: kestrel run -- {argument} ..."
            ),
        }
    });
    Problem::warning(told).origin(origin).fix(fix)
}

/// What a word without a key is meant for.
fn bare_word(word: &str) -> Option<String> {
    if port(word).is_some() {
        let meant = Meant { key: "urls".to_owned(), part: Part::Port };
        return Some(written(&meant, word, None, &Configuration::default()));
    }
    if word.contains("://") {
        return Some(format!("write --urls {word}"));
    }
    if host(word).is_some_and(|(_, port)| port.is_some()) {
        return Some(format!("write --urls http://{word}"));
    }
    if is_settings_file(word) {
        return Some(settings_file_fix(word));
    }
    let folder = word == "." || word.contains(std::path::is_separator);
    folder.then(|| format!("to read the settings files of a folder, write --contentRoot {word}"))
}

/// Where a file of settings belongs.
fn settings_file_fix(file: &str) -> String {
    let folder = match file.rsplit_once(std::path::is_separator) {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    };
    format!(
        "settings are read from appsettings.json of the content root: name the file so, and write --contentRoot {folder} if that is another folder"
    )
}

/// Whether a word is a file of settings, as YARP's container takes one.
fn is_settings_file(word: &str) -> bool {
    let end = word.len().checked_sub(5).and_then(|at| word.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(".json")) && word.len() > 5
}

/// A variable whose name is nearly one that is read.
fn of_variable(name: &str, value: &str) -> Option<Problem> {
    let shown = shown(name, value);
    let problem = |right: &str| {
        Problem::warning(format!("The variable {name} means nothing to the server."))
            .origin(Origin::EnvironmentVariable(name.to_owned()))
            .fix(format!("write {right}={shown}"))
    };
    for prefix in ["ASPNETCORE", "DOTNET"] {
        let Some(rest) = without(name, &format!("{prefix}__")) else { continue };
        let top = rest.split("__").next().unwrap_or_default();
        let known = is_known(top) || keys_equal(top, "server_urls");
        let right = if keys_equal(rest, "server_urls") { "URLS" } else { rest };
        return known.then(|| {
            problem(&format!("{prefix}_{right}")).cause(
                "One underscore stands behind the prefix, and two between the parts of a key.",
            )
        });
    }
    let (prefix, rest) = match is_prefixed(name) {
        true => name.split_at(name.find('_')? + 1),
        false => ("", name),
    };
    // KESTREL_ENDPOINTS_HTTP_URL: known only if the underscores are taken for two.
    let ours = without(rest, "KESTREL_").or_else(|| without(rest, "LOGGING_")).is_some();
    if ours && !rest.contains("__") && is_text(&rest.replace('_', ":")) {
        return Some(
            problem(&format!("{prefix}{}", rest.replace('_', "__")))
                .cause("Two underscores stand between the parts of a key."),
        );
    }
    if !prefix.is_empty() {
        return None;
    }
    let misspelled = PREFIXES.iter().find_map(|wrong| without(name, wrong)).or_else(|| {
        let (first, rest) = name.split_once('_')?;
        did_you_mean(first, ["ASPNETCORE"]).map(|_| rest)
    });
    let rest = misspelled.filter(|rest| is_host_setting(rest))?;
    Some(problem(&format!("ASPNETCORE_{}", rest.to_uppercase())))
}

/// `text` without `prefix`, whose case does not count.
fn without<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// A variable whose name or value is no text, if it is meant for us.
fn unreadable(name: &str) -> Option<Problem> {
    let top = name.replace("__", ":");
    let top = top.split(':').next().unwrap_or_default();
    let ours = is_prefixed(name)
        || is_host_setting(name)
        || (name.contains("__") && ["Kestrel", "Logging"].iter().any(|own| keys_equal(own, top)));
    ours.then(|| {
        Problem::warning(format!("The variable {} is no text, and left out.", name.escape_debug()))
            .cause("Its name or its value is not UTF-8.")
            .origin(Origin::EnvironmentVariable(name.escape_debug().to_string()))
            .fix("set it again in UTF-8, or unset it")
    })
}

/// `ASPNETCORE_PORT` is what a process manager says, together with two more.
fn half_a_process_manager(loaded: &Loaded) -> Option<Problem> {
    let variables = &loaded.aspnetcore_variables;
    let said = variables.non_empty("PORT")?;
    if process_manager::said(variables).is_some() {
        return None;
    }
    let missing: Vec<_> = ["APPL_PATH", "TOKEN"]
        .into_iter()
        .filter(|name| variables.non_empty(name).is_none())
        .map(|name| format!("ASPNETCORE_{name}"))
        .collect();
    let fix = match port(said.value) {
        Some(port) => format!("write ASPNETCORE_HTTP_PORTS={port}"),
        None => "write ASPNETCORE_HTTP_PORTS and a number".to_owned(),
    };
    Some(
        Problem::warning("ASPNETCORE_PORT has no effect here.")
            .cause(format!(
                "It is a process manager's, which says {} as well.",
                missing.join(" and ")
            ))
            .origin(said.origin)
            .fix(fix),
    )
}

/// A `PORT` beside nothing that says where to listen: many platforms tell the port by it.
pub(super) fn lone_port(
    configuration: &Configuration,
    endpoints: &EndpointSettings,
) -> Option<Problem> {
    let setting = configuration.setting("PORT")?;
    let Origin::EnvironmentVariable(name) = &setting.origin else { return None };
    let port = port(setting.value.as_deref()?)?;
    (!endpoints.say_anything() && keys_equal(name, "PORT")).then(|| {
        Problem::information(format!("{name}={port} has no effect: no setting is called so."))
            .cause(
                "Many platforms tell by it where to listen; the default address is bound instead.",
            )
            .origin(setting.origin.clone())
            .fix(format!(
                "write ASPNETCORE_HTTP_PORTS={port}, or start with --http_ports \"${name}\""
            ))
    })
}

/// Hosts in a variable that is nearly called as the key, where no host is left out: the variable may be another
/// program's, such as Django's, and may be meant for this one.
pub(super) fn lone_hosts(loaded: &Loaded) -> Option<Problem> {
    const KEY: &str = "AllowedHosts";
    let configuration = &loaded.configuration;
    if !loaded.host_alone || configuration.section(KEY).first_setting().is_some() {
        return None;
    }
    ["AllowedHost", "ALLOWED_HOSTS", "ALLOWED_HOST"].into_iter().find_map(|like| {
        let setting = configuration.setting(like)?;
        let Origin::EnvironmentVariable(name) = &setting.origin else { return None };
        let hosts = setting.value.as_deref().filter(|hosts| !hosts.is_empty() && *hosts != "*")?;
        let hosts = address_without_user_info(hosts);
        keys_equal(name, like).then(|| {
            Problem::information(format!("{name}={hosts} has no effect: no setting is called so."))
                .cause("Every host passes.")
                .origin(setting.origin.clone())
                .fix(format!(
                    "if it is meant for this server, write {KEY}={hosts}, with ; between hosts"
                ))
        })
    })
}
