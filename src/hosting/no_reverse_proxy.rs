//! What stands for the reverse proxy in a build without the feature `proxy`: there is none, and whoever asks for one
//! is told why.

use std::path::PathBuf;

use super::finding::Subject;
use super::settings::StageSettings;
use super::surroundings::Surroundings;
use crate::apps::reverse_proxy::options::{ClusterOptions, ProxyOptions};
use crate::configuration::{Configuration, Problem};
use crate::middleware::SiteTable;
use crate::pipeline::Stage;

/// What clusters need: nothing.
#[derive(Clone, Debug)]
pub(super) struct Material;

/// The servers that requests are handed to: none.
#[derive(Debug, Default)]
pub(super) struct Upstreams;

impl Upstreams {
    pub(super) fn change_to(&self, _: &[ClusterOptions], _: &[Material]) {}
}

/// No stage.
pub(super) fn stage(_: &ProxyOptions, _: &Upstreams) -> Option<Box<dyn Stage>> {
    None
}

/// No stage either.
pub(super) fn policies(_: &ProxyOptions, _: Option<SiteTable>) -> Option<Box<dyn Stage>> {
    None
}

/// Nothing is read for them.
#[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a reload asks for it"))]
pub(super) fn renewed(
    _: (&StageSettings, &[Material]),
    _: (&StageSettings, &[Material]),
) -> Vec<String> {
    Vec::new()
}

/// Says that it cannot be had, if it is asked for.
pub(super) fn read(
    settings: &StageSettings,
    _: &Configuration,
    _: &Surroundings,
    _: &mut Vec<PathBuf>,
) -> (Vec<Material>, Vec<(Subject, Problem)>) {
    let asked = settings.reverse_proxy.as_ref().map(|it| {
        Problem::error(
            "Requests cannot be handed on: this program was built without the feature 'proxy'.",
        )
        .key(it.key)
        .origin(it.origin.clone())
        .fix("build it with the feature 'proxy' of the crate kestrel, or remove the key")
    });
    (Vec::new(), asked.map(|it| (Subject::Certificate, it)).into_iter().collect())
}
