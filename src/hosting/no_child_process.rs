//! What stands for the programs behind a host in a build without the feature `child-process`: there are none, and whoever
//! asks for one is told why.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::settings::StageSettings;
use crate::apps::child_process::options::ChildOptions;
use crate::configuration::Problem;
use crate::features::{Lifetime, ServerAddresses};
use crate::pipeline::Stage;

/// What programs are started with.
#[allow(dead_code, reason = "gathered for nobody")]
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) inherited: Vec<(String, String)>,
    pub(super) environment: String,
    pub(super) temporary: PathBuf,
    pub(super) addresses: ServerAddresses,
    pub(super) lifetime: Lifetime,
}

/// The programs: none.
#[derive(Debug, Default)]
pub(super) struct Children;

impl Children {
    pub(super) fn change_to(&self, _: Option<&ChildOptions>, _: &Arc<Around>) {}

    pub(super) fn begin(&self) {}

    pub(super) fn are_leaving(&self) -> bool {
        false
    }

    pub(super) fn longest_end(&self) -> Duration {
        Duration::ZERO
    }

    #[allow(clippy::unused_async, reason = "it stands for what waits")]
    pub(super) async fn end(&self, _: Instant) {}
}

/// No stage.
pub(super) fn stage(_: &Children) -> Option<Box<dyn Stage>> {
    None
}

/// Says that it cannot be had, if it is asked for.
pub(super) fn missing(settings: &StageSettings) -> Option<Problem> {
    let asked = settings.child_process.as_ref()?;
    Some(
        Problem::error(
            "No program can be run behind this one: it was built without the feature 'child-process'.",
        )
        .key(asked.key)
        .origin(asked.origin.clone())
        .fix("build it with the feature 'child-process' of the crate kestrel, or remove the key"),
    )
}
