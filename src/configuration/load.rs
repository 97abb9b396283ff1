//! The ordered list of sources, weakest first, as `WebApplication.CreateBuilder(args)` has it:
//!
//! 1. variables with the prefix `ASPNETCORE_`
//! 2. the content root, which is the current directory
//! 3. variables with the prefix `DOTNET_`
//! 4. the command line
//! 5. what code says of environment, application name and content root
//! 6. `appsettings.json`
//! 7. `appsettings.{Environment}.json`
//! 8. user secrets, in Development
//! 9. all variables
//! 10. the command line again
//! 11. what code sets over everything (`use_urls`, `use_setting`)
//!
//! What a program adds (`configuration_source`) stands under 6, over 8, over 9 or over 10.
//!
//! Environment, content root and application name are decided by 1 to 5 alone: a file or an
//! unprefixed variable comes too late for them. So `DOTNET_` beats `ASPNETCORE_`, and
//! appsettings.json beats both for every key that is read later.

use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::added_source::{AddedSource, SourcePlace};
use super::layers::{Layer, Leaf, Setting};
use super::merged::Configuration;
use super::origin::{Origin, Sourced};
use super::path::as_the_system_writes_it;
use super::problem::{Problem, Severity};
use super::sources::command_line::Unread;
use super::sources::{command_line, environment_variables, json, memory, user_secrets};
use super::user_info::{address_without_user_info, path_without_user_info};

/// What a configuration is made from, besides files. Printed for debugging, it shows no values.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Inputs {
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// The names of variables that are no text, as far as they can be read.
    pub unreadable_variables: Vec<String>,
    /// The arguments that are settings, each with its place on the command line.
    pub arguments: Vec<(usize, String)>,
    /// Where the program was started; empty if that folder is gone.
    pub current_directory: PathBuf,
    /// What the program's code says.
    pub code: CodeSettings,
    /// What the program added to the sources.
    pub(crate) added: Vec<AddedSource>,
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("current_directory", &self.current_directory)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// What the program's code says. Printed for debugging, it shows no settings.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CodeSettings {
    /// The environment, over variables and command line.
    pub environment: Option<String>,
    /// The application's name, over variables and command line.
    pub application_name: Option<String>,
    /// The content root, over variables and command line.
    pub content_root: Option<PathBuf>,
    /// The id of the user's secrets; without it the key `UserSecretsId` of a file is asked.
    pub user_secrets_id: Option<String>,
    /// The application's name if nobody else says one; without it the content root's folder.
    pub default_application_name: Option<String>,
    /// Whether no app is there that could have settings of its own.
    pub host_alone: bool,
    /// Whether the files are passed over that are read by default: those of the application, and the
    /// user's secrets.
    pub without_files: bool,
    /// Settings over everything else: key, value, and the call that made them.
    pub settings: Vec<(String, String, &'static str)>,
}

impl CodeSettings {
    /// Says nothing, and that no file is read.
    pub(crate) fn without_files() -> Self {
        Self { without_files: true, ..Self::default() }
    }
}

impl fmt::Debug for CodeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeSettings")
            .field("environment", &self.environment)
            .field("application_name", &self.application_name)
            .field("content_root", &self.content_root)
            .finish_non_exhaustive()
    }
}

/// The configuration, and what had to be decided on the way to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// All layers merged.
    pub configuration: Configuration,
    /// The variables with the prefix `ASPNETCORE_` alone: a process manager such as the ASP.NET
    /// Core Module speaks through them, and through nothing else.
    pub aspnetcore_variables: Configuration,
    /// The environment, `Production` unless set.
    pub environment: Sourced<String>,
    /// The folder that files are looked up in.
    pub content_root: Sourced<PathBuf>,
    /// The application's name.
    pub application_name: Sourced<String>,
    /// The files that were looked for, weakest first.
    pub files: Vec<LookedFor>,
    /// The arguments that set nothing.
    pub unread: Vec<Unread>,
    /// The names of variables that are no text.
    pub unreadable_variables: Vec<String>,
    /// The folders that programs are looked for in, as the variable `PATH` has them.
    pub(crate) search_path: Option<String>,
    /// Whether no app is there that could have settings of its own.
    pub host_alone: bool,
    /// What was wrong with the sources.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// Whether files could not be read, so that anything may be missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// A file that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookedFor {
    /// Its path.
    pub path: PathBuf,
    /// Whether it was there.
    pub found: bool,
}

