//! The choice of endpoints, as tables.

use super::*;
use crate::addresses::{ProcessManager, UnixSocketOptions};

fn sourced(value: &str) -> Option<Sourced<String>> {
    (!value.is_empty()).then(|| Sourced::new(value.to_owned(), Origin::Default))
}

fn endpoint(url: &str) -> ConfiguredEndpoint {
    ConfiguredEndpoint {
        name: "A".to_owned(),
        key: "Kestrel:Endpoints:A:Url".to_owned(),
        target: Sourced::new(ListenTarget::Url(url.to_owned()), Origin::Default),
        protocols: None,
        tls: None,
        unix_socket: UnixSocketOptions::default(),
    }
}

fn settings(listen: &str, urls: &str, prefer: bool) -> EndpointSettings {
    EndpointSettings {
        endpoints: listen.split_whitespace().map(endpoint).collect(),
        urls: sourced(urls),
        prefer_hosting_urls: Some(Sourced::new(prefer, Origin::Default)),
        ..EndpointSettings::default()
    }
}

fn bound(plan: &EndpointPlan) -> String {
    plan.endpoints.iter().map(display::planned_text).collect::<Vec<_>>().join(" ")
}

fn notes(plan: &EndpointPlan) -> Vec<&'static str> {
    let name = |note: &Note| match note {
        Note::PortsOverridden { .. } => "ports overridden",
        Note::AddressesOverridden { .. } => "addresses overridden",
        Note::EndpointsOverridden { .. } => "endpoints overridden",
        Note::UrlsShadowed { .. } => "urls shadowed",
        Note::DefaultAddress { .. } => "default",
        Note::NameBindsAll { .. } => "name",
        Note::BlankTrimmed { .. } => "blank",
        Note::Http3NeedsTls { .. } => "http3",
    };
    plan.notes.iter().map(name).collect()
}

#[test]
fn endpoints_win_over_addresses_unless_told_otherwise() {
    for (listen, urls, prefer, expected, said) in [
        ("", "", false, "http://localhost:5000", &["default"][..]),
        ("", "", true, "http://localhost:5000", &["default"]),
        ("", "http://*:80", false, "http://[::]:80", &[]),
        ("http://*:81", "", false, "http://[::]:81", &[]),
        ("http://*:81", "", true, "http://[::]:81", &[]),
        ("http://*:81", "http://*:80", false, "http://[::]:81", &["addresses overridden"]),
        ("http://*:81", "http://*:80", true, "http://[::]:80", &["endpoints overridden"]),
        ("http://*:81", "garbage", false, "http://[::]:81", &["addresses overridden"]),
    ] {
        let plan = plan(&settings(listen, urls, prefer));
        assert_eq!(bound(&plan), expected, "listen={listen} urls={urls}");
        assert_eq!(notes(&plan), said, "listen={listen} urls={urls}");
        assert_eq!(plan.problems, [], "listen={listen} urls={urls}");
    }
}

#[test]
fn a_broken_endpoint_refuses_the_start_even_where_addresses_win() {
    let plan = plan(&settings("nonsense", "http://*:80", true));
    assert_eq!(plan.problems.len(), 1);
    assert!(plan.problems[0].problem.message.starts_with("Invalid url: 'nonsense'"));
}

#[test]
fn ports_count_only_without_urls() {
    for (urls, http, https, expected, said) in [
        ("", "8080", "", "http://[::]:8080", &[][..]),
        ("", " 1 ;2;;", "3", "http://[::]:1 http://[::]:2 https://[::]:3", &[]),
        ("http://127.0.0.1:9", "1", "", "http://127.0.0.1:9", &["ports overridden"]),
    ] {
        let settings = EndpointSettings {
            http_ports: sourced(http),
            https_ports: sourced(https),
            ..settings("", urls, false)
        };
        let plan = plan(&settings);
        assert_eq!(bound(&plan), expected);
        assert_eq!(notes(&plan), said);
    }
}

#[test]
fn lists_are_split_at_semicolons_and_blanks_beside_them_are_dropped() {
    for (urls, expected, said, problems) in [
        (
            ";http://127.0.0.1:1;;http://127.0.0.1:2;",
            "http://127.0.0.1:1 http://127.0.0.1:2",
            &[][..],
            0,
        ),
        (
            "http://127.0.0.1:1; http://127.0.0.1:2",
            "http://127.0.0.1:1 http://127.0.0.1:2",
            &["blank"],
            0,
        ),
        (
            "http://127.0.0.1:1 ;http://127.0.0.1:2 ",
            "http://127.0.0.1:1 http://127.0.0.1:2",
            &["blank"],
            0,
        ),
        (" ", "", &[], 1),
        (" http://127.0.0.1:1", "", &[], 1),
        ("http://127.0.0.1:1,http://127.0.0.1:2", "", &[], 1),
    ] {
        let plan = plan(&settings("", urls, false));
        assert_eq!(bound(&plan), expected, "{urls:?}");
        assert_eq!(notes(&plan), said, "{urls:?}");
        assert_eq!(plan.problems.len(), problems, "{urls:?}");
    }
}

#[test]
fn a_process_manager_beats_everything_but_code() {
    let manager = ProcessManager { port: Sourced::new("6010".to_owned(), Origin::Default) };
    let from_code = Some(Sourced::new("http://127.0.0.1:1".to_owned(), Origin::Code("use_urls")));
    for (urls, expected) in [
        (sourced("http://127.0.0.1:2"), "http://127.0.0.1:6010"),
        (None, "http://127.0.0.1:6010"),
        (from_code, "http://127.0.0.1:1"),
    ] {
        let settings = EndpointSettings {
            urls,
            process_manager: Some(manager.clone()),
            ..settings("http://*:81", "", false)
        };
        let plan = plan(&settings);
        assert_eq!(bound(&plan), expected);
        assert_eq!(notes(&plan), ["endpoints overridden"]);
    }
}

