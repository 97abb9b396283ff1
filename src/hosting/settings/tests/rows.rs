//! No row of the table says what is not so: each key is set to its default, to other values and to
//! some that cannot be, and what the readers make of it is looked at.

use std::path::PathBuf;

use super::*;
use crate::addresses::{self, PlannedEndpoint};
use crate::apps::child_process::options::ChildOptions;
use crate::apps::reverse_proxy::options::ProxyOptions;
use crate::configuration::text::seconds_text;
use crate::configuration::{Origin, keys_equal, speaks_of_secrets};
use crate::hosting::settings::access_log::AccessLogSettings;
use crate::hosting::settings::error_pages::ErrorPages;
use crate::hosting::settings::keys::{self, Default, Holds, Key, Kind, Meaning};
use crate::middleware::static_files::StaticFilesOptions;
use crate::middleware::{
    AddressFilterOptions, AllowedHosts, AnswerHeaders, BasicAuthentication, Believed, Cors,
    HealthCheckOptions, Hsts, HttpLogging, PathBase, RateLimiterOptions, Redirection,
    RequestDecompression, RequestSizeLimit, RequestTimeoutOptions, ResponseCompression, Rewrite,
    SitePlace, W3cLogging,
};
use crate::tls::CertificateSource;

/// A row with its key, and the key as it can be set.
struct Row {
    pattern: String,
    key: String,
    row: &'static Key,
    effect: Effect,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    keys::each(|pattern, row, effect| {
        let key = pattern
            .replace("{Name}", "A")
            .replace("{Host}", "www.example.com")
            .replace("{Number}", "0")
            .replace("{Provider}", "Seq")
            .replace("{Policy}", "default")
            .replace("{Pattern}", "*.css")
            .replace("{Header}", "X-A")
            .replace("{User}", "alice")
            .replace("{Route}", "A")
            .replace("{Cluster}", "A")
            .replace("{Destination}", "A")
            .replace("{Variable}", "A")
            .replace("{Metadata}", "M")
            .replace("{Transform}", "PathSet")
            .replace("{Category}", "Some.Category");
        assert!(!key.contains('{'), "{pattern}: a name for that is missing here");
        rows.push(Row { pattern: pattern.to_owned(), key, row, effect });
    });
    assert!(rows.len() > 100);
    rows
}

/// The texts that are read.
fn texts() -> impl Iterator<Item = (Row, Kind)> {
    rows().into_iter().filter_map(|row| match row.row.holds {
        Holds::Text(kind) | Holds::TextOrList(kind)
            if row.row.is_read() && !is_told_without_effect(&row) =>
        {
            Some((row, kind))
        }
        _ => None,
    })
}

/// Whether the feature that reads it is not there.
fn is_told_without_effect(row: &Row) -> bool {
    matches!(row.row.meaning, Meaning::NotYet(_))
}

/// The key as it would be at the top, if it is one of a site.
fn at_the_top(key: &str) -> &str {
    key.strip_prefix(SITE).unwrap_or(key)
}

const SITE: &str = "Sites:A:";

/// What has to be said beside a key, which may be one of a site, for it to count.
fn all_beside(key: &str) -> Vec<(String, &'static str)> {
    let Some(key) = key.strip_prefix(SITE) else { return beside(key) };
    let of_site = beside(key).into_iter().filter(|(it, _)| !it.starts_with("Kestrel:"));
    let host = (key != "Hosts").then(|| ("Hosts:0".to_owned(), "a.example"));
    of_site.chain(host).map(|(it, text)| (format!("{SITE}{it}"), text)).collect()
}

