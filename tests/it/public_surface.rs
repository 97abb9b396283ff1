//! What users of the library can name: each thing by one path, and nothing that would be a promise by
//! accident. Read from the sources, as far as that takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that users see; the root is the empty name.
const MODULES: [&str; 6] = ["", "addresses", "configuration", "logging", "testing", "tls"];

/// What is complete by nature: there is nothing to come.
const COMPLETE: [&str; 9] = [
    // Wrappers: their one field is what they are.
    "Local",
    "Remote",
    "ResetStream",
    // An address, and what it is made of.
    "IpLiteral",
    "ListenAddr",
    "Scope",
    // http and https.
    "Scheme",
    // A pair.
    "Sourced",
    // The levels of .NET, in their order.
    "LogLevel",
];

/// What programs write down as literals.
const LITERALS: [&str; 1] = ["Rule"];

pub(crate) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The text of the file that declares a module.
fn declaring(module: &str) -> String {
    let file = if module.is_empty() { "lib.rs".into() } else { format!("{module}/mod.rs") };
    fs::read_to_string(source().join(file)).expect("the module is there")
}

/// What a module hands to users, unless it is hidden from them: each statement that begins with `pub `.
fn handed_on(text: &str) -> Vec<(bool, String)> {
    let mut found: Vec<(bool, String)> = Vec::new();
    let (mut hidden, mut open) = (false, false);
    for line in text.lines() {
        if let Some((_, last)) = found.last_mut().filter(|_| open) {
            last.push_str(line);
        } else if line.starts_with("pub ") {
            found.push((hidden, line.to_owned()));
        }
        if line.starts_with("pub use") || open {
            open = !line.contains(';');
        }
        hidden = line == "#[doc(hidden)]" || (hidden && line.starts_with("#["));
    }
    found
}

/// The names of one such statement.
fn names(statement: &str) -> Vec<String> {
    let names = match statement.strip_prefix("pub use ") {
        Some(used) => {
            assert!(!used.contains(" as ") && !used.contains('*'), "{used}");
            let (_, names) =
                used.split_once('{').or_else(|| used.rsplit_once("::")).expect("a path");
            names.split([',', '}', ';']).map(str::trim).collect()
        }
        None => vec![
            statement.split(|it: char| !it.is_alphanumeric() && it != '_').nth(2).expect("a name"),
        ],
    };
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The name of everything that users see, with the module that has it.
pub(crate) fn seen_by_users() -> Vec<(String, &'static str)> {
    let mut seen = Vec::new();
    for module in MODULES {
        for (hidden, statement) in handed_on(&declaring(module)) {
            if !hidden && !statement.starts_with("pub mod ") {
                seen.extend(names(&statement).into_iter().map(|name| (name, module)));
            }
        }
    }
    seen
}

#[test]
fn everything_has_one_path() {
    let modules: Vec<_> = handed_on(&declaring(""))
        .into_iter()
        .filter(|(hidden, statement)| !hidden && statement.starts_with("pub mod "))
        .flat_map(|(_, statement)| names(&statement))
        .collect();
    assert_eq!(modules, MODULES[1..], "what lib.rs tells");
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for (name, module) in seen_by_users() {
        paths.entry(name).or_default().push(module);
    }
    assert!(paths.len() > 90, "they are read: {}", paths.len());
    let twice: Vec<_> = paths.iter().filter(|(_, modules)| modules.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    for module in &MODULES[1..] {
        let inner = handed_on(&declaring(module));
        assert!(inner.iter().all(|(_, it)| !it.starts_with("pub mod ")), "{module} has modules");
    }
}

#[test]
fn what_may_grow_says_so() {
    let seen = seen_by_users();
    let mut looked_at = 0;
    let mut exhaustive = Vec::new();
    each_file(&source(), &mut |text| {
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(item) =
                line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct "))
            else {
                continue;
            };
            let name = item.split(|it: char| !it.is_alphanumeric()).next().expect("a name");
            let body = lines[at + 1..].iter().take_while(|line| **line != "}");
            let has_fields =
                item.ends_with('{') && body.clone().any(|it| it.starts_with("    pub "));
            let grows = line.starts_with("pub enum") || item.contains("(pub ") || has_fields;
            if !grows || !seen.iter().any(|(seen, _)| seen == name) {
                continue;
            }
            looked_at += 1;
            let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
            if !attributes.clone().any(|line| *line == "#[non_exhaustive]") {
                exhaustive.push(name.to_owned());
            }
        }
    });
    assert!(looked_at > 50, "they are read: {looked_at}");
    let mut known: Vec<_> = COMPLETE.into_iter().chain(LITERALS).collect();
    known.sort_unstable();
    exhaustive.sort_unstable();
    assert_eq!(exhaustive, known, "left: what is not #[non_exhaustive]; right: what need not be");
}

/// Whether this is a line of the code that the documentation shows, which is compiled.
fn shown(line: &str, is_code: &mut bool) -> bool {
    let Some(line) = ["///", "//!"].iter().find_map(|mark| line.trim().strip_prefix(mark)) else {
        *is_code = false;
        return false;
    };
    let is_fence = line.trim().starts_with("```");
    *is_code ^= is_fence;
    *is_code && !is_fence && !line.trim().starts_with("# ")
}

#[test]
fn every_method_of_the_builder_stands_in_an_example() {
    let (mut methods, mut examples) = (Vec::new(), Vec::new());
    each_file(&source(), &mut |text| {
        let (mut is_builder, mut is_code) = (false, false);
        for line in text.lines() {
            is_builder = line == "impl HostBuilder {" || is_builder && line != "}";
            let head =
                ["pub fn ", "pub async fn "].iter().find_map(|it| line.trim().strip_prefix(it));
            let name = head.and_then(|head| head.split(['(', '<']).next());
            methods.extend(name.filter(|_| is_builder).map(str::to_owned));
            if shown(line, &mut is_code) {
                examples.push(line.to_owned());
            }
        }
    });
    assert!(methods.len() > 40, "they are read: {}", methods.len());
    methods.retain(|name| !examples.iter().any(|line| line.contains(&format!(".{name}("))));
    assert!(methods.is_empty(), "without an example in the documentation: {methods:?}");
}

pub(crate) fn each_file(folder: &Path, look: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => each_file(&path, look),
            // What stands in for something in a build without it offers nothing of its own.
            path if path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("no_")) => {}
            path => look(&fs::read_to_string(path).expect("a text")),
        }
    }
}
