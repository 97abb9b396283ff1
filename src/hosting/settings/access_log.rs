//! Which requests have a line in the access log, how it looks, and where it is.

use std::path::PathBuf;

use super::lists::{self, List};
use super::logged_fields::of_key;
use super::parse::{cannot_convert, read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::near_names::meant_value;
use crate::configuration::text::{double, integer};
use crate::configuration::{Configuration, Loaded, Problem, Setting};
use crate::middleware::{AccessLog, AccessLogFormat, AccessLogOptions};

const ENABLED: &str = "AccessLog:Enabled";
const FORMAT: &str = "AccessLog:Format";
const PATH: &str = "AccessLog:Path";
const EXCLUDED: &str = "AccessLog:ExcludePaths";
const STATUS: &str = "AccessLog:MinimumStatus";
const RATE: &str = "AccessLog:SampleRate";

/// The access log, and its file; without one it is written to the console.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccessLogSettings {
    pub(crate) stage: AccessLog,
    pub(crate) options: AccessLogOptions,
    pub(crate) file: Option<PathBuf>,
}

/// Reads the section.
pub(super) fn read(
    loaded: &Loaded,
    problems: &mut Vec<Problem>,
) -> Option<Switched<AccessLogSettings>> {
    let configuration = &loaded.configuration;
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let format = read_with(configuration, FORMAT, problems, format);
    let file = read_with(configuration, PATH, problems, file);
    let file = file.map(|path| loaded.content_root.value.join(path));
    let excluded = excluded(configuration, problems);
    let status = read_with(configuration, STATUS, problems, status);
    let rate = read_with(configuration, RATE, problems, rate);
    let options = AccessLogOptions {
        format: format.unwrap_or(AccessLogFormat::Combined),
        excluded,
        minimum_status: status.unwrap_or_default(),
        sample_rate: rate.unwrap_or(1.0),
    };
    let place = match &file {
        Some(path) => format!("in {}", path.display()),
        None => "on the console".to_owned(),
    };
    let mut words = vec![
        of_key(configuration, PATH, place),
        of_key(configuration, FORMAT, format!("as {}", options.format.name())),
    ];
    if !options.excluded.is_empty() {
        let paths = options.excluded.join(", ");
        words.push(of_key(configuration, EXCLUDED, format!("nothing of {paths}")));
    }
    if let Some(status) = status {
        words.push(of_key(configuration, STATUS, format!("from status {status} on")));
    }
    if let Some(rate) = rate {
        words.push(of_key(configuration, RATE, format!("{rate} of all requests")));
    }
    let settings = AccessLogSettings { stage: AccessLog::new(options.clone()), options, file };
    Switched::by(configuration, ENABLED, on, settings).map(|it| it.shown(words))
}

fn format(setting: &Setting, text: &str) -> Result<AccessLogFormat, Problem> {
    let known = |(name, _): &&(&str, _)| name.eq_ignore_ascii_case(text.trim());
    AccessLogFormat::NAMES.iter().find(known).map(|(_, format)| *format).ok_or_else(|| {
        let names = AccessLogFormat::NAMES.map(|(name, _)| name);
        let fix = match meant_value(text, &names) {
            Some(meant) => format!("write {meant}"),
            None => format!("write one of {}", names.join(", ")),
        };
        cannot_convert(setting, text, "AccessLogFormat", &fix)
    })
}

/// A path that may be that of a file.
fn file(setting: &Setting, text: &str) -> Result<PathBuf, Problem> {
    let is_one = !text.trim().is_empty() && !text.ends_with('/') && !text.contains('\0');
    is_one.then(|| PathBuf::from(text)).ok_or_else(|| {
        let value = shown(&setting.key, text);
        Problem::error(format!("'{value}' is no path of a file."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write the path of a file, such as logs/access.log; remove it for the console")
    })
}

fn excluded(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<String> {
    let List { entries, .. } = lists::list(configuration, EXCLUDED, problems);
    let mut paths = Vec::new();
    for (setting, text) in entries {
        match text.starts_with('/') {
            true => paths.push(text.to_owned()),
            false => problems.push(
                Problem::error(format!(
                    "'{}' is no path: it does not begin with a slash.",
                    shown(&setting.key, text)
                ))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write a path such as /healthz, which stands for all below it, too"),
            ),
        }
    }
    paths
}

fn status(setting: &Setting, text: &str) -> Result<u16, Problem> {
    let status = integer(text).and_then(|status| u16::try_from(status).ok());
    status.filter(|status| (100..600).contains(status)).ok_or_else(|| {
        cannot_convert(setting, text, "System.Int32", "write a status, 100 to 599, such as 400")
    })
}

fn rate(setting: &Setting, text: &str) -> Result<f64, Problem> {
    let rate = double(text).filter(|rate| *rate > 0.0 && *rate <= 1.0);
    rate.ok_or_else(|| {
        let fix = "write a number above 0 and up to 1, such as 0.1 for one of ten requests";
        cannot_convert(setting, text, "System.Double", fix)
    })
}