/// What has to be said beside a key for it to count.
fn beside(key: &str) -> Vec<(String, &'static str)> {
    let endpoint = "Kestrel:Endpoints:A:Url";
    let (url, more) = match key {
        "http_ports" | "https_ports" | "urls" | "Kestrel:Endpoints:A:Url" => (None, vec![]),
        "preferHostingUrls" => {
            (Some("http://127.0.0.1:6001"), vec![("urls", "http://127.0.0.1:6002")])
        }
        "UserSecretsId" => (None, vec![("environment", "Development")]),
        "HealthChecks:Enabled" => (None, vec![]),
        key if key.starts_with("HealthChecks:") => (None, vec![("HealthChecks:Enabled", "true")]),
        "Hsts:Enabled" | "ForwardedHeaders:Enabled" | "HttpsRedirection:Enabled" => (None, vec![]),
        "StatusCodePages:Enabled" | "DeveloperExceptionPage:Enabled" => (None, vec![]),
        "ExceptionHandler:Enabled" => (None, vec![("ProblemDetails:Enabled", "true")]),
        "ProblemDetails:Enabled" => (None, vec![("StatusCodePages:Enabled", "true")]),
        key if key.starts_with("StatusCodePages:") => {
            (None, vec![("StatusCodePages:Enabled", "true")])
        }
        "ExceptionHandler:Path" => {
            let problems = ("ProblemDetails:Enabled", "true");
            (None, vec![("ExceptionHandler:Enabled", "true"), problems])
        }
        "ForwardedHeaders:ForwardedHeaders" => (None, vec![("ForwardedHeaders:Enabled", "true")]),
        key if key.starts_with("ForwardedHeaders:") => {
            let all = ("ForwardedHeaders:ForwardedHeaders", "All");
            (None, vec![("ForwardedHeaders:Enabled", "true"), all])
        }
        "AddressFilter:Enabled" => (None, vec![("AddressFilter:Deny:0", "192.0.2.1")]),
        key if key.starts_with("AddressFilter:") => (None, vec![("AddressFilter:Enabled", "true")]),
        "BasicAuthentication:Enabled" => {
            (None, vec![("BasicAuthentication:Passwords:alice", "sesame")])
        }
        key if key.starts_with("BasicAuthentication:Passwords:") => {
            (None, vec![("BasicAuthentication:Enabled", "true")])
        }
        key if key.starts_with("BasicAuthentication:") => {
            let user = ("BasicAuthentication:Passwords:alice", "sesame");
            (None, vec![("BasicAuthentication:Enabled", "true"), user])
        }
        "Cors:Enabled" => (None, vec![("Cors:Policies:default:Origins:0", "https://b")]),
        "Cors:DefaultPolicyName" => {
            let other = ("Cors:Policies:other:Origins:0", "https://b");
            (None, vec![("Cors:Enabled", "true"), ("Cors:Policies:default:Origins:0", "*"), other])
        }
        "Cors:Policies:default:AllowWildcardSubdomains" => (
            None,
            vec![("Cors:Enabled", "true"), ("Cors:Policies:default:Origins:0", "https://*.b")],
        ),
        key if key.starts_with("RateLimiter:") => return beside_limit(key),
        "RequestTimeouts:DefaultTimeout" | "RequestTimeouts:DefaultPolicy:Timeout" => {
            (None, vec![("RequestTimeouts:Enabled", "true")])
        }
        key if key.starts_with("RequestTimeouts:Policies:") => {
            let policy = "RequestTimeouts:Policies:default";
            let timeout = (format!("{policy}:Timeout"), "00:00:30");
            let path = (format!("{policy}:Paths:1"), "/b");
            let on = ("RequestTimeouts:Enabled".to_owned(), "true");
            return [on, timeout, path].into_iter().filter(|(it, _)| it != key).collect();
        }
        key if key.starts_with("RequestTimeouts:") => {
            let on = ("RequestTimeouts:Enabled", "true");
            let timeout = ("RequestTimeouts:DefaultTimeout", "00:00:30");
            (None, [on, timeout].into_iter().filter(|(it, _)| *it != key).collect())
        }
        "ResponseCompression:Enabled" => (None, vec![]),
        key if key.starts_with("ResponseCompression:") => {
            (None, vec![("ResponseCompression:Enabled", "true")])
        }
        "Headers:Enabled" => (None, vec![("Headers:Set:X-A", "a")]),
        key if key.starts_with("Headers:") => {
            (None, vec![("Headers:Enabled", "true"), ("Headers:Set:X-B", "b")])
        }
        "Rewrite:Enabled" => {
            let to = ("Rewrite:Rules:0:Redirect", "/to");
            (None, vec![("Rewrite:Rules:0:Path", "/from"), to])
        }
        key if key.starts_with("Rewrite:Rules:0:") => {
            let mut rule = vec![("Rewrite:Enabled", "true")];
            match key.rsplit(':').next().unwrap_or_default() {
                "Path" | "Prefix" | "Pattern" | "StatusCode" | "0" => {
                    rule.push(("Rewrite:Rules:0:Redirect", "/to"));
                }
                "SkipRemainingRules" => rule.push(("Rewrite:Rules:0:Rewrite", "/to")),
                "Www" | "Https" => rule.push(("Rewrite:Rules:0:Hosts:0", "a.example")),
                _ => {}
            }
            (None, rule)
        }
        "RequestDecompression:Enabled" => (None, vec![]),
        key if key.starts_with("RequestDecompression:") => {
            (None, vec![("RequestDecompression:Enabled", "true")])
        }
        key if key.starts_with("Cors:") => {
            let origin = ("Cors:Policies:default:Origins:1", "https://b");
            (None, vec![("Cors:Enabled", "true"), origin])
        }
        "https_port" => (None, vec![("HttpsRedirection:Enabled", "true")]),
        key if key.starts_with("HttpsRedirection:") => {
            (None, vec![("HttpsRedirection:Enabled", "true")])
        }
        key if key.starts_with("AspNetCore:") => return beside_program(key),
        key if key.starts_with("ReverseProxy:") => return beside_proxy(key),
        "StaticFiles:Enabled" | "DirectoryBrowser:Enabled" => (None, vec![]),
        "StaticFiles:DefaultContentType" => {
            let unknown = ("StaticFiles:ServeUnknownFileTypes", "true");
            (None, vec![("StaticFiles:Enabled", "true"), unknown])
        }
        key if key.starts_with("StaticFiles:") || key.starts_with("DefaultFiles:") => {
            (None, vec![("StaticFiles:Enabled", "true")])
        }
        key if key.starts_with("DirectoryBrowser:") => {
            (None, vec![("DirectoryBrowser:Enabled", "true")])
        }
        "HttpLogging:Enabled" | "W3CLogging:Enabled" | "AccessLog:Enabled" => (None, vec![]),
        key if key.starts_with("AccessLog:") => (None, vec![("AccessLog:Enabled", "true")]),
        key if key.starts_with("W3CLogging:") => (None, vec![("W3CLogging:Enabled", "true")]),
        key if key.starts_with("HttpLogging:") => (None, vec![("HttpLogging:Enabled", "true")]),
        key if key.starts_with("Hsts:") => (None, vec![("Hsts:Enabled", "true")]),
        "Logging:CaptureScopes" => {
            (None, vec![("Logging:Console:FormatterOptions:IncludeScopes", "true")])
        }
        key if key.contains(":UnixSocket:") => (Some("http://unix:/tmp/kestrel-rows.sock"), vec![]),
        key if key.contains(":A:Known") => {
            (Some("https://127.0.0.1:6001"), vec![("Kestrel:Endpoints:A:ProxyProtocol", "true")])
        }
        _ => (Some("https://127.0.0.1:6001"), vec![]),
    };
    let certificate = key.rsplit_once(':').and_then(|(section, name)| match name {
        "KeyPath" | "Password" if !section.ends_with(":Development") => {
            Some((section, "Path", "a.pem"))
        }
        "Store" | "Location" | "AllowInvalid" => Some((section, "Subject", "a")),
        _ => None,
    });
    let url = url.map(|url| (endpoint.to_owned(), url));
    let certificate = certificate.map(|(section, name, text)| (format!("{section}:{name}"), text));
    let more = more.into_iter().map(|(key, text)| (key.to_owned(), text));
    url.into_iter().chain(certificate).chain(more).collect()
}

