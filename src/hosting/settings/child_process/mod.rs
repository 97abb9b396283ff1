//! The section `AspNetCore`: a program of any language that runs behind the host, in the words of the ASP.NET Core
//! Module.
//!
//! All mistakes are told together. What is written well and can never start all the same, as a program that is not
//! there, is told apart from them ([`cannot_start`]): it is the app that is wrong then.

mod accounts;
mod arguments;
mod listen;
mod other_systems;
mod program;
mod section;
mod shown;
mod startable;
mod unknown;
mod values;
mod variables;
mod watch;

pub(crate) use self::arguments::quoted;
use self::section::{PROGRAM, SECTION};
pub(super) use self::startable::cannot_start;
#[cfg(feature = "child-process")]
pub(crate) use self::unknown::says_of_program;
use self::values::{Times, file, number, octal, size, time};
use super::parse::{cannot_convert, read_boolean, read_with, shown as shown_value};
use super::site_names::site_of;
use super::switched::Switched;
use crate::apps::child_process::options::{ChildOptions, Recycle, ResourceLimits};
use crate::configuration::sources::command_line::shown_argument;
use crate::configuration::text::boolean as boolean_of;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Setting};

const ENABLED: &str = "AspNetCore:Enabled";

/// Its output, unless it is named.
const OUTPUT: &str = "aspnetcore-stdout";

/// How long a start, a stop and a request may take, in seconds.
const STARTUP: Times = Times { least: 0, most: 3600 };
const SHUTDOWN: Times = Times { least: 0, most: 600 };
const REQUEST: Times = Times { least: 0, most: 360 * 3600 };
const RECYCLE: Times = Times { least: 1, most: 10_675_199 * 24 * 3600 };

