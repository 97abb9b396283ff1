//! The rules, in their order, and what they make of a request. Pure.

use std::borrow::Cow;

use http::StatusCode;
use regex_lite::{Captures, Regex, RegexBuilder};

use super::target::{Filled, Target, escaped_query};
use crate::features::{decoded_path, escaped_path, without_port};

/// One rule: which requests it is for, and what it does with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Hosts without a port, in small letters; of all, if there is none.
    pub(crate) hosts: Vec<String>,
    pub(crate) paths: Paths,
    pub(crate) action: Action,
}

/// Which paths a rule is for. All are compared without escapes, and with regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    All,
    /// This one.
    Exactly(String),
    /// This one, without a slash at its end, and all below it.
    Below(String),
    Like(Pattern),
}

/// A pattern for paths. It is tried in linear time: no path makes it try for long.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Sends the client there.
    Redirect(Target, StatusCode),
    /// Asks for that instead; no further rule counts if it is the last.
    Rewrite { to: Target, last: bool },
    /// Sends the client to the name with, or without, `www.`; the rule's hosts have none.
    Www(Change, StatusCode),
    /// Sends the client to the path with, or without, a slash at its end.
    Slash(Change, StatusCode),
    /// Sends a client in clear text to https.
    Https(StatusCode),
}

/// What is done with a part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Remove,
}

impl Change {
    pub(crate) const NAMES: [(&'static str, Self); 2] =
        [("Add", Self::Add), ("Remove", Self::Remove)];
}

/// What the rules may know of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) is_https: bool,
    /// With its port, if there is one.
    pub(super) host: &'a str,
    /// The path base, as it stands in a URL.
    pub(super) base: &'a str,
    /// Decoded.
    pub(super) path: &'a str,
    /// With its `?`, or empty.
    pub(super) query: &'a str,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    /// It stays as it is.
    Stays,
    /// It asks for this path and query, as they stand in a URL.
    Asks(String, String),
    /// The client is sent there.
    Goes(StatusCode, String),
}

/// How large a pattern may become: some thousand steps for each character of a path.
const LARGEST: usize = 64 * 1024;

/// How deep its groups may stand in each other.
const DEEPEST: u32 = 50;

impl Pattern {
    /// Of a text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(text);
        let regex = builder.size_limit(LARGEST).nest_limit(DEEPEST).build();
        let regex = regex.map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// How many groups it has, with the whole.
    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// What was captured of a path.
enum Captured<'a> {
    Whole(&'a str),
    Below(&'a str, &'a str),
    Groups(Captures<'a>),
}

impl<'a> Captured<'a> {
    fn get(&self, number: usize) -> &'a str {
        match (self, number) {
            (Self::Whole(whole) | Self::Below(whole, _), 0) => whole,
            (Self::Below(_, rest), 1) => rest,
            (Self::Groups(groups), number) => {
                groups.get(number).map(|found| found.as_str()).unwrap_or_default()
            }
            _ => "",
        }
    }
}

impl Paths {
    /// How many captures there are, with the whole.
    pub(crate) fn captures(&self) -> usize {
        match self {
            Self::All | Self::Exactly(_) => 1,
            Self::Below(_) => 2,
            Self::Like(pattern) => pattern.groups(),
        }
    }

    fn captured<'a>(&self, path: &'a str) -> Option<Captured<'a>> {
        match self {
            Self::All => Some(Captured::Whole(path)),
            Self::Exactly(own) => (own == path).then_some(Captured::Whole(path)),
            Self::Below(own) => {
                let rest = path.strip_prefix(&**own)?;
                match rest.strip_prefix('/') {
                    Some(rest) => Some(Captured::Below(path, rest)),
                    None => rest.is_empty().then_some(Captured::Below(path, rest)),
                }
            }
            Self::Like(pattern) => pattern.regex.captures(path).map(Captured::Groups),
        }
    }
}

/// Goes through the rules once: a rewritten request goes on to the rules behind, and never back.
pub(super) fn decide(rules: &[Rule], asked: &Asked<'_>) -> Decided {
    // An authority, or `*`, is no path.
    if !asked.path.starts_with('/') {
        return Decided::Stays;
    }
    let mut rewritten: Option<(String, String)> = None;
    for rule in rules {
        let path: Cow<'_, str> = match &rewritten {
            None => asked.path.into(),
            Some((path, _)) => decoded_path(path).into(),
        };
        let query = rewritten.as_ref().map_or(asked.query, |(_, query)| query);
        let now = Asked { path: &path, query, ..*asked };
        match rule.decide(&now) {
            Step::Pass => {}
            Step::Goes(status, location) => return Decided::Goes(status, location),
            Step::Asks { path, query, last } => {
                rewritten = Some((path, query));
                if last {
                    break;
                }
            }
        }
    }
    rewritten.map_or(Decided::Stays, |(path, query)| Decided::Asks(path, query))
}

/// What one rule makes of a request.
enum Step {
    Pass,
    Goes(StatusCode, String),
    Asks { path: String, query: String, last: bool },
}

