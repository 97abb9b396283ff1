//! What a file of `src` names: read from its text, as far as the rules of the house need it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A module by the names on the way to it: `server::http1` is `["server", "http1"]`.
pub(super) type Module = Vec<String>;

/// A file of `src`.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) module: Module,
    /// Whether all of it is for tests.
    pub(super) is_test: bool,
    pub(super) product: Code,
    /// What stands under `#[cfg(test)]` at its end.
    pub(super) tests: Code,
}

/// A part of a file: what it names, and what a reader of its `use` lines has names for.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// Full paths into the crate, from its root.
    pub(super) paths: Vec<Vec<String>>,
    /// Names that its imports make, with the full path of each.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// The first names of all paths that do not begin in this crate.
    pub(super) crates: Vec<String>,
}

/// All files below a folder, which is the root of the crate.
pub(super) fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    collect(root, &mut Vec::new(), &mut found);
    found
}

fn collect(folder: &Path, at: &mut Module, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            at.push(stem);
            collect(&path, at, found);
            at.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut module = at.clone();
            if !matches!(&*stem, "mod" | "lib") {
                module.push(stem);
            }
            found.push(Source::read(&fs::read_to_string(&path).unwrap(), module));
        }
    }
}

impl Source {
    pub(super) fn read(text: &str, module: Module) -> Self {
        let text = plain(text);
        let (product, tests) = match text.split_once("#[cfg(test)]\nmod tests") {
            Some((product, tests)) => (product, tests),
            None => (&*text, ""),
        };
        let mut within = module.clone();
        within.push("tests".to_owned());
        Self {
            is_test: module.iter().any(|name| name == "tests"),
            product: Code::read(product, &module),
            tests: Code::read(tests, &within),
            module,
        }
    }

    /// As a reader would look for it.
    pub(super) fn name(&self) -> String {
        self.module.join("::")
    }
}

impl Code {
    fn read(text: &str, module: &Module) -> Self {
        let mut code = Self::default();
        let tokens = tokens(text);
        let mut module = module.clone();
        // How many braces are open where each module within the file begins.
        let (mut open, mut within) = (0_i32, Vec::new());
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            match *token {
                "use" if !matches!(before, "+" | "->" | "&") => {
                    at = code.import(&tokens, at + 1, &[], &module);
                    continue;
                }
                "mod" if tokens.get(at + 2) == Some(&"{") => {
                    within.push(open);
                    module.push(tokens[at + 1].to_owned());
                }
                "{" => open += 1,
                "}" => {
                    open -= 1;
                    if within.pop_if(|begin| *begin == open).is_some() {
                        module.pop();
                    }
                }
                _ => {}
            }
            let begins = is_name(token) && !matches!(before, "::" | "in" | "$" | "." | "'");
            if !begins || tokens.get(at + 1) != Some(&"::") {
                at += 1;
                continue;
            }
            let mut path = vec![(*token).to_owned()];
            at += 1;
            while tokens.get(at) == Some(&"::") && tokens.get(at + 1).is_some_and(|it| is_name(it))
            {
                path.push(tokens[at + 1].to_owned());
                at += 2;
            }
            code.note(path, &module);
        }
        code
    }

    /// Reads what stands behind a `use`, or within its braces; where it goes on.
    fn import(&mut self, tokens: &[&str], from: usize, head: &[String], module: &Module) -> usize {
        let mut at = from;
        let mut path = head.to_vec();
        let mut alias = None;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match *token {
                "{" => {
                    while tokens.get(at).is_some_and(|token| *token != "}") {
                        at = self.import(tokens, at, &path, module);
                        at += usize::from(tokens.get(at) == Some(&","));
                    }
                    // The closing brace, and perhaps what ends the line.
                    at += 1;
                    return at + usize::from(head.is_empty());
                }
                "as" => {
                    alias = tokens.get(at).map(|alias| (*alias).to_owned());
                    at += 1;
                }
                "," | "}" => {
                    at -= 1;
                    break;
                }
                ";" => break,
                "::" => {}
                name => path.push(name.to_owned()),
            }
        }
        if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
            path.pop();
        }
        let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        if let Some(full) = self.note(path, module) {
            self.imports.insert(name, full);
        }
        at
    }

    /// Takes note of a path, and returns it from the root if it is one of the crate.
    fn note(&mut self, path: Vec<String>, module: &Module) -> Option<Vec<String>> {
        let first = path.first()?.as_str();
        let mut full = match first {
            "crate" => Vec::new(),
            "self" | "super" => module.clone(),
            _ => {
                self.crates.push(first.to_owned());
                // Perhaps a child of this module.
                let child = module.iter().chain(&path).cloned().collect();
                return Some(child);
            }
        };
        for name in path {
            match &*name {
                "crate" | "self" => {}
                "super" => drop(full.pop()),
                _ => full.push(name),
            }
        }
        self.paths.push(full.clone());
        Some(full)
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The names and signs of a text without comments and strings.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") || rest.starts_with("->") => 2,
            0 => rest.chars().next().map_or(1, char::len_utf8),
            name => name,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The text without comments, and with nothing in its strings.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
        let named = plain.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) =
            raw.filter(|hashes| !named && rest[hashes + 1..].starts_with('"'))
        {
            let end = format!("\"{}", "#".repeat(hashes));
            let from = hashes + 2;
            rest[from..].find(&end).map_or(rest.len(), |at| from + at + end.len())
        } else if c == '"' {
            string(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[skipped..];
        }
    }
    plain
}

/// How long the string is at the beginning of a text.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// How long the character is at the beginning of a text, or the sign of a lifetime.
fn character(text: &str) -> usize {
    let inner = text[1..].chars().next().unwrap_or('\'');
    if inner == '\\' {
        return text[2..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '\'')
            .map_or(1, |(at, _)| at + 3);
    }
    let closes = 1 + inner.len_utf8();
    if text[closes..].starts_with('\'') { closes + 1 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Source {
        Source::read(text, vec!["a".to_owned(), "b".to_owned()])
    }

    fn paths(code: &Code) -> Vec<String> {
        code.paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn every_path_into_the_crate_is_found() {
        let source = read(
            "use std::fmt;\n\
             pub(in crate::a) use self::c::{self, d::E as F, G};\n\
             use super::{h, i::*};\n\
             mod inner { use super::q; }\n\
             // use crate::comment;\n\
             fn f<'x>(at: &'x crate::j::K) -> char { let _ = \"crate::text\"; super::l::m(); '\"' }\n\
             const RAW: &str = r#\"crate::raw\"#;\n\
             #[cfg(test)]\nmod tests {\n use super::*; use crate::n::O; fn g() { super::super::p() } }",
        );
        let expected = [
            "a::b::c",
            "a::b::c::d::E",
            "a::b::c::G",
            "a::h",
            "a::i::*",
            "a::b::q",
            "j::K",
            "a::l::m",
        ];
        assert_eq!(paths(&source.product), expected);
        assert_eq!(paths(&source.tests), ["a::b::*", "n::O", "a::p"]);
        assert_eq!(source.product.imports["F"].join("::"), "a::b::c::d::E");
        assert_eq!(source.product.imports["c"].join("::"), "a::b::c");
        assert_eq!(source.product.crates, ["std"]);
    }
}