#[test]
fn two_endpoints_for_one_address_are_found_before_binding() {
    for (urls, clash) in [
        ("http://127.0.0.1:1;http://127.0.0.1:1", Some("http://127.0.0.1:1")),
        ("http://localhost:1;http://127.0.0.1:1", Some("http://127.0.0.1:1")),
        ("http://[::1]:1;http://localhost:1", Some("http://[::1]:1")),
        ("http://*:1;http://127.0.0.1:1", Some("http://127.0.0.1:1")),
        ("http://127.0.0.1:1;http://*:1", Some("http://[::]:1")),
        ("http://0.0.0.0:1;http://127.0.0.1:1", Some("http://127.0.0.1:1")),
        ("http://0.0.0.0:1;http://[::1]:1", None),
        ("http://127.0.0.1:1;http://[::1]:1", None),
        ("http://127.0.0.1:0;http://127.0.0.1:0", None),
        ("http://unix:/a;http://unix:/b", None),
        ("http://unix:/a;http://unix:/a", Some("http://unix:/a")),
    ] {
        let plan = plan(&settings("", urls, false));
        let message = plan.problems.first().map(|problem| problem.problem.message.clone());
        let expected = clash.map(|address| {
            format!("Failed to bind to address {address}: address already in use. Two endpoints want it.")
        });
        assert_eq!(message, expected, "{urls}");
    }
}

#[test]
fn what_no_endpoint_may_be() {
    for (url, protocols, message) in [
        (
            "http://localhost:0",
            None,
            "Dynamic port binding is not supported when binding to localhost.",
        ),
        (
            "http://foo.localhost:0",
            None,
            "Dynamic port binding is not supported when binding to localhost.",
        ),
        ("http://127.0.0.1:1", Some(HttpProtocols::Http3), "HTTP/3 requires HTTPS."),
        (&format!("http://unix:/{}", "x".repeat(200)), None, "The path '/xxx"),
    ] {
        let mut configured = endpoint(url);
        configured.protocols = protocols;
        let plan =
            plan(&EndpointSettings { endpoints: vec![configured], ..EndpointSettings::default() });
        assert_eq!(plan.endpoints, []);
        let told = &plan.problems[0].problem;
        assert!(told.message.starts_with(message), "{told}");
        assert!(told.fix.is_some() && told.origin.is_some());
    }
}

#[test]
fn protocols_come_from_the_endpoint_then_from_the_defaults() {
    for (own, default, expected, said) in [
        (None, None, HttpProtocols::Http1AndHttp2, &[][..]),
        (None, Some(HttpProtocols::Http2), HttpProtocols::Http2, &[]),
        (Some(HttpProtocols::Http1), Some(HttpProtocols::Http2), HttpProtocols::Http1, &[]),
        (
            Some(HttpProtocols::Http1AndHttp2AndHttp3),
            None,
            HttpProtocols::Http1AndHttp2,
            &["http3"],
        ),
    ] {
        let mut configured = endpoint("http://127.0.0.1:1");
        configured.protocols = own;
        let settings = EndpointSettings {
            endpoints: vec![configured],
            default_protocols: default,
            ..EndpointSettings::default()
        };
        let plan = plan(&settings);
        assert_eq!(plan.endpoints[0].protocols, expected);
        assert_eq!(notes(&plan), said);
    }
}

#[test]
fn a_reload_keeps_what_is_no_endpoint_of_the_configuration() {
    let configured = |urls: &[&str]| -> Vec<ConfiguredEndpoint> {
        let named = |(place, url): (usize, &&str)| {
            let mut endpoint = endpoint(url);
            endpoint.key = format!("Kestrel:Endpoints:{place}:Url");
            endpoint
        };
        urls.iter().enumerate().map(named).collect()
    };
    let (one, two) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
    for (endpoints, addresses, prefers, after, expected) in [
        (&[one][..], None, false, &[two][..], Some("http://127.0.0.1:2")),
        (&[one], None, false, &[], Some("")),
        // The addresses lost at the start, and do not come back.
        (&[one], sourced("http://127.0.0.1:9"), false, &[], Some("")),
        (
            &[],
            sourced("http://127.0.0.1:9"),
            false,
            &[one],
            Some("http://127.0.0.1:9 http://127.0.0.1:1"),
        ),
        (&[], None, false, &[one], Some("http://localhost:5000 http://127.0.0.1:1")),
        (&[one], sourced("http://127.0.0.1:9"), true, &[two], None),
        (&[], sourced("http://127.0.0.1:9"), true, &[two], None),
        (&[one], None, true, &[two], Some("http://127.0.0.1:2")),
    ] {
        let settings = EndpointSettings {
            endpoints: configured(endpoints),
            urls: addresses,
            prefer_hosting_urls: Some(Sourced::new(prefers, Origin::Default)),
            ..EndpointSettings::default()
        };
        let fixed = fixed(&plan(&settings), &settings);
        let now = EndpointSettings { endpoints: configured(after), ..settings.clone() };
        let planned = fixed.map(|fixed| bound(&replan(&fixed, &now)));
        assert_eq!(planned.as_deref(), expected, "{endpoints:?} -> {after:?}");
    }
}
