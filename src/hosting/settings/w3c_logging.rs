//! What lines of requests W3C files have, and where they are.

use std::path::Path;
use std::time::Duration;

use super::limits::span;
use super::logged_fields::{count, flags, header_names, of_key};
use super::parse::{read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::text::Span;
use crate::configuration::{Configuration, Loaded, Problem, Setting};
use crate::middleware::{W3cFields, W3cLogging, W3cOptions, W3cPlace};

const ENABLED: &str = "W3CLogging:Enabled";
const FIELDS: &str = "W3CLogging:LoggingFields";
const FOLDER: &str = "W3CLogging:LogDirectory";
const NAME: &str = "W3CLogging:FileName";
const SIZE: &str = "W3CLogging:FileSizeLimit";
const KEPT: &str = "W3CLogging:RetainedFileCountLimit";
const INTERVAL: &str = "W3CLogging:FlushInterval";
const HEADERS: &str = "W3CLogging:AdditionalRequestHeaders";

/// How large a file gets, unless configured.
const SIZE_LIMIT: u32 = 10 * 1024 * 1024;

/// How many files stay, unless configured; and how many can: their numbers have four digits.
const FILES: (u32, u32) = (4, 10_000);

/// Reads the section.
pub(super) fn read(loaded: &Loaded, problems: &mut Vec<Problem>) -> Option<Switched<W3cLogging>> {
    let configuration = &loaded.configuration;
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let fields = read_with(configuration, FIELDS, problems, fields).unwrap_or(W3cFields::DEFAULT);
    let folder = read_with(configuration, FOLDER, problems, not_empty);
    let name = read_with(configuration, NAME, problems, file_name);
    let size = optional(configuration, SIZE, problems, (SIZE_LIMIT, count(1, "bytes")));
    let kept = optional(configuration, KEPT, problems, (FILES.0, files));
    let interval = read_with(configuration, INTERVAL, problems, interval);
    let headers = headers(configuration, fields, problems);
    if on && fields.has_header(&http::header::COOKIE) {
        problems.extend(configuration.setting(FIELDS).map(has_cookies));
    }
    let options = W3cOptions {
        fields,
        headers,
        place: W3cPlace {
            folder: loaded.content_root.value.join(folder.as_deref().unwrap_or("logs")),
            name: name.unwrap_or_else(|| "w3clog-".to_owned()),
            size_limit: size.map(u64::from),
            kept,
        },
        interval: interval.unwrap_or(Duration::from_secs(1)),
    };
    let W3cPlace { folder, name, .. } = &options.place;
    let mut words = vec![
        of_key(configuration, FOLDER, format!("in {}", folder.display())),
        of_key(configuration, NAME, format!("as {name}*")),
        of_key(configuration, FIELDS, options.fields.to_string()),
    ];
    let names: Vec<_> = options.headers.iter().map(|(_, name)| name.as_str()).collect();
    if !names.is_empty() {
        words.push(of_key(configuration, HEADERS, format!("with {}", names.join(", "))));
    }
    let size = options.place.size_limit.map_or("any size".to_owned(), |it| format!("{it} bytes"));
    words.push(of_key(configuration, SIZE, format!("files of {size}")));
    let kept = options.place.kept.map_or("all".to_owned(), |it| it.to_string());
    words.push(of_key(configuration, KEPT, format!("of which {kept} stay")));
    let stage = W3cLogging::new(options);
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

fn fields(setting: &Setting, text: &str) -> Result<W3cFields, Problem> {
    let kind = "Microsoft.AspNetCore.HttpLogging.W3CLoggingFields";
    flags(setting, text, (&W3cFields::NAMES, kind), |one, other| one | other)
}

/// What tells a session apart, in clear text.
fn has_cookies(setting: &Setting) -> Problem {
    Problem::warning("W3C log files will have the cookies of clients in clear text.")
        .cause("Whoever reads them can do what their clients may, as long as they are signed in.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("leave Cookie out; All and RequestHeaders have it, too: name the fields, or write Default")
}

fn not_empty(setting: &Setting, text: &str) -> Result<String, Problem> {
    match text.trim().is_empty() {
        false => Ok(text.to_owned()),
        true => Err(Problem::error(format!("'{}' is empty.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write a name, or remove it")),
    }
}

/// What the names of files begin with.
fn file_name(setting: &Setting, text: &str) -> Result<String, Problem> {
    let name = not_empty(setting, text)?;
    if Path::new(&name).file_name().is_some_and(|it| it == name.as_str()) {
        return Ok(name);
    }
    let value = shown(&setting.key, text);
    Err(Problem::error(format!("'{value}' is no name of a file."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("write a name without folders, which {FOLDER} has")))
}

/// A number, or none at all: null, as .NET has it, or nothing.
fn optional(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
    (default, read): (u32, impl FnOnce(&Setting, &str) -> Result<u32, Problem>),
) -> Option<u32> {
    let Some(setting) = configuration.setting(key) else { return Some(default) };
    match setting.value.as_deref() {
        None | Some("") => None,
        Some(_) => read_with(configuration, key, problems, read).or(Some(default)),
    }
}

fn files(setting: &Setting, text: &str) -> Result<u32, Problem> {
    let files = count(1, "files")(setting, text)?;
    if files <= FILES.1 {
        return Ok(files);
    }
    Err(Problem::error("RetainedFileCountLimit must be between 1 and 10,000 (inclusive)")
        .cause(format!("'{}' is more than the files of a day.", shown(&setting.key, text)))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write a number up to 10000, or in a file null to let all of them stay"))
}

fn interval(setting: &Setting, text: &str) -> Result<Duration, Problem> {
    match span(setting, text, |_| None)? {
        Span::Of(interval) if !interval.is_zero() => Ok(interval),
        Span::Of(_) | Span::Infinite | Span::Negative => Err(Problem::error(format!(
            "'{}' is no time that a line can wait.",
            shown(&setting.key, text)
        ))
        .cause("FlushInterval must be positive.")
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write a time above zero, such as 00:00:01")),
    }
}

/// The headers beside those that are fields, each once and by their names.
fn headers(
    configuration: &Configuration,
    fields: W3cFields,
    problems: &mut Vec<Problem>,
) -> Vec<(http::HeaderName, String)> {
    let mut names = header_names(configuration, HEADERS, problems);
    names.retain(|(name, _)| !fields.has_header(name));
    names.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    names
}