/// Reads every source. Mistakes do not end the reading: they are all in [`Loaded::problems`].
pub fn load(inputs: &Inputs) -> Loaded {
    let code = &inputs.code;
    let command_line = command_line::read(&inputs.arguments);
    let arguments: Layer = command_line.leaves.into_iter().collect();
    let mut problems = command_line.given_twice;

    let aspnetcore: Layer =
        environment_variables::read(&inputs.variables, "ASPNETCORE_").into_iter().collect();
    let dotnet = environment_variables::read(&inputs.variables, "DOTNET_").into_iter().collect();
    let mut layers = vec![
        aspnetcore.clone(),
        current_directory(inputs, &aspnetcore),
        dotnet,
        arguments.clone(),
        code_layer(code),
    ];

    let host = Configuration::from_layers(&layers);
    let content_root = content_root(&host, &inputs.current_directory);
    let unreachable = out_of_reach(&content_root, &inputs.current_directory);
    let is_reachable = unreachable.is_none();
    problems.extend(unreachable);
    let environment = host_setting(&host, "environment", || "Production".to_owned());
    let names_a_file = environment_name(&environment, &mut problems);
    let application_name =
        host_setting(&host, "applicationName", || default_name(code, &content_root.value));

    let mut files = Files { content_root: &content_root.value, looked_for: Vec::new(), problems };
    // Without their folder, files of theirs would be missing only because of that.
    let added = match is_reachable {
        true => &*inputs.added,
        false => &[],
    };
    layers.extend(files.added(added, SourcePlace::BelowFiles));
    if is_reachable && !code.without_files {
        layers.push(files.read(content_root.value.join("appsettings.json")));
        if names_a_file {
            let specific = format!("appsettings.{}.json", environment.value);
            layers.push(files.read(content_root.value.join(specific)));
        }
    }
    if environment.value.eq_ignore_ascii_case("Development")
        && !application_name.value.is_empty()
        && !code.without_files
    {
        let so_far = Configuration::from_layers(&layers);
        layers.extend(files.user_secrets(inputs, &so_far));
    }
    layers.extend(files.added(added, SourcePlace::AboveFiles));
    layers.push(environment_variables::read(&inputs.variables, "").into_iter().collect());
    layers.extend(files.added(added, SourcePlace::AboveVariables));
    layers.push(arguments);
    layers.extend(files.added(added, SourcePlace::AboveCommandLine));
    let Files { looked_for: files, problems, .. } = files;
    layers.push(strongest(code, &application_name));

    Loaded {
        configuration: Configuration::from_layers(&layers),
        aspnetcore_variables: Configuration::from_layers(&[aspnetcore]),
        environment,
        content_root,
        application_name,
        files,
        unread: command_line.unread,
        unreadable_variables: inputs.unreadable_variables.clone(),
        search_path: search_path(&inputs.variables),
        host_alone: code.host_alone,
        problems,
    }
}

fn search_path(variables: &[(String, String)]) -> Option<String> {
    let is_it = |name: &str| name == "PATH" || cfg!(windows) && name.eq_ignore_ascii_case("PATH");
    variables.iter().find(|(name, _)| is_it(name)).map(|(_, value)| value.clone())
}

/// The files that are read, and what is wrong with them.
struct Files<'a> {
    content_root: &'a Path,
    looked_for: Vec<LookedFor>,
    problems: Vec<Problem>,
}

