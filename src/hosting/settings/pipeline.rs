//! The settings of the stages that requests go through.

use std::time::Duration;

use super::limits::span;
use super::parse::{Span, read_boolean, read_with, separated};
use crate::configuration::{Configuration, Problem, Sourced};
use crate::middleware::{AllowedHosts, Hsts};

/// What the configuration says of the stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageSettings {
    /// `AllowedHosts`; `None` lets every host pass.
    pub(crate) allowed_hosts: Option<Sourced<AllowedHosts>>,
    /// `Hsts`, if it is on.
    pub(crate) hsts: Option<Sourced<Hsts>>,
}

/// Reads them all.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> StageSettings {
    StageSettings {
        allowed_hosts: allowed_hosts(configuration, problems),
        hsts: hsts(configuration, problems),
    }
}

/// `AllowedHosts`: host names, separated by `;`.
fn allowed_hosts(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Sourced<AllowedHosts>> {
    let list = separated(configuration, "AllowedHosts", problems)?;
    let allowed = AllowedHosts::parse(&list.value)?;
    for entry in list.value.split(';').filter(|entry| !entry.is_empty()) {
        if let Some((why, fix)) = never_matches(entry) {
            problems.push(
                Problem::warning(format!("No request can be for '{entry}': {why}."))
                    .key("AllowedHosts")
                    .origin(list.origin.clone())
                    .fix(fix),
            );
        }
    }
    Some(list.map(|_| allowed))
}

/// Why no host matches an entry, and what to write instead.
fn never_matches(entry: &str) -> Option<(&'static str, String)> {
    let trimmed = entry.trim();
    if trimmed != entry {
        return Some(("blanks beside ';' belong to the host", format!("write {trimmed}")));
    }
    if let Some((_, rest)) = entry.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or(rest);
        return Some(("it is a URL, and hosts are meant", format!("write {host}")));
    }
    let port =
        entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    port.map(|(host, _)| ("hosts are compared without their port", format!("write {host}")))
}

/// How long browsers come back by HTTPS only, unless configured.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Hosts of the machine itself, which other programs than this one use by HTTP.
const EXCLUDED: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// `Hsts`: `Enabled`, and ASP.NET Core's options.
fn hsts(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<Sourced<Hsts>> {
    let mut switch = |name: &str| {
        read_boolean(configuration, &format!("Hsts:{name}"), problems).unwrap_or_default()
    };
    let [on, sub_domains, preload] = ["Enabled", "IncludeSubDomains", "Preload"].map(&mut switch);
    let max_age = read_with(configuration, "Hsts:MaxAge", problems, |setting, text| {
        match span(setting, text, |_| None)? {
            Span::Of(age) => Ok(age),
            Span::Infinite | Span::Negative => Err(Problem::error(format!(
                "'{text}' is less than nothing, and no age."
            ))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write 00:00:00 to let browsers forget, or days and hours such as 30.00:00:00")),
        }
    });
    let listed = configuration.section("Hsts:ExcludedHosts").children();
    let listed: Vec<_> = listed.iter().filter_map(|item| item.setting()?.value.clone()).collect();
    let excluded = match listed.is_empty() {
        true => EXCLUDED.map(str::to_owned).to_vec(),
        false => listed,
    };
    let hsts = Hsts::new(max_age.unwrap_or(MAX_AGE), sub_domains, preload, excluded);
    let enabled = configuration.setting("Hsts:Enabled").filter(|_| on)?;
    Some(Sourced::new(hsts, enabled.origin.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[(&str, &str)]) -> (StageSettings, Vec<Problem>) {
        let arguments = settings.iter().map(|(key, value)| format!("--{key}={value}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        (read(&load(&inputs).configuration, &mut problems), problems)
    }

    #[test]
    fn nothing_is_on_unless_it_is_asked_for() {
        for settings in [&[][..], &[("AllowedHosts", "*")], &[("Hsts:MaxAge", "1.00:00:00")]] {
            assert_eq!(read_of(settings), (StageSettings::default(), Vec::new()), "{settings:?}");
        }
    }

    #[test]
    fn an_entry_that_no_host_can_match_is_told_with_what_to_write() {
        for (list, fixes) in [
            ("a.example;*.b.example;[::1];bücher.example", &[][..]),
            ("a.example; b.example", &["write b.example"]),
            ("a.example:5000;[::1]:80", &["write a.example", "write [::1]"]),
            ("https://a.example/b", &["write a.example"]),
        ] {
            let (settings, problems) = read_of(&[("AllowedHosts", list)]);
            assert!(settings.allowed_hosts.is_some());
            let told: Vec<_> = problems.iter().filter_map(|it| it.fix.as_deref()).collect();
            assert_eq!(told, fixes, "{list}");
        }
    }

    #[test]
    fn hsts_is_what_its_section_says() {
        let (settings, problems) = read_of(&[
            ("Hsts:Enabled", "true"),
            ("Hsts:MaxAge", "365.00:00:00"),
            ("Hsts:IncludeSubDomains", "true"),
            ("Hsts:Preload", "true"),
            ("Hsts:ExcludedHosts:0", "b.example"),
        ]);
        let year = Duration::from_secs(365 * 24 * 3600);
        let expected = Hsts::new(year, true, true, vec!["b.example".to_owned()]);
        assert_eq!(settings.hsts.map(|hsts| hsts.value), Some(expected));
        assert_eq!(problems, []);
        let (_, problems) = read_of(&[("Hsts:MaxAge", "-1.00:00:00"), ("Hsts:Enabled", "yes")]);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
