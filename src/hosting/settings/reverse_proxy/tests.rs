use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::*;
use crate::apps::reverse_proxy::options::{
    BodyLimit, HeaderMode, HttpVersion, LoadBalancing, Place, SameSite, VersionPolicy,
};
use crate::apps::reverse_proxy::transform_options::{
    Change, ForwardedAction, NodeName, NodePort, RequestTransform, ResponseChange, Value, When,
};
use crate::configuration::{Inputs, Severity, load};
use crate::features::RoutePolicy;

const CLUSTERS_OF_ONE: &str =
    r#""Clusters": { "c1": { "Destinations": { "d1": { "Address": "http://127.0.0.1:9" } } } }"#;

/// What a file with this section comes to.
fn section(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    file(&format!(r#"{{ "ReverseProxy": {json} }}"#))
}

fn file(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    let inputs = Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() };
    let loaded = load(&inputs);
    let mut problems = loaded.problems.clone();
    let read = read(&loaded, &mut problems);
    (read, problems)
}

/// A route of this, and a cluster that is right.
fn route(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    section(&format!(r#"{{ "Routes": {{ "r1": {{ {json} }} }}, {CLUSTERS_OF_ONE} }}"#))
}

/// A cluster with this beside its destination, and a route to it.
fn cluster(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    section(&format!(
        r#"{{ "Routes": {{ "r1": {{ "ClusterId": "c1", "Match": {{ "Path": "/{{**all}}" }} }} }},
        "Clusters": {{ "c1": {{ "Destinations": {{ "d1": {{ "Address": "http://127.0.0.1:9" }} }}, {json} }} }} }}"#
    ))
}

fn matching(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    route(&format!(r#""ClusterId": "c1", "Match": {{ {json} }}"#))
}

fn transform(json: &str) -> (Option<Switched<ProxyOptions>>, Vec<Problem>) {
    route(&format!(
        r#""ClusterId": "c1", "Match": {{ "Path": "/{{id}}/{{**all}}" }}, "Transforms": [ {json} ]"#
    ))
}

/// The first lines of what is wrong, or odd, each with how bad it is.
fn told(problems: &[Problem]) -> Vec<String> {
    let told = problems.iter().map(|problem| {
        let sign = if problem.severity == Severity::Error { "!" } else { "?" };
        assert!(problem.key.is_some() && problem.fix.is_some(), "{problem:?}");
        format!("{sign} {}", problem.message)
    });
    told.collect()
}

#[test]
fn a_file_is_read_into_options() {
    let (read, problems) = section(
        r#"{
        "Routes": {
            "b": {
                "ClusterId": "C1", "Order": -3, "Timeout": "00:00:30", "TimeoutPolicy": null,
                "RateLimiterPolicy": "disable", "MaxRequestBodySize": -1,
                "Match": {
                    "Path": "/api/{id:int}/{**rest}", "Hosts": [ "Example.com", "*.example.com:8080" ],
                    "Methods": [ "get", "POST" ],
                    "Headers": [ { "Name": "X-K", "Values": [ "a", "b" ], "Mode": "HeaderPrefix", "IsCaseSensitive": true },
                                 { "Name": "X-L", "Mode": "4" } ],
                    "QueryParameters": [ { "Name": "q", "Mode": "exists" } ]
                },
                "Metadata": { "Some.Name": "x" }
            },
            "a": { "ClusterId": "c1", "Match": { "Hosts": [ "a.test" ] } }
        },
        "Clusters": {
            "c1": {
                "LoadBalancingPolicy": "roundrobin", "Metadata": { "slowstart": "00:00:30" },
                "Destinations": {
                    "z": { "Address": "https://one.example/base/", "Health": "http://one.example:81/up", "Host": "inner.example:81" },
                    "a": { "Address": "http://unix:/run/app.sock", "Metadata": { "Weight": "3" } }
                },
                "HttpClient": { "MaxConnectionsPerServer": 7, "SslProtocols": [ "Tls13" ], "WebProxy": { "Address": "http://proxy:3128" } },
                "HttpRequest": { "ActivityTimeout": "00:01:00", "Version": "1.1", "VersionPolicy": "RequestVersionExact" },
                "HealthCheck": { "Active": { "Enabled": true, "Path": "up now?deep=1" }, "Passive": { "Enabled": "true" } },
                "SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "Cookie": { "SameSite": "strict", "MaxAge": "01:00:00" } }
            }
        } }"#,
    );
    assert_eq!(told(&problems), [""; 0]);
    let read = read.unwrap();
    assert_eq!(read.key, "ReverseProxy:Routes");
    let ProxyOptions { routes, clusters, .. } = &read.value;
    assert_eq!(routes.iter().map(|it| &*it.id).collect::<Vec<_>>(), ["b", "a"]);
    let route = &routes[0];
    assert_eq!((route.order, route.cluster), (-3, Some(0)));
    assert_eq!(route.timeout, Some(Duration::from_secs(30)));
    assert_eq!(route.rate_limiter_policy, Some(RoutePolicy::Disable));
    assert_eq!(route.max_request_body_size, Some(BodyLimit::Unlimited));
    assert_eq!(route.metadata.get("some.name"), Some("x"));
    assert_eq!(route.matching.methods, [http::Method::GET, http::Method::POST]);
    assert_eq!(route.matching.headers[0].mode, HeaderMode::Prefix);
    assert_eq!(route.matching.headers[1].mode, HeaderMode::Exists);
    assert_eq!(route.matching.hosts[1].port, Some(8080));
    let cluster = &clusters[0];
    assert_eq!(cluster.load_balancing, LoadBalancing::RoundRobin);
    let names: Vec<_> = cluster.destinations.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["z", "a"], "in the order in which they are written");
    assert_eq!(cluster.destinations[0].address.base_path, "/base");
    assert_eq!(cluster.destinations[0].host.as_deref(), Some("inner.example:81"));
    assert!(matches!(cluster.destinations[1].address.place, Place::Unix(_)));
    assert_eq!(cluster.client.max_connections_per_server, Some(7));
    assert_eq!(cluster.request.version, HttpVersion::Http11);
    assert_eq!(cluster.request.version_policy, VersionPolicy::Exact);
    let active = cluster.active_check.as_ref().unwrap();
    assert_eq!((&*active.path, &*active.query, active.threshold), ("/up%20now", "?deep=1", 2));
    assert_eq!(cluster.passive_check.as_ref().unwrap().failure_rate, 0.3);
    let cookie = &cluster.affinity.as_ref().unwrap().cookie;
    assert_eq!((cookie.same_site, cookie.http_only), (SameSite::Strict, true));
    let shown: Vec<_> = read.shown.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(
        shown,
        [
            "GET, POST example.com, *.example.com:8080/api/{id:int}/{**rest} (3 conditions) to c1 (https://one.example/base, http://unix:/run/app.sock)",
            "a.test/{**catchall} to c1 (https://one.example/base, http://unix:/run/app.sock)",
        ]
    );
}

#[test]
fn without_routes_there_is_no_proxy() {
    assert_eq!(file("{}"), (None, Vec::new()));
    assert_eq!(section("{}"), (None, Vec::new()));
    let (read, problems) = section(&format!("{{ {CLUSTERS_OF_ONE} }}"));
    assert_eq!(read, None);
    assert_eq!(told(&problems), ["? 'ReverseProxy:Clusters' has no effect: there is no route."]);
}

#[test]
fn mistakes_of_routes_are_told_in_the_words_of_yarp() {
    for (json, expected) in [
        (r#""Path": "/{a""#, "! Invalid path '/{a' for route 'r1'."),
        (r#""Path": "/{a:nosuch}""#, "! Invalid path '/{a:nosuch}' for route 'r1'."),
        (r#""Path": "/{a:regex([)}""#, "! Invalid path '/{a:regex([)}' for route 'r1'."),
        (
            "",
            "! Route 'r1' requires Hosts or Path specified. Set the Path to '/{**catchall}' to match all requests.",
        ),
        (
            r#""Path": """#,
            "! Route 'r1' requires Hosts or Path specified. Set the Path to '/{**catchall}' to match all requests.",
        ),
        (r#""Hosts": [ "" ]"#, "! Empty host name has been set for route 'r1'."),
        (r#""Hosts": [ "http://a.test" ]"#, "! Invalid host 'http://a.test' for route 'r1'."),
        (r#""Hosts": [ "a.test:abc" ]"#, "! Invalid host 'a.test:abc' for route 'r1'."),
        (
            r#""Path": "/", "Methods": [ "FOO" ]"#,
            "! Unsupported HTTP method 'FOO' has been set for route 'r1'.",
        ),
        (
            r#""Path": "/", "Methods": [ "GET", "get" ]"#,
            "! Duplicate HTTP method 'GET' has been set for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Values": [ "a" ] } ]"#,
            "! A null or empty route header name has been set for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Name": "X" } ]"#,
            "! No header values were set on route header 'X' for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Name": "X", "Mode": "Regex", "Values": [ "a" ] } ]"#,
            "! 'Regex' is no mode of a route header for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Name": "X", "Mode": "7", "Values": [ "a" ] } ]"#,
            "! '7' is no mode of a route header for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Name": "X", "Mode": "Exists", "Values": [ "a" ] } ]"#,
            "! Header values were set when using mode 'Exists' on route header 'X' for route 'r1'.",
        ),
        (
            r#""Path": "/", "Headers": [ { "Name": "X", "Values": [ "" ] } ]"#,
            "! An empty value has been set on route header 'X' for route 'r1'.",
        ),
        (
            r#""Path": "/", "QueryParameters": [ { "Name": "X" } ]"#,
            "! No query parameter values were set on route query parameter 'X' for route 'r1'.",
        ),
        (
            r#""Path": "/", "QueryParameters": [ { "Name": "X", "Mode": "NotExists" } ]"#,
            "! 'NotExists' is no mode of a route query parameter for route 'r1'.",
        ),
        (
            r#""Path": "/", "Hosts": "a.test""#,
            "? 'ReverseProxy:Routes:r1:Match:Hosts' is a list: the text 'a.test' is taken for a list of one.",
        ),
    ] {
        let (read, problems) = matching(json);
        assert_eq!(told(&problems), [expected], "{json}");
        assert!(read.is_some(), "{json}");
    }
    let std = r#""ClusterId": "c1", "Match": { "Path": "/x" }"#;
    for (json, expected) in [
        (
            r#""Order": "x""#,
            "! Failed to convert configuration value 'x' at 'ReverseProxy:Routes:r1:Order' to type 'System.Int32'.",
        ),
        (
            r#""Order": 1.5"#,
            "! Failed to convert configuration value '1.5' at 'ReverseProxy:Routes:r1:Order' to type 'System.Int32'.",
        ),
        (
            r#""Order": """#,
            "! Failed to convert configuration value '' at 'ReverseProxy:Routes:r1:Order' to type 'System.Int32'.",
        ),
        (
            r#""Order": 99999999999"#,
            "! Failed to convert configuration value '99999999999' at 'ReverseProxy:Routes:r1:Order' to type 'System.Int32'.",
        ),
        (
            r#""MaxRequestBodySize": "1MB""#,
            "! Failed to convert configuration value '1MB' at 'ReverseProxy:Routes:r1:MaxRequestBodySize' to type 'System.Int64'.",
        ),
        (
            r#""MaxRequestBodySize": -2"#,
            "! Failed to convert configuration value '-2' at 'ReverseProxy:Routes:r1:MaxRequestBodySize' to type 'System.Int64'.",
        ),
        (
            r#""Timeout": "00:00:00""#,
            "! The Timeout value '00:00:00' is invalid for route 'r1'. The Timeout must be greater than zero milliseconds.",
        ),
        (
            r#""Timeout": "-00:00:01""#,
            "! The Timeout value '-00:00:01' is invalid for route 'r1'. The Timeout must be greater than zero milliseconds.",
        ),
        (r#""Timeout": "5""#, "? '5' means 5 days: 'ReverseProxy:Routes:r1:Timeout'."),
        (
            r#""AuthorizationPolicy": "Default""#,
            "! Authorization policy 'Default' not found for route 'r1'.",
        ),
        (r#""CorsPolicy": "nope""#, "! CORS policy 'nope' not found for route 'r1'."),
        (
            r#""OutputCachePolicy": "nope""#,
            "? OutputCachePolicy 'nope' of route 'r1' has no effect: answers are not kept.",
        ),
        (r#""RouteId": "x""#, "! The route 'r1' has a RouteId: routes are named by their section."),
    ] {
        let (_, problems) = route(&format!("{std}, {json}"));
        assert_eq!(told(&problems), [expected], "{json}");
    }
    let (_, problems) = route(&format!(r#"{std}, "Timeout": "00:00:01", "TimeoutPolicy": "x""#));
    assert_eq!(told(&problems).len(), 2);
    let (_, problems) = route(r#""ClusterId": "c2", "Match": { "Path": "/x" }"#);
    assert_eq!(told(&problems), ["? There is no cluster 'c2' for route 'r1': it answers 503."]);
    assert_eq!(
        problems[0].fix.as_deref(),
        Some("write ReverseProxy:Clusters:c2, or name one that is there")
    );
    let (read, problems) = route(r#""Match": { "Path": "/x" }"#);
    assert_eq!(told(&problems), ["? Route 'r1' has no cluster: it answers 503."]);
    assert_eq!(read.unwrap().shown[0].value, "/x to nowhere: 503");
}

#[test]
fn mistakes_of_clusters_are_told_in_the_words_of_yarp() {
    for (json, expected) in [
        (
            r#""LoadBalancingPolicy": "Nope""#,
            Some(
                "! No matching ILoadBalancingPolicy found for the load balancing policy 'Nope' set on the cluster 'c1'.",
            ),
        ),
        (r#""LoadBalancingPolicy": """#, None),
        (
            r#""SessionAffinity": { "Enabled": true }"#,
            Some("! Affinity key name set on the cluster 'c1' must not be null."),
        ),
        (
            r#""SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "Policy": "Nope" }"#,
            Some(
                "! No matching ISessionAffinityPolicy found for the session affinity policy 'Nope' set on the cluster 'c1'.",
            ),
        ),
        (
            r#""SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "FailurePolicy": "Nope" }"#,
            Some(
                "! No matching IAffinityFailurePolicy found for the affinity failure policy name 'Nope' set on the cluster 'c1'.",
            ),
        ),
        (r#""SessionAffinity": { "Enabled": false, "Policy": "Nope" }"#, None),
        (
            r#""SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "Cookie": { "MaxAge": "-00:00:01" } }"#,
            Some("! Session affinity cookie max-age must be positive or null."),
        ),
        (
            r#""SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "Cookie": { "SameSite": "Nope" } }"#,
            Some("! 'Nope' is no SameSite of a session affinity cookie."),
        ),
        (
            r#""SessionAffinity": { "Enabled": true, "AffinityKeyName": "k", "Key": "0123456789abcdef" }"#,
            Some(
                "? 'ReverseProxy:Clusters:c1:SessionAffinity:Key' has no effect: this policy encrypts nothing.",
            ),
        ),
        (
            r#""HttpRequest": { "Version": "4" }"#,
            Some(
                "! Outgoing request version '4.0' is not any of supported HTTP versions (1.0, 1.1, 2 and 3): cluster 'c1'.",
            ),
        ),
        (
            r#""HttpRequest": { "Version": "1.0" }"#,
            Some(
                "? HTTP/1.0 keeps no connection, and bodies of unknown length are not sent: cluster 'c1'.",
            ),
        ),
        (r#""HttpRequest": { "Version": 1.1 }"#, None),
        (
            r#""HttpRequest": { "Version": "3", "VersionPolicy": "RequestVersionExact" }"#,
            Some("? HTTP/3 is not spoken to destinations: requests to the cluster 'c1' fail."),
        ),
        (
            r#""HttpRequest": { "VersionPolicy": "Nope" }"#,
            Some("! 'Nope' is no VersionPolicy: cluster 'c1'."),
        ),
        (r#""HttpRequest": { "VersionPolicy": "2" }"#, None),
        (
            r#""HttpRequest": { "ActivityTimeout": "100" }"#,
            Some("? '100' means 100 days: 'ReverseProxy:Clusters:c1:HttpRequest:ActivityTimeout'."),
        ),
        (
            r#""HttpRequest": { "ActivityTimeout": "100s" }"#,
            Some(
                "! Failed to convert configuration value '100s' at 'ReverseProxy:Clusters:c1:HttpRequest:ActivityTimeout' to type 'System.TimeSpan'.",
            ),
        ),
        (
            r#""HttpRequest": { "ActivityTimeout": "0" }"#,
            Some("! The ActivityTimeout set on the cluster 'c1' must be positive."),
        ),
        (
            r#""HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:00" } }"#,
            Some("! Destination probing interval set on the cluster 'c1' must be positive."),
        ),
        (
            r#""HealthCheck": { "Active": { "Enabled": true, "Policy": "Nope" } }"#,
            Some(
                "! No matching IActiveHealthCheckPolicy found for the active health check policy name 'Nope' set on the cluster 'c1'.",
            ),
        ),
        (
            r#""HealthCheck": { "AvailableDestinationsPolicy": "Nope" }"#,
            Some(
                "! No matching IAvailableDestinationsPolicy found for the available destinations policy 'Nope' set on the cluster 'c1'.",
            ),
        ),
        (
            r#""HealthCheck": { "Active": { "Enabled": true } }, "Metadata": { "ConsecutiveFailuresHealthPolicy.Threshold": "none" }"#,
            Some(
                "? 'none' is no number that 'ConsecutiveFailuresHealthPolicy.Threshold' can do with: the default counts.",
            ),
        ),
        (
            r#""Metadata": { "SlowStart": "soon" }"#,
            Some(
                "! Failed to convert configuration value 'soon' at 'ReverseProxy:Clusters:c1:Metadata:SlowStart' to type 'System.TimeSpan'.",
            ),
        ),
        (
            r#""Metadata": { "Retry": "often" }"#,
            Some(
                "! Failed to convert configuration value 'often' at 'ReverseProxy:Clusters:c1:Metadata:Retry' to type 'System.Boolean'.",
            ),
        ),
        (r#""Metadata": { "Retry": "true" }"#, None),
        (
            r#""Metadata": { "SlowStart": "00:00:00" }"#,
            Some("! The SlowStart set in the metadata of the cluster 'c1' must be positive."),
        ),
        (
            r#""HttpClient": { "MaxConnectionsPerServer": 0 }"#,
            Some("! Max connections per server limit set on the cluster 'c1' must be positive."),
        ),
        (
            r#""HttpClient": { "SslProtocols": "Tls12" }"#,
            Some(
                "? 'ReverseProxy:Clusters:c1:HttpClient:SslProtocols' is a list: the text 'Tls12' is taken for a list of one.",
            ),
        ),
        (
            r#""HttpClient": { "SslProtocols": [ "Tls99" ] }"#,
            Some("! 'Tls99' names no version of TLS: cluster 'c1'."),
        ),
        (
            r#""HttpClient": { "WebProxy": { "Address": "nonsense" } }"#,
            Some("! Invalid WebProxy address 'nonsense' on the cluster 'c1'."),
        ),
        (
            r#""HttpClient": { "DangerousAcceptAnyServerCertificate": "1" }"#,
            Some(
                "! Failed to convert configuration value '1' at 'ReverseProxy:Clusters:c1:HttpClient:DangerousAcceptAnyServerCertificate' to type 'System.Boolean'.",
            ),
        ),
        (
            r#""HttpClient": { "DangerousAcceptAnyServerCertificate": true }"#,
            Some(
                "? Anybody can be a destination of the cluster 'c1': no certificate is looked at.",
            ),
        ),
        (
            r#""HttpRequest": { "AllowResponseBuffering": true }"#,
            Some(
                "? 'ReverseProxy:Clusters:c1:HttpRequest:AllowResponseBuffering' has no effect: answers are never held back.",
            ),
        ),
        (r#""HttpRequest": { "AllowResponseBuffering": false }"#, None),
        (
            r#""HttpClient": { "RequestHeaderEncoding": "nope" }"#,
            Some("! 'nope' names no encoding of headers: cluster 'c1'."),
        ),
        (
            r#""HttpClient": { "ClientCertificate": { "KeyPath": "a.key" } }"#,
            Some(
                "? 'ReverseProxy:Clusters:c1:HttpClient:ClientCertificate:KeyPath' has no effect: there is no Path beside it: cluster 'c1'.",
            ),
        ),
    ] {
        let (_, problems) = cluster(json);
        assert_eq!(told(&problems), Vec::from_iter(expected), "{json}");
    }
    for (address, expected) in [
        (r#""""#, "! No address found for destination 'd1' on cluster 'c1'."),
        ("null", "! No address found for destination 'd1' on cluster 'c1'."),
        (r#""/x""#, "! Invalid address '/x' of destination 'd1' on cluster 'c1'."),
        (
            r#""localhost:5000""#,
            "! Invalid address 'localhost:5000' of destination 'd1' on cluster 'c1'.",
        ),
        (
            r#""http://a b/""#,
            "! Invalid address 'http://a b/' of destination 'd1' on cluster 'c1'.",
        ),
    ] {
        let (_, problems) = section(&format!(
            r#"{{ "Routes": {{ "r1": {{ "ClusterId": "c1", "Match": {{ "Path": "/" }} }} }},
            "Clusters": {{ "c1": {{ "Destinations": {{ "d1": {{ "Address": {address} }} }} }} }} }}"#
        ));
        assert_eq!(told(&problems), [expected], "{address}");
    }
}

#[test]
fn all_mistakes_of_a_load_are_told_together() {
    let (_, problems) = section(
        r#"{ "Routes": {
            "r1": { "Match": { "Path": "/{a" }, "ClusterId": "c1", "Order": "x" },
            "r2": { "Match": { "Path": "/{**all}", "Hosts": [ "" ] }, "ClusterId": "c1" },
            "r3": { "Match": { "Path": "/{**all}" }, "ClusterId": "c1", "Transforms": [ { "NoSuch": "1" } ] } },
          "Clusters": {
            "c1": { "Destinations": { "d1": { "Address": "127.0.0.1" } }, "LoadBalancingPolicy": "Nope" },
            "c2": { "SessionAffinity": { "Enabled": true } } } }"#,
    );
    let errors = told(&problems).into_iter().filter(|it| it.starts_with('!')).count();
    assert_eq!(errors, 7, "{problems:?}");
}

#[test]
fn equal_routes_are_told() {
    let two = |first: &str, second: &str| {
        let (_, problems) = section(&format!(
            r#"{{ "Routes": {{ "a": {{ "ClusterId": "c1", {first} }}, "b": {{ "ClusterId": "c1", {second} }} }}, {CLUSTERS_OF_ONE} }}"#
        ));
        told(&problems)
    };
    let equal = ["? The routes 'a' and 'b' are for the same requests: they are answered with 500."];
    for (first, second, is_equal) in [
        (r#""Match": { "Path": "/x" }"#, r#""Match": { "Path": "/X/" }"#, true),
        (r#""Match": { "Path": "/{a}" }"#, r#""Match": { "Path": "/{b}" }"#, true),
        (r#""Match": { "Path": "/{a}" }"#, r#""Match": { "Path": "/{a:int}" }"#, false),
        (r#""Match": { "Path": "/x" }"#, r#""Match": { "Path": "/x" }, "Order": 1"#, false),
        (
            r#""Match": { "Path": "/x", "Hosts": [ "a", "b" ] }"#,
            r#""Match": { "Path": "/x", "Hosts": [ "b" ] }"#,
            true,
        ),
        (
            r#""Match": { "Path": "/x", "Hosts": [ "a" ] }"#,
            r#""Match": { "Path": "/x", "Hosts": [ "b" ] }"#,
            false,
        ),
        (
            r#""Match": { "Path": "/x", "Methods": [ "GET", "PUT" ] }"#,
            r#""Match": { "Path": "/x", "Methods": [ "PUT" ] }"#,
            true,
        ),
        (
            r#""Match": { "Path": "/x", "Methods": [ "GET" ] }"#,
            r#""Match": { "Path": "/x", "Methods": [ "PUT" ] }"#,
            false,
        ),
        (
            r#""Match": { "Path": "/x", "Headers": [ { "Name": "X", "Mode": "Exists" } ] }"#,
            r#""Match": { "Path": "/x" }"#,
            false,
        ),
    ] {
        let expected: &[&str] = if is_equal { &equal } else { &[] };
        assert_eq!(two(first, second), expected, "{first} {second}");
    }
}

#[test]
fn mistakes_of_transforms_are_told_in_the_words_of_yarp() {
    for (json, expected, fix) in [
        (r#"{ "NoSuch": "1" }"#, "! Unknown transform: NoSuch", ""),
        (r#"{ "PathPrefx": "/a" }"#, "! Unknown transform: PathPrefx", "did you mean PathPrefix?"),
        (r#"{ "NoSuch": "1", "Other": "2" }"#, "! Unknown transform: NoSuch;Other", ""),
        ("{}", "! Unknown transform: ", ""),
        (
            r#"{ "PathPrefix": "/a", "Extra": "1" }"#,
            "! The transform contains more parameters than expected: Extra;PathPrefix",
            "remove Extra: PathPrefix stands alone",
        ),
        (
            r#"{ "RequestHeader": "X-A" }"#,
            "! Unexpected parameters for RequestHeader: RequestHeader. Expected 'Set' or 'Append'",
            "",
        ),
        (
            r#"{ "RequestHeader": "X-A", "Set": "1", "Append": "2" }"#,
            "! The transform contains more parameters than expected: Append;RequestHeader;Set",
            "make two transforms of Set and Append",
        ),
        (
            r#"{ "RequestHeader": "X-A", "Remove": "" }"#,
            "! The transform contains more parameters than expected: Remove;RequestHeader",
            "",
        ),
        (
            r#"{ "RequestHeadersCopy": "maybe" }"#,
            "! Unexpected value for RequestHeadersCopy: maybe. Expected 'true' or 'false'",
            "",
        ),
        (r#"{ "PathPattern": "/{a" }"#, "! Invalid PathPattern '/{a'.", ""),
        (r#"{ "PathPattern": "/v?x={all}" }"#, "! Invalid PathPattern '/v?x={all}'.", ""),
        (
            r#"{ "PathPattern": "/{ids}" }"#,
            "? 'ReverseProxy:Routes:r1:Transforms:0:PathPattern' never has a value: the path of its route has no parameter 'ids'.",
            "did you mean id?",
        ),
        (
            r#"{ "X-Forwarded": "Maybe" }"#,
            "! Unexpected value for X-Forwarded: Maybe. Expected one of ForwardedTransformActions",
            "",
        ),
        (
            r#"{ "X-Forwarded": "" }"#,
            "! Unexpected value for X-Forwarded: . Expected one of ForwardedTransformActions",
            "",
        ),
        (
            r#"{ "X-Forwarded": "append" }"#,
            "! Unexpected value for X-Forwarded: append. Expected one of ForwardedTransformActions",
            "write Append: here it is spelled so",
        ),
        (
            r#"{ "Forwarded": "for,nosuch" }"#,
            "! Unexpected value for Forwarded: nosuch. Expected 'for', 'host', 'proto', or 'by'",
            "",
        ),
        (
            r#"{ "Forwarded": "for", "ForFormat": "Nope" }"#,
            "! Unexpected value for Forwarded:ForFormat: Nope. Expected: None,Random,RandomAndPort,RandomAndRandomPort,Unknown,UnknownAndPort,UnknownAndRandomPort,Ip,IpAndPort,IpAndRandomPort",
            "",
        ),
        (
            r#"{ "QueryValueParameter": "k" }"#,
            "! Unexpected parameters for QueryValueParameter: QueryValueParameter. Expected 'Set' or 'Append'",
            "",
        ),
        (
            r#"{ "QueryRouteParameter": "k", "Set": "nosuch" }"#,
            "? 'ReverseProxy:Routes:r1:Transforms:0:Set' never has a value: the path of its route has no parameter 'nosuch'.",
            "write one of id, all",
        ),
        (
            r#"{ "RequestHeader": "bad name", "Set": "1" }"#,
            "! 'bad name' of RequestHeader can be no name of a header.",
            "",
        ),
        (
            r#"{ "RequestHeader": "X-A", "Set": "a\r\nb" }"#,
            "! 'ReverseProxy:Routes:r1:Transforms:0:Set' has a character that no header can have.",
            "",
        ),
        (
            r#"{ "ResponseHeader": "X-A", "Set": "1", "When": "never" }"#,
            "! Unexpected value for ResponseHeader:When: never. Expected 'Always', 'Success', or 'Failure'",
            "",
        ),
        (
            r#"{ "PathRemovePrefix": "/api/" }"#,
            "? 'ReverseProxy:Routes:r1:Transforms:0:PathRemovePrefix' has no effect: no path has '/api/' for whole segments.",
            "write /api",
        ),
        (
            r#"{ "HttpMethodChange": "GET" }"#,
            "! Unexpected parameters for HttpMethodChange: HttpMethodChange. Expected 'Set'",
            "",
        ),
        (
            r#""PathPrefix""#,
            "! Unknown transform: 'PathPrefix' at 'ReverseProxy:Routes:r1:Transforms:0'.",
            "",
        ),
    ] {
        let (_, problems) = transform(json);
        assert_eq!(told(&problems), [expected], "{json}");
        let told = problems[0].fix.as_deref().unwrap();
        assert!(fix.is_empty() || told == fix, "{json}: {told}");
    }
}

#[test]
fn transforms_are_read_in_their_order() {
    let (read, problems) = transform(
        r#"{ "pathprefix": "a" }, { "PathPattern": "/x/{ID}" }, { "QueryValueParameter": "k", "Append": "v" },
        { "QueryRouteParameter": "k", "Set": "all" }, { "QueryRemoveParameter": "k" },
        { "HttpMethodChange": "get", "Set": "POST" }, { "RequestHeaderOriginalHost": true }, { "RequestHeadersCopy": false },
        { "RequestHeader": "X-A", "Set": "1" }, { "RequestHeaderRouteValue": "X-B", "Append": "id" },
        { "RequestHeaderRemove": "X-C" }, { "ClientCert": "X-Cert" },
        { "X-Forwarded": "Set", "For": "Append", "Host": "Off", "HeaderPrefix": "X-Fwd-" },
        { "Forwarded": "for,proto", "ForFormat": "ipandport" },
        { "ResponseHeader": "X-A", "Set": "1", "When": "always" }, { "ResponseHeaderRemove": "X-B" },
        { "ResponseTrailer": "X-T", "Append": "1", "When": "2" }, { "ResponseHeadersAllowed": "A; B" }"#,
    );
    assert_eq!(told(&problems), [""; 0]);
    let transforms = &read.unwrap().value.routes[0].transforms;
    let steps = &transforms.request;
    assert_eq!(steps[0], RequestTransform::PathPrefix("/a".to_owned()));
    assert!(matches!(&steps[1], RequestTransform::PathPattern(it) if it.has_parameters()));
    assert!(
        matches!(&steps[2], RequestTransform::Query { value: Value::Text(it), how: Change::Append, .. } if it == "v")
    );
    assert!(
        matches!(&steps[3], RequestTransform::Query { value: Value::Route(it), .. } if it.place == Some(1))
    );
    assert!(
        matches!(&steps[5], RequestTransform::Method { from, .. } if from == http::Method::GET)
    );
    assert!(
        matches!(&steps[7], RequestTransform::HeaderOfRoute { parameter, .. } if parameter.place == Some(0))
    );
    let RequestTransform::XForwarded(told) = &steps[10] else { panic!("{:?}", steps[10]) };
    assert_eq!(told.client.name, HeaderName::from_static("x-fwd-for"));
    let actions = [&told.client, &told.proto, &told.host].map(|it| it.action);
    assert_eq!(actions, [ForwardedAction::Append, ForwardedAction::Set, ForwardedAction::Off]);
    let RequestTransform::Forwarded(told) = &steps[11] else { panic!("{:?}", steps[11]) };
    let client = told.client.unwrap();
    assert_eq!((client.name, client.port), (NodeName::Ip, NodePort::Port));
    assert!(told.by.is_none() && told.proto && !told.host);
    assert_eq!(steps.len(), 12, "what is said of clients stands where it is written");
    assert!(transforms.original_host && !transforms.request_headers.all);
    assert_eq!(transforms.response[0].when, When::Always);
    assert_eq!(transforms.response[1].change, ResponseChange::Remove);
    let value = ResponseChange::Value(HeaderValue::from_static("1"), Change::Append);
    assert_eq!(
        (&transforms.trailers[0].change, transforms.trailers[0].when),
        (&value, When::Failure)
    );
    assert!(!transforms.response_headers.all);
    assert_eq!(transforms.response_headers.allowed.len(), 2);
    assert!(transforms.uses_route_values());
}

#[test]
fn clients_are_told_of_unless_it_is_said_otherwise() {
    let (read, _) = transform(r#"{ "PathPrefix": "/a" }"#);
    let steps = &read.unwrap().value.routes[0].transforms.request;
    assert!(matches!(steps[1], RequestTransform::XForwarded(_)), "{steps:?}");
}

#[test]
fn of_many_routes_some_are_shown() {
    let routes: Vec<_> = (0..50)
        .map(|it| format!(r#""r{it}": {{ "ClusterId": "c1", "Match": {{ "Path": "/{it}" }} }}"#))
        .collect();
    let (read, problems) =
        section(&format!(r#"{{ "Routes": {{ {} }}, {CLUSTERS_OF_ONE} }}"#, routes.join(", ")));
    assert_eq!(told(&problems), [""; 0]);
    let read = read.unwrap();
    assert_eq!(read.shown.len(), 41);
    assert_eq!(read.shown[0].value, "/0 to http://127.0.0.1:9");
    assert_eq!(read.shown[40].value, "10 more routes, from r40 on");
}

#[test]
fn a_policy_of_a_route_whose_section_is_off_is_told_of() {
    let file_with = |policy: &str, limiter: &str| {
        file(&format!(
            r#"{{ "RateLimiter": {limiter}, "ReverseProxy": {{ "Routes": {{ "r1": {{ "ClusterId": "c1",
            "Match": {{ "Path": "/x" }}, "RateLimiterPolicy": "{policy}" }} }}, {CLUSTERS_OF_ONE} }} }}"#
        ))
    };
    let on = r#"{ "Enabled": true, "Policies": { "few": { "PermitLimit": 1 } } }"#;
    let off = r#"{ "Enabled": false, "Policies": { "few": { "PermitLimit": 1 } } }"#;
    for (policy, limiter, expected) in [
        ("few", on, None),
        ("few", off, Some("few")),
        ("Disable", on, None),
        ("Disable", "{}", None),
        ("Default", on, None),
    ] {
        let (_, problems) = file_with(policy, limiter);
        let expected = expected.map(|name| {
            format!("? Rate limiter policy '{name}' of route 'r1' has no effect: RateLimiter:Enabled is not true.")
        });
        assert_eq!(told(&problems), Vec::from_iter(expected), "{policy} {limiter}");
    }
}

#[test]
fn what_nearly_is_right_is_told_with_what_was_meant() {
    let destination = |json: &str| {
        section(&format!(
            r#"{{ "Routes": {{ "r1": {{ "ClusterId": "c1", "Match": {{ "Path": "/" }} }} }},
            "Clusters": {{ "c1": {{ "Destinations": {{ "d1": {{ {json} }} }} }} }} }}"#
        ))
    };
    let metadata = "did you mean ReverseProxy:Clusters:c1:Metadata:";
    for ((_, problems), severity, message, fix) in [
        (
            matching(r#""Path": "/{id:itn}""#),
            Severity::Error,
            "Invalid path '/{id:itn}' for route 'r1'.",
            "write int".to_owned(),
        ),
        (
            cluster(r#""HttpClient": { "SslProtocols": [ "Tls14" ] }"#),
            Severity::Error,
            "'Tls14' names no version of TLS: cluster 'c1'.",
            "write Tls12 or Tls13".to_owned(),
        ),
        (
            cluster(r#""HttpClient": { "SslProtocols": [ "TLSv1.3" ] }"#),
            Severity::Error,
            "'TLSv1.3' names no version of TLS: cluster 'c1'.",
            "write Tls13".to_owned(),
        ),
        (
            cluster(r#""Metadata": { "SlowStrat": "00:00:10" }"#),
            Severity::Warning,
            "The metadata 'SlowStrat' means nothing to the server.",
            format!("{metadata}SlowStart?"),
        ),
        (
            cluster(r#""Metadata": { "TransportFailureRateHealthPolicy.RateLimt": "0.5" }"#),
            Severity::Warning,
            "The metadata 'TransportFailureRateHealthPolicy.RateLimt' means nothing to the server.",
            format!("{metadata}TransportFailureRateHealthPolicy.RateLimit?"),
        ),
        (
            destination(r#""Address": "http://a:1", "Metadata": { "Weigth": "3", "Zone": "b" }"#),
            Severity::Warning,
            "The metadata 'Weigth' means nothing to the server.",
            "did you mean ReverseProxy:Clusters:c1:Destinations:d1:Metadata:Weight?".to_owned(),
        ),
        (
            destination(r#""Address": "http://256.1.1.1""#),
            Severity::Error,
            "Invalid address 'http://256.1.1.1' of destination 'd1' on cluster 'c1'.",
            "correct it: four numbers up to 255, with dots between".to_owned(),
        ),
        (
            destination(r#""Address": "http://locahost:80""#),
            Severity::Warning,
            "'locahost' nearly is localhost, and is a name that this machine has to know: http://locahost:80.",
            "write localhost, if that was meant".to_owned(),
        ),
    ] {
        let [problem] = &problems[..] else { panic!("one of {message}: {problems:?}") };
        assert_eq!((problem.severity, &*problem.message), (severity, message));
        assert_eq!(problem.fix.as_deref(), Some(&*fix), "{message}");
    }
    for address in
        ["http://127.1", "http://localhost.", "http://ip6-localhost", "http://a.localhost"]
    {
        let (_, problems) = destination(&format!(r#""Address": "{address}""#));
        assert_eq!(told(&problems), [""; 0], "{address}");
    }
}
