//! What is said of endpoints that were planned.

use super::advice::with_port;
use super::display::{also_reachable, bound_text, readdressed};
use super::{ConfiguredEndpoint, EndpointPlan, EndpointSettings, ListenTarget, plan};
use crate::configuration::{Origin, Sourced};

fn planned(url: &str) -> EndpointPlan {
    plan(&EndpointSettings {
        urls: Some(Sourced::new(url.to_owned(), Origin::Default)),
        ..EndpointSettings::default()
    })
}

#[test]
fn another_endpoint_on_the_same_sockets_keeps_the_real_port() {
    for (url, published, address) in [
        ("https://127.0.0.1:0", "http://127.0.0.1:40123", "https://127.0.0.1:40123"),
        ("http://a.localhost:1", "http://localhost:1", "http://a.localhost:1"),
        ("https://*:80", "http://0.0.0.0:80", "https://0.0.0.0:80"),
        ("https://unix:/run/k.sock", "http://unix:/run/k.sock", "https://unix:/run/k.sock"),
    ] {
        assert_eq!(readdressed(published, &planned(url).endpoints[0]), address, "{url}");
    }
}

#[test]
fn the_announced_text_has_the_real_port() {
    for (url, bound, address, also) in [
        ("http://localhost:5000", "127.0.0.1:5000", "http://localhost:5000", None),
        ("http://A.b.LOCALHOST:1", "[::1]:1", "http://A.b.localhost:1", Some("http://localhost:1")),
        ("http://a..localhost:1", "127.0.0.1:1", "http://a..localhost:1", None),
        ("http://*:0", "[::]:40123", "http://[::]:40123", None),
        ("http://*:80", "0.0.0.0:80", "http://0.0.0.0:80", None),
        ("http://[::1]:0", "[::1]:9", "http://[::1]:9", None),
        ("http://[fe80::1%3]:9", "[fe80::1%3]:9", "http://[fe80::1%3]:9", None),
    ] {
        let plan = planned(url);
        let text = bound_text(&plan.endpoints[0], bound.parse().ok());
        assert_eq!((text.as_str(), also_reachable(&text).as_deref()), (address, also), "{url}");
    }
    let plan = planned("http://unix:/run/k.sock");
    assert_eq!(bound_text(&plan.endpoints[0], None), "http://unix:/run/k.sock");
    assert_eq!(also_reachable("http://unix:/a.localhost:1"), None);
}

#[test]
fn another_port_is_written_where_the_first_one_was() {
    let file = || Origin::File { path: "appsettings.json".into(), line: 1, column: 1 };
    let listen = |key: &str, target, origin| EndpointSettings {
        listen: vec![ConfiguredEndpoint {
            name: "A".to_owned(),
            key: key.to_owned(),
            target: Sourced::new(target, origin),
            protocols: None,
            tls: None,
            unix_socket: Default::default(),
            proxy_protocol: None,
        }],
        ..EndpointSettings::default()
    };
    let urls = |text: &str, origin| EndpointSettings {
        urls: Some(Sourced::new(text.to_owned(), origin)),
        ..EndpointSettings::default()
    };
    let serve = Origin::CommandLine { position: 1, argument: "serve".to_owned() };
    let command_line = Origin::CommandLine { position: 1, argument: "--urls".to_owned() };
    let ports = EndpointSettings {
        http_ports: Some(Sourced::new("80".to_owned(), Origin::Default)),
        ..EndpointSettings::default()
    };
    for (settings, written) in [
        (EndpointSettings::default(), "start with --urls http://localhost:1234"),
        (urls("https://[::1]:5/", command_line), "write https://[::1]:1234 in --urls"),
        (urls("http://localhost:5", serve), "write --port 1234"),
        (urls("http://*", file()), "write http://*:1234 in urls"),
        (urls("http://*:1", Origin::Code("use_urls")), "write http://*:1234 in use_urls"),
        (ports, "write 1234 in http_ports"),
        (listen("--listen", ListenTarget::AnyIp(80), Origin::Default), "write --listen *:1234"),
        (
            listen("listen_any_ip", ListenTarget::AnyIp(80), Origin::Code("listen_any_ip")),
            "write 1234 in listen_any_ip",
        ),
        (
            listen(
                "Kestrel:Endpoints:A:Url",
                ListenTarget::Url("http://a.localhost:80".to_owned()),
                file(),
            ),
            "write http://a.localhost:1234 in Kestrel:Endpoints:A:Url",
        ),
    ] {
        assert_eq!(with_port(&plan(&settings).endpoints[0], 1234), written);
    }
}
