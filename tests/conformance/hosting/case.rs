//! The shape of a case: one line of `hosting.jsonl` or of `asked.jsonl`.
//!
//! The input members say how the host is started (`args`, `env`, `code`), in which surroundings
//! (`files`, `setup`, `occupy`, `net`, `user`, `cwd`), what is done to it (`steps`, `stop`) and
//! what is looked at besides (`list_files`, `read_files`). `needs` and `launcher` say what else
//! must be built. `recorded` is what the reference did; `facts` reads it. Texts may hold `{root}`
//! (the case's content root), `{home}` and, in shell lines, `{pid}`.
//!
//! A member that this file does not know is an error, so that a recording never says something that
//! nobody hears.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::json_text::{elements, members};
use super::placeholders::Ports;

/// The recordings, one case per line: the given ones, and those we asked the reference for.
const RECORDINGS: [(&str, &str); 2] = [
    ("hosting.jsonl", include_str!("../hosting.jsonl")),
    ("asked.jsonl", include_str!("../asked.jsonl")),
];

/// One recorded case.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// Group and number, such as `layer-001`.
    pub(crate) id: String,
    /// What the case is about, in a line.
    pub(crate) title: String,
    /// The command line after `run`.
    pub(crate) args: Vec<String>,
    /// Environment variables.
    pub(crate) env: BTreeMap<String, String>,
    /// What a program would say in code; reaches the example as `CODE_<NAME>`.
    pub(crate) code: BTreeMap<String, String>,
    /// Files made before the start. A relative path is one below the content root.
    pub(crate) files: Vec<(String, Content)>,
    /// Shell lines run before the start.
    pub(crate) setup: Vec<String>,
    /// Sockets that are taken: `tcp4:HOST:PORT`, `tcp6:` (IPv6 only), `tcp6dual:`, `unix:PATH`.
    pub(crate) occupy: Vec<String>,
    /// What is missing in the network: nothing (`""`, `dual`), `no-ipv6`, `no-ipv4-loopback`.
    pub(crate) net: String,
    /// The user that runs the host; root otherwise.
    pub(crate) user: Option<String>,
    /// The working directory below the content root.
    pub(crate) cwd: String,
    /// What is done while it runs.
    pub(crate) steps: Vec<Step>,
    /// The signal that ends it; SIGTERM otherwise.
    pub(crate) stop: Option<String>,
    /// Whether the files left in the content root are of interest.
    pub(crate) list_files: bool,
    /// Files of the content root to be read at the end.
    pub(crate) read_files: Vec<String>,
    /// Started by something else than the host itself, such as `dotnet run`.
    pub(crate) launcher: Option<String>,
    /// Groups whose capability the case also wants.
    pub(crate) needs: Vec<String>,
    /// What the reference did.
    pub(crate) recorded: Value,
    /// The ports that the case names.
    pub(crate) ports: Ports,
}

/// What stands at a path.
#[derive(Debug)]
pub(crate) enum Content {
    Directory,
    Text(String),
}

/// One thing that is done while the host runs.
#[derive(Debug)]
pub(crate) enum Step {
    /// A request by curl, with further arguments for it.
    Get { url: String, curl: Vec<String> },
    /// Files replaced at once, by renaming.
    Put(Vec<(String, Content)>),
    /// Files written in place.
    Write(Vec<(String, Content)>),
    /// A shell line.
    Shell(String),
    /// A pause in seconds. It is part of the recording.
    Sleep(f64),
    /// A look at the sockets and at whether the host is alive.
    Observe,
}

