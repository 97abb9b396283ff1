//! A home, a working directory, and what changed in them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::suite::Line;

/// What is known of a file: its facts, and its time to see whether it was written again.
type Listing = BTreeMap<String, (Value, (i64, i64))>;

/// One round's places.
pub(super) struct Stage {
    pub(super) home: PathBuf,
    pub(super) work: PathBuf,
    /// Folders with most of the programs of `PATH`.
    tools: PathBuf,
    /// Thumbprints in the order in which they were seen.
    pub(super) thumbprints: Vec<String>,
    before: Listing,
    // Removes everything at the end.
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(super) fn fresh() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("kestrel-dev-certs-").tempdir()?;
        let place = |name: &str| -> Result<PathBuf> {
            let path = folder.path().join(name);
            fs::create_dir(&path)?;
            Ok(path)
        };
        let (home, work, tools) = (place("home")?, place("work")?, place("tools")?);
        // The program that starts .NET's tool had made it before.
        fs::create_dir(home.join(".dotnet"))?;
        let (before, thumbprints) = (Listing::new(), Vec::new());
        Ok(Self { home, work, tools, thumbprints, before, _folder: folder })
    }

    /// The user's certificate store.
    pub(super) fn store(&self) -> PathBuf {
        self.home.join(".dotnet/corefx/cryptography/x509stores/my")
    }

    /// The files of the user's certificate store.
    pub(super) fn stored(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.store()).into_iter().flatten().flatten();
        files.map(|file| file.path()).collect()
    }

    /// A text with this stage's places in it.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{home}", &self.home.to_string_lossy())
            .replace("{work}", &self.work.to_string_lossy())
    }

    /// Takes what is there now as what was there before.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(super) fn look(&mut self) -> Result<()> {
        self.before = self.listing()?;
        Ok(())
    }

    /// Runs a program of the test's own, which must succeed.
    pub(super) fn tool(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let arguments: Vec<String> = arguments.iter().map(|argument| self.fill(argument)).collect();
        let mut command = Command::new(program);
        command.args(&arguments).current_dir(&self.work).env("HOME", &self.home);
        command.stdin(Stdio::null()).output().with_context(|| format!("running {program}"))
    }

    /// Runs a step, and tells what came of it in the shape of its recording.
    ///
    /// # Errors
    /// When the binary cannot be started, or a folder cannot be read.
    pub(super) fn run(&mut self, step: &Line, binary: &Path) -> Result<Value> {
        let arguments = step.all["args"].as_array().into_iter().flatten();
        let arguments = arguments.filter_map(Value::as_str).map(|argument| self.fill(argument));
        let mut command = Command::new(binary);
        command.arg("dev-certs").args(arguments).current_dir(&self.work).stdin(Stdio::null());
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Value::Object(variables) = &step.all["env"] {
            for (name, value) in variables {
                match value.as_str() {
                    None => command.env_remove(name),
                    Some(text) => match text.strip_prefix("{a PATH without ") {
                        Some(tools) => {
                            command.env(name, self.path_without(tools.trim_end_matches('}'))?)
                        }
                        None => command.env(name, self.fill(text)),
                    },
                };
            }
        }
        let output = command.output()?;
        let now = self.listing()?;
        let mut files = serde_json::Map::new();
        for (path, (facts, time)) in &now {
            match self.before.get(path) {
                None => {
                    files.insert(self.neutral(path), self.neutral_facts(facts));
                }
                Some(before) if *before != (facts.clone(), *time) && !path.ends_with('/') => {
                    let mut facts = self.neutral_facts(facts);
                    facts["changed"] = json!(true);
                    files.insert(self.neutral(path), facts);
                }
                Some(_) => {}
            }
        }
        let gone: Vec<String> =
            self.before.keys().filter(|path| !now.contains_key(*path)).cloned().collect();
        let mut gone: Vec<String> = gone.iter().map(|path| self.neutral(path)).collect();
        gone.sort();
        let mut seen = json!({
            "exit": output.status.code(),
            "stdout": self.neutral(&String::from_utf8_lossy(&output.stdout)),
            "stderr": self.neutral(&String::from_utf8_lossy(&output.stderr)),
        });
        if !files.is_empty() {
            seen["files"] = Value::Object(files);
        }
        if !gone.is_empty() {
            seen["gone"] = json!(gone);
        }
        if let Value::Object(contents) = &step.recorded["content"] {
            for name in contents.keys() {
                let path = self.fill(name);
                let path = self.thumbprints.iter().enumerate().fold(path, |path, (place, own)| {
                    path.replace(&format!("{{THUMB{}}}", place + 1), own)
                });
                seen["content"][name] = Value::from(fs::read_to_string(path)?);
            }
        }
        Ok(seen)
    }

    /// What is in both places.
    fn listing(&self) -> Result<Listing> {
        let mut found = Listing::new();
        for place in [&self.home, &self.work] {
            walk(place, &mut found)?;
        }
        Ok(found)
    }

    fn neutral_facts(&mut self, facts: &Value) -> Value {
        match facts["link"].as_str() {
            Some(target) => json!({"link": self.neutral(target)}),
            None => facts.clone(),
        }
    }

    /// A text without what differs from one run to the next.
    pub(super) fn neutral(&mut self, text: &str) -> String {
        let mut text = text
            .replace(&*self.work.to_string_lossy(), "{work}")
            .replace(&*self.home.to_string_lossy(), "{home}");
        for thumbprint in thumbprints(&text) {
            if !self.thumbprints.contains(&thumbprint) {
                self.thumbprints.push(thumbprint);
            }
        }
        for (place, thumbprint) in self.thumbprints.iter().enumerate() {
            text = text.replace(thumbprint, &format!("{{THUMB{}}}", place + 1));
        }
        without_times(&text)
    }

    /// `PATH` without some programs.
    fn path_without(&self, tools: &str) -> Result<PathBuf> {
        let left_out: Vec<&str> = tools.split(" and ").collect();
        let folder = self.tools.join(left_out.join("-"));
        if folder.is_dir() {
            return Ok(folder);
        }
        fs::create_dir(&folder)?;
        for from in path_folders() {
            for file in fs::read_dir(from).into_iter().flatten().flatten() {
                let name = file.file_name();
                let link = folder.join(&name);
                if !left_out.iter().any(|tool| name == *tool) && !link.is_symlink() {
                    std::os::unix::fs::symlink(file.path(), link)?;
                }
            }
        }
        Ok(folder)
    }
}

