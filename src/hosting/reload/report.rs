//! What a reload did, in words: pure functions from what differs to lines.

use std::path::Path;

use crate::addresses::{Aspect, Change, Difference, EndpointPlan, PlannedEndpoint};
use crate::configuration::Problem;
use crate::hosting::finding::{Finding, Subject};
use crate::hosting::settings::{Effect, effect};

/// Addresses in the form Kestrel lists them in: those that stop and those that start. An endpoint
/// that changes in place is in both lists, as on Kestrel, which does stop and start it.
pub(super) fn stopping_and_starting(
    difference: &Difference,
    old: &EndpointPlan,
    new: &EndpointPlan,
) -> (String, String) {
    let changed = difference.endpoints.iter().zip(&new.endpoints).filter_map(|(change, new)| {
        let old = change.old().and_then(|place| old.endpoints.get(place));
        matches!(change, Change::Changed { .. }).then_some((old?, new))
    });
    let removed = difference.removed.iter().filter_map(|place| old.endpoints.get(*place));
    let added = difference.endpoints.iter().zip(&new.endpoints);
    let added = added.filter(|(change, _)| **change == Change::Added).map(|(_, new)| new);
    let (before, after): (Vec<_>, Vec<_>) = changed.unzip();
    (listed(before.into_iter().chain(removed)), listed(after.into_iter().chain(added)))
}

fn listed<'a>(endpoints: impl Iterator<Item = &'a PlannedEndpoint>) -> String {
    endpoints.map(|endpoint| endpoint.written.as_str()).collect::<Vec<_>>().join("', '")
}

/// A line for each endpoint: `+` is new, `-` is gone, `~` is served in another way, `=` is as it was.
/// The addresses are those of the old and of the new plan, in its order; `certificate` tells in
/// words what an endpoint of the new plan serves.
pub(super) fn endpoint_lines(
    difference: &Difference,
    old: &[String],
    new: &[String],
    certificate: impl Fn(usize) -> Option<String>,
) -> Vec<String> {
    let address = |list: &[String], place: usize| list.get(place).cloned().unwrap_or_default();
    let line = |(place, change): (usize, &Change)| {
        let address = address(new, place);
        match change {
            Change::Added => format!("+ {address}"),
            Change::Kept { .. } => format!("= {address}"),
            Change::Changed { aspects, .. } => {
                let words = |aspect: &Aspect| match (aspect, certificate(place)) {
                    (Aspect::Certificate, Some(words)) => format!("{aspect} {words}"),
                    _ => aspect.to_string(),
                };
                let aspects: Vec<_> = aspects.iter().map(words).collect();
                format!("~ {address} ({})", aspects.join(", "))
            }
        }
    };
    let mut lines: Vec<_> = difference.endpoints.iter().enumerate().map(line).collect();
    lines.extend(difference.removed.iter().map(|place| format!("- {}", address(old, *place))));
    lines
}

/// A line for each of the changed `keys` that takes effect without a restart.
pub(super) fn setting_lines(keys: &[&str]) -> Vec<String> {
    let line = |key: &&str| match effect(key) {
        Effect::NewConnections => Some(format!("~ {key} (for new connections)")),
        Effect::AtOnce => Some(format!("~ {key} (at once)")),
        Effect::Endpoints | Effect::Restart | Effect::None => None,
    };
    keys.iter().filter_map(line).collect()
}

/// The changed `keys` that only count at the next start, and would count there: one that is as it was at
/// the last one (`is_as_at_start`) changes nothing.
pub(super) fn waiting_for_restart<'a>(
    keys: &[&'a str],
    is_as_at_start: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    let waits = |key: &&str| effect(key) == Effect::Restart && !is_as_at_start(key);
    keys.iter().copied().filter(waits).collect()
}

/// A file of the configuration is not there any more.
pub(super) fn file_gone(file: &Path) -> Finding {
    let shown = file.display();
    let problem = Problem::error(format!("The file {shown} is gone: what it said stays in effect."))
        .cause("Whoever replaces it may have removed it first.")
        .fix(match cfg!(unix) {
            true => "put it back; or, if it is not wanted any more, say so by SIGHUP (kill -HUP), which takes the configuration as it is",
            false => "put it back; or, if it is not wanted any more, start the host again",
        });
    Finding::of_problem(Subject::Configuration, problem)
}

/// The configuration names no endpoint any more.
pub(super) fn nothing_left() -> Finding {
    let problem = Problem::error(
        "The last endpoint is gone from the configuration: nothing would be listened on.",
    )
    .key("Kestrel:Endpoints")
    .fix("name at least one endpoint, or stop the server if none is wanted");
    Finding::of_problem(Subject::Configuration, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::{EndpointSettings, difference, plan, planned_text};
    use crate::configuration::{Origin, Sourced};

    fn planned(urls: &str) -> EndpointPlan {
        plan(&EndpointSettings {
            urls: Some(Sourced::new(urls.to_owned(), Origin::Default)),
            ..EndpointSettings::default()
        })
    }

    #[test]
    fn a_reload_is_told_as_on_kestrel_and_by_signs() {
        let old = planned("http://127.0.0.1:1;http://127.0.0.1:2;http://unix:/a");
        let new = planned("http://127.0.0.1:3;https://127.0.0.1:2;http://unix:/a");
        let difference = difference(&old.endpoints, &new.endpoints, |_, _| false);
        let (stopping, starting) = stopping_and_starting(&difference, &old, &new);
        assert_eq!(stopping, "http://127.0.0.1:2', 'http://127.0.0.1:1");
        assert_eq!(starting, "https://127.0.0.1:2', 'http://127.0.0.1:3");
        let addresses = |plan: &EndpointPlan| -> Vec<String> {
            plan.endpoints.iter().map(planned_text).collect()
        };
        assert_eq!(
            endpoint_lines(&difference, &addresses(&old), &addresses(&new), |_| None),
            [
                "+ http://127.0.0.1:3",
                "~ https://127.0.0.1:2 (scheme)",
                "= http://unix:/a",
                "- http://127.0.0.1:1"
            ]
        );
    }

    #[test]
    fn settings_are_told_with_the_time_they_take_effect() {
        let keys = ["Kestrel:Limits:MaxRequestBodySize", "Logging:LogLevel:A", "urls", "Mine"];
        assert_eq!(
            setting_lines(&keys),
            [
                "~ Kestrel:Limits:MaxRequestBodySize (for new connections)",
                "~ Logging:LogLevel:A (at once)"
            ]
        );
        assert_eq!(waiting_for_restart(&keys, |_| false), ["urls"]);
        let waiting = waiting_for_restart(&["urls", "http_ports"], |key| key == "urls");
        assert_eq!(waiting, ["http_ports"]);
    }
}