/// What has to be said beside a key of a limiter: all that its kind reads.
fn beside_limit(key: &str) -> Vec<(String, &'static str)> {
    let (section, name) = key.rsplit_once(':').unwrap_or(("", key));
    let limiter = match name {
        "SegmentsPerWindow" => "SlidingWindow",
        "TokenLimit" | "TokensPerPeriod" | "ReplenishmentPeriod" => "TokenBucket",
        _ => "FixedWindow",
    };
    let by = if name == "HeaderName" { "Header" } else { "ClientAddress" };
    let section = match section {
        "RateLimiter" => "RateLimiter:GlobalLimiter",
        list => list.strip_suffix(":Paths").unwrap_or(list),
    };
    let mut beside = vec![("RateLimiter:Enabled".to_owned(), "true")];
    let path = section.contains(":Policies:").then_some(("Paths:1", "/b"));
    let all = [
        ("Limiter", limiter),
        ("PartitionBy", by),
        ("HeaderName", "X-A"),
        ("PermitLimit", "7"),
        ("Window", "00:00:07"),
        ("SegmentsPerWindow", "7"),
        ("TokenLimit", "7"),
        ("TokensPerPeriod", "7"),
        ("ReplenishmentPeriod", "00:00:07"),
        // The order of a queue is the more plain where there is one.
        ("QueueLimit", "7"),
    ];
    beside.extend(all.into_iter().chain(path).map(|(it, text)| (format!("{section}:{it}"), text)));
    beside.retain(|(it, _)| it != key);
    beside
}

