//! What all settings come to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::beside::all_beside;
use crate::addresses::{self, PlannedEndpoint};
use crate::apps::child_process::options::ChildOptions;
use crate::apps::reverse_proxy::options::ProxyOptions;
use crate::configuration::{Inputs, Origin, Problem, load};
use crate::hosting::settings::access_log::AccessLogSettings;
use crate::hosting::settings::error_pages::ErrorPages;
use crate::hosting::settings::{
    CodeEndpoints, HostSettings, LoggingOptions, ServerOptions, SharedCertificates, Switched,
};
use crate::middleware::static_files::StaticFilesOptions;
use crate::middleware::{
    AddressFilterOptions, AllowedHosts, AnswerHeaders, BasicAuthentication, Believed, Cors,
    HealthCheckOptions, Hsts, HttpLogging, PathBase, RateLimiterOptions, Redirection,
    RequestDecompression, RequestSizeLimit, RequestTimeoutOptions, ResponseCompression, Rewrite,
    SitePlace, W3cLogging,
};
use crate::tls::CertificateSource;

/// What all settings come to, without who said so.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    endpoints: Vec<PlannedEndpoint>,
    sites: Vec<(SitePlace, Option<CertificateSource>)>,
    certificates: SharedCertificates,
    server: ServerOptions,
    health_checks: Option<HealthCheckOptions>,
    allowed_hosts: Option<AllowedHosts>,
    believed: Option<Believed>,
    error_pages: ErrorPages,
    path_base: Option<PathBase>,
    hsts: Option<Hsts>,
    https_redirection: Option<Redirection>,
    cors: Option<Cors>,
    address_filter: Option<AddressFilterOptions>,
    basic_authentication: Option<BasicAuthentication>,
    response_compression: Option<ResponseCompression>,
    request_decompression: Option<RequestDecompression>,
    http_logging: Option<HttpLogging>,
    rate_limiter: Option<RateLimiterOptions>,
    request_timeouts: Option<RequestTimeoutOptions>,
    w3c_logging: Option<W3cLogging>,
    answer_headers: Option<AnswerHeaders>,
    reverse_proxy: Option<ProxyOptions>,
    child_process: Option<ChildOptions>,
    rewrite: Option<Rewrite>,
    body_limit: Option<RequestSizeLimit>,
    access_log: Option<AccessLogSettings>,
    static_files: Option<StaticFilesOptions>,
    logging: LoggingOptions,
    shutdown_timeout: Duration,
    reload_on_change: bool,
    folders: [Option<PathBuf>; 2],
    names: [String; 2],
    files: Vec<PathBuf>,
}

/// Reads a setting, and what has to stand beside it.
pub(super) fn outcome(folder: &Path, key: &str, text: Option<&str>) -> (Outcome, Vec<Problem>) {
    let set = text.map(|text| (key.to_owned(), text));
    let all = all_beside(key).into_iter().chain(set);
    let inputs = Inputs {
        arguments: all.map(|(key, text)| format!("--{key}={text}")).enumerate().collect(),
        variables: vec![("HOME".to_owned(), "/home/somebody".to_owned())],
        current_directory: folder.to_owned(),
        ..Inputs::default()
    };
    let loaded = load(&inputs);
    let settings = HostSettings::read(&loaded, CodeEndpoints::default(), |_| {});
    let plan = addresses::plan(&settings.endpoints);
    let mut problems = settings.problems;
    problems.extend(plan.warnings);
    problems.extend(plan.problems.into_iter().map(|wrong| wrong.problem));
    let endpoint = |it: PlannedEndpoint| PlannedEndpoint { origin: Origin::Default, ..it };
    let mut sites = settings.stages.sites.clone().map_or_else(Vec::new, |it| it.sites);
    let places = sites.iter().map(|it| (it.place.clone(), it.certificate.clone())).collect();
    let stages = match sites.pop() {
        Some(site) => site.stages,
        None => settings.stages,
    };
    let outcome = Outcome {
        sites: places,
        endpoints: plan.endpoints.into_iter().map(endpoint).collect(),
        certificates: settings.certificates,
        server: settings.server,
        health_checks: stages.health_checks.map(|it| it.value),
        allowed_hosts: stages.allowed_hosts.map(|hosts| hosts.value),
        believed: stages.forwarded_headers.map(|it| it.believed),
        error_pages: without_origins(stages.error_pages),
        path_base: stages.path_base.map(|it| it.value),
        hsts: stages.hsts.map(|hsts| hsts.value),
        https_redirection: stages.https_redirection.map(|it| it.value),
        cors: stages.cors.map(|it| it.value),
        address_filter: stages.address_filter.map(|it| it.value),
        basic_authentication: stages.basic_authentication.map(|it| it.value),
        response_compression: stages.response_compression.map(|it| it.value),
        answer_headers: stages.answer_headers.map(|it| it.value),
        reverse_proxy: stages.reverse_proxy.map(|it| it.value),
        child_process: stages.child_process.map(|it| it.value),
        rewrite: stages.rewrite.map(|it| it.value),
        body_limit: stages.body_limit.map(|it| it.value),
        request_decompression: stages.request_decompression.map(|it| it.value),
        http_logging: stages.http_logging.map(|it| it.value),
        rate_limiter: stages.rate_limiter.map(|it| it.value),
        request_timeouts: stages.request_timeouts.map(|it| it.value),
        w3c_logging: stages.w3c_logging.map(|it| it.value),
        access_log: stages.access_log.map(|it| it.value),
        static_files: stages.static_files.map(|it| it.options),
        logging: settings.logging,
        shutdown_timeout: settings.shutdown_timeout,
        reload_on_change: settings.reload_on_change,
        folders: [Some(loaded.content_root.value), settings.web_root.map(|root| root.value)],
        names: [loaded.environment.value, loaded.application_name.value],
        files: loaded.files.into_iter().map(|file| file.path).collect(),
    };
    (outcome, problems)
}

/// The same without who said it, and in which words it is shown.
fn without_origins(mut pages: ErrorPages) -> ErrorPages {
    fn plain<T>(it: &mut Option<Switched<T>>) {
        if let Some(it) = it {
            (it.key, it.origin, it.shown) = ("", Origin::Default, Vec::new());
        }
    }
    plain(&mut pages.developer_page);
    plain(&mut pages.exception_handler);
    plain(&mut pages.status_pages);
    pages
}
