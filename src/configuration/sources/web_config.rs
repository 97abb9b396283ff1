//! `web.config`, as far as it is the ASP.NET Core Module's: the element `aspNetCore`, as settings of the section of that
//! name. All else in it is for IIS, and passed over.

use std::path::Path;

use roxmltree::{Document, Node};

use super::file;
use crate::configuration::layers::Leaf;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::origin::Origin;
use crate::configuration::problem::{Problem, Severity};

/// Its attributes: each is the key that begins with a capital.
const ATTRIBUTES: [&str; 12] = [
    "processPath",
    "arguments",
    "startupTimeLimit",
    "shutdownTimeLimit",
    "rapidFailsPerMinute",
    "requestTimeout",
    "processesPerApplication",
    "stdoutLogEnabled",
    "stdoutLogFile",
    "forwardWindowsAuthToken",
    "disableStartUpErrorPage",
    "hostingModel",
];

/// Those that name files, which are written as Windows has them.
const OF_FILES: [&str; 3] = ["processPath", "arguments", "stdoutLogFile"];

/// Reads the file; nothing of one that has no such element, or is not there.
///
/// # Errors
///
/// A warning for a file that cannot be read: nobody has named it. Errors for what is wrong in the element.
pub(crate) fn read_file(path: &Path, shown: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
    let text = file::read(path).map_err(|problems| problems.into_iter().map(warned).collect());
    let text: Result<_, Vec<_>> = text;
    read(&text?.unwrap_or_default(), shown)
}

fn warned(problem: Problem) -> Problem {
    Problem { severity: Severity::Warning, ..problem }
}

/// Checks what is read of a file: settings of the section alone, each at a place in the file, and problems that can be told.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.matches('\n').count() + 1;
    let is_inside = |origin: &Origin| match origin {
        Origin::File { line, column, .. } => (1..=lines).contains(line) && *column >= 1,
        _ => false,
    };
    match read(&text, Path::new("web.config")) {
        Ok(leaves) => {
            for Leaf { key, value, origin } in leaves {
                assert!(key.starts_with("AspNetCore:") && value.is_some(), "{key}: {text:?}");
                assert!(is_inside(&origin), "{origin}: {text:?}");
            }
        }
        Err(problems) => {
            for problem in problems {
                assert!(problem.origin.as_ref().is_some_and(is_inside), "{problem}: {text:?}");
            }
        }
    }
}

fn read(text: &str, shown: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let origin = |line: u32, column: u32| Origin::File {
        path: shown.to_owned(),
        line: line as usize,
        column: column as usize,
    };
    let document = Document::parse(text).map_err(|error| {
        let place = error.pos();
        let name = shown.display();
        let problem = Problem::warning(format!("{name} is not read: {error}."))
            .origin(origin(place.row, place.col))
            .fix(format!("put it right; or name the program in the section AspNetCore, and {name} is not looked at"));
        vec![problem]
    })?;
    let place = |at: usize| {
        let place = document.text_pos_at(at);
        origin(place.row, place.col)
    };
    let is_it = |node: &Node<'_, '_>| node.tag_name().name() == "aspNetCore";
    let Some(element) = document.descendants().find(is_it) else { return Ok(Vec::new()) };
    let (mut leaves, mut problems) = (Vec::new(), Vec::new());
    for attribute in element.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        let origin = place(attribute.range().start);
        if value.contains("%LAUNCHER_PATH%") || value.contains("%LAUNCHER_ARGS%") {
            problems.extend((name == "processPath").then(|| no_program(origin)));
            continue;
        }
        if !ATTRIBUTES.contains(&name) {
            problems.push(unknown(name, &ATTRIBUTES).origin(origin));
            continue;
        }
        let value = match OF_FILES.contains(&name) && !cfg!(windows) {
            true => with_slashes(value),
            false => value.to_owned(),
        };
        leaves.push(Leaf::new(key(name), value, origin));
    }
    let variables =
        element.descendants().filter(|it| it.tag_name().name() == "environmentVariable");
    for variable in variables {
        let origin = place(variable.range().start);
        let Some(name) = variable.attribute("name").filter(|it| !it.is_empty()) else {
            problems.push(
                Problem::error("An environmentVariable of the element aspNetCore has no name.")
                    .origin(origin)
                    .fix("write <environmentVariable name=\"NAME\" value=\"value\" />"),
            );
            continue;
        };
        // .NET reads both alike, and what is not of .NET cannot mean a colon.
        let name = name.replace(':', "__");
        let value = variable.attribute("value").unwrap_or_default();
        leaves.push(Leaf::new(format!("AspNetCore:EnvironmentVariables:{name}"), value, origin));
    }
    if problems.is_empty() { Ok(leaves) } else { Err(problems) }
}

/// `AspNetCore:ProcessPath`
fn key(attribute: &str) -> String {
    let (first, rest) = attribute.split_at(1);
    format!("AspNetCore:{}{rest}", first.to_ascii_uppercase())
}

