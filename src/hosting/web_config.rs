//! When the `web.config` of an app is read.

use super::settings::says_of_program;
use crate::configuration::{AddedSource, Loaded, SourcePlace, WebConfig};

/// The source that it is: where it lies in the content root, and nothing else says which program is to run. With anything
/// that does, it is left to IIS as a whole: what was meant for another server must not mix with what is meant for this one.
pub(super) fn source(loaded: &Loaded, without_files: bool) -> Option<AddedSource> {
    let is_asked = loaded.host_alone && !without_files && !says_of_program(&loaded.configuration);
    let is_there = || WebConfig::is_in(&loaded.content_root.value);
    (is_asked && is_there()).then(|| AddedSource::new(SourcePlace::BelowFiles, WebConfig))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{CodeSettings, Inputs, load};

    #[test]
    fn it_is_read_where_nothing_else_says_what_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let asked = |arguments: &[&str], host_alone: bool| {
            let arguments = arguments.iter().map(|it| (*it).to_owned()).enumerate().collect();
            let loaded = load(&Inputs {
                arguments,
                current_directory: folder.path().to_owned(),
                code: CodeSettings { host_alone, ..CodeSettings::default() },
                ..Inputs::default()
            });
            source(&loaded, false).is_some()
        };
        assert!(!asked(&[], true), "there is none");
        std::fs::write(folder.path().join("web.config"), "<configuration />").unwrap();
        for (arguments, host_alone, expected) in [
            (&[][..], true, true),
            (&[], false, false),
            (&["--AspNetCore:Watch=true"], true, true),
            (&["--AspNetCore:ProcessPath=node"], true, false),
            (&["--AspNetCore:Enabled=false"], true, false),
            (&["--AspNetCore:EnvironmentVariables:A=b"], true, false),
            (&["--Sites:A:AspNetCore:ProcessPath=node"], true, true),
        ] {
            assert_eq!(asked(arguments, host_alone), expected, "{arguments:?} {host_alone}");
        }
    }
}
