//! The rules that send requests elsewhere, or let them ask for something else.

use std::sync::Arc;

use http::StatusCode;

use super::lists::{self, List};
use super::parse::{cannot_convert, is_any_wrong, read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::near_names::{did_you_mean, meant_value};
use crate::configuration::{Configuration, Problem, Section, Setting, Sourced};
use crate::features::path_of_escapes;
use crate::middleware::static_files::StaticFilesOptions;
use crate::middleware::{
    Action, Change, NoTarget, Paths, Pattern, Rewrite, Rule, Target, endless, in_ascii,
};

const ENABLED: &str = "Rewrite:Enabled";
const RULES: &str = "Rewrite:Rules";

/// The statuses that a rule can send a client elsewhere with.
pub(super) const STATUSES: [&str; 4] = ["301", "302", "307", "308"];

/// Which paths a rule is for: one of these keys says it.
const PATHS: [&str; 3] = ["Path", "Prefix", "Pattern"];

/// What it does: one of these keys says it.
const ACTIONS: [&str; 5] = ["Redirect", "Rewrite", "Www", "TrailingSlash", "Https"];

/// What else it has.
const OTHERS: [&str; 3] = ["Hosts", "StatusCode", "SkipRemainingRules"];

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<Rewrite>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let before = problems.len();
    let mut rules = Vec::new();
    let mut read = Vec::new();
    let mut words = Vec::new();
    for section in configuration.section(RULES).children() {
        if let Some(setting) = section.setting().filter(|it| it.value.is_some()) {
            problems.push(no_rule(setting));
            break;
        }
        let mut reader = Reader { configuration, section: &section, problems };
        if let Some(rule) = reader.rule() {
            words.extend(reader.words(&rule));
            rules.push(rule);
            read.push(section.path().to_owned());
        }
    }
    if let Some(at) = endless(&rules) {
        problems.extend(in_circles(configuration, &read[at]));
    }
    if let Some(setting) = configuration.setting(ENABLED).filter(|_| on && rules.is_empty()) {
        let problem = Problem::warning(format!("'{ENABLED}' has no effect: there is no rule."))
            .key(ENABLED)
            .origin(setting.origin.clone())
            .fix(format!("write rules in {RULES}, or set it to false"));
        problems.extend((!is_any_wrong(&problems[before..])).then_some(problem));
        return None;
    }
    Switched::by(configuration, ENABLED, on, Rewrite(Arc::from(rules))).map(|it| it.shown(words))
}

/// A text where a rule is, as where one rule stands in the place of their list.
fn no_rule(setting: &Setting) -> Problem {
    let name = setting.key.rsplit(':').next().unwrap_or_default();
    Problem::error(format!("'{RULES}' is a list of rules, and '{name}' is none."))
        .key(RULES)
        .origin(setting.origin.clone())
        .fix("write a list, also of one rule: \"Rules\": [ { \"Path\": \"/old\", \"Redirect\": \"/new\" } ]")
}

fn in_circles(configuration: &Configuration, rule: &str) -> Option<Problem> {
    let setting = configuration.setting(&format!("{rule}:Redirect"))?;
    Some(
        Problem::warning(format!(
            "'{}' sends clients round in circles: the rules send them on from there, again and again.",
            setting.key
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("let it lead to a path that no rule is for"),
    )
}

/// What is to be said of a rule that takes the slash away that a folder of the site is asked for with: the site sends
/// clients back to it.
pub(super) fn against_folders(
    configuration: &Configuration,
    site: &StaticFilesOptions,
) -> Option<Problem> {
    let of_files = site.files.as_ref().is_some_and(|files| files.redirects);
    let of_pages = site.browser.as_ref().is_some_and(|pages| pages.redirects);
    let keys = [(of_files, "StaticFiles"), (of_pages, "DirectoryBrowser")];
    let keys: Vec<_> = keys
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, section)| format!("{section}:RedirectToAppendTrailingSlash"))
        .collect();
    if keys.is_empty() {
        return None;
    }
    let rules = configuration.section(RULES).children();
    let setting = rules.iter().find_map(|rule| {
        let setting = rule.setting_at("TrailingSlash")?;
        let removes = setting.value.as_deref()?.trim().eq_ignore_ascii_case("Remove");
        // A path below which there is no folder has none to be sent to.
        let path = ["Path", "Prefix"].into_iter().find_map(|name| rule.non_empty(name));
        let has_folder = path.is_none_or(|path| {
            site.root.join(path_of_escapes(path.value).trim_start_matches('/')).is_dir()
        });
        (removes && has_folder).then_some(setting)
    })?;
    let message = format!(
        "'{}' sends clients round in circles: the site sends them back to folders with a slash.",
        setting.key
    );
    Some(
        Problem::warning(message)
            .cause("A folder is asked for with a slash at the end, so that links of its page work.")
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(format!("set {} to false, or remove the rule", keys.join(" and "))),
    )
}

