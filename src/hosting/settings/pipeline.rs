//! The settings of the stages that requests go through.

use std::time::Duration;

use super::allowed_hosts::allowed_hosts;
use super::forwarded_headers::{self, ForwardedHeadersSettings};
use super::limits::span;
use super::parse::{read_boolean, read_with, shown};
use crate::configuration::text::Span;
use crate::configuration::{Configuration, Problem, Sourced};
use crate::middleware::{AllowedHosts, Directive, Hsts};

/// What the configuration says of the stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageSettings {
    /// `AllowedHosts`; `None` lets every host pass.
    pub(crate) allowed_hosts: Option<Sourced<AllowedHosts>>,
    /// What proxies are believed, if any is.
    pub(crate) forwarded_headers: Option<ForwardedHeadersSettings>,
    /// `Hsts`, if it is on.
    pub(crate) hsts: Option<Sourced<Hsts>>,
}

/// Reads them all.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> StageSettings {
    StageSettings {
        allowed_hosts: allowed_hosts(configuration, problems),
        forwarded_headers: forwarded_headers::read(configuration, problems),
        hsts: hsts(configuration, problems),
    }
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
                "'{}' is less than nothing, and no age.",
                shown(&setting.key, text)
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
    let directives = [(sub_domains, Directive::IncludeSubDomains), (preload, Directive::Preload)];
    let directives = directives.into_iter().filter_map(|(on, it)| on.then_some(it));
    let hsts = Hsts::new(max_age.unwrap_or(MAX_AGE), directives, excluded);
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
    fn proxies_are_believed_by_the_switch_or_by_the_section() {
        let this_machine = ["127.0.0.1", "127.9.9.9", "::1"];
        for (settings, believes, not) in [
            (&[("ForwardedHeaders_Enabled", "True")][..], &["192.0.2.1", "::1"][..], &[][..]),
            (&[("ForwardedHeaders:Enabled", "true")], &this_machine, &["192.0.2.1"]),
            (
                &[
                    ("ForwardedHeaders_Enabled", "true"),
                    ("ForwardedHeaders:KnownProxies:0", "192.0.2.1"),
                ],
                &["192.0.2.1"],
                &["192.0.2.2", "::1", "127.0.0.1"],
            ),
            (
                &[
                    ("ForwardedHeaders:Enabled", "true"),
                    ("ForwardedHeaders:KnownProxies:0", "2001:db8::1"),
                    ("ForwardedHeaders:KnownIPNetworks:0", "10.0.0.0/8"),
                ],
                &["2001:db8::1", "10.1.2.3", "::ffff:10.1.2.3"],
                &["127.0.0.1", "2001:db8::2"],
            ),
        ] {
            let (read, problems) = read_of(settings);
            assert_eq!(problems, []);
            let believed = read.forwarded_headers.expect("it is on").believed;
            assert!(believed.client.is_some() && believed.scheme.is_some());
            assert!(believed.host.is_none() && believed.path_base.is_none());
            assert_eq!(believed.limit, Some(1));
            for (addresses, expected) in [(believes, true), (not, false)] {
                for address in addresses {
                    let has = believed.proxies.have(address.parse().unwrap());
                    assert_eq!(has, expected, "{address} with {settings:?}");
                }
            }
        }
        for off in [
            ("ForwardedHeaders_Enabled", "false"),
            ("ForwardedHeaders_Enabled", "1"),
            ("ForwardedHeaders:KnownProxies:0", "192.0.2.1"),
        ] {
            assert_eq!(read_of(&[off]).0, StageSettings::default(), "{off:?}");
        }
        let none =
            [("ForwardedHeaders:Enabled", "true"), ("ForwardedHeaders:ForwardedHeaders", "None")];
        assert_eq!(read_of(&none), (StageSettings::default(), Vec::new()));
    }

    #[test]
    fn what_cannot_be_a_proxy_is_told_with_what_to_write() {
        for (name, text, fix) in [
            ("KnownProxies:0", "10.0.0.0/8", "move it to ForwardedHeaders:KnownIPNetworks"),
            ("KnownProxies:0", "10.0.0.1:80", "write 10.0.0.1"),
            ("KnownProxies:0", "[::1]:80", "write ::1"),
            ("KnownProxies:0", "[::1]", "write ::1"),
            ("KnownProxies:0", "nginx", "write the address that the proxy connects from"),
            (
                "KnownIPNetworks:0",
                "10.0.0.1",
                "write 10.0.0.1/32, or move it to ForwardedHeaders:KnownProxies",
            ),
            ("KnownIPNetworks:0", "10.0.0.1/8", "write 10.0.0.0/8"),
            ("KnownIPNetworks:0", "2001:db8::1/32", "write 2001:db8::/32"),
            ("KnownIPNetworks:0", "10.0.0.1/33", "write 10.0.0.1/32 for this one address"),
            (
                "KnownIPNetworks:0",
                "10.0.0.0/255.0.0.0",
                "write its first address and how many bits count: 10.0.0.0/8",
            ),
            ("AllowedHosts:0", "a.example:80", "write a.example"),
            ("ForwardedHeaders", "XForwardedFor, XForwardedPrato", "write XForwardedProto"),
            (
                "ForwardLimit",
                "all",
                "write the number of proxies in a row, or nothing for any number",
            ),
            (
                "ForwardedForHeaderName",
                "X Real IP",
                "write the name of a header, such as X-Forwarded-For, or remove it",
            ),
        ] {
            let key = format!("ForwardedHeaders:{name}");
            let (_, problems) = read_of(&[(&key, text)]);
            let [problem] = &problems[..] else { panic!("{key}={text}: {problems:?}") };
            assert_eq!(problem.fix.as_deref(), Some(fix), "{key}={text}");
            assert_eq!(problem.key.as_deref(), Some(&*key));
        }
    }

    #[test]
    fn an_empty_limit_is_none() {
        let settings =
            [("ForwardedHeaders:Enabled", "true"), ("ForwardedHeaders:ForwardLimit", "")];
        let believed = read_of(&settings).0.forwarded_headers.expect("it is on").believed;
        assert_eq!(believed.limit, None);
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
        let expected = Hsts::new(
            year,
            [Directive::IncludeSubDomains, Directive::Preload],
            vec!["b.example".to_owned()],
        );
        assert_eq!(settings.hsts.map(|hsts| hsts.value), Some(expected));
        assert_eq!(problems, []);
        let (_, problems) = read_of(&[("Hsts:MaxAge", "-1.00:00:00"), ("Hsts:Enabled", "yes")]);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
