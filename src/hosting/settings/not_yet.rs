//! Settings of features that are not there yet: whoever sets one is told that it has no effect.
//!
//! A feature that comes takes its lines out of [`NOT_YET`].

use super::known::is_told;
use crate::configuration::{Loaded, Problem, Section, Setting};

/// One setting of a feature.
struct NotYet {
    /// Its key, or its section.
    key: &'static str,
    /// Texts that ask for nothing.
    harmless: &'static [&'static str],
    /// What goes on without the feature; `{value}` is what was set.
    without: &'static str,
    /// What to do until it is there.
    fix: &'static str,
    /// Whether an app may do it by itself, by the same key.
    may_be_the_apps: bool,
}

const NOT_YET: [NotYet; 13] = [
    NotYet {
        key: "AllowedHosts",
        harmless: &["*"],
        without: "requests for every host are answered, not only for '{value}'",
        fix: "let a proxy in front check the host, or set it to *",
        may_be_the_apps: false,
    },
    NotYet {
        key: "ForwardedHeaders_Enabled",
        harmless: &["false", "0"],
        without: "X-Forwarded-For and X-Forwarded-Proto are not looked at, and a proxy counts as the client",
        fix: "remove it; an app finds both in the request's headers",
        may_be_the_apps: false,
    },
    NotYet {
        key: "https_port",
        harmless: &[],
        without: "requests in clear text are not redirected to HTTPS",
        fix: "let a proxy in front redirect; to listen on the port, set https_ports",
        may_be_the_apps: false,
    },
    NotYet {
        key: "ReverseProxy",
        harmless: &[],
        without: "no request is handed on to another server",
        fix: "remove it, or let nginx or Apache do it",
        may_be_the_apps: false,
    },
    NotYet {
        key: "Kestrel:Limits:Http3",
        harmless: &[],
        without: "HTTP/3 is not spoken",
        fix: "remove it",
        may_be_the_apps: false,
    },
    NotYet {
        key: "webroot",
        harmless: &[],
        without: "no files are served",
        fix: "remove it, or let nginx or Apache serve them",
        may_be_the_apps: true,
    },
    NotYet {
        key: "StaticFiles",
        harmless: &[],
        without: "no files are served",
        fix: "remove it, or let nginx or Apache serve them",
        may_be_the_apps: true,
    },
    NotYet {
        key: "ForwardedHeaders",
        harmless: &[],
        without: "X-Forwarded-For and its like are not looked at, and a proxy counts as the client",
        fix: "remove it",
        may_be_the_apps: true,
    },
    NotYet {
        key: "HttpsRedirection",
        harmless: &[],
        without: "requests in clear text are not redirected to HTTPS",
        fix: "let a proxy in front redirect",
        may_be_the_apps: true,
    },
    NotYet {
        key: "ResponseCompression",
        harmless: &[],
        without: "answers are sent as they are",
        fix: "let a proxy in front compress them",
        may_be_the_apps: true,
    },
    NotYet {
        key: "Hsts",
        harmless: &[],
        without: "no answer has a Strict-Transport-Security header",
        fix: "let a proxy in front add it",
        may_be_the_apps: true,
    },
    NotYet {
        key: "Cors",
        harmless: &[],
        without: "no answer lets pages of other origins read it",
        fix: "let a proxy in front add the headers",
        may_be_the_apps: true,
    },
    NotYet {
        key: "LISTEN_FDS",
        harmless: &["0"],
        without: "sockets that systemd hands over are left alone, and addresses are bound anew",
        fix: "start it by a .service unit without a .socket unit, and say where to listen: --urls",
        may_be_the_apps: true,
    },
];

/// Adds a warning for every setting of a feature that is not there yet.
pub(super) fn report(loaded: &Loaded, problems: &mut Vec<Problem>) {
    for feature in &NOT_YET {
        if feature.may_be_the_apps && !loaded.host_alone {
            continue;
        }
        let section = loaded.configuration.section(feature.key);
        let list = listed(&section);
        if list.iter().any(|text| feature.harmless.contains(text)) {
            continue;
        }
        let Some(setting) = asked_for(&section, feature.harmless) else {
            continue;
        };
        if is_told(problems, &setting.key, &setting.origin) {
            continue;
        }
        let value = match section.setting().and_then(|setting| setting.value.as_deref()) {
            Some(text) => text.to_owned(),
            None => list.join(";"),
        };
        let without = feature.without.replace("{value}", &value);
        problems.push(
            Problem::warning(format!("{} has no effect in this version: {without}.", feature.key))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(feature.fix),
        );
    }
}

/// The texts of a list in the place of a text.
fn listed<'a>(section: &Section<'a>) -> Vec<&'a str> {
    let elements = section.children();
    elements.iter().filter_map(|element| element.setting()?.value.as_deref()).collect()
}

/// The first setting at a key or below it that asks for something.
fn asked_for<'a>(section: &Section<'a>, harmless: &[&str]) -> Option<&'a Setting> {
    let asks = |setting: &&Setting| {
        setting.value.as_deref().is_some_and(|text| {
            let mut parts = text.split(';').map(str::trim);
            // One `*` lets every host pass, whatever stands beside it.
            !text.is_empty()
                && !parts.any(|part| harmless.iter().any(|word| word.eq_ignore_ascii_case(part)))
        })
    };
    let here = section.setting().filter(asks);
    here.or_else(|| section.children().iter().find_map(|child| asked_for(child, harmless)))
}
