//! Which bodies of requests are decompressed.

use super::lists;
use super::parse::read_boolean;
use super::switched::Switched;
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced};
use crate::middleware::{Coding, DECODERS_ARE_THERE, RequestDecompression};

const ENABLED: &str = "RequestDecompression:Enabled";
const PROVIDERS: &str = "RequestDecompression:Providers";

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<RequestDecompression>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let kind = ("IDecompressionProvider", "write br, deflate, gzip or zstd");
    let codings = lists::of_words(configuration, PROVIDERS, problems, (&Coding::NAMES, kind));
    if on && !DECODERS_ARE_THERE {
        problems.extend(configuration.setting(ENABLED).map(without_decoders));
        return None;
    }
    let section = configuration.section(PROVIDERS);
    let origin = lists::first_setting(&section).map_or(Origin::Default, |it| it.origin.clone());
    let names: Vec<_> = codings.iter().map(|it| it.name()).collect();
    let words = vec![Sourced::new(format!("of {}", names.join(", ")), origin)];
    let stage = RequestDecompression { codings: codings.into() };
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

/// What is to be said in a build without the feature.
fn without_decoders(setting: &Setting) -> Problem {
    Problem::error(
        "Requests cannot be decompressed: this program was built without the feature 'compression'.",
    )
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix("build it with the feature 'compression' of the crate kestrel, or set it to false")
}
