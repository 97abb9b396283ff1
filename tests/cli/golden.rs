//! Whole messages: each file of `tests/golden` holds what goes in and what has to come out.
//!
//! A file is text in sections, each under a line such as `-- args --`. What stands above the first
//! section says what it is about.
//!
//! | section | content |
//! |---|---|
//! | `args` | the arguments, one per line |
//! | `env` | variables, `NAME=value` |
//! | `file NAME` | a file in the folder it runs in |
//! | `data` | files of `tests/data/tls` that are there too, one name per line |
//! | `edit NAME` | what the file becomes once it has started, before a SIGHUP |
//! | `exit` | the exit code; a run that starts to serve is stopped with SIGTERM |
//! | `stdout`, `stderr` | what it prints; absent if that is nothing |
//!
//! `{root}` stands for the folder, in what goes in as well, and `{port}` for a port that the system
//! chose. With `KESTREL_UPDATE=1` the last three sections are rewritten.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::environment::updates;
use crate::process::{Kestrel, Outcome};
use crate::test_data::file;

#[test]
fn every_message_is_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file in {}", folder.display());
    let mut different = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("it can be read");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let case = Case::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let now = format!("{}{}", case.given, case.run());
        if now == text {
            continue;
        }
        if updates() {
            fs::write(&path, now).expect("it can be written");
        } else {
            different.push(format!("{name} is\n{text}\nbut now it would be\n{now}"));
        }
    }
    assert!(
        different.is_empty(),
        "{}\nKESTREL_UPDATE=1 cargo test --test cli rewrites them",
        different.join("\n")
    );
}

/// What goes in.
struct Case<'a> {
    /// The text up to the sections that come out.
    given: &'a str,
    args: Vec<&'a str>,
    variables: Vec<(&'a str, &'a str)>,
    files: Vec<(&'a str, String)>,
    data: Vec<&'a str>,
    edits: Vec<(&'a str, String)>,
}

impl<'a> Case<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let end = text.find("-- exit --\n").unwrap_or(text.len());
        let mut case = Self {
            given: &text[..end],
            args: vec![],
            variables: vec![],
            files: vec![],
            data: vec![],
            edits: vec![],
        };
        let mut section = None;
        for line in case.given.lines() {
            let heading = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
            if let Some(heading) = heading {
                section = Some(heading);
                if let Some(name) = heading.strip_prefix("file ") {
                    case.files.push((name, String::new()));
                }
                if let Some(name) = heading.strip_prefix("edit ") {
                    case.edits.push((name, String::new()));
                }
                continue;
            }
            match section {
                None => {}
                Some("args") => case.args.push(line),
                Some("env") => case.variables.push(line.split_once('=').ok_or("no NAME=value")?),
                Some("data") => case.data.push(line),
                Some(name) if name.starts_with("file ") => added(&mut case.files, line),
                Some(name) if name.starts_with("edit ") => added(&mut case.edits, line),
                Some(other) => return Err(format!("no section is called '{other}'")),
            }
        }
        if case.args.is_empty() { Err("no section args".to_owned()) } else { Ok(case) }
    }

    /// Runs it, and writes what came out as sections.
    fn run(&self) -> String {
        // Its folder is known only when it is made.
        let mut kestrel = Kestrel::new([]);
        let folder = kestrel.root();
        let root = folder.display().to_string();
        let filled = |text: &str| text.replace("{root}", &root);
        for argument in &self.args {
            kestrel = kestrel.argument(&filled(argument));
        }
        for (name, value) in &self.variables {
            kestrel = kestrel.variable(name, &filled(value));
        }
        for (name, text) in &self.files {
            kestrel = kestrel.file(name, text);
        }
        for name in &self.data {
            fs::copy(file(name), folder.join(name)).expect("it is in tests/data/tls");
        }
        let outcome = match &self.edits[..] {
            [] => kestrel.stopped_if_started(),
            edits => edited(kestrel, edits),
        };
        let Outcome { code, stdout, stderr, .. } = outcome;
        let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let mut sections = format!("-- exit --\n{code}\n");
        for (name, text) in [("stdout", stdout), ("stderr", without_this_moment(&stderr))] {
            if !text.is_empty() {
                let text = without_ports(&text.replace(&root, "{root}"));
                let _ = write!(sections, "-- {name} --\n{text}");
            }
        }
        sections
    }
}

/// Puts a line behind the text of the last one.
fn added(texts: &mut [(&str, String)], line: &str) {
    if let Some((_, text)) = texts.last_mut() {
        text.push_str(line);
        text.push('\n');
    }
}

/// Starts it, edits its files, and stops it when it has read them again.
fn edited(kestrel: Kestrel, edits: &[(&str, String)]) -> Outcome {
    let folder = kestrel.root();
    // The signal alone tells it, and only when all is written.
    let watching = "DOTNET_hostBuilder__reloadConfigOnChange";
    let running = kestrel.variable(watching, "false").started();
    running.wait_for("Content root path: ");
    for (name, text) in edits {
        fs::write(folder.join(name), text).expect("the folder is ours");
    }
    running.signal(Signal::SIGHUP);
    running.wait_for("was read again on SIGHUP");
    running.terminated()
}

/// Announced ports as `{port}`, wherever the address is told: every other number is what was asked
/// for.
fn without_ports(text: &str) -> String {
    let announced = text.lines().filter_map(|line| {
        let address = line.trim_start().strip_prefix("Now listening on: ")?;
        let (host, port) = address.rsplit_once(':')?;
        port.parse::<u16>().is_ok().then(|| (address, format!("{host}:{{port}}")))
    });
    announced.fold(text.to_owned(), |text, (address, written)| text.replace(address, &written))
}

/// What a plan says, without what is so on this machine at this moment: who has a port that it names.
fn without_this_moment(text: &str) -> String {
    let mut left_out = false;
    let stays = |line: &&str| {
        let goes_on = line.starts_with(' ');
        left_out = line.contains(": A start at this moment would fail. ") || (left_out && goes_on);
        !left_out
    };
    text.split_inclusive('\n').filter(stays).collect()
}
