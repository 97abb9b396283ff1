//! `Watch`: whose changes put another process in the place of one.

use std::path::{Path, PathBuf};

use super::section::SECTION;
use crate::configuration::text::boolean;
use crate::configuration::{Loaded, Problem, Section, Setting};
use crate::hosting::settings::parse::shown;

/// Programs that run what an argument names.
const INTERPRETERS: [&str; 14] = [
    "bash", "bun", "deno", "dotnet", "java", "lua", "node", "nodejs", "perl", "php", "pypy",
    "python", "ruby", "sh",
];

/// Reads it: paths from the content root on, or `true` for what is run.
pub(super) fn read(
    loaded: &Loaded,
    (program, arguments, folder): (&Path, &[String], &Path),
    problems: &mut Vec<Problem>,
) -> Vec<PathBuf> {
    let root = &loaded.content_root.value;
    let section = loaded.configuration.section(&format!("{SECTION}:Watch"));
    let listed = section.children();
    let listed: Vec<_> = listed.iter().filter_map(Section::setting).collect();
    let strongest = listed.iter().map(|it| it.layer).max();
    let mut paths: Vec<PathBuf> = Vec::new();
    for setting in listed {
        let Some(text) = setting.value.as_deref().filter(|it| !it.is_empty()) else { continue };
        let path = named(root, text, setting, problems);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let Some(setting) = section.setting() else { return paths };
    let text = setting.value.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let is_stronger = strongest.is_none_or(|layer| setting.layer >= layer);
    match (text, text.and_then(boolean)) {
        (None, _) => paths,
        (Some(_), Some(false)) => {
            if is_stronger {
                Vec::new()
            } else {
                paths
            }
        }
        (Some(text), None) => match is_stronger {
            true => vec![named(root, text, setting, problems)],
            false => paths,
        },
        (Some(_), Some(true)) => {
            match what_is_run(program, arguments, folder) {
                Some(file) if paths.contains(&file) => {}
                Some(file) => paths.push(file),
                // What is listed is watched in any case.
                None if !paths.is_empty() => {}
                None => problems.push(
                    Problem::warning("Nothing is watched: no argument of the program is a file.")
                        .key(setting.key.clone())
                        .origin(setting.origin.clone())
                        .fix(format!(
                            "name files and folders: \"{SECTION}\": {{ \"Watch\": [\"src\"] }}"
                        )),
                ),
            }
            paths
        }
    }
}

/// A path that is named. One that is not there may come yet.
fn named(root: &Path, text: &str, setting: &Setting, problems: &mut Vec<Problem>) -> PathBuf {
    let path = root.join(text);
    if !path.exists() {
        let (value, key) = (shown(&setting.key, text), &setting.key);
        problems.push(
            Problem::warning(format!("'{value}' at '{key}' is watched, and is not there."))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("name a file or a folder, from the content root on; or create it: then it is seen"),
        );
    }
    path
}

/// The program's file; of an interpreter the first argument that is one.
fn what_is_run(program: &Path, arguments: &[String], folder: &Path) -> Option<PathBuf> {
    let name = program.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    // `python3.13`
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    if !INTERPRETERS.contains(&name) {
        return Some(program.to_owned());
    }
    arguments.iter().map(|it| folder.join(it)).find(|it| it.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_interpreter_its_script_is_what_is_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.py"), "").unwrap();
        let script = folder.path().join("app.py");
        for (program, arguments, watched) in [
            ("/usr/bin/python3", &["-u", "app.py"][..], Some(script.clone())),
            ("/usr/bin/python3.13", &["app.py"], Some(script)),
            ("/usr/bin/python3", &["-m", "http.server"], None),
            ("/srv/shop", &["app.py"], Some(PathBuf::from("/srv/shop"))),
        ] {
            let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
            let run = what_is_run(Path::new(program), &arguments, folder.path());
            assert_eq!(run, watched, "{program} {arguments:?}");
        }
    }
}
