//! The public interface of the crate, line by line, in `docs/public-api.txt`: what a change does to the programs of
//! users is seen in its difference. `KESTREL_UPDATE=1` writes the file. Read from the sources, which are formatted, as
//! far as that takes: names and signatures, not what they refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::public_surface::{each_file, seen_by_users, source};

type Lines = BTreeMap<String, BTreeSet<String>>;

/// The lines of a source from `at` on that belong to one head, such as that of a function: one line.
fn head(lines: &[&str], at: usize) -> String {
    let is_function = lines[at].contains("fn ");
    let mut head = String::new();
    for line in lines[at..].iter().map(|line| line.trim()) {
        // No blank where a list is opened or closed over several lines.
        if !head.is_empty() && !head.ends_with(['(', '<']) && !line.starts_with([')', '>']) {
            head.push(' ');
        }
        head.push_str(line);
        if line.ends_with(['{', ';', '}']) || line.ends_with(',') && !is_function {
            break;
        }
    }
    let head = head.trim_end_matches(['{', ';', '}', ',']).trim_end();
    head.replace(",)", ")").replace(",>", ">")
}

/// The same of an item, without what nobody sees of it.
fn item_head(lines: &[&str], at: usize) -> String {
    let head = head(lines, at);
    match head.split_once('(') {
        Some((before, fields)) if head.starts_with("pub struct") && !fields.contains("pub ") => {
            format!("{before}(..)")
        }
        _ => head,
    }
}

/// What stands above an item and is a promise.
fn attributes(lines: &[&str], at: usize) -> Vec<String> {
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
    let promises = ["#[derive(", "#[non_exhaustive]", "#[must_use", "#[repr("];
    let is_one = |line: &&&str| promises.iter().any(|promise| line.starts_with(promise));
    above.filter(is_one).map(|line| (*line).to_owned()).collect()
}

/// The type, and the trait if it is one of a trait, that an `impl` is about.
fn subject(head: &str) -> Option<(String, Option<String>)> {
    let rest = head.strip_prefix("impl")?;
    let mut depth = 0;
    let end = match rest.starts_with('<') {
        false => 0,
        true => {
            let closes = |(at, sign): (usize, char)| {
                depth += match sign {
                    '<' => 1,
                    // Not that of an arrow.
                    '>' if !rest[..at].ends_with('-') => -1,
                    _ => 0,
                };
                (depth == 0).then_some(at + 1)
            };
            rest.char_indices().find_map(closes)?
        }
    };
    let rest = rest[end..].trim().split(" where").next()?;
    let (of, whose) = match rest.rsplit_once(" for ") {
        Some((of, whose)) => (Some(of.to_owned()), whose),
        None => (None, rest),
    };
    let path = whose.split('<').next()?;
    let name = path.rsplit("::").next()?.trim();
    (!name.is_empty()).then(|| (name.to_owned(), of))
}

/// What the body of an item at `at` says that users can use: lines that begin like this.
fn members<'a>(
    lines: &'a [&'a str],
    at: usize,
    begins: &'a [&'a str],
) -> impl Iterator<Item = String> + 'a {
    let body = (at + 1..lines.len()).take_while(|at| lines[*at] != "}");
    let is_member = move |at: &usize| {
        let Some(line) = lines[*at].strip_prefix("    ") else { return false };
        begins.iter().any(|begin| match *begin {
            // The variants of an enum.
            "" => line.starts_with(|it: char| it.is_ascii_uppercase()),
            begin => line.starts_with(begin),
        })
    };
    body.filter(is_member).map(|at| head(lines, at))
}

fn read(text: &str, names: &BTreeMap<String, &'static str>, api: &mut Lines) {
    const ITEMS: [(&str, &[&str]); 6] = [
        ("pub struct ", &["pub "]),
        ("pub enum ", &[""]),
        ("pub trait ", &["fn ", "async fn ", "type ", "const "]),
        ("pub type ", &[]),
        ("pub fn ", &[]),
        ("pub const ", &[]),
    ];
    let lines: Vec<_> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let item =
            ITEMS.iter().find_map(|(begin, members)| Some((line.strip_prefix(begin)?, *members)));
        if let Some((rest, begins)) = item {
            let name = rest
                .split(|it: char| !it.is_alphanumeric() && it != '_')
                .next()
                .unwrap_or_default();
            if names.contains_key(name) {
                let own = api.entry(name.to_owned()).or_default();
                own.insert(item_head(&lines, at));
                own.extend(attributes(&lines, at));
                if line.ends_with('{') {
                    own.extend(members(&lines, at, begins).map(|it| format!("  {it}")));
                }
            }
        } else if line.starts_with("impl") {
            let opens = (at..lines.len()).find(|at| lines[*at].ends_with(['{', '}'])).unwrap_or(at);
            let head = head(&lines, at);
            let Some((name, of)) = subject(&head).filter(|(name, _)| names.contains_key(name))
            else {
                continue;
            };
            let own = api.entry(name).or_default();
            match of {
                Some(_) => drop(own.insert(head)),
                None => {
                    let begins = &["pub fn ", "pub async fn ", "pub const "];
                    own.extend(members(&lines, opens, begins).map(|it| format!("  {it}")));
                }
            }
        }
    }
}

fn api() -> String {
    let names: BTreeMap<_, _> = seen_by_users().into_iter().collect();
    let mut lines = Lines::new();
    each_file(&source(), &mut |text| read(text, &names, &mut lines));
    let mut text = String::new();
    for (name, module) in &names {
        let mut of_it: Vec<_> = lines.get(name).into_iter().flatten().collect();
        // What it is, what it is besides, what it has.
        of_it.sort_by_key(|line| (line.starts_with(' '), !line.starts_with("pub ")));
        let path = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        text.push_str(&format!("{path}\n"));
        of_it.into_iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "a test program has no other way to be told")]
#[test]
fn the_list_of_the_public_interface_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/public-api.txt");
    let api = api();
    if std::env::var_os("KESTREL_UPDATE").is_some() {
        fs::write(&path, &api).expect("the folder is ours");
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    for (listed, found) in listed.lines().zip(api.lines()) {
        assert_eq!(listed, found, "KESTREL_UPDATE=1 cargo test --test it public_api");
    }
    assert_eq!(listed.len(), api.len(), "KESTREL_UPDATE=1 cargo test --test it public_api");
}

#[test]
fn what_an_impl_is_about_is_found() {
    for (head, name, of) in [
        ("impl Lifetime", "Lifetime", None),
        ("impl<S: Sync> FromRequestParts<S> for Lifetime", "Lifetime", Some("FromRequestParts<S>")),
        ("impl<'a> Section<'a>", "Section", None),
        ("impl fmt::Debug for Host", "Host", Some("fmt::Debug")),
        ("impl<F: Fn(u8) -> bool> From<F> for tls::Sni<F> where F: Send", "Sni", Some("From<F>")),
    ] {
        let found = subject(head).expect(head);
        assert_eq!((&*found.0, found.1.as_deref()), (name, of), "{head}");
    }
}
