//! The layers of ARCHITECTURE.md: a folder imports only what lies below it.

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder and the folders of ours it may name.
const MAY_IMPORT: [(&str, &[&str]); 10] = [
    ("cli", &["cli", "hosting", "tls", "configuration"]),
    (
        "hosting",
        &[
            "hosting",
            "apps",
            "server",
            "addresses",
            "tls",
            "configuration",
            "features",
            "diagnostics",
        ],
    ),
    ("apps", &["apps", "middleware", "features", "diagnostics"]),
    ("middleware", &["middleware", "features", "diagnostics"]),
    ("server", &["server", "addresses", "tls", "features", "diagnostics"]),
    ("addresses", &["addresses", "tls", "configuration", "features", "diagnostics"]),
    ("tls", &["tls", "configuration", "features", "diagnostics"]),
    ("configuration", &["configuration"]),
    ("features", &["features"]),
    ("diagnostics", &["diagnostics"]),
];

/// Crates that stay in one place.
const AT_HOME: [(&str, &[&str]); 16] = [
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("figment", &["configuration"]),
    ("jsonc_parser", &["configuration"]),
    ("hyper", &["server"]),
    ("h2", &["server"]),
    ("tracing_subscriber", &["hosting/logging"]),
    ("directories", &["configuration"]),
    ("rustls", &["tls"]),
    ("tokio_rustls", &["tls"]),
    ("aws_lc_rs", &["tls"]),
    ("p12_keystore", &["tls"]),
    ("pkcs8", &["tls"]),
    ("x509_parser", &["tls"]),
    ("der", &["tls"]),
    ("notify", &["hosting/reload"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: no comments, and not what stands under `#[cfg(test)]` at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The names that follow `prefix` in a text.
fn names<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let end =
        |rest: &str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.match_indices(prefix).map(move |(place, _)| {
        let rest = &text[place + prefix.len()..];
        &rest[..end(rest)]
    })
}

#[test]
fn every_folder_imports_only_what_lies_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (folder, allowed) in MAY_IMPORT {
        let mut files = Vec::new();
        sources(&root.join(folder), &mut files);
        assert!(!files.is_empty(), "there is no src/{folder}");
        for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
            let text = code(file);
            let ours = names(&text, "crate::").filter(|name| {
                MAY_IMPORT.iter().any(|(known, _)| known == name) && !allowed.contains(name)
            });
            wrong.extend(ours.map(|name| format!("{} imports {name}", file.display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn crates_stay_at_home() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let shown = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let text = code(&file);
        for (name, homes) in AT_HOME {
            let used =
                text.contains(&format!("use {name}::")) || text.contains(&format!(" {name}::"));
            if used && !homes.iter().any(|home| shown.starts_with(home)) {
                wrong.push(format!("{shown} uses {name}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