fn no_program(origin: Origin) -> Problem {
    Problem::error("%LAUNCHER_PATH% is no program: Visual Studio puts one in its place.")
        .cause("This is the web.config of a project, and not of an app that was published.")
        .key("AspNetCore:ProcessPath")
        .origin(origin)
        .fix("publish the app, and start in that folder; or write kestrel run -- dotnet App.dll; to run nothing, set AspNetCore:Enabled to false")
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let fix = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("remove it; there are {}", known.join(", ")),
    };
    Problem::error(format!("The attribute '{name}' of the element aspNetCore means nothing."))
        .fix(fix)
}

/// The same with slashes in words that begin with `.\`: the paths that `dotnet publish` writes, such as `.\App.dll`.
fn with_slashes(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let (mut begins, mut is_path) = (true, false);
    for (at, character) in text.char_indices() {
        if character.is_whitespace() || matches!(character, '"' | '\'') {
            (begins, is_path) = (true, false);
        } else if begins {
            (begins, is_path) = (false, text[at..].starts_with(".\\"));
        }
        written.push(if is_path && character == '\\' { '/' } else { character });
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_of(text: &str) -> Result<Vec<(String, String, String)>, Vec<Problem>> {
        let leaves = read(text, Path::new("web.config"))?;
        let leaves = leaves
            .into_iter()
            .map(|it| (it.key, it.value.unwrap_or_default(), it.origin.to_string()));
        Ok(leaves.collect())
    }

    #[cfg(unix)]
    #[test]
    fn what_dotnet_publish_writes_is_read() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <location path="." inheritInChildApplications="false">
    <system.webServer>
      <handlers>
        <add name="aspNetCore" path="*" verb="*" modules="AspNetCoreModuleV2" resourceType="Unspecified" />
      </handlers>
      <aspNetCore processPath="dotnet" arguments=".\My.dll --a &quot;.\b c\d&quot; \x" stdoutLogEnabled="false"
          stdoutLogFile=".\logs\stdout" hostingModel="inprocess">
        <environmentVariables>
          <environmentVariable name="Logging:LogLevel:Default" value="Debug" />
        </environmentVariables>
      </aspNetCore>
    </system.webServer>
  </location>
</configuration>"#;
        let expected = [
            ("AspNetCore:ProcessPath", "dotnet", "web.config:8:19"),
            ("AspNetCore:Arguments", r#"./My.dll --a "./b c\d" \x"#, "web.config:8:40"),
            ("AspNetCore:StdoutLogEnabled", "false", "web.config:8:88"),
            ("AspNetCore:StdoutLogFile", "./logs/stdout", "web.config:9:11"),
            ("AspNetCore:HostingModel", "inprocess", "web.config:9:41"),
            (
                "AspNetCore:EnvironmentVariables:Logging__LogLevel__Default",
                "Debug",
                "web.config:11:11",
            ),
        ];
        let expected = expected
            .map(|(key, value, place)| (key.to_owned(), value.to_owned(), place.to_owned()));
        assert_eq!(read_of(text), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_for_iis_alone_is_passed_over() {
        for text in [
            "",
            "\u{feff}<configuration />",
            "<configuration><system.webServer><rewrite processPath=\"x\" /></system.webServer></configuration>",
        ] {
            assert_eq!(read_of(text), Ok(vec![]), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = Severity::Error;
        for (text, severity, told, fix) in [
            ("<configuration>\n <a", Severity::Warning, "web.config is not read", "put it right"),
            (
                "<c><aspNetCore processpath='x' /></c>",
                error,
                "The attribute 'processpath' of",
                "did you mean processPath?",
            ),
            (
                "<c><aspNetCore startupRetryCount='1' /></c>",
                error,
                "'startupRetryCount'",
                "remove it;",
            ),
            (
                "<c><aspNetCore processPath='%LAUNCHER_PATH%' arguments='%LAUNCHER_ARGS%' /></c>",
                error,
                "%LAUNCHER_PATH% is no program",
                "publish the app",
            ),
            (
                "<aspNetCore><environmentVariables><environmentVariable value='x'/></environmentVariables></aspNetCore>",
                error,
                "has no name",
                "write <environmentVariable",
            ),
        ] {
            let problems = read_of(text).unwrap_err();
            let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
            assert_eq!(problem.severity, severity, "{text}");
            assert!(problem.message.contains(told), "{text}: {problem}");
            assert!(
                problem.fix.as_deref().is_some_and(|it| it.starts_with(fix)),
                "{text}: {problem}"
            );
            assert!(matches!(problem.origin, Some(Origin::File { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(text in "\\PC*|(<(aspNetCore|a)( [a-z]='.*')?/?>|</a>|&[a-z]+;){0,6}") {
            check(text.as_bytes());
        }
    }
}