/// Reads the section; `None` if it names no program, or is switched off. `path_base` is the path below which clients
/// see the app.
pub(super) fn read(
    loaded: &Loaded,
    path_base: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Option<Switched<ChildOptions>> {
    let configuration = &loaded.configuration;
    let on = read_boolean(configuration, ENABLED, problems);
    problems.extend(unknown::text_in_its_place(configuration));
    let is_misspelled = unknown::tell(configuration, problems);
    let Some(first) = unknown::first_known(configuration) else {
        problems.extend(unknown::section_misspelled(loaded));
        return None;
    };
    let options = options(loaded, path_base, problems);
    if on == Some(false) {
        return None;
    }
    let Some(program) = configuration.setting(PROGRAM).filter(|it| has_text(it)) else {
        // Where its name is misspelled, that is told.
        problems.extend((!is_misspelled).then(|| without_program(first)));
        return None;
    };
    problems.extend(of_another_program(program));
    problems.extend(switched_off_in_vain(configuration, program));
    let shown = shown::words(configuration, &options);
    Some(Switched { key: PROGRAM, origin: program.origin.clone(), value: options, shown })
}

fn has_text(setting: &Setting) -> bool {
    setting.value.as_deref().is_some_and(|text| !text.trim().is_empty())
}

fn without_program(first: &Setting) -> Problem {
    // A command is the host's, and no site's.
    let is_of_site = site_of(&first.key).is_some();
    let or = if is_of_site {
        ""
    } else {
        ", or write it behind two dashes: kestrel run -- python3 app.py"
    };
    Problem::error(format!("'{PROGRAM}' is missing: nothing says which program is to run."))
        .key(PROGRAM)
        .origin(first.origin.clone())
        .fix(format!("name the program, such as \"ProcessPath\": \"python3\"{or}"))
}

/// Whether a program is that of a command that stands behind `--`. What else is said more strongly, such as by a variable, is
/// written by its key, and meant so.
fn is_command(program: &Setting) -> bool {
    let Origin::CommandLine { argument, .. } = &program.origin else { return false };
    program.value.as_deref().map(shown_argument).as_ref() == Some(argument)
}

/// That the section says of no program to run, and a command runs all the same.
fn switched_off_in_vain(configuration: &Configuration, program: &Setting) -> Option<Problem> {
    let enabled = configuration.setting(ENABLED)?;
    let lost = enabled.shadowed.first()?;
    let is_off = lost.value.as_deref().and_then(boolean_of) == Some(false);
    (is_off && is_command(program) && enabled.origin == program.origin).then(|| {
        Problem::information(format!(
            "'{ENABLED}' is false, and the command behind -- runs all the same."
        ))
        .key(ENABLED)
        .origin(lost.origin.clone())
        .fix("leave out the command to run nothing")
    })
}

/// A program in the place of which a command runs.
fn of_another_program(program: &Setting) -> Option<Problem> {
    let lost = program.shadowed.first().filter(|_| is_command(program))?;
    let other = lost.value.as_deref().filter(|it| !it.trim().is_empty())?;
    Some(
        Problem::information(format!(
            "'{}' is not run: the command behind -- takes its place, and that of its arguments.",
            shown_value(PROGRAM, other)
        ))
        .key(PROGRAM)
        .origin(lost.origin.clone())
        .fix("leave out the command to run it; what else the section says counts for the command"),
    )
}

fn options(loaded: &Loaded, path_base: Option<&str>, problems: &mut Vec<Problem>) -> ChildOptions {
    let configuration = &loaded.configuration;
    let root = &loaded.content_root.value;
    of_windows(configuration, problems);
    if other_systems::IS_WINDOWS {
        problems.extend(other_systems::missing_keys(configuration));
    }
    let working_directory =
        file(configuration, "AspNetCore:WorkingDirectory", root).unwrap_or_else(|| root.clone());
    let program = program::read(loaded);
    let arguments = arguments::read(configuration, problems);
    let variables = variables::read(configuration, problems);
    let processes = count(configuration, "ProcessesPerApplication", (1, 100), problems);
    let processes = processes.unwrap_or(1);
    let listen = listen::read(configuration, (&arguments, &variables), processes, problems);
    let arguments: Vec<_> = arguments.into_iter().map(|it| it.text).collect();
    let watch = watch::read(loaded, (&program, &arguments, &working_directory), problems);
    let mut seconds = |name, times, default| {
        let read = time(configuration, &format!("{SECTION}:{name}"), times, problems);
        read.unwrap_or(std::time::Duration::from_secs(default))
    };
    let startup_time_limit = seconds("StartupTimeLimit", STARTUP, 120);
    let shutdown_time_limit = seconds("ShutdownTimeLimit", SHUTDOWN, 10);
    let request_timeout = seconds("RequestTimeout", REQUEST, 120);
    ChildOptions {
        program,
        shown_arguments: shown::each(&arguments),
        arguments,
        offline_page: working_directory.join("app_offline.htm"),
        working_directory,
        variables: variables.into_iter().map(|it| (it.name, it.text)).collect(),
        clears_environment: boolean(configuration, "ClearEnvironment", problems),
        listen,
        speaks_http2: speaks_http2(configuration, problems),
        health: health(configuration, problems),
        startup_time_limit,
        shutdown_time_limit,
        rapid_fails_per_minute: count(configuration, "RapidFailsPerMinute", (0, 100), problems)
            .unwrap_or(10),
        request_timeout,
        request_queue_limit: count(configuration, "RequestQueueLimit", (0, u32::MAX), problems)
            .unwrap_or(1000),
        processes,
        output_file: output_file(configuration, root, problems),
        watch,
        recycle: Recycle {
            time: time(configuration, "AspNetCore:Recycle:Time", RECYCLE, problems),
            memory: size(configuration, "AspNetCore:Recycle:Memory", 1, problems),
            requests: number(configuration, "AspNetCore:Recycle:Requests", (1, u64::MAX), problems),
        },
        // Windows has nobody of these names, which is told above.
        run_as: (!other_systems::IS_WINDOWS)
            .then(|| accounts::read(configuration, problems))
            .flatten(),
        umask: octal(configuration, "AspNetCore:Umask", problems),
        limits: limits(configuration, problems),
        path_base: path_base.unwrap_or("/").to_owned(),
        shows_details: loaded.environment.value.eq_ignore_ascii_case("Development"),
        site: None,
    }
}

fn limits(configuration: &Configuration, problems: &mut Vec<Problem>) -> ResourceLimits {
    ResourceLimits {
        open_files: number(configuration, "AspNetCore:Limits:OpenFiles", (1, u64::MAX), problems),
        memory: size(configuration, "AspNetCore:Limits:Memory", 1, problems),
        processes: number(configuration, "AspNetCore:Limits:Processes", (1, u64::MAX), problems),
        core_size: size(configuration, "AspNetCore:Limits:CoreSize", 0, problems),
    }
}

fn count(
    configuration: &Configuration,
    name: &str,
    (least, most): (u32, u32),
    problems: &mut Vec<Problem>,
) -> Option<u32> {
    let key = format!("{SECTION}:{name}");
    let read = number(configuration, &key, (least.into(), most.into()), problems)?;
    read.try_into().ok()
}

fn boolean(configuration: &Configuration, name: &str, problems: &mut Vec<Problem>) -> bool {
    read_boolean(configuration, &format!("{SECTION}:{name}"), problems).unwrap_or_default()
}

fn output_file(
    configuration: &Configuration,
    root: &std::path::Path,
    problems: &mut Vec<Problem>,
) -> Option<std::path::PathBuf> {
    let on = boolean(configuration, "StdoutLogEnabled", problems);
    let file = file(configuration, "AspNetCore:StdoutLogFile", root);
    on.then(|| file.unwrap_or_else(|| root.join(OUTPUT)))
}

fn speaks_http2(configuration: &Configuration, problems: &mut Vec<Problem>) -> bool {
    let key = "AspNetCore:HttpVersion";
    let read = read_with(configuration, key, problems, |setting, text| match text.trim() {
        "1.1" | "1" => Ok(false),
        "2" | "2.0" => Ok(true),
        _ => Err(cannot_convert(setting, text, "System.Version", "write 1.1 or 2")),
    });
    read.unwrap_or_default()
}

/// A path that is asked for, maybe with a query.
fn health(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<String> {
    configuration.non_empty("AspNetCore:Health")?;
    read_with(configuration, "AspNetCore:Health", problems, |setting, text| {
        let text = text.trim();
        let is_path = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
        if is_path && !text.contains('#') {
            return Ok(text.to_owned());
        }
        let value = shown_value(&setting.key, text);
        Err(Problem::error(format!("'{value}' at '{}' is no path of requests.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write a path that begins with a slash, such as /healthz"))
    })
}

/// What the module has and is not here.
fn of_windows(configuration: &Configuration, problems: &mut Vec<Problem>) {
    let forwards = read_boolean(configuration, "AspNetCore:ForwardWindowsAuthToken", problems);
    let setting = configuration.setting("AspNetCore:ForwardWindowsAuthToken");
    if let (Some(true), Some(setting)) = (forwards, setting) {
        problems.push(
            Problem::error("The token of a Windows user cannot be handed to the program.")
                .cause("Clients are not asked who they are on Windows here, so there is no token.")
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("set it to false, or remove it"),
        );
    }
    let model = "AspNetCore:HostingModel";
    let told = read_with(configuration, model, problems, |setting, text| {
        let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
        if is("OutOfProcess") || text.trim().is_empty() {
            return Ok(None);
        }
        let told = |problem: Problem, fix| {
            problem.key(setting.key.clone()).origin(setting.origin.clone()).fix(fix)
        };
        if is("InProcess") {
            let what =
                Problem::warning("The app runs in a process of its own, and not in this one.")
                    .cause("There is no .NET in this process that it could run in.");
            return Ok(Some(told(what, "set HostingModel to OutOfProcess, or remove it")));
        }
        let value = shown_value(&setting.key, text);
        let what = Problem::error(format!("'{value}' is no HostingModel."));
        Err(told(what, "write OutOfProcess, or remove it"))
    });
    problems.extend(told.flatten());
}

#[cfg(test)]
mod tests;