/// Reads one rule.
struct Reader<'a, 'b> {
    configuration: &'a Configuration,
    section: &'b Section<'a>,
    problems: &'b mut Vec<Problem>,
}

impl<'a> Reader<'a, '_> {
    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.section.path())
    }

    fn setting(&self, name: &str) -> Option<&'a Setting> {
        let setting = self.configuration.setting(&self.key(name))?;
        setting.value.as_ref().map(|_| setting)
    }

    /// The rule; `None` if something is wrong with it, which is told.
    fn rule(&mut self) -> Option<Rule> {
        let before = self.problems.len();
        self.unknown();
        if is_any_wrong(&self.problems[before..]) {
            return None;
        }
        let hosts = self.hosts();
        let status = self.status();
        let last = self.switch("SkipRemainingRules");
        let paths = self.paths();
        let action = self.action(status, last);
        let (paths, action) = (paths?, action?);
        self.judge(&paths, &action, &hosts);
        let rule = Rule { hosts, paths, action };
        (!is_any_wrong(&self.problems[before..])).then_some(rule)
    }

    /// Tells what nobody reads in the rule. What says which requests it is for, and is misspelled, would leave all of
    /// them to it; so would a list where a text is read.
    fn unknown(&mut self) {
        let known = || PATHS.into_iter().chain(ACTIONS).chain(OTHERS);
        for child in self.section.children() {
            let Some(setting) = lists::first_setting(&child) else { continue };
            let name = child.name();
            let of = |message: String, fix: String| {
                Problem::error(message)
                    .cause("Without it the rule could be for other requests than is meant.")
                    .key(child.path())
                    .origin(setting.origin.clone())
                    .fix(fix)
            };
            let is = |one: &&str| one.eq_ignore_ascii_case(name);
            let Some(known_name) = known().find(is) else {
                let message = format!("The key '{}' means nothing to the server.", child.path());
                let fix = match did_you_mean(name, known()) {
                    Some(meant) => format!("did you mean {}?", self.key(meant)),
                    None => {
                        let known = known().collect::<Vec<_>>().join(", ");
                        format!("remove it; a rule has {known}")
                    }
                };
                self.problems.push(of(message, fix));
                continue;
            };
            if known_name != "Hosts" && child.setting().is_none() {
                let message = format!(
                    "'{}' is one text: what stands below it has no effect there.",
                    child.path()
                );
                let fix = "write one text, and a rule for each path; or a Pattern for all of them";
                self.problems.push(of(message, fix.to_owned()));
            }
        }
    }

    fn switch(&mut self, name: &str) -> Option<bool> {
        read_boolean(self.configuration, &self.key(name), self.problems)
    }

    fn status(&mut self) -> Option<StatusCode> {
        read_with(self.configuration, &self.key("StatusCode"), self.problems, |setting, text| {
            let known = STATUSES.contains(&text.trim());
            let status = known.then(|| text.trim().parse().ok()).flatten();
            let fix = format!("write {} or {}", STATUSES[..3].join(", "), STATUSES[3]);
            status.ok_or_else(|| cannot_convert(setting, text, "System.Int32", &fix))
        })
    }

    fn hosts(&mut self) -> Vec<String> {
        let List { entries, .. } =
            lists::list(self.configuration, &self.key("Hosts"), self.problems);
        let mut hosts = Vec::new();
        for (setting, text) in entries {
            let host = in_ascii(text.trim()).to_ascii_lowercase();
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
            let has_port = host.contains(':') && !host.starts_with('[') || host.contains("]:");
            match host.bytes().all(is_host) && !has_port {
                true => hosts.push(host),
                false => self.problems.push(
                    Problem::error(format!(
                        "'{}' is no host without a port.",
                        shown(&setting.key, text)
                    ))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix("write a name such as www.example.com"),
                ),
            }
        }
        hosts
    }

    /// The keys of these that are set; told, if they are more than one.
    fn one_of(&mut self, names: &[&'static str]) -> Option<(&'static str, &'a Setting)> {
        let set: Vec<_> =
            names.iter().filter_map(|name| Some((*name, self.setting(name)?))).collect();
        if let [(first, _), (second, setting), ..] = &set[..] {
            self.problems.push(
                Problem::error(format!(
                    "'{}' has {first} and {second}: a rule has one of them.",
                    self.section.path()
                ))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("make two rules of it"),
            );
        }
        set.first().copied()
    }

    fn paths(&mut self) -> Option<Paths> {
        let Some((name, setting)) = self.one_of(&PATHS) else { return Some(Paths::All) };
        let text = setting.value.as_deref().unwrap_or_default();
        if name == "Pattern" {
            return match Pattern::new(text) {
                Ok(pattern) => Some(Paths::Like(pattern)),
                Err(why) => {
                    self.problems.push(no_pattern(setting, text, &why));
                    None
                }
            };
        }
        if !text.starts_with('/') || text.contains(['?', '#']) {
            self.problems.push(no_path(setting, text));
            return None;
        }
        let path = path_of_escapes(text);
        Some(match name {
            "Path" => Paths::Exactly(path),
            _ => Paths::Below(path.strip_suffix('/').unwrap_or(&path).to_owned()),
        })
    }

    fn action(&mut self, status: Option<StatusCode>, last: Option<bool>) -> Option<Action> {
        let Some((name, setting)) = self.one_of(&ACTIONS) else {
            self.problems.extend(self.without_action());
            return None;
        };
        let text = setting.value.as_deref().unwrap_or_default();
        let target = |problems: &mut Vec<Problem>| {
            let target = Target::parse(text);
            target.map_err(|why| problems.push(no_target(setting, text, why))).ok()
        };
        let given = status;
        let status = status.unwrap_or(StatusCode::TEMPORARY_REDIRECT);
        let action = match name {
            "Redirect" => Action::Redirect(target(self.problems)?, status),
            "Rewrite" => {
                let to = target(self.problems)?;
                if !to.is_here() {
                    self.problems.push(elsewhere(setting));
                }
                Action::Rewrite { to, last: last.unwrap_or_default() }
            }
            "Www" => Action::Www(self.change(setting, text)?, status),
            "TrailingSlash" => Action::Slash(self.change(setting, text)?, status),
            _ => {
                if !self.switch("Https")? {
                    self.problems.extend(self.without_action());
                    return None;
                }
                Action::Https(status)
            }
        };
        match &action {
            Action::Rewrite { .. } if given.is_some() => {
                self.idle("StatusCode", "it sends nobody elsewhere")
            }
            Action::Rewrite { .. } => {}
            _ if last.is_some() => {
                self.idle("SkipRemainingRules", "no rule sees a client that is sent elsewhere")
            }
            _ => {}
        }
        Some(action)
    }

    fn without_action(&self) -> Option<Problem> {
        let setting = lists::first_setting(self.section)?;
        Some(
            Problem::error(format!("'{}' is a rule that does nothing.", self.section.path()))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(format!("add one of {}, or remove it", ACTIONS.join(", "))),
        )
    }

    fn change(&mut self, setting: &Setting, text: &str) -> Option<Change> {
        let known = |(name, _): &&(&str, Change)| name.eq_ignore_ascii_case(text.trim());
        let found = Change::NAMES.iter().find(known).map(|(_, change)| *change);
        if found.is_none() {
            let fix = match meant_value(text, &Change::NAMES.map(|(name, _)| name)) {
                Some(meant) => format!("write {meant}"),
                None => "write Add or Remove".to_owned(),
            };
            self.problems.push(cannot_convert(setting, text, "Change", &fix));
        }
        found
    }

    /// Tells of a key that changes nothing in this rule.
    fn idle(&mut self, name: &str, why: &str) {
        if let Some(setting) = self.setting(name) {
            self.problems.push(
                Problem::warning(format!("'{}' has no effect: {why}.", setting.key))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix("remove it"),
            );
        }
    }

    /// What does not go together.
    fn judge(&mut self, paths: &Paths, action: &Action, hosts: &[String]) {
        let target = match action {
            Action::Redirect(target, _) | Action::Rewrite { to: target, .. } => target,
            Action::Slash(..) => return,
            Action::Www(..) | Action::Https(_) => {
                return self.judge_host_rule(paths, action, hosts);
            }
        };
        let name = if matches!(action, Action::Redirect(..)) { "Redirect" } else { "Rewrite" };
        let Some(setting) = self.setting(name) else { return };
        let there = paths.captures();
        if let Some(number) = target.highest_capture().filter(|number| *number >= there) {
            let fix = match there {
                1 => "write $0 for the whole path, or let a Prefix or a Pattern capture something"
                    .to_owned(),
                there => format!("write one of $0 to ${}", there - 1),
            };
            self.problems.push(
                Problem::error(format!(
                    "'{}' takes ${number}, which nothing captures.",
                    setting.key
                ))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(fix),
            );
        }
    }

    /// A rule that leads to another host takes the hosts that it is for, as they are written: what a request
    /// calls its host is anybody's to say.
    fn judge_host_rule(&mut self, paths: &Paths, action: &Action, hosts: &[String]) {
        let name = if matches!(action, Action::Https(_)) { "Https" } else { "Www" };
        let Some(setting) = self.setting(name) else { return };
        let problem = |message: String| {
            Problem::error(message).key(setting.key.clone()).origin(setting.origin.clone())
        };
        if hosts.is_empty() {
            let message = format!("'{}' takes the hosts that it is for.", setting.key);
            let fix = format!("list them: {}", self.key("Hosts"));
            let cause = "A client could be sent to whatever host it names.";
            self.problems.push(problem(message).cause(cause).fix(fix));
        }
        if let (Action::Www(..), Some(host)) =
            (action, hosts.iter().find(|host| host.starts_with("www.")))
        {
            let message = format!("'{}' takes hosts without their www: '{host}'.", setting.key);
            self.problems.push(problem(message).fix(format!("write {}", &host["www.".len()..])));
        }
        if let (Action::Www(..), false) = (action, *paths == Paths::All) {
            let message = format!("'{}' is for every path of a host.", setting.key);
            self.problems.push(problem(message).fix("remove Path, Prefix or Pattern beside it"));
        }
    }

    /// What the rule does, in words.
    fn words(&self, rule: &Rule) -> Option<Sourced<String>> {
        let told = |names: &[&str]| {
            let set = names.iter().find_map(|name| Some((*name, self.setting(name)?)));
            set.map(|(name, setting)| {
                let text = setting.value.as_deref().unwrap_or_default();
                format!("{name} {}", shown(&setting.key, text))
            })
        };
        let of_hosts = match rule.hosts.is_empty() {
            true => String::new(),
            false => format!(" on {}", rule.hosts.join(", ")),
        };
        let paths = told(&PATHS).map(|paths| format!("{paths}: ")).unwrap_or_default();
        let status = match &rule.action {
            Action::Redirect(_, status)
            | Action::Www(_, status)
            | Action::Slash(_, status)
            | Action::Https(status) => format!(" ({})", status.as_u16()),
            Action::Rewrite { last: true, .. } => " and no further rule".to_owned(),
            Action::Rewrite { last: false, .. } => String::new(),
        };
        let action = told(&ACTIONS)?;
        let origin = lists::first_setting(self.section)?.origin.clone();
        Some(Sourced::new(format!("{paths}{action}{status}{of_hosts}"), origin))
    }
}