/// The folders of the test's own `PATH`.
pub(super) fn path_folders() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// Whether the account has a certificate store of its own.
pub(super) fn account_has_certificates() -> bool {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok().flatten();
    user.is_some_and(|user| user.dir.join(".dotnet/corefx/cryptography/x509stores/my").is_dir())
}

fn walk(folder: &Path, found: &mut Listing) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let facts = fs::symlink_metadata(&path)?;
        let mode = format!("{:#o}", facts.permissions().mode() & 0o7777);
        let time = (facts.mtime(), facts.mtime_nsec());
        let shown = path.to_string_lossy().into_owned();
        if facts.is_symlink() {
            let target = fs::read_link(&path)?.to_string_lossy().into_owned();
            found.insert(shown, (json!({"link": target}), time));
        } else if facts.is_dir() {
            found.insert(format!("{shown}/"), (json!({"mode": mode, "size": null}), (0, 0)));
            walk(&path, found)?;
        } else {
            found.insert(shown, (json!({"mode": mode, "size": facts.len()}), time));
        }
    }
    Ok(())
}

/// The words of forty hexadecimal digits, in their order.
fn thumbprints(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let digits = |word: &&str| {
        word.len() == 40 && word.bytes().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F'))
    };
    words.filter(digits).map(str::to_owned).collect()
}

/// A text whose times are all `{time}`.
fn without_times(text: &str) -> String {
    // 9 stands for any digit.
    const FORMS: [&str; 2] = ["9999-99-99 99:99:99Z", "9999-99-99T99:99:99+00:00"];
    let fits = |text: &[u8], form: &str| {
        form.len() <= text.len()
            && form.bytes().zip(text).all(|(form, byte)| match form {
                b'9' => byte.is_ascii_digit(),
                form => form == *byte,
            })
    };
    let mut neutral = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match FORMS.iter().find(|form| fits(rest.as_bytes(), form)) {
            Some(form) => {
                neutral.push_str("{time}");
                rest = &rest[form.len()..];
            }
            None => {
                neutral.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    neutral
}

pub(super) fn check() {
    let thumbprint = "0123456789ABCDEF0123456789ABCDEF01234567";
    assert_eq!(thumbprints(&format!("a-{thumbprint}.pem x{thumbprint}")), [thumbprint]);
    let text = "from 2026-11-21 02:52:00Z to \"2026-11-21T02:52:00+00:00\" 2026-11-21";
    assert_eq!(without_times(text), "from {time} to \"{time}\" 2026-11-21");
}