impl Rule {
    fn decide(&self, asked: &Asked<'_>) -> Step {
        let host = without_port(asked.host);
        match &self.action {
            Action::Www(change, status) => return self.www(*change, *status, asked),
            _ if !self.is_for(host) => return Step::Pass,
            _ => {}
        }
        let Some(captured) = self.paths.captured(asked.path) else { return Step::Pass };
        match &self.action {
            Action::Redirect(target, status) => {
                let filled = target.filled(|at| captured.get(at), asked.query);
                match is_there(&filled, asked) {
                    // It would be sent here again, and again.
                    true => Step::Pass,
                    false => Step::Goes(*status, location(&filled, asked)),
                }
            }
            Action::Rewrite { to, last } => {
                let Filled { path, query, .. } = to.filled(|at| captured.get(at), asked.query);
                Step::Asks { path, query, last: *last }
            }
            Action::Slash(change, status) => {
                slash(*change, asked.path).map_or(Step::Pass, |path| {
                    let path = escaped_path(&path);
                    let query = escaped_query(asked.query);
                    Step::Goes(*status, format!("{}{path}{query}", asked.base))
                })
            }
            Action::Https(_) if asked.is_https => Step::Pass,
            Action::Https(status) => {
                // The host as the rule has it.
                let own = self.hosts.iter().find(|own| own.eq_ignore_ascii_case(host));
                own.map_or(Step::Pass, |host| Step::Goes(*status, on("https", host, asked)))
            }
            Action::Www(..) => Step::Pass,
        }
    }

    fn is_for(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// To the other name, of those that the rule has.
    fn www(&self, change: Change, status: StatusCode, asked: &Asked<'_>) -> Step {
        let host = without_port(asked.host);
        let with_www = |own: &str| format!("www.{own}");
        let to = self.hosts.iter().find_map(|own| match change {
            Change::Add => own.eq_ignore_ascii_case(host).then(|| with_www(own)),
            Change::Remove => with_www(own).eq_ignore_ascii_case(host).then(|| own.clone()),
        });
        let scheme = if asked.is_https { "https" } else { "http" };
        to.map_or(Step::Pass, |to| Step::Goes(status, on(scheme, &to, asked)))
    }
}

/// The same on another host.
fn on(scheme: &str, host: &str, asked: &Asked<'_>) -> String {
    let (path, query) = (escaped_path(asked.path), escaped_query(asked.query));
    format!("{scheme}://{host}{}{path}{query}", asked.base)
}

/// The path with, or without, a slash at its end; `None` if it is so already. What looks like a file gets none.
fn slash(change: Change, path: &str) -> Option<String> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let changed = match change {
        Change::Add if last.is_empty() || last.contains('.') => return None,
        Change::Add => format!("{path}/"),
        Change::Remove => path.trim_end_matches('/').to_owned(),
    };
    // Two slashes would be another host to a browser.
    let changed = format!("/{}", changed.trim_start_matches('/'));
    (changed != path).then_some(changed)
}

/// Whether a client that is sent there is there already.
fn is_there(filled: &Filled<'_>, asked: &Asked<'_>) -> bool {
    let is_here = match filled.origin.and_then(|origin| origin.split_once("://")) {
        None => decoded_path(&filled.path) == asked.path,
        Some((scheme, host)) => {
            let usual = if asked.is_https { ":443" } else { ":80" };
            let plain = |host: &str| host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase();
            let whole = format!("{}{}", asked.base, escaped_path(asked.path));
            (scheme == "https") == asked.is_https
                && plain(host) == plain(asked.host)
                && decoded_path(&filled.path) == decoded_path(&whole)
        }
    };
    is_here && filled.query == escaped_query(asked.query)
}

fn location(filled: &Filled<'_>, asked: &Asked<'_>) -> String {
    let before = filled.origin.unwrap_or(asked.base);
    format!("{before}{}{}{}", filled.path, filled.query, filled.fragment)
}

/// The first path of the rules' own that sends its client round in circles, however the rules are gone through.
pub(crate) fn endless(rules: &[Rule]) -> Option<usize> {
    let ends = |rule: &Rule| {
        let Action::Redirect(target, _) = &rule.action else { return true };
        if !target.is_here() {
            return true;
        }
        let host = rule.hosts.first().map_or("", |host| host);
        let filled = target.filled(|_| "x", "");
        let (mut path, mut query) = (filled.path, filled.query);
        for _ in 0..ROUNDS {
            let decoded = decoded_path(&path);
            let asked = Asked { is_https: false, host, base: "", path: &decoded, query: &query };
            let Decided::Goes(_, location) = decide(rules, &asked) else { return true };
            if !location.starts_with('/') {
                return true;
            }
            let location = location.split('#').next().unwrap_or_default();
            let (next, behind) = location.split_at(location.find('?').unwrap_or(location.len()));
            (path, query) = (next.to_owned(), behind.to_owned());
        }
        false
    };
    rules.iter().position(|rule| !ends(rule))
}

/// More than browsers follow.
const ROUNDS: usize = 25;

#[cfg(test)]
mod tests;
