//! The settings of the stages that requests go through.

use std::time::Duration;

use super::access_log::{self, AccessLogSettings};
use super::allowed_hosts::{allowed_hosts, tell_if_never_exactly};
use super::cors::{self, CodeCors};
use super::error_pages::{self, ErrorPages};
use super::forwarded_headers::{self, ForwardedHeadersSettings};
use super::limits::span;
use super::parse::{read_boolean, read_with, shown};
use super::static_files::StaticFilesSettings;
use super::switched::Switched;
use super::switches::without_switch;
use super::{
    address_filter, answer_headers, basic_authentication, child_process, health_checks,
    http_logging, https_redirection, path_base, rate_limiter, request_decompression,
    request_timeouts, response_compression, reverse_proxy, rewrite, stage_values, w3c_logging,
};
use crate::apps::child_process::options::ChildOptions;
use crate::apps::reverse_proxy::options::ProxyOptions;
use crate::configuration::text::Span;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Section, Sourced};
use crate::middleware::static_files::Behind;
use crate::middleware::{
    AddressFilterOptions, AllowedHosts, AnswerHeaders, BasicAuthentication, Cors, Directive,
    HealthCheckOptions, Hsts, HttpLogging, PathBase, ProcessManagerOptions, RateLimiterOptions,
    Redirection, RequestDecompression, RequestSizeLimit, RequestTimeoutOptions,
    ResponseCompression, Rewrite, SitePlace, W3cLogging,
};
use crate::tls::CertificateSource;

/// What the configuration says of the stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageSettings {
    /// `Headers`, if it is on.
    pub(crate) answer_headers: Option<Switched<AnswerHeaders>>,
    /// `HealthChecks`, if it is on.
    pub(crate) health_checks: Option<Switched<HealthCheckOptions>>,
    /// `AllowedHosts`; `None` lets every host pass.
    pub(crate) allowed_hosts: Option<Sourced<AllowedHosts>>,
    /// What proxies are believed, if any is.
    pub(crate) forwarded_headers: Option<ForwardedHeadersSettings>,
    /// `AddressFilter`, if it is on.
    pub(crate) address_filter: Option<Switched<AddressFilterOptions>>,
    /// What a process manager has told this process; `None` of a site, which has none of its own.
    pub(crate) process_manager: Option<Switched<ProcessManagerOptions>>,
    /// The pages for failures and statuses that are on.
    pub(crate) error_pages: ErrorPages,
    /// `HttpLogging`, if it is on.
    pub(crate) http_logging: Option<Switched<HttpLogging>>,
    /// `AccessLog`, if it is on.
    pub(crate) access_log: Option<Switched<AccessLogSettings>>,
    /// `W3CLogging`, if it is on.
    pub(crate) w3c_logging: Option<Switched<W3cLogging>>,
    /// `PathBase`, if it is set.
    pub(crate) path_base: Option<Switched<PathBase>>,
    /// `Hsts`, if it is on.
    pub(crate) hsts: Option<Sourced<Hsts>>,
    /// `HttpsRedirection`, if it is on.
    pub(crate) https_redirection: Option<Switched<Redirection>>,
    /// `Rewrite`, if it is on.
    pub(crate) rewrite: Option<Switched<Rewrite>>,
    /// `Limits:MaxRequestBodySize` of a site; at the top it is the server's.
    pub(crate) body_limit: Option<Switched<RequestSizeLimit>>,
    /// `ResponseCompression`, if it is on.
    pub(crate) response_compression: Option<Switched<ResponseCompression>>,
    /// `RequestDecompression`, if it is on.
    pub(crate) request_decompression: Option<Switched<RequestDecompression>>,
    /// `Cors`, if it is on.
    pub(crate) cors: Option<Switched<Cors>>,
    /// `BasicAuthentication`, if it is on.
    pub(crate) basic_authentication: Option<Switched<BasicAuthentication>>,
    /// `RateLimiter`, if it is on.
    pub(crate) rate_limiter: Option<Switched<RateLimiterOptions>>,
    /// `RequestTimeouts`, if it is on.
    pub(crate) request_timeouts: Option<Switched<RequestTimeoutOptions>>,
    /// `ReverseProxy`, if it has a route.
    pub(crate) reverse_proxy: Option<Switched<ProxyOptions>>,
    /// `AspNetCore`, if it is on.
    pub(crate) child_process: Option<Switched<ChildOptions>>,
    /// Why what `AspNetCore` names can never start.
    pub(crate) cannot_start: Vec<Problem>,
    /// What is served from the web root, if anything is.
    pub(crate) static_files: Option<StaticFilesSettings>,
    /// `Sites`, if there is one.
    pub(crate) sites: Option<SitesSettings>,
    /// What they go by, in words.
    pub(crate) values: StageValues,
}

/// Sites on the addresses of the host, told apart by host and path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SitesSettings {
    /// In the order of their names.
    pub(crate) sites: Vec<SiteSettings>,
    /// Whether nothing answers what is for none of them.
    pub(crate) is_last: bool,
}

/// A site.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SiteSettings {
    pub(crate) name: String,
    /// Where it was set.
    pub(crate) origin: Origin,
    pub(crate) place: SitePlace,
    /// What https serves for its names; `None` leaves that to the endpoints.
    pub(crate) certificate: Option<CertificateSource>,
    /// What its requests go through.
    pub(crate) stages: Box<StageSettings>,
}

/// What the stages go by, in words, each with where it was set; nothing of one that is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StageValues {
    pub(crate) allowed_hosts: Vec<Sourced<String>>,
    pub(crate) forwarded_headers: Vec<Sourced<String>>,
    pub(crate) hsts: Vec<Sourced<String>>,
}

