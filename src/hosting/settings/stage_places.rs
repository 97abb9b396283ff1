//! The folders and files that stages need, and stages that get into the way of a site.

use super::given_away::KeyFile;
use super::pipeline::StageSettings;
use super::places::{self, Needed};
use super::{error_pages, given_away, health_checks, rewrite};
use crate::configuration::{Configuration, Loaded, Problem};

/// What is to be said of the folders and files that stages need, and of stages that get into the way of a site.
/// `whole` has all settings of the host, and the keys that they name, where `loaded` has those of one of its sites.
pub(super) fn told(
    loaded: &Loaded,
    whole: (&Configuration, &[KeyFile<'_>]),
    stages: &StageSettings,
) -> Vec<Problem> {
    let configuration = &loaded.configuration;
    let needed = needed(stages);
    let mut problems = places::told(configuration, &needed);
    problems.extend(given_away::told(loaded, whole, &needed));
    if let Some(health) = &stages.health_checks {
        problems.extend(health_checks::hides(configuration, &health.value, needed.site));
    }
    if let (Some(_), Some(site)) = (&stages.rewrite, &stages.static_files) {
        problems.extend(rewrite::against_folders(configuration, &site.options));
    }
    if let (Some(pages), Some(site)) = (&stages.error_pages.status_pages, &stages.static_files) {
        problems.extend(error_pages::without_files(pages, &site.options));
    }
    problems
}

/// What is to be said of logs of one that lie in the files of another.
pub(super) fn logs_in(
    configuration: &Configuration,
    stages: &StageSettings,
    other: &StageSettings,
) -> Vec<Problem> {
    given_away::logs_in(configuration, &Needed { site: needed(other).site, ..needed(stages) })
}

fn needed(stages: &StageSettings) -> Needed<'_> {
    Needed {
        access_log: stages.access_log.as_ref().and_then(|it| it.value.file.as_deref()),
        w3c_logs: stages.w3c_logging.as_ref().map(|it| &*it.value.options().place.folder),
        site: stages.static_files.as_ref().map(|it| &*it.options.root),
    }
}
