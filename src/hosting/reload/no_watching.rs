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

/// A watcher, and what gets something whenever its files change.
pub(in crate::hosting) type Watch = (Watcher, UnboundedReceiver<()>);

/// Starts nothing. Who asks for it is told that; where there are files, it is said that they are not
/// watched, unless nobody wants it.
pub(in crate::hosting) fn start(
    prepared: &Prepared,
    _: &[(String, String)],
) -> (Option<Watch>, Vec<Finding>) {
    if !prepared.settings.reload_on_change {
        return (None, Vec::new());
    }
    const NOT_WATCHED: &str =
        "Files are not watched: this program was built without the feature 'reload'.";
    const INSTEAD: &str = "RunningHost::reload, and SIGHUP on Unix, read them again";
    let asked = prepared.loaded.configuration.setting(KEY).map(|setting| {
        Problem::warning(NOT_WATCHED).key(setting.key.clone()).origin(setting.origin.clone()).fix(
            format!("build it with the feature 'reload' of the crate kestrel, or set this to false: {INSTEAD}"),
        )
    });
    let has_files = prepared.loaded.files.iter().any(|file| file.found)
        || !prepared.certificates.files.is_empty();
    let noted = has_files.then(|| {
        let message = format!("{NOT_WATCHED} An edit takes a restart; {INSTEAD}.");
        Problem::information(message)
    });
    let told = asked.or(noted).map(|it| Finding::of_problem(Subject::Configuration, it));
    (None, told.into_iter().collect())
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