impl Files<'_> {
    /// Reads one; without it there is nothing in its layer.
    fn read(&mut self, path: PathBuf) -> Layer {
        let shown = path.strip_prefix(self.content_root).unwrap_or(&path);
        let leaves = json::read_file(&path, shown).unwrap_or_else(|mistakes| {
            // One that is broken is there; a warning tells that something else is.
            let broken = mistakes.iter().any(|mistake| mistake.severity == Severity::Error);
            self.problems.extend(mistakes);
            broken.then(Vec::new)
        });
        self.looked_for.push(LookedFor { path, found: leaves.is_some() });
        leaves.unwrap_or_default().into_iter().collect()
    }

    /// Reads the sources that the program added in one place, the weakest first.
    fn added(&mut self, sources: &[AddedSource], place: SourcePlace) -> Vec<Layer> {
        let mut layers = Vec::new();
        for source in sources.iter().filter(|source| source.place == place) {
            let (leaves, files, problems) = source.read(self.content_root);
            layers.push(leaves.into_iter().collect());
            let looked_for = |path: PathBuf| LookedFor { found: path.exists(), path };
            self.looked_for.extend(files.into_iter().map(looked_for));
            self.problems.extend(problems);
        }
        layers
    }

    /// Reads the user secrets, if code or the configuration names them.
    fn user_secrets(&mut self, inputs: &Inputs, configuration: &Configuration) -> Option<Layer> {
        let id = inputs.code.user_secrets_id.as_deref();
        let id = id.or_else(|| configuration.value("UserSecretsId")).filter(|id| !id.is_empty())?;
        match user_secrets::path(id, &inputs.variables) {
            Ok(path) => Some(self.read(path)),
            Err(problem) => {
                self.problems.push(problem.key("UserSecretsId"));
                None
            }
        }
    }
}

/// The current directory as content root, unless a stronger layer than `ASPNETCORE_` is sure to
/// say otherwise or `ASPNETCORE_CONTENTROOT` does: this layer stands above that variable.
fn current_directory(inputs: &Inputs, aspnetcore: &Layer) -> Layer {
    let set = aspnetcore.get("contentRoot").is_some() || inputs.code.content_root.is_some();
    let root = inputs.current_directory.to_string_lossy();
    (!set).then(|| memory::leaf("contentRoot", root, Origin::Default)).into_iter().collect()
}

