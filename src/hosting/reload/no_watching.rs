//! What stands for the watch over files in a build without the feature `reload`: there is none.

use tokio::sync::mpsc::UnboundedReceiver;

use crate::configuration::Problem;
use crate::hosting::certificates::Certificates;
use crate::hosting::finding::{Finding, Subject};
use crate::hosting::prepare::Prepared;

const KEY: &str = "hostBuilder:reloadConfigOnChange";

/// A watch, of which there is none here.
#[derive(Debug)]
pub(in crate::hosting) enum Watcher {}

impl Watcher {
    pub(super) fn watch(&self, _: Files) {
        match *self {}
    }
}

/// Starts nothing. Who asks for it is told that; what is so without being asked for is told by the
/// documentation of the feature.
pub(in crate::hosting) fn start(
    prepared: &Prepared,
    _: &[(String, String)],
) -> (Option<(Watcher, UnboundedReceiver<()>)>, Vec<Finding>) {
    let asked = prepared.loaded.configuration.setting(KEY);
    let told = asked.filter(|_| prepared.settings.reload_on_change).map(|setting| {
        Problem::warning(
            "Files are not watched: this program was built without the feature 'reload'.",
        )
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(
            "build it with the feature 'reload' of the crate kestrel, or set this to false: \
                 RunningHost::reload, and SIGHUP on Unix, read them again",
        )
    });
    (None, told.map(|it| Finding::of_problem(Subject::Configuration, it)).into_iter().collect())
}

/// The files that would be watched.
pub(super) struct Files;

impl Files {
    pub(super) fn of(_: &Prepared, _: Option<&Certificates>) -> Self {
        Self
    }

    pub(super) fn look(self) -> Self {
        self
    }
}
