//! What has to be said beside a key for it to count.

use super::site_key::SITE;

/// What has to be said beside a key, which may be one of a site, for it to count.
pub(super) fn all_beside(key: &str) -> Vec<(String, &'static str)> {
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
