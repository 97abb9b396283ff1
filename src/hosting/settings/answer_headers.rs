//! The headers that every answer gets, or loses.

use std::sync::Arc;

use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use super::header_values::{self, To};
use super::lists::{self, List};
use super::parse::{cannot_convert, is_any_wrong, read_boolean, read_with, shown};
use super::stage_values::of_key;
use super::switched::Switched;
use crate::configuration::{Configuration, Problem, Section, Setting, Sourced};
use crate::middleware::{AnswerHeaders, HeaderChanges};

const ENABLED: &str = "Headers:Enabled";
const PRESET: &str = "Headers:Preset";
const POLICY: &str = "Headers:ContentSecurityPolicy";
const REMOVE: &str = "Headers:Remove";

/// What does any site good, and breaks hardly one: types are not guessed, other sites learn no paths, and frame
/// nothing.
const OF_SITE: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
];

/// What is set beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    None,
    Site,
}

impl Preset {
    pub(super) const NAMES: [(&'static str, Self); 2] =
        [("None", Self::None), ("Site", Self::Site)];
}

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<AnswerHeaders>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let before = problems.len();
    let mut words = Vec::new();
    let remove = removed(configuration, (problems, &mut words));
    let mut changes = HeaderChanges { remove, ..HeaderChanges::default() };
    let preset = read_with(configuration, PRESET, problems, preset).unwrap_or(Preset::None);
    if preset == Preset::Site {
        let wanted = OF_SITE.into_iter().filter(|(name, _)| !changes.remove.contains(name));
        changes.default.extend(wanted);
        let names: Vec<_> = changes.default.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("sets {} where there is none", names.join(", "));
        words.push(of_key(configuration, PRESET, text));
    }
    if let Some(policy) = read_with(configuration, POLICY, problems, policy) {
        let text = policy.to_str().unwrap_or_default();
        words.push(of_key(
            configuration,
            POLICY,
            format!("sets {CONTENT_SECURITY_POLICY}: {text}"),
        ));
        changes.default.push((CONTENT_SECURITY_POLICY, policy));
    }
    for (name, value) in named(configuration, ("Headers:Set", "sets"), problems, &mut words) {
        // Only the first of a name takes the place of what is there.
        match changes.set.iter().any(|(known, _)| *known == name) {
            true => changes.append.push((name, value)),
            false => changes.set.push((name, value)),
        }
    }
    changes.append.extend(named(
        configuration,
        ("Headers:Append", "appends"),
        problems,
        &mut words,
    ));
    tell_contradictions(configuration, &changes, problems);
    if let Some(setting) = configuration.setting(ENABLED).filter(|_| on && changes.is_empty()) {
        let problem = Problem::warning(format!("'{ENABLED}' has no effect: no header is named."))
            .key(ENABLED)
            .origin(setting.origin.clone())
            .fix(format!("set {PRESET} to Site, or name headers in Headers:Set"));
        problems.extend((!is_any_wrong(&problems[before..])).then_some(problem));
        return None;
    }
    let stage = AnswerHeaders(Arc::new(changes));
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

type Telling<'a> = (&'a mut Vec<Problem>, &'a mut Vec<Sourced<String>>);

fn removed(configuration: &Configuration, (problems, words): Telling<'_>) -> Vec<HeaderName> {
    let List { entries, .. } = lists::list(configuration, REMOVE, problems);
    let mut names = Vec::new();
    for (setting, text) in entries {
        match header_values::name(text.trim(), To::Remove, setting) {
            Ok(name) if name == SERVER => problems.push(server_is_added(setting)),
            Ok(name) => {
                words.push(Sourced::new(format!("removes {name}"), setting.origin.clone()));
                names.push(name);
            }
            Err(problem) => problems.push(problem),
        }
    }
    names
}

/// The server adds that one itself, behind all stages.
fn server_is_added(setting: &Setting) -> Problem {
    Problem::error("The header Server cannot be removed here: the server adds it to what is sent.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("set Kestrel:AddServerHeader to false")
}

fn preset(setting: &Setting, text: &str) -> Result<Preset, Problem> {
    let known = |(name, _): &&(&str, Preset)| name.eq_ignore_ascii_case(text.trim());
    let found = Preset::NAMES.iter().find(known).map(|(_, preset)| *preset);
    found.ok_or_else(|| cannot_convert(setting, text, "Preset", "write Site, or None"))
}

fn policy(setting: &Setting, text: &str) -> Result<HeaderValue, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::error("A policy that is empty allows everything.")
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write one such as default-src 'self', or remove the key"));
    }
    header_values::value(text, setting)
}

/// Headers, each with its value.
fn named(
    configuration: &Configuration,
    (section, word): (&str, &str),
    problems: &mut Vec<Problem>,
    words: &mut Vec<Sourced<String>>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for child in configuration.section(section).children() {
        // One value, or several of them, each for a line of its own.
        let list = child.children();
        let values = child.setting().into_iter().chain(list.iter().filter_map(Section::setting));
        for setting in values {
            let Some(text) = setting.value.as_deref() else { continue };
            let header = header_values::name(child.name(), To::Set, setting)
                .and_then(|name| Ok((name, header_values::value(text.trim(), setting)?)));
            match header {
                Ok((name, value)) => {
                    let text = format!("{word} {name}: {}", shown(&setting.key, text.trim()));
                    words.push(Sourced::new(text, setting.origin.clone()));
                    headers.push((name, value));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    headers
}

/// A header that is removed and comes back.
fn tell_contradictions(
    configuration: &Configuration,
    changes: &HeaderChanges,
    problems: &mut Vec<Problem>,
) {
    let is_removed = |name: &HeaderName| changes.remove.contains(name);
    for (name, _) in changes.set.iter().filter(|(name, _)| is_removed(name)) {
        let key = format!("Headers:Set:{name}");
        let section = configuration.section(&key);
        let Some(setting) = lists::first_setting(&section) else { continue };
        problems.push(
            Problem::warning(format!("The header {name} is removed, and set again."))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(format!(
                    "take it out of {REMOVE}: what is set takes the place of what is there"
                )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[(&str, &str)]) -> (Option<HeaderChanges>, Vec<Problem>) {
        let on = [("Headers:Enabled", "true")];
        let all = on.iter().chain(settings);
        let arguments = all.map(|(key, value)| format!("--{key}={value}")).enumerate().collect();
        let mut problems = Vec::new();
        let loaded = load(&Inputs { arguments, ..Inputs::default() });
        let read = read(&loaded.configuration, &mut problems);
        (read.map(|it| (*it.value.0).clone()), problems)
    }

    #[test]
    fn a_preset_is_for_what_nobody_else_says() {
        let names = |changes: &HeaderChanges| {
            changes.default.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
        };
        let (read, problems) = read_of(&[("Headers:Preset", "site")]);
        let all = ["x-content-type-options", "referrer-policy", "x-frame-options"];
        assert_eq!(
            (names(&read.expect("it is on")), problems),
            (all.map(str::to_owned).to_vec(), vec![])
        );
        let settings = [
            ("Headers:Preset", "Site"),
            ("Headers:Remove:0", "X-Frame-Options"),
            ("Headers:ContentSecurityPolicy", "default-src 'self'"),
        ];
        let (read, problems) = read_of(&settings);
        let some = ["x-content-type-options", "referrer-policy", "content-security-policy"];
        assert_eq!(
            (names(&read.expect("it is on")), problems),
            (some.map(str::to_owned).to_vec(), vec![])
        );
    }

    #[test]
    fn a_header_may_have_several_values() {
        let (read, problems) = read_of(&[
            ("Headers:Set:Link:0", "</a>"),
            ("Headers:Set:Link:1", "</b>"),
            ("Headers:Append:Vary:0", "X-A"),
            ("Headers:Append:Vary:1", "X-B"),
        ]);
        let read = read.expect("it is on");
        let texts = |headers: &[(HeaderName, HeaderValue)]| {
            let text = |(name, value): &(HeaderName, HeaderValue)| {
                format!("{name}: {}", value.to_str().unwrap())
            };
            headers.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&read.set), ["link: </a>"]);
        assert_eq!(texts(&read.append), ["link: </b>", "vary: X-A", "vary: X-B"]);
        assert_eq!(problems, []);
        // One of them cannot be.
        let (_, problems) = read_of(&[("Headers:Set:X-A:0", "1"), ("Headers:Set:X-A:1", "a\nb")]);
        assert_eq!(problems[0].key.as_deref(), Some("Headers:Set:X-A:1"));
    }

    #[test]
    fn what_cannot_be_is_told_with_what_to_write() {
        for (key, text, fix) in [
            ("Headers:Set:Content-Length", "5", "remove it"),
            ("Headers:Append:transfer-encoding", "chunked", "remove it"),
            ("Headers:Set:Connection", "close", "remove it"),
            ("Headers:Set:Date", "now", "remove it"),
            ("Headers:Set:ETag", "\"1\"", "remove it"),
            ("Headers:Set:X A", "1", "write a name such as Cache-Control"),
            ("Headers:Set:X-A", "a\r\nX-B: c", "write letters, digits and signs in one line"),
            ("Headers:Remove:0", "Content-Encoding", "remove it"),
            ("Headers:Remove:0", "server", "set Kestrel:AddServerHeader to false"),
            ("Headers:Preset", "Strict", "write Site, or None"),
            (
                "Headers:ContentSecurityPolicy",
                " ",
                "write one such as default-src 'self', or remove the key",
            ),
        ] {
            // Alone as well: that no header is left is a consequence.
            for settings in [&[("Headers:Set:X-Other", "1"), (key, text)][..], &[(key, text)]] {
                let (_, problems) = read_of(settings);
                let [problem] = &problems[..] else { panic!("{key}: {problems:?}") };
                assert!(problem.is_error(), "{key}");
                assert_eq!(problem.fix.as_deref(), Some(fix), "{key}");
                assert!(problem.origin.is_some(), "{key}");
            }
        }
        let (_, problems) = read_of(&[]);
        assert!(matches!(&problems[..], [problem] if !problem.is_error()), "{problems:?}");
        let twice = [("Headers:Remove:0", "X-A"), ("Headers:Set:X-A", "1")];
        let (read, problems) = read_of(&twice);
        assert!(matches!(&problems[..], [problem] if !problem.is_error()), "{problems:?}");
        assert_eq!(read.map(|it| it.set.len()), Some(1));
    }
}