fn code_layer(code: &CodeSettings) -> Layer {
    let root = code.content_root.as_ref().map(|root| root.to_string_lossy().into_owned());
    let leaf = |key, value: &Option<String>, call| {
        value.as_ref().map(|value| memory::leaf(key, value.clone(), Origin::Code(call)))
    };
    [
        leaf("applicationName", &code.application_name, "application_name"),
        leaf("environment", &code.environment, "environment"),
        leaf("contentRoot", &root, "content_root"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn strongest(code: &CodeSettings, application_name: &Sourced<String>) -> Layer {
    let name = memory::leaf(
        "applicationName",
        application_name.value.clone(),
        application_name.origin.clone(),
    );
    let set =
        code.settings.iter().map(|(key, value, call)| memory::leaf(key, value, Origin::Code(call)));
    std::iter::once(name).chain(set).collect::<Vec<Leaf>>().into_iter().collect()
}

fn host_setting(
    host: &Configuration,
    key: &str,
    default: impl FnOnce() -> String,
) -> Sourced<String> {
    match host.setting(key) {
        Some(Setting { value: Some(value), origin, .. }) => {
            Sourced::new(value.clone(), origin.clone())
        }
        _ => Sourced::new(default(), Origin::Default),
    }
}

/// The content root: a relative one counts from the current directory.
fn content_root(host: &Configuration, current_directory: &Path) -> Sourced<PathBuf> {
    let given = host_setting(host, "contentRoot", String::new);
    given.map(|given| {
        if given.is_empty() {
            current_directory.to_owned()
        } else if Path::new(&given).is_absolute() {
            as_the_system_writes_it(PathBuf::from(&given))
        } else {
            plain(&current_directory.join(&given))
        }
    })
}

/// Why the files of a content root cannot be read, if they cannot.
fn out_of_reach(root: &Sourced<PathBuf>, current_directory: &Path) -> Option<Problem> {
    const SOME_FOLDER: &str = if cfg!(windows) { r"C:\srv\app" } else { "/srv/app" };
    const FIX: &str = "create it, or name an existing directory; a relative one counts from where the server is started";
    if current_directory.as_os_str().is_empty() && !root.value.is_absolute() {
        return Some(
            Problem::error("The working directory is gone, and the content root with it.")
                .cause("The folder that the server was started in was deleted or moved.")
                .fix(format!("start it in a folder that is there (cd does it), or name one: --contentRoot {SOME_FOLDER}")),
        );
    }
    let mut shown = path_without_user_info(&root.value);
    if !shown.ends_with(std::path::is_separator) {
        shown.push(std::path::MAIN_SEPARATOR);
    }
    let problem = match root.value.metadata() {
        Ok(found) if !found.is_dir() => {
            Problem::error(format!("The content root {shown} is not a directory."))
                .cause("It is a file.")
                .fix("name the directory that it lies in")
        }
        Ok(_) => {
            let error = not_to_be_entered(&root.value)?;
            closed(&shown, &root.value, &error)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Problem::error(format!("The content root {shown} is not a directory."))
                .cause("There is nothing of that name.")
                .fix(FIX)
        }
        Err(error) => {
            // The first of the folders above that stands in the way.
            let above: Vec<_> = root.value.ancestors().skip(1).collect();
            let door = above.into_iter().rev().find(|above| not_to_be_entered(above).is_some());
            match door {
                Some(door) => closed(&shown, door, &error),
                None => {
                    Problem::error(format!("The content root {shown} cannot be used: {error}."))
                        .fix(FIX)
                }
            }
        }
    };
    Some(problem.key("contentRoot").origin(root.origin.clone()))
}

/// Why a folder may not be entered, if it may not: what lies in it cannot be opened, though the
/// folder itself is there.
fn not_to_be_entered(folder: &Path) -> Option<io::Error> {
    folder
        .join(".")
        .metadata()
        .err()
        .filter(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn closed(shown: &str, door: &Path, error: &io::Error) -> Problem {
    let door = path_without_user_info(door);
    let right = if cfg!(windows) {
        format!("icacls \"{door}\" /grant USER:RX")
    } else {
        format!("chmod o+x {door}, or the group's right")
    };
    Problem::error(format!("The content root {shown} cannot be entered: {error}."))
        .cause(format!("The user that runs the server may not enter {door}."))
        .fix(format!("let it ({right}), or name another folder"))
}

/// Whether the name of the environment can be part of a file's name; it is refused where it
/// cannot, and told of where it looks as if it held more than the name.
fn environment_name(environment: &Sourced<String>, problems: &mut Vec<Problem>) -> bool {
    let name = environment.value.as_str();
    // It stands in quotes of its own; who looks for a backslash would look in vain.
    let shown = address_without_user_info(name).escape_debug().to_string();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    let place = |problem: Problem| problem.key("environment").origin(environment.origin.clone());
    if let Some(wrong) = name.chars().find(|c| c.is_control() || matches!(c, '/' | '\\')) {
        let wrong = if wrong.is_control() {
            "a control character, such as a line break".to_owned()
        } else {
            format!("'{wrong}'")
        };
        problems.push(place(
            Problem::error(format!("The environment '{shown}' cannot name a file."))
                .cause(format!(
                    "It holds {wrong}, and would be part of the name appsettings.{{Environment}}.json."
                ))
                .fix("write a plain name such as Production"),
        ));
        return false;
    }
    let is_around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    if name.trim_matches(is_around) != name {
        let name = &*address_without_user_info(name);
        let bare = name.trim_matches(is_around);
        let fix = if bare.is_empty() { "Production" } else { bare };
        problems.push(place(
            Problem::warning(format!("The environment is called '{shown}', quotes and blanks included."))
                .cause(format!(
                    "So appsettings.{name}.json is looked for. Files of variables, as Docker reads them, take quotes as part of the value."
                ))
                .fix(format!("write {fix} alone")),
        ));
    }
    true
}

/// A path that was set, which counts from the content root if it is relative.
pub(crate) fn from_content_root(content_root: &Path, path: impl AsRef<Path>) -> PathBuf {
    as_the_system_writes_it(content_root.join(path))
}

/// `path` without `.` and with every `..` taken back.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
        plain
    })
}

fn default_name(code: &CodeSettings, content_root: &Path) -> String {
    code.default_application_name.clone().unwrap_or_else(|| {
        content_root
            .file_name()
            .map_or_else(|| "kestrel".to_owned(), |name| name.to_string_lossy().into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Inputs {
        Inputs {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            arguments: arguments.iter().map(|a| (*a).to_owned()).enumerate().collect(),
            current_directory: folder.to_owned(),
            ..Inputs::default()
        }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn each_source_beats_the_weaker_ones() {
        let files = [
            ("appsettings.json", r#"{"Urls":"json"}"#),
            ("appsettings.Staging.json", r#"{"Urls":"staging"}"#),
        ];
        let folder = folder(&files);
        let all = [
            ("ASPNETCORE_URLS", "aspnetcore"),
            ("DOTNET_URLS", "dotnet"),
            ("URLS", "plain"),
            ("DOTNET_ENVIRONMENT", "Staging"),
        ];
        for (variables, arguments, winner) in [
            (&all[..], &["--urls", "args"][..], "args"),
            (&all[..], &[], "plain"),
            (&all[3..], &[], "staging"),
            (&all[..2], &[], "json"),
        ] {
            let loaded = load(&inputs(folder.path(), variables, arguments));
            assert_eq!(loaded.configuration.value("URLS"), Some(winner));
        }
        std::fs::remove_file(folder.path().join("appsettings.json")).unwrap();
        for (variables, winner) in [(&all[..2], "dotnet"), (&all[..1], "aspnetcore")] {
            let loaded = load(&inputs(folder.path(), variables, &[]));
            assert_eq!(loaded.configuration.value("urls"), Some(winner));
        }
    }

    #[test]
    fn files_and_plain_variables_come_too_late_for_the_environment() {
        let folder = folder(&[("appsettings.json", r#"{"Environment":"Development"}"#)]);
        let loaded = load(&inputs(folder.path(), &[("ENVIRONMENT", "Staging")], &[]));
        assert_eq!(loaded.environment.value, "Production");
        assert_eq!(loaded.configuration.value("environment"), Some("Staging"));
    }

    #[test]
    fn the_mistakes_of_all_files_are_told_together() {
        let files = [("appsettings.json", "{"), ("appsettings.Production.json", "[]")];
        let folder = folder(&files);
        let loaded = load(&inputs(folder.path(), &[], &["--a"]));
        assert_eq!(loaded.problems.len(), 2, "{:#?}", loaded.problems);
        assert_eq!(loaded.unread.len(), 1);
    }

    #[test]
    fn a_relative_content_root_counts_from_the_current_directory() {
        let folder = folder(&[]);
        std::fs::create_dir(folder.path().join("other")).unwrap();
        let loaded = load(&inputs(folder.path(), &[], &["--contentRoot", "./x/../other"]));
        assert_eq!(loaded.content_root.value, folder.path().join("other"));
        assert!(loaded.problems.is_empty());
        let loaded = load(&inputs(folder.path(), &[("DOTNET_CONTENTROOT", "missing")], &[]));
        let told = loaded.problems[0].to_string();
        assert!(told.contains(&format!("{}/missing/", folder.path().display())), "{told}");
        assert!(told.contains("environment variable DOTNET_CONTENTROOT"), "{told}");
    }
}