/// What has to be said beside a key of a program: which one, and what the key is read with.
fn beside_program(key: &str) -> Vec<(String, &'static str)> {
    let more = match key {
        "AspNetCore:StdoutLogFile" => Some(("AspNetCore:StdoutLogEnabled", "true")),
        "AspNetCore:Group" => Some(("AspNetCore:User", "0")),
        _ => None,
    };
    let program = ("AspNetCore:ProcessPath", "/bin/sh");
    let beside = [program].into_iter().chain(more).filter(|(it, _)| *it != key);
    beside.map(|(it, text)| (it.to_owned(), text)).collect()
}

/// What has to be said beside a key of the proxy: a route, a cluster and a destination, and what the key is
/// read with.
fn beside_proxy(key: &str) -> Vec<(String, &'static str)> {
    const CLUSTER: &str = "ReverseProxy:Clusters:A";
    const ROUTE: &str = "ReverseProxy:Routes:A";
    let mut beside = vec![
        (format!("{ROUTE}:ClusterId"), "A"),
        (format!("{ROUTE}:Match:Path"), "/x"),
        (format!("{CLUSTER}:Destinations:A:Address"), "http://a.test"),
    ];
    for list in ["Headers", "QueryParameters"] {
        if key.starts_with(&format!("{ROUTE}:Match:{list}:")) {
            beside.push((format!("{ROUTE}:Match:{list}:0:Name"), "X-A"));
            beside.push((format!("{ROUTE}:Match:{list}:0:Values:1"), "v"));
        }
    }
    let affinity = format!("{CLUSTER}:SessionAffinity");
    if key.starts_with(&affinity) {
        beside.push((format!("{affinity}:Enabled"), "true"));
        beside.push((format!("{affinity}:AffinityKeyName"), "k"));
        if key.ends_with(":Key") || key.ends_with(":KeyPath") {
            beside.push((format!("{affinity}:Policy"), "Cookie"));
        }
    }
    for check in ["Active", "Passive"] {
        if key.starts_with(&format!("{CLUSTER}:HealthCheck:{check}:")) {
            beside.push((format!("{CLUSTER}:HealthCheck:{check}:Enabled"), "true"));
        }
    }
    for (section, name, text) in [
        ("HttpClient:WebProxy", "Address", "http://proxy.test"),
        ("HttpClient:ClientCertificate", "Path", "a.pem"),
    ] {
        if key.starts_with(&format!("{CLUSTER}:{section}:")) {
            beside.push((format!("{CLUSTER}:{section}:{name}"), text));
        }
    }
    if key.ends_with(":ClusterId") {
        beside.push(("ReverseProxy:Clusters:other:Metadata:M".to_owned(), "m"));
    }
    beside.retain(|(it, _)| it != key);
    beside
}

