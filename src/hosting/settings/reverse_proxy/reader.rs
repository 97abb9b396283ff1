//! Values of one section of the proxy's, as YARP reads them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderName;

use crate::apps::reverse_proxy::mistake::Mistake;
use crate::apps::reverse_proxy::options::Metadata;
use crate::configuration::near_names::{did_you_mean, meant_value};
use crate::configuration::text::{Span, boolean, seconds_text, time_span};
use crate::configuration::{Configuration, Loaded, Origin, Problem, Section, Setting};
use crate::hosting::settings::limits::span;
use crate::hosting::settings::lists::written;
use crate::hosting::settings::parse::{cannot_convert, shown};

/// Reads one section, and tells what is wrong in it.
pub(super) struct Reader<'a, 'b> {
    configuration: &'a Configuration,
    root: &'a Path,
    pub(super) path: String,
    pub(super) problems: &'b mut Vec<Problem>,
}

/// Whether one of .NET's words may be written as its number, which is its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Taken,
    Unknown,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(
        loaded: &'a Loaded,
        path: impl Into<String>,
        problems: &'b mut Vec<Problem>,
    ) -> Self {
        let Loaded { configuration, content_root, .. } = loaded;
        Self { configuration, root: &content_root.value, path: path.into(), problems }
    }

    /// The same for a section below this one.
    pub(super) fn below(&mut self, name: &str) -> Reader<'a, '_> {
        let path = self.key(name);
        Reader { configuration: self.configuration, root: self.root, path, problems: self.problems }
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.path)
    }

    pub(super) fn section(&self, name: &str) -> Section<'a> {
        self.configuration.section(&self.key(name))
    }

    /// Whether something stands at a key of another section.
    pub(super) fn is_elsewhere(&self, key: &str) -> bool {
        self.configuration.section(key).exists()
    }

    /// What stands at a key of another section.
    pub(super) fn elsewhere(&self, key: &str) -> Option<&'a Setting> {
        self.configuration.setting(key)
    }

    /// What stands at a key, unless it is null.
    pub(super) fn setting(&self, name: &str) -> Option<(&'a Setting, &'a str)> {
        let setting = self.configuration.setting(&self.key(name))?;
        Some((setting, setting.value.as_deref()?))
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<(&'a Setting, &'a str)> {
        self.setting(name).filter(|(_, text)| !text.is_empty())
    }

    /// Where this section was written.
    pub(super) fn origin(&self) -> Origin {
        let first = self.configuration.section(&self.path).first_setting().map(|it| &it.origin);
        first.cloned().unwrap_or(Origin::Default)
    }

    /// What stands in this section at a name that nearly is this one.
    pub(super) fn misspelled(&self, name: &str) -> Option<&'a Setting> {
        let children = self.configuration.section(&self.path).children();
        let is_near = |child: &&Section<'a>| did_you_mean(child.name(), [name]).is_some();
        children.iter().find(is_near).and_then(Section::setting)
    }

    /// Tells something of the whole section.
    pub(super) fn wrong_here(&mut self, message: String, fix: impl Into<String>) {
        let problem = Problem::error(message).key(self.path.clone()).origin(self.origin());
        self.problems.push(problem.fix(fix));
    }

    pub(super) fn push(&mut self, problem: Problem, setting: &Setting, fix: impl Into<String>) {
        let problem = problem.key(setting.key.clone()).origin(setting.origin.clone());
        self.problems.push(problem.fix(fix));
    }

    pub(super) fn wrong(&mut self, setting: &Setting, message: String, fix: impl Into<String>) {
        self.push(Problem::error(message), setting, fix);
    }

    pub(super) fn odd(&mut self, setting: &Setting, message: String, fix: impl Into<String>) {
        self.push(Problem::warning(message), setting, fix);
    }

    /// Tells of a value with what is wrong in it; not what that quotes of one that may have a password in it.
    pub(super) fn because(
        &mut self,
        (setting, text): (&Setting, &str),
        message: impl FnOnce(&str) -> String,
        mistake: Mistake,
    ) {
        let problem = Problem::error(message(&shown(&setting.key, text)));
        match text.contains('@') || text.contains("%40") {
            true => self.push(problem, setting, "write it without a user and a password"),
            false => {
                let cause = format!("{}.", sentence(&mistake.what));
                let unknown = mistake.unknown.as_ref();
                let meant = unknown.and_then(|(name, known)| meant_value(name, known));
                let fix = meant.map_or(mistake.fix, |meant| format!("write {meant}"));
                self.push(problem.cause(cause), setting, fix);
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let (setting, text) = self.setting(name)?;
        let value = boolean(text);
        if value.is_none() {
            self.problems.push(cannot_convert(
                setting,
                text,
                "System.Boolean",
                "write true or false",
            ));
        }
        value
    }

    /// A file, from the content root on.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|(_, text)| self.root.join(text))
    }

    /// A whole number that is taken by `convert`.
    pub(super) fn number<T>(
        &mut self,
        name: &str,
        (kind, fix): (&str, &str),
        convert: impl FnOnce(i64) -> Option<T>,
    ) -> Option<T> {
        let (setting, text) = self.setting(name)?;
        let value = text.trim().parse().ok().and_then(convert);
        if value.is_none() {
            self.problems.push(cannot_convert(setting, text, kind, fix));
        }
        value
    }

    /// A length of time that is more than nothing; else `message` is told. A bare number is days, which is told.
    pub(super) fn time(
        &mut self,
        name: &str,
        message: impl FnOnce(&str) -> String,
    ) -> Option<Duration> {
        let (setting, text) = self.setting(name)?;
        let days = text.trim().parse::<u32>().ok().filter(|days| *days <= 10_675_199);
        if let Some(days) = days.filter(|days| *days > 0) {
            let plural = if days == 1 { "" } else { "s" };
            let seconds = seconds_text(days.into());
            self.odd(
                setting,
                format!("'{}' means {days} day{plural}: '{}'.", shown(&setting.key, text), setting.key),
                format!("write {seconds} for {days} second{plural}, or {days}.00:00:00 if days are meant"),
            );
            return Some(Duration::from_secs(86_400 * u64::from(days)));
        }
        let read = match days {
            Some(_) => Ok(Span::Of(Duration::ZERO)),
            None => match time_span(text) {
                Some(read) => Ok(read),
                None => span(setting, text, |_| None),
            },
        };
        match read {
            Ok(Span::Of(time)) if !time.is_zero() => Some(time),
            Ok(_) => {
                self.wrong(setting, message(text), "write hours:minutes:seconds, such as 00:01:40");
                None
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// One of these words, in any case; else `message` is told.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        (known, numbers): (&[(&'static str, T)], Numbers),
        message: impl FnOnce(&str) -> String,
    ) -> Option<T> {
        let (setting, text) = self.setting(name)?;
        if text.is_empty() && numbers == Numbers::Unknown {
            return None;
        }
        let found = of_words(text, known, numbers);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let fix = match meant_value(text, &names) {
                Some(meant) => format!("write {meant}"),
                None => format!("write one of {}", names.join(", ")),
            };
            let message = message(&shown(&setting.key, text));
            self.wrong(setting, message, fix);
        }
        found
    }

    /// A list of texts, which may be empty ones. One text in its place is a list of one, which is told.
    pub(super) fn list(&mut self, name: &str) -> Vec<(&'a Setting, &'a str)> {
        let section = self.section(name);
        let entries: Vec<_> = section
            .children()
            .iter()
            .filter_map(|entry| {
                let setting = entry.setting()?;
                Some((setting, setting.value.as_deref().unwrap_or_default()))
            })
            .collect();
        match self.text(name) {
            Some((setting, text)) if entries.is_empty() => {
                let value = shown(&setting.key, text);
                self.odd(
                    setting,
                    format!(
                        "'{}' is a list: the text '{value}' is taken for a list of one.",
                        setting.key
                    ),
                    format!("write {}", written(&setting.origin, &setting.key, &[&*value])),
                );
                vec![(setting, text)]
            }
            _ => entries,
        }
    }

    /// Names and values for whoever knows them. One that nearly is one of `known`, which have an effect, is told.
    pub(super) fn metadata(&mut self, known: &[&str]) -> Metadata {
        let children = self.section("Metadata").children();
        for child in &children {
            let name = child.name();
            let is_known = known.iter().any(|it| it.eq_ignore_ascii_case(name));
            let meant = did_you_mean(name, known.iter().copied()).filter(|_| !is_known);
            if let (Some(meant), Some(setting)) = (meant, child.setting()) {
                let message = format!("The metadata '{name}' means nothing to the server.");
                let fix = format!("did you mean {}?", self.below("Metadata").key(meant));
                self.odd(setting, message, fix);
            }
        }
        let pairs = children.iter().filter_map(|child| {
            let value = child.setting()?.value.clone()?;
            Some((child.name().to_owned(), value))
        });
        Metadata(pairs.collect())
    }

    /// The name of a header; else `message` is told.
    pub(super) fn header_name(
        &mut self,
        (setting, text): (&Setting, &str),
        message: impl FnOnce(&str) -> String,
    ) -> Option<HeaderName> {
        let name = HeaderName::from_bytes(text.as_bytes()).ok();
        if name.is_none() {
            let message = message(&shown(&setting.key, text));
            self.wrong(
                setting,
                message,
                "write a name without blanks and colons, such as X-Region",
            );
        }
        name
    }
}

/// One of these words, in any case, or its number.
pub(super) fn of_words<T: Copy>(text: &str, known: &[(&str, T)], numbers: Numbers) -> Option<T> {
    let text = text.trim();
    let number = Some(numbers).filter(|it| *it == Numbers::Taken);
    let number = number.and_then(|_| text.parse::<usize>().ok());
    let place = number.or_else(|| known.iter().position(|(it, _)| it.eq_ignore_ascii_case(text)));
    known.get(place?).map(|(_, value)| *value)
}

/// A text that begins with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// The children of a section in the order in which they are written, as far as files say.
pub(super) fn in_order<'a>(section: &Section<'a>) -> Vec<Section<'a>> {
    type Place = (usize, usize, usize);
    let mut children: Vec<(Option<Place>, Section<'a>)> =
        section.children().into_iter().map(|child| (first_place(&child), child)).collect();
    children.sort_by_key(|(place, _)| place.unwrap_or((usize::MAX, 0, 0)));
    children.into_iter().map(|(_, child)| child).collect()
}

/// Where something of a section stands first: in which layer, line and column, or argument.
fn first_place(section: &Section<'_>) -> Option<(usize, usize, usize)> {
    let own = section.setting().and_then(|setting| match &setting.origin {
        Origin::File { line, column, .. } => Some((setting.layer, *line, *column)),
        Origin::CommandLine { position, .. } => Some((setting.layer, *position, 0)),
        _ => None,
    });
    own.into_iter().chain(section.children().iter().filter_map(first_place)).min()
}
