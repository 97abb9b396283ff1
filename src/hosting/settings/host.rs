//! Settings of the host itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parse::{counts_as, shown};
use crate::configuration::load::from_content_root;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Sourced};

/// How long a stop may take unless configured.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// `shutdownTimeoutSeconds`: digits only. Kestrel passes over another text; so do we, and say so.
pub(super) fn shutdown_timeout(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Duration {
    let Some(text) = configuration.non_empty("shutdownTimeoutSeconds") else {
        return SHUTDOWN_TIMEOUT;
    };
    let digits = text.value.bytes().all(|byte| byte.is_ascii_digit());
    match text.value.parse::<u32>() {
        Ok(seconds) if digits => Duration::from_secs(seconds.into()),
        _ => {
            const KEY: &str = "shutdownTimeoutSeconds";
            let given = shown(KEY, text.value);
            problems.push(
                Problem::warning(format!("'{given}' is no number of seconds; 30 is used."))
                    .key(KEY)
                    .origin(text.origin)
                    .fix("write whole seconds, such as 30; 0 ends running requests at once"),
            );
            SHUTDOWN_TIMEOUT
        }
    }
}

/// Variables that switch something on in .NET's way, by `1` or `true`, and nothing else.
pub(super) fn switches(configuration: &Configuration, problems: &mut Vec<Problem>) {
    for name in
        ["DOTNET_USE_POLLING_FILE_WATCHER", "DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"]
    {
        let Some(text) = configuration.non_empty(name) else { continue };
        let known = ["1", "0", "true", "false"];
        let is_variable = matches!(&text.origin, Origin::EnvironmentVariable(own) if own == name);
        if is_variable && !known.iter().any(|known| known.eq_ignore_ascii_case(text.value)) {
            problems.push(counts_as(text.value, false, name, text.origin));
        }
    }
}

/// `webroot`, relative to the content root.
pub(super) fn web_root(loaded: &Loaded) -> Option<Sourced<PathBuf>> {
    let named = loaded.configuration.non_empty("webroot")?;
    Some(named.map(|path| from_content_root(&loaded.content_root.value, path)))
}

/// Host settings that come too late to have an effect, and an environment that is misspelled: traps
/// that say nothing on the reference.
pub(super) fn told_too_late(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let decided = [
        ("environment", loaded.environment.value.clone(), &loaded.environment.origin),
        (
            "contentRoot",
            loaded.content_root.value.display().to_string(),
            &loaded.content_root.origin,
        ),
    ];
    for (key, value, origin) in decided {
        let Some(setting) = loaded.configuration.setting(key) else {
            continue;
        };
        let late = matches!(setting.origin, Origin::File { .. } | Origin::Source(_))
            || matches!(&setting.origin, Origin::EnvironmentVariable(name) if name.eq_ignore_ascii_case(key));
        if late && setting.origin != *origin && setting.value.as_deref() != Some(&*value) {
            let said = (setting.value.as_deref(), &setting.origin);
            problems.push(too_late(key, said, &value).key(setting.key.clone()));
        }
    }
    // What was decided stands over everything else.
    let name = loaded.configuration.setting("applicationName");
    let of_source = name.and_then(|it| {
        it.shadowed.iter().find(|shadowed| matches!(shadowed.origin, Origin::Source(_)))
    });
    let decided = loaded.application_name.value.as_str();
    if let Some(said) = of_source.filter(|said| said.value.as_deref() != Some(decided)) {
        let said = (said.value.as_deref(), &said.origin);
        problems.push(too_late("applicationName", said, decided).key("applicationName"));
    }
    problems.extend(misspelled_environment(loaded));
}

/// That something is said which is decided before it is read.
fn too_late(key: &str, (said, origin): (Option<&str>, &Origin), decided: &str) -> Problem {
    let mut fix = format!("set it by --{key} or by DOTNET_{}", key.to_uppercase());
    if matches!(origin, Origin::Source(_)) {
        let method = match key {
            "environment" => "environment",
            "contentRoot" => "content_root",
            _ => "application_name",
        };
        fix += &format!(", or in code by HostBuilder::{method}");
    }
    Problem::warning(format!(
        "'{}' comes too late: the {key} is already '{}'.",
        shown(key, said.unwrap_or_default()),
        shown(key, decided)
    ))
    .origin(origin.clone())
    .fix(fix)
}

/// Settings files whose names differ from those that are read by the case of their letters, as a
/// file system that tells case apart allows it. The reference passes over them in silence.
pub(super) fn misspelled_files(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let environment = &loaded.environment;
    let wanted = format!("appsettings.{}.json", environment.value);
    if let Some(file) = loaded.files.iter().find(|file| file.path.ends_with(&wanted))
        && !file.found
        && let Some(other) = differently_cased(loaded)
    {
        problems.push(
            Problem::warning(format!(
                "The file {other} is not read: the environment is spelled '{}'.",
                environment.value
            ))
            .key("environment")
            .origin(environment.origin.clone())
            .fix(format!("rename the file to {wanted}, or spell the environment as the file does")),
        );
    }
    for file in &loaded.files {
        let Some(name) = file.path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(rest) = name.strip_prefix("appsettings") else { continue };
        let names = ["AppSettings", "appSettings", "Appsettings", "APPSETTINGS"]
            .map(|start| format!("{start}{rest}"));
        for other in names.into_iter().chain([name.to_uppercase()]) {
            let path = file.path.with_file_name(&other);
            if !path.is_file() || (file.found && same_file(&path, &file.path)) {
                continue;
            }
            let (cause, fix) = if file.found {
                let cause = format!("{name} is read, and this one stands beside it.");
                (cause, "put the settings into one of them, and remove this one".to_owned())
            } else {
                let cause = format!("Case counts in names of files here, and there is no {name}.");
                (cause, format!("rename it: mv {other} {name}"))
            };
            problems.push(
                Problem::warning(format!("The file {other} is not read.")).cause(cause).fix(fix),
            );
        }
    }
}

/// Whether two names are of one file, as they are where case is not told apart.
fn same_file(left: &Path, right: &Path) -> bool {
    matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}

/// An environment that is called nearly as one of .NET's, and has no file of its own.
fn misspelled_environment(loaded: &Loaded) -> Option<Problem> {
    const KNOWN: [&str; 3] = ["Development", "Staging", "Production"];
    let environment = &loaded.environment;
    let name = environment.value.as_str();
    if name.starts_with(['"', '\'']) || name.trim() != name {
        // Told already, with the name that is meant.
        return None;
    }
    let file = format!("appsettings.{name}.json");
    let has_a_file = loaded.files.iter().any(|looked| looked.found && looked.path.ends_with(&file));
    if has_a_file || KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let meant = did_you_mean(name, KNOWN)?;
    Some(
        Problem::warning(format!("The environment is called '{}'.", name.escape_debug()))
            .cause(format!("It has no file of its own, and nearly is {meant}."))
            .key("environment")
            .origin(environment.origin.clone())
            .fix(format!("did you mean {meant}?")),
    )
}

/// A file of the content root for the environment in its usual spellings, if there is one. (Not by
/// listing the folder, which may hold anything and lies on the way of every start.)
fn differently_cased(loaded: &Loaded) -> Option<String> {
    let name = &loaded.environment.value;
    let (lower, upper) = (name.to_lowercase(), name.to_uppercase());
    let first = upper.chars().next();
    let capital: String = first.into_iter().chain(lower.chars().skip(1)).collect();
    [lower, capital, upper]
        .into_iter()
        .filter(|spelling| spelling != name)
        .map(|spelling| format!("appsettings.{spelling}.json"))
        .find(|file| loaded.content_root.value.join(file).is_file())
}
