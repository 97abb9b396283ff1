//! What sections about logs of requests have in common: flags, names of headers, counts.

use http::HeaderName;

use super::lists::{self, List};
use super::parse::{cannot_convert, shown};
use crate::configuration::near_names::meant_value;
use crate::configuration::text::integer;
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced, speaks_of_secrets};

/// Flags of .NET's: names with commas between, put together by `join`.
pub(super) fn flags<T: Copy>(
    setting: &Setting,
    text: &str,
    (names, kind): (&[(&'static str, T)], &str),
    join: fn(T, T) -> T,
) -> Result<T, Problem> {
    let mut all = None;
    for word in text.split(',').map(str::trim) {
        let known = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((_, flag)) = known else {
            let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            return Err(cannot_convert(setting, text, kind, &what_to_write(text, &names)));
        };
        all = Some(all.map_or(*flag, |before| join(before, *flag)));
    }
    all.ok_or_else(|| cannot_convert(setting, text, kind, "write a name"))
}

/// The whole text as it was probably meant: whoever writes only the word that was wrong, loses the others.
fn what_to_write(text: &str, names: &[&str]) -> String {
    let words = text.split([',', ';', '|', '+', ' ']).filter(|word| !word.is_empty());
    let meant: Option<Vec<_>> = words.map(|word| meant_value(word, names)).collect();
    match meant.filter(|meant| !meant.is_empty()) {
        Some(meant) => format!("write {}", meant.join(", ")),
        None => format!("write one of {}, or several with commas between", names.join(", ")),
    }
}

/// The names of headers in a list, and what is wrong with them. That a secret would be written down is told.
pub(super) fn header_names(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Vec<(HeaderName, String)> {
    let List { entries, .. } = lists::list(configuration, key, problems);
    let mut names: Vec<(HeaderName, String)> = Vec::new();
    for (setting, text) in entries {
        let text = text.trim();
        match HeaderName::from_bytes(text.as_bytes()) {
            Ok(name) => {
                problems.extend(is_secret(&name).then(|| written_down(setting, text)));
                if !names.iter().any(|(known, _)| *known == name) {
                    names.push((name, text.to_owned()));
                }
            }
            Err(_) => problems.push(cannot_convert(
                setting,
                text,
                "Microsoft.AspNetCore.Http.HeaderName",
                "write the name of a header, such as X-Request-ID",
            )),
        }
    }
    names
}

/// Whether whoever knows the value of a header can do what the client may.
fn is_secret(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 4] = [
        http::header::AUTHORIZATION,
        http::header::COOKIE,
        http::header::PROXY_AUTHORIZATION,
        http::header::SET_COOKIE,
    ];
    // The key of a WebSocket is none.
    NAMES.contains(name)
        || speaks_of_secrets(name.as_str()) && *name != http::header::SEC_WEBSOCKET_KEY
}

fn written_down(setting: &Setting, name: &str) -> Problem {
    let name = shown(&setting.key, name);
    Problem::warning(format!("The log will have the header '{name}' in clear text."))
        .cause("Whoever reads the log can do what its client may.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("remove it; without it the log has the name of the header alone")
}

/// A whole number of these that .NET's `int` has.
pub(super) fn count(
    least: u32,
    kind: &'static str,
) -> impl Fn(&Setting, &str) -> Result<u32, Problem> {
    move |setting, text| {
        let number = integer(text).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=i32::MAX as u32).contains(number));
        number.ok_or_else(|| {
            let fix = format!("write a number of {kind}, {least} or more, without a unit");
            cannot_convert(setting, text, "System.Int32", &fix)
        })
    }
}

/// A value in words, with where the key was set that it is of.
pub(super) fn of_key(configuration: &Configuration, key: &str, words: String) -> Sourced<String> {
    let section = configuration.section(key);
    let origin = lists::first_setting(&section).map_or(Origin::Default, |it| it.origin.clone());
    Sourced::new(words, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_written_keeps_the_words_that_are_right() {
        let names = ["RequestPath", "RequestQuery", "Duration"];
        for (text, written) in [
            ("RequestPath, RequestQuer", "write RequestPath, RequestQuery"),
            ("RequestPath;Duration", "write RequestPath, Duration"),
            ("requestpath | duration", "write RequestPath, Duration"),
            ("Durration", "write Duration"),
            (
                "RequestPath, Colour",
                "write one of RequestPath, RequestQuery, Duration, or several with commas between",
            ),
            (
                ",",
                "write one of RequestPath, RequestQuery, Duration, or several with commas between",
            ),
        ] {
            assert_eq!(what_to_write(text, &names), written, "{text}");
        }
    }
}
