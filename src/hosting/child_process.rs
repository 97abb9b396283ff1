//! The programs behind a host, and what they are started with.

use super::settings::StageSettings;
use crate::apps::child_process::ChildProcess;
pub(super) use crate::apps::child_process::{Around, Children};
use crate::configuration::Problem;
use crate::pipeline::Stage;

/// The stage, with processes that are there already.
pub(super) fn stage(children: &Children) -> Option<Box<dyn Stage>> {
    Some(Box::new(ChildProcess::new(children)))
}

/// Why a program cannot be run by this build: it can.
pub(super) fn missing(_: &StageSettings) -> Option<Problem> {
    None
}