fn no_pattern(setting: &Setting, text: &str, why: &str) -> Problem {
    let text = shown(&setting.key, text);
    Problem::error(format!("'{}' is no pattern: {why}.", text.escape_debug()))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write a regular expression such as ^/old/([0-9]+)$, and a shorter one if it is too large")
}

fn no_path(setting: &Setting, text: &str) -> Problem {
    let text = shown(&setting.key, text);
    Problem::error(format!("'{}' is no path that a request can have.", text.escape_debug()))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write one that begins with /, without a query")
}

fn no_target(setting: &Setting, text: &str, why: NoTarget) -> Problem {
    let (why, fix) = match why {
        NoTarget::Beginning => {
            ("it is no path and no URL of http", "write /path, or https://www.example.com/path")
        }
        NoTarget::OtherHost => (
            "a browser takes what stands behind two slashes for a host",
            "write one slash, or the whole URL",
        ),
        NoTarget::Host => {
            ("there is no host in it", "write https://www.example.com/path, without a user")
        }
        NoTarget::CaptureInHost => (
            "what a client writes would become a part of the host",
            "write a slash behind the host, before the first $",
        ),
        NoTarget::LoneDollar => {
            ("a $ stands before no number", "write $1, ${1}, or $$ for the sign itself")
        }
    };
    let text = shown(&setting.key, text);
    Problem::error(format!("'{}' leads nowhere: {why}.", text.escape_debug()))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(fix)
}

fn elsewhere(setting: &Setting) -> Problem {
    Problem::error(format!(
        "'{}' is a path of this server: nothing else can be asked here.",
        setting.key
    ))
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix("write a path such as /new/$1, or Redirect in the place of Rewrite")
}

#[cfg(test)]
mod tests;
