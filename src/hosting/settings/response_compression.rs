//! Which answers are compressed, and how.

use std::sync::Arc;

use super::lists::{self, List};
use super::parse::{cannot_convert, read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::near_names::meant_value;
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced};
use crate::middleware::{
    CompressionOptions, ENCODERS_ARE_THERE, Encoding, Level, MediaTypes, ResponseCompression,
};

const ENABLED: &str = "ResponseCompression:Enabled";
const FOR_HTTPS: &str = "ResponseCompression:EnableForHttps";
const PROVIDERS: &str = "ResponseCompression:Providers";
const LEVEL: &str = "ResponseCompression:Level";

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<ResponseCompression>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let for_https = read_boolean(configuration, FOR_HTTPS, problems).unwrap_or_default();
    let kind = ("ICompressionProvider", "write br, gzip or zstd");
    let encodings = lists::of_words(configuration, PROVIDERS, problems, (&Encoding::NAMES, kind));
    let level = read_with(configuration, LEVEL, problems, level).unwrap_or(Level::Fastest);
    let mut types = |name: &str| {
        let key = format!("ResponseCompression:{name}");
        let List { entries, .. } = lists::list(configuration, &key, problems);
        let mut types = Vec::new();
        for (setting, text) in entries {
            let name = text.split(';').next().unwrap_or_default().trim();
            match name.contains('/') || name.is_empty() {
                true => types.push(name.to_owned()),
                false => problems.push(no_type(setting, text)),
            }
        }
        types
    };
    let (mut included, excluded) = (types("MimeTypes"), types("ExcludedMimeTypes"));
    if included.is_empty() {
        included = MediaTypes::DEFAULT.map(str::to_owned).to_vec();
    }
    let names: Vec<_> = encodings.iter().map(|it| it.name()).collect();
    let origin = |key: &str| {
        let section = configuration.section(key);
        lists::first_setting(&section).map_or(Origin::Default, |it| it.origin.clone())
    };
    let mut words = vec![Sourced::new(format!("by {}", names.join(", ")), origin(PROVIDERS))];
    if for_https {
        words.push(Sourced::new("by https, too".to_owned(), origin(FOR_HTTPS)));
    }
    let types = MediaTypes::new(included, excluded);
    let listed = types.included().collect::<Vec<_>>().join(", ");
    words.push(Sourced::new(format!("of {listed}"), origin("ResponseCompression:MimeTypes")));
    if on && !ENCODERS_ARE_THERE {
        problems.extend(configuration.setting(ENABLED).map(without_encoders));
        return None;
    }
    let options = CompressionOptions { for_https, encodings, types, level };
    let stage = ResponseCompression(Arc::new(options));
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

/// What is to be said in a build without the feature.
fn without_encoders(setting: &Setting) -> Problem {
    Problem::error(
        "Answers cannot be compressed: this program was built without the feature 'compression'.",
    )
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix("build it with the feature 'compression' of the crate kestrel, or set it to false")
}

/// A type of which nothing is ever.
fn no_type(setting: &Setting, text: &str) -> Problem {
    let value = shown(&setting.key, text);
    Problem::warning(format!("'{value}' is no type of answers, and left out."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write a type such as text/css, text/* or */*")
}

fn level(setting: &Setting, text: &str) -> Result<Level, Problem> {
    let known = |(name, _): &&(&str, Level)| name.eq_ignore_ascii_case(text.trim());
    Level::NAMES.iter().find(known).map(|(_, level)| *level).ok_or_else(|| {
        let names = Level::NAMES.map(|(name, _)| name);
        let fix = match meant_value(text, &names) {
            Some(meant) => format!("write {meant}"),
            None => format!("write one of {}", names.join(", ")),
        };
        cannot_convert(setting, text, "System.IO.Compression.CompressionLevel", &fix)
    })
}