impl Case {
    /// All recorded cases in their order.
    ///
    /// # Errors
    /// When a line is not a case; the message names it.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let lines = RECORDINGS.iter().flat_map(|(file, text)| {
            text.lines().enumerate().map(move |(at, line)| (file, at + 1, line))
        });
        lines
            .filter(|(_, _, line)| !line.trim().is_empty())
            .map(|(file, at, line)| Self::read(line).with_context(|| format!("{file} line {at}")))
            .collect()
    }

    /// The case with this id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(id: &str) -> Result<Self> {
        Self::all()?
            .into_iter()
            .find(|case| case.id == id)
            .with_context(|| format!("there is no case {id}"))
    }

    /// Reads one line.
    fn read(line: &str) -> Result<Self> {
        let mut case = Self::default();
        let members = members(line);
        for (name, text) in &members {
            let value = || serde_json::from_str::<Value>(text);
            match name.as_str() {
                "id" => case.id = serde_json::from_str(text)?,
                "title" => case.title = serde_json::from_str(text)?,
                "args" => case.args = serde_json::from_str(text)?,
                "env" => case.env = serde_json::from_str(text)?,
                "code" => case.code = serde_json::from_str(text)?,
                "files" => case.files = files(text)?,
                "setup" => case.setup = serde_json::from_str(text)?,
                "occupy" => case.occupy = serde_json::from_str(text)?,
                "net" => case.net = serde_json::from_str(text)?,
                "user" => case.user = serde_json::from_str(text)?,
                "cwd" => case.cwd = serde_json::from_str(text)?,
                "steps" => case.steps = steps(text)?,
                "stop" => case.stop = serde_json::from_str(text)?,
                "list_files" => case.list_files = value()?.as_bool() == Some(true),
                "read_files" => case.read_files = serde_json::from_str(text)?,
                "launcher" => case.launcher = serde_json::from_str(text)?,
                "needs" => case.needs = serde_json::from_str(text)?,
                "recorded" => case.recorded = value()?,
                // The keys that the steps ask for, told apart for readers.
                "config_keys" => {}
                other => bail!("nobody here knows the member `{other}`"),
            }
        }
        let input = members.iter().filter(|(name, _)| name != "recorded");
        case.ports = Ports::named_in(input.map(|(_, text)| *text));
        Ok(case)
    }

    /// The part of the id before the dash.
    pub(crate) fn group(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// Whether only an app of our own can run the case: it says something in code, talks to the
    /// app's routes, or has user secrets, whose id is set through the library.
    pub(crate) fn needs_app(&self) -> bool {
        let talks = |step: &Step| match step {
            Step::Get { url, .. } => url.starts_with("http"),
            Step::Shell(line) => line.contains("http") || line.contains("HTTP"),
            _ => false,
        };
        let secrets = self.files.iter().any(|(path, _)| path.contains("usersecrets"));
        !self.code.is_empty() || secrets || self.steps.iter().any(talks)
    }
}

/// Paths and what stands there. An object is a JSON file with that text, order of members included.
fn files(text: &str) -> Result<Vec<(String, Content)>> {
    let content = |text: &str| -> Result<Content> {
        Ok(match serde_json::from_str(text)? {
            Value::String(text) => Content::Text(text),
            Value::Object(object)
                if object.len() == 1 && object.get("dir") == Some(&Value::Bool(true)) =>
            {
                Content::Directory
            }
            _ => Content::Text(text.to_owned()),
        })
    };
    members(text).into_iter().map(|(path, text)| Ok((path, content(text)?))).collect()
}

/// The steps. One object may hold several; they are done in the order of the arms below, as when
/// they were recorded.
fn steps(text: &str) -> Result<Vec<Step>> {
    const ORDER: [&str; 6] = ["get", "put", "write", "sh", "sleep", "observe"];
    let mut steps = Vec::new();
    for step in elements(text) {
        let members = members(step);
        if let Some((other, _)) =
            members.iter().find(|(name, _)| name != "curl" && !ORDER.contains(&name.as_str()))
        {
            bail!("nobody here knows the step `{other}`");
        }
        let text_of =
            |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, text)| *text);
        for name in ORDER {
            let Some(text) = text_of(name) else { continue };
            steps.push(match name {
                "get" => Step::Get {
                    url: serde_json::from_str(text)?,
                    curl: text_of("curl").map_or(Ok(Vec::new()), serde_json::from_str)?,
                },
                "put" => Step::Put(files(text)?),
                "write" => Step::Write(files(text)?),
                "sh" => Step::Shell(serde_json::from_str(text)?),
                "sleep" => Step::Sleep(serde_json::from_str(text)?),
                _ => Step::Observe,
            });
        }
    }
    Ok(steps)
}

/// The harness's test of this file: every recording can be read, and no two have the same id.
pub(crate) fn check() {
    let cases = Case::all().expect("the recordings are readable");
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "an id is given twice");
    let line = r#"{
        "id": "x-1", "files": {"b": {"Z": 1, "A": 2}, "a": {"dir": true}},
        "steps": [{"sleep": 1.5, "put": {"b": ""}}]
    }"#;
    let case = Case::read(line).expect("a case");
    let [(_, Content::Text(text)), (_, Content::Directory)] = &case.files[..] else {
        panic!("a text and a folder, not {:?}", case.files)
    };
    assert_eq!(text, r#"{"Z": 1, "A": 2}"#);
    assert!(matches!(case.steps[..], [Step::Put(_), Step::Sleep(_)]));
    assert!(Case::read(r#"{"id": "x-1", "colour": 1}"#).is_err());
}