/// What all settings come to, without who said so.
#[derive(Debug, PartialEq)]
struct Outcome {
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
fn outcome(folder: &std::path::Path, key: &str, text: Option<&str>) -> (Outcome, Vec<Problem>) {
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

/// Texts that are taken, all but the default.
fn others(key: &str, kind: Kind, default: Default) -> Vec<String> {
    let key = at_the_top(key);
    let all: Vec<String> = match kind {
        Kind::Text if key.starts_with("ReverseProxy:") => vec![of_proxy(key).0.to_owned()],
        Kind::Words(words) if key.contains(":Match:") => {
            // What is there has no value to be compared.
            let compared = words.iter().filter(|word| !word.ends_with("Exists"));
            compared.map(|word| (*word).to_owned()).collect()
        }
        Kind::Text | Kind::Path => {
            let text = match key.rsplit(':').next().unwrap_or_default() {
                "Url" => "http://127.0.0.1:6003",
                "Mode" => "660",
                "Owner" => "0",
                "Group" if !key.starts_with("AspNetCore:") => "0",
                "contentRoot" => "/",
                "File" if key.starts_with("BasicAuthentication:") => "users",
                _ if key.contains("MimeTypes:") || key.contains("MediaTypes:") => "text/other",
                _ if key.contains(":Origins:") => "https://other",
                _ if key.contains(":Paths:") => "/other",
                "PathBase" | "ReExecute" | "LivePath" | "ReadyPath" => "/other",
                "Path" if key.starts_with("ExceptionHandler:") => "/other",
                "Path" | "Prefix" | "Redirect" | "Rewrite" if key.starts_with("Rewrite:") => {
                    "/other"
                }
                "User" | "Group" if key.starts_with("AspNetCore:") => "1",
                "Health" => "/other",
                "Listen" => "3000",
                "Umask" => "077",
                "https_port" => "8443",
                "RequestPath" => "/files",
                "DefaultContentType" => "text/x-other",
                _ if key.contains(":KnownProxies:") => "10.0.0.1",
                _ if key.contains(":KnownIPNetworks:") => "10.0.0.0/8",
                _ if key.contains("AddressFilter:") => "10.0.0.0/8",
                "SampleRate" => "0.5",
                _ if key.contains("ExcludePaths:") => "/other",
                _ => "other",
            };
            vec![text.to_owned()]
        }
        Kind::Separated("ports") => vec!["6003;6004".to_owned()],
        Kind::Separated(_) if key == "Hosts" => vec!["b.example; *.c.example:81".to_owned()],
        Kind::Separated(_) => vec!["http://127.0.0.1:6003;http://127.0.0.1:6004".to_owned()],
        Kind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        Kind::Words(words) | Kind::Flags(words) => {
            words.iter().map(|word| (*word).to_owned()).collect()
        }
        Kind::ErrorStatus => vec!["418".to_owned()],
        Kind::Number(_, range) => [0, 77].map(|more| (range.least() + more).to_string()).to_vec(),
        Kind::Size => vec!["77".to_owned(), "1.5MiB".to_owned()],
        Kind::Seconds(..) => vec!["77".to_owned(), "00:03:03".to_owned()],
        Kind::Time(_) | Kind::TimeLimit(_) => vec!["00:03:03".to_owned()],
        Kind::Limit(_, rule) => {
            let default = rule.default().unwrap_or(0);
            vec![(default + 1).to_string(), rule.range().0.max(default).to_string()]
        }
    };
    let default = default_text(kind, default);
    all.into_iter().filter(|text| Some(text.as_str()) != default.as_deref()).collect()
}

/// A text of the proxy's that is taken, and one that is not, if there is one.
fn of_proxy(key: &str) -> (&'static str, Option<&'static str>) {
    match key.rsplit(':').next().unwrap_or_default() {
        "Order" | "MaxRequestBodySize" => ("7", Some("x")),
        "TimeoutPolicy" | "RateLimiterPolicy" | "CorsPolicy" => ("Disable", Some("nobody's")),
        "Address" | "Health" => ("http://other", Some("other")),
        "Name" | "AffinityKeyName" if !key.contains(":Query") => ("other", Some("a b")),
        "Host" => ("other", Some("a b")),
        "ClusterId" => ("other", Some("nobody's")),
        "Key" => ("0123456789abcdef", Some("short")),
        "Path" if key.contains(":Match:") => ("/other", Some("/{a")),
        "Path" | "Domain" if key.contains(":Cookie:") => ("other", Some("a;b")),
        _ if key.contains(":Hosts:") => ("other", Some("a b")),
        _ => ("other", None),
    }
}

/// Texts that are not taken.
fn wrong(key: &str, kind: Kind) -> Vec<String> {
    let key = at_the_top(key);
    let text = |text: &str| vec![text.to_owned()];
    match kind {
        Kind::Text if key.starts_with("ReverseProxy:") => {
            of_proxy(key).1.into_iter().map(str::to_owned).collect()
        }
        Kind::Text if key.ends_with(":Mode") => text("9"),
        Kind::Text if key.ends_with(":Url") => text("htp://a"),
        // Who is there is the machine's to say.
        Kind::Text if [":Owner", ":User", ":Group"].iter().any(|it| key.ends_with(it)) => {
            text("no such account")
        }
        Kind::Text if key == "AspNetCore:Arguments" => text("a 'b"),
        Kind::Text
            if ["Listen", "Health", "Umask"].iter().any(|it| key == format!("AspNetCore:{it}")) =>
        {
            text("other")
        }
        Kind::Text if key.contains(":KnownProxies:") => text("10.0.0.0/8"),
        Kind::Text if key.contains(":KnownIPNetworks:") => text("10.0.0.1"),
        Kind::Text if key.contains("AddressFilter:") => text("10.0.0.1/8"),
        Kind::Text if key.ends_with(":RequestPath") => text("files"),
        Kind::Text if key.ends_with(":DefaultContentType") => text("text"),
        Kind::Text if key.starts_with("Headers:") => text("a\u{1}b"),
        Kind::Text if key.ends_with(":Pattern") && key.starts_with("Rewrite:") => text("("),
        Kind::Text if key.contains(":Hosts:") && key.starts_with("Rewrite:") => text("a b"),
        Kind::Text if key.starts_with("Rewrite:") => text("other"),
        Kind::Text if key.contains(":Headers:") => text("a\u{1}b"),
        Kind::Text if key.ends_with("HeaderName") => text("X Forwarded"),
        Kind::Text if key == "PathBase" || key.ends_with(":ReExecute") => text("other"),
        Kind::Text if key.contains(":Paths:") => text("other"),
        Kind::Text if key.starts_with("HealthChecks:") => text("other"),
        Kind::Text if key == "ExceptionHandler:Path" => text("other"),
        Kind::Text if key.contains("MimeTypes:") || key.contains("MediaTypes:") => text("text"),
        Kind::Text if key.contains("Headers:") => text("a b"),
        Kind::Text | Kind::Path if key.starts_with("W3CLogging:") => text(" "),
        Kind::Path if key == "BasicAuthentication:File" => text("gone"),
        Kind::Text if key.ends_with(":SampleRate") => text("1.5"),
        Kind::Text | Kind::Path if key.starts_with("AccessLog:") => text("a/"),
        Kind::Text if key.starts_with("Cors:Policies:") => text("a b"),
        Kind::Text if key == "Cors:DefaultPolicyName" => text("nobody's"),
        Kind::Text if key.starts_with("StatusCodePages:") => text("{1} "),
        Kind::Text if key == "https_port" => text("65536"),
        Kind::Text | Kind::Path => vec![],
        Kind::Separated("ports") => text("http"),
        Kind::Separated(_) => text("htp://a"),
        Kind::Boolean => text("maybe"),
        Kind::Words(_) | Kind::Flags(_) => text("nonsense"),
        Kind::ErrorStatus => vec!["200".to_owned(), "600".to_owned(), "x".to_owned()],
        Kind::Size => vec!["much".to_owned(), "-1".to_owned()],
        Kind::Seconds(_, most) => {
            let above = most.checked_add(1).map(|it| it.to_string());
            above.into_iter().chain(["x".to_owned(), "-00:00:05".to_owned()]).collect()
        }
        Kind::Number(_, range) => {
            let below = i128::from(range.least()) - 1;
            vec![below.to_string(), "-1".to_owned(), "x".to_owned()]
        }
        Kind::Time(range) => {
            let below = range.least().checked_sub(1).map(seconds_text);
            below.into_iter().chain(["5".to_owned(), "-00:00:05".to_owned()]).collect()
        }
        Kind::Limit(_, rule) => {
            let (least, most) = rule.range();
            vec![
                (i128::from(least) - 1).to_string(),
                (i128::from(most) + 1).to_string(),
                "x".to_owned(),
            ]
        }
        Kind::TimeLimit(_) => vec!["00:00:00".to_owned(), "5".to_owned(), "-00:00:05".to_owned()],
    }
}

/// The text that is as good as none.
fn default_text(kind: Kind, default: Default) -> Option<String> {
    match (default, kind) {
        (Default::Text(text), _) => Some(text.to_owned()),
        (Default::OfLimit, Kind::Limit(_, rule)) => {
            Some(rule.default().map(|number| number.to_string()).unwrap_or_default())
        }
        (Default::OfLimit, Kind::TimeLimit(rule)) => Some(match rule.default() {
            Some(time) => seconds_text(time.as_secs()),
            None => "-00:00:00.0010000".to_owned(),
        }),
        _ => None,
    }
}

#[test]
fn a_default_is_what_counts_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for (row, kind) in texts() {
        let Some(default) = default_text(kind, row.row.default) else { continue };
        let unset = outcome(folder.path(), &row.key, None);
        let set = outcome(folder.path(), &row.key, Some(&default));
        // That nothing says whether a section is on is told; `false` says it.
        let told_alike = set.1 == unset.1 || row.key.ends_with(":Enabled");
        assert!(set.0 == unset.0 && told_alike, "{} = '{default}': {:?}", row.key, set.1);
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_a_row_lets_pass_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let user = "bob:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    std::fs::write(folder.path().join("users"), user).unwrap();
    for (row, kind) in texts() {
        let (unset, _) = outcome(folder.path(), &row.key, None);
        for text in others(&row.key, kind, row.row.default) {
            let (set, problems) = outcome(folder.path(), &row.key, Some(&text));
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            assert_eq!(errors.count(), 0, "{} = '{text}': {problems:?}", row.key);
            assert!(set != unset, "{} = '{text}'", row.key);
        }
    }
}

#[test]
fn what_a_row_does_not_let_pass_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for (row, kind) in texts() {
        for text in wrong(&row.key, kind) {
            let (_, problems) = outcome(folder.path(), &row.key, Some(&text));
            let named = |problem: &Problem| {
                problem.severity != Severity::Information
                    && problem.key.as_ref().is_some_and(|key| keys_equal(key, &row.key))
            };
            assert!(problems.iter().any(named), "{} = '{text}': {problems:?}", row.key);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_is_not_there_yet_is_told_by_its_row() {
    let folder = tempfile::tempdir().unwrap();
    for row in rows() {
        let Meaning::NotYet(feature) = &row.row.meaning else { continue };
        let key = match row.row.holds {
            Holds::Text(_) => row.key.clone(),
            _ => format!("{}:Something", row.key),
        };
        let inputs = Inputs {
            arguments: vec![(0, format!("--{key}=something"))],
            current_directory: folder.path().to_owned(),
            code: CodeSettings { host_alone: true, ..CodeSettings::default() },
            ..Inputs::default()
        };
        let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
        let told =
            settings.problems.iter().find(|problem| problem.fix.as_deref() == Some(feature.fix));
        assert!(told.is_some(), "{key}: {:?}", settings.problems);
    }
}

#[test]
fn what_other_servers_call_it_leads_to_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for Row { pattern, key, row, .. } in rows() {
        for (part, word) in
            row.also_called.iter().flat_map(|(part, words)| words.iter().map(move |it| (part, it)))
        {
            let (above, endpoint) = match pattern.rsplit_once(':') {
                Some((above, _)) if pattern.contains('{') || above.starts_with("AspNetCore") => {
                    (above.replace("{Name}", "A"), true)
                }
                _ => (String::new(), false),
            };
            assert!(seen.insert((above.clone(), word.to_lowercase())), "{pattern}: {word} twice");
            let word = if endpoint { format!("{above}:{word}") } else { (*word).to_owned() };
            let value = match (part, &*key) {
                (keys::Part::Port, _) => "81",
                (keys::Part::Host, _) => "127.0.0.1",
                (keys::Part::Whole, "Logging:LogLevel") => "Debug",
                (keys::Part::Whole, "environment") => "Staging",
                (keys::Part::Whole, _) => "http://127.0.0.1:81",
            };
            let inputs = Inputs {
                arguments: vec![(0, format!("--{word}={value}"))],
                current_directory: folder.path().to_owned(),
                ..Inputs::default()
            };
            let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
            let is_told = |problem: &Problem| {
                let fix = problem.fix.as_deref().unwrap_or_default();
                fix.contains(&key) && (endpoint || fix.contains(value))
            };
            assert!(settings.problems.iter().any(is_told), "{word}: {:?}", settings.problems);
        }
    }
    assert!(seen.len() > 25, "{}", seen.len());
}

#[test]
fn what_is_secret_is_never_shown() {
    for row in rows() {
        // The name of a folder, and hidden for what it says.
        let hidden = speaks_of_secrets(&row.key) && row.key != "UserSecretsId";
        assert_eq!(row.row.is_secret, hidden, "{}", row.pattern);
    }
}

#[test]
fn every_row_has_its_line_and_its_time() {
    for row in rows() {
        let Row { pattern, row, effect, .. } = row;
        let text = matches!(row.holds, Holds::Text(_));
        match row.meaning {
            Meaning::Nothing => assert_eq!(effect, Effect::None, "{pattern}"),
            _ => assert!(!row.line.is_empty() && !row.line.contains('\n'), "{pattern}"),
        }
        assert_eq!(keys::effect(&pattern.replace("{Category}", "a")), effect, "{pattern}");
        if text && effect == Effect::None && matches!(row.meaning, Meaning::Read) {
            // They never come from a file, or decide which files are read.
            let early = ["environment", "contentRoot", "applicationName", "UserSecretsId"];
            assert!(early.contains(&pattern.as_str()), "{pattern}: when does a new value count?");
        }
    }
}

#[test]
fn the_help_says_of_a_setting_what_its_row_says() {
    for setting in crate::hosting::usage::SETTINGS {
        let rows = rows();
        let row = rows.iter().find(|row| row.key == setting.name).unwrap();
        let default = setting.help.split_once(" [default: ").map(|(_, rest)| rest);
        let of_row = match row.row.default {
            Default::Text(text) | Default::Words(text) => Some(format!("{text}]")),
            Default::Nothing | Default::OfLimit => None,
        };
        assert_eq!(default, of_row.as_deref(), "{}", setting.name);
    }
}

#[test]
fn no_user_and_no_password_is_shown_whatever_has_it_for_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let values = [
        "u:PW@x",
        "u:PW PW@x",
        "u: PW@x:80",
        "PW PW@x",
        "u:PW' PW, 'PW@x",
        "u:PW PW%40x",
        "http://u:PW PW@x:80",
        "http://u:PW :/PW;PW@x:80",
        "u:PW;PW,PW@x",
        "http://a;http://u:PW;PW PW@x",
    ];
    let mut shown = Vec::new();
    let mut seen = 0;
    let mut look_at = |what: &str, problems: Vec<Problem>| {
        let text = format!("{problems:?}");
        if text.contains("PW") {
            shown.push(format!("{what}: {text}"));
        }
        seen += usize::from(!problems.is_empty());
    };
    // In a site, the same is read by the same readers: what stands right in one, and all that hides something, will do.
    let is_enough = |row: &Row| match row.key.strip_prefix(SITE) {
        Some(inner) => !inner.contains(':') || row.row.is_secret,
        None => true,
    };
    for Row { key, .. } in rows().into_iter().filter(is_enough) {
        let misspelled = format!("{key}x");
        for (key, value) in [&key, &misspelled].iter().flat_map(|key| values.map(|it| (*key, it))) {
            if key == "contentRoot" && !value.contains(':') {
                // The name of a folder.
                continue;
            }
            look_at(&format!("{key}={value}"), outcome(folder.path(), key, Some(value)).1);
        }
    }
    for value in values {
        for arguments in [
            vec![value],
            vec!["-x", value],
            vec!["-urls", value],
            vec!["--x", "y", value],
            vec!["--urls", value, "--urls", "http://b"],
            vec!["--x", value, "--x", "y"],
            vec!["--port", value],
            vec!["--host", value],
            vec!["--", value],
        ] {
            look_at(&format!("{arguments:?}"), read(&arguments, &[]).problems);
        }
        for name in ["-x", "--x", "/x", "-urls", "x"] {
            let argument = format!("{name}={value}");
            look_at(&argument, read(&[&argument], &[]).problems);
        }
        for name in ["ASPNETCORE_URLS", "ASPNETCORE__URLS", "ASPNETCORE_HOST", "ASPNETCORE_PORT"] {
            look_at(&format!("{name}={value}"), read(&[], &[(name, value)]).problems);
        }
    }
    assert_eq!(shown, [""; 0]);
    assert!(seen > 1000, "{seen}");
}