impl StageSettings {
    /// Adds sites to those that there are; `is_last` is for the case that there are none.
    pub(crate) fn add_sites(&mut self, more: Vec<SiteSettings>, is_last: bool) {
        if more.is_empty() {
            return;
        }
        let none = || SitesSettings { sites: Vec::new(), is_last };
        self.sites.get_or_insert_with(none).sites.extend(more);
    }

    /// Why what they are to run can never start, in any of the sites.
    pub(crate) fn cannot_start(&self) -> impl Iterator<Item = &Problem> {
        let sites = self.sites.iter().flat_map(|it| &it.sites);
        self.cannot_start.iter().chain(sites.flat_map(|it| &it.stages.cannot_start))
    }

    /// Whether the host has something to answer with besides files of its own and an app.
    pub(crate) fn answers_without_files(&self) -> bool {
        self.child_process.is_some() || self.reverse_proxy.is_some() || self.sites.is_some()
    }

    /// Files come before routes: what is no file may have one, and what a destination answers is no lack of one.
    pub(super) fn files_before_routes(&mut self) {
        let (Some(files), Some(proxy)) = (&mut self.static_files, &mut self.reverse_proxy) else {
            return;
        };
        let options = &mut files.options;
        options.behind = Behind::App;
        proxy.value.marks_answers = options.fallback.is_some() || options.not_found_page.is_some();
    }
}

/// Reads them all.
pub(super) fn read(loaded: &Loaded, code: &CodeCors, problems: &mut Vec<Problem>) -> StageSettings {
    let configuration = &loaded.configuration;
    let hosts = allowed_hosts(configuration, problems);
    let forwarded_headers = forwarded_headers::read(configuration, problems);
    let hsts = hsts(configuration, problems);
    let values = StageValues {
        allowed_hosts: hosts.as_ref().map_or_else(Vec::new, |(hosts, list)| {
            stage_values::of_host_filtering(configuration, (hosts, list))
        }),
        forwarded_headers: forwarded_headers
            .as_ref()
            .map_or_else(Vec::new, |it| stage_values::of_forwarded_headers(configuration, it)),
        hsts: hsts
            .as_ref()
            .map_or_else(Vec::new, |it| stage_values::of_hsts(configuration, &it.value)),
    };
    let allowed_hosts = hosts.map(|(hosts, _)| hosts);
    let path_base = path_base::read(configuration, problems);
    let below = path_base.as_ref().map(|it| it.value.text());
    let child_process = child_process::read(loaded, below, problems);
    let mut reverse_proxy = reverse_proxy::read(loaded, problems);
    if let (Some(proxy), Some(_)) = (&mut reverse_proxy, &child_process) {
        // What has no route is for the program.
        proxy.value.is_last = false;
    }
    let settings = StageSettings {
        answer_headers: answer_headers::read(configuration, problems),
        health_checks: health_checks::read(configuration, problems),
        allowed_hosts,
        forwarded_headers,
        address_filter: address_filter::read(configuration, problems),
        process_manager: None,
        error_pages: error_pages::read(loaded, problems),
        http_logging: http_logging::read(configuration, problems),
        access_log: access_log::read(loaded, problems),
        w3c_logging: w3c_logging::read(loaded, problems),
        path_base,
        hsts,
        https_redirection: https_redirection::read(configuration, problems),
        rewrite: rewrite::read(configuration, problems),
        body_limit: None,
        response_compression: response_compression::read(configuration, problems),
        request_decompression: request_decompression::read(configuration, problems),
        cors: cors::read(configuration, code, problems),
        basic_authentication: basic_authentication::read(loaded, problems),
        rate_limiter: rate_limiter::read(configuration, problems),
        request_timeouts: request_timeouts::read(configuration, problems),
        reverse_proxy,
        cannot_start: child_process
            .as_ref()
            .map_or_else(Vec::new, |it| child_process::cannot_start(loaded, &it.value)),
        child_process,
        static_files: None,
        sites: None,
        values,
    };
    problems.extend(without_switch(
        configuration,
        "ForwardedHeaders",
        &["ForwardedHeaders_Enabled"],
    ));
    for section in [
        "AccessLog",
        "AddressFilter",
        "BasicAuthentication",
        "Cors",
        "ExceptionHandler",
        "Headers",
        "HealthChecks",
        "Hsts",
        "HttpLogging",
        "HttpsRedirection",
        "RequestDecompression",
        "RateLimiter",
        "RequestTimeouts",
        "ResponseCompression",
        "Rewrite",
        "StatusCodePages",
        "W3CLogging",
    ] {
        problems.extend(without_switch(configuration, section, &[]));
    }
    settings
}

/// How long browsers come back by HTTPS only, unless configured.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Hosts of the machine itself, which other programs than this one use by HTTP. They are left out in any
/// case, by all their names.
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
    for setting in listed.iter().filter_map(Section::setting) {
        let host = setting.value.as_deref().filter(|host| !host.is_empty());
        problems.extend(host.and_then(|host| tell_if_never_exactly(setting, host)));
    }
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
        (read(&load(&inputs), &CodeCors::default(), &mut problems), problems)
    }

    #[test]
    fn nothing_is_on_unless_it_is_asked_for() {
        let off = [("Hsts:MaxAge", "1.00:00:00"), ("Hsts:Enabled", "false")];
        for settings in [&[][..], &[("AllowedHosts", "*")], &off] {
            assert_eq!(read_of(settings), (StageSettings::default(), Vec::new()), "{settings:?}");
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
