//! The choice of endpoints, as tables.

use super::super::advice::short_ip_of_spec;
use super::*;
#[cfg(target_os = "linux")]
use crate::addresses::GivenSocket;
use crate::addresses::{ProcessManager, UnixSocketOptions};
use crate::configuration::Severity;

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
        proxy_protocol: None,
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
        Note::InsideOnly { .. } => "inside only",
    };
    plan.notes.iter().map(name).collect()
}

#[test]
fn nobody_wins_over_addresses_if_no_endpoint_can_be() {
    for mut settings in
        [settings("http://localhost:0", "http://*:80", false), settings("", "http://*:80", false)]
    {
        if settings.endpoints.is_empty() {
            let target = Sourced::new(ListenTarget::Localhost(0), Origin::Code("listen_localhost"));
            settings.listen = vec![ConfiguredEndpoint { target, ..endpoint("") }];
        }
        let plan = plan(&settings);
        assert_eq!((plan.problems.len(), notes(&plan)), (1, Vec::new()), "{plan:?}");
    }
}

/// A socket that was passed, at a free port; with `PORT` for it in what stands beside it.
#[cfg(target_os = "linux")]
fn with_passed(listen: &str, urls: &str, prefer: bool) -> (EndpointPlan, String) {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&any.into()).unwrap();
    let socket = GivenSocket::passed(socket.into()).unwrap();
    let port = socket.to_string().replace("127.0.0.1:", "");
    let with_port = |text: &str| text.replace("PORT", &port);
    let mut settings = settings(&with_port(listen), &with_port(urls), prefer);
    let target = Sourced::new(ListenTarget::Given(socket), Origin::Default);
    settings.passed = vec![ConfiguredEndpoint { target, ..endpoint("") }];
    (plan(&settings), port)
}

#[cfg(target_os = "linux")]
#[test]
fn a_passed_socket_is_of_who_names_it_or_an_endpoint() {
    for (listen, urls, prefer, expected, said) in [
        ("", "", false, "http://127.0.0.1:PORT", &[][..]),
        ("", "http://127.0.0.1:PORT", false, "http://127.0.0.1:PORT", &[]),
        ("", "http://localhost:PORT", false, "http://localhost:PORT", &[]),
        ("", "https://127.0.0.1:PORT", false, "https://127.0.0.1:PORT", &[]),
        (
            "",
            "http://127.0.0.1:PORT;http://[::1]:9",
            false,
            "http://127.0.0.1:PORT http://[::1]:9",
            &[],
        ),
        ("", "http://*:9", false, "http://127.0.0.1:PORT", &["addresses overridden"]),
        ("", "http://127.0.0.1:0", false, "http://127.0.0.1:PORT", &["addresses overridden"]),
        ("", "http://*:9", true, "http://[::]:9", &["endpoints overridden"]),
        ("", "http://127.0.0.1:PORT", true, "http://127.0.0.1:PORT", &[]),
        ("http://*:9", "", false, "http://127.0.0.1:PORT http://[::]:9", &[]),
        ("https://127.0.0.1:PORT", "", false, "https://127.0.0.1:PORT", &[]),
        (
            "http://127.0.0.1:PORT",
            "http://*:9",
            false,
            "http://127.0.0.1:PORT",
            &["addresses overridden"],
        ),
    ] {
        let (plan, port) = with_passed(listen, urls, prefer);
        let told = format!("listen={listen} urls={urls} prefer={prefer}");
        assert_eq!(bound(&plan), expected.replace("PORT", &port), "{told}");
        assert_eq!(notes(&plan), said, "{told}");
        assert_eq!(plan.problems, [], "{told}");
        let has_it = |it: &&PlannedEndpoint| it.given.is_some() || it.passed.len() == 1;
        let having = plan.endpoints.iter().filter(has_it).count();
        assert_eq!(having, expected.matches("PORT").count(), "{told}");
    }
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

/// Everything that is printed of a plan and its problems.
fn told(plan: &EndpointPlan) -> String {
    let problems = plan.problems.iter().map(|problem| problem.problem.to_string());
    let warnings = plan.warnings.iter().map(|problem| problem.to_string());
    problems.chain(warnings).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_slip_is_warned_of_and_another_name_is_noted() {
    for (urls, fix, said) in [
        (
            "http://127.0.0.l:5000",
            Some(
                "write http://127.0.0.1:5000 for that address, or http://*:5000 if all interfaces are meant",
            ),
            &[][..],
        ),
        (
            "https://locahost:5000/",
            Some(
                "write https://localhost:5000/ for the loopback, or https://*:5000/ if all interfaces are meant",
            ),
            &[],
        ),
        (
            "http://localhost.:5000",
            Some(
                "write http://localhost:5000 for the loopback, or http://*:5000 if all interfaces are meant",
            ),
            &[],
        ),
        (
            "http://192.168.1.x:5000",
            Some(
                "write an IP address in digits alone, or http://*:5000 if all interfaces are meant",
            ),
            &[],
        ),
        ("http://example.com:5000", None, &["name"]),
        ("http://localhost.example.com:5000", None, &["name"]),
    ] {
        let plan = plan(&settings("", urls, false));
        let warned: Vec<_> = plan.warnings.iter().map(|warning| warning.fix.as_deref()).collect();
        assert_eq!(warned, fix.map(Some).into_iter().collect::<Vec<_>>(), "{urls}");
        assert_eq!(notes(&plan), said, "{urls}");
        assert_eq!(plan.problems, [], "{urls}");
        assert_eq!(bound(&plan).replace("https", "http"), "http://[::]:5000", "{urls}");
    }
}

#[test]
fn of_endpoints_that_lose_no_names_are_told() {
    let plan =
        plan(&settings("http://locahost:1 http://example.com:2", "http://127.0.0.1:3", true));
    assert_eq!(notes(&plan), ["endpoints overridden"]);
    assert_eq!(plan.warnings, []);
}

#[test]
fn a_password_is_not_told_wherever_it_stands() {
    let secret = "http://user:hunter2;x@localhost:1";
    let mut added = settings("", "", false);
    added.added_urls = sourced(secret).into_iter().collect();
    let mut shadowed = settings("", "http://127.0.0.1:1", false);
    shadowed.shadowed_urls = sourced(secret).into_iter().collect();
    shadowed.http_ports = sourced(secret);
    let mut ports = settings("", "", false);
    ports.https_ports = sourced(secret);
    for settings in [
        settings("", secret, false),
        settings(secret, "", false),
        settings(secret, "http://127.0.0.1:1", true),
        settings("http://127.0.0.1:1", secret, false),
        settings("http://127.0.0.1:1", secret, true),
        added,
        shadowed,
        ports,
    ] {
        let plan = plan(&settings);
        assert!(!format!("{plan} {plan:?} {}", told(&plan)).contains("hunter2"), "{plan:?}");
    }
}

#[test]
fn a_list_in_the_place_of_one_address_is_told_as_such() {
    let told_of = |settings: &EndpointSettings| {
        let plan = plan(settings);
        (plan.problems[0].problem.cause.clone(), plan.problems[0].problem.fix.clone().unwrap())
    };
    let (cause, fix) = told_of(&settings("http://a:1;http://b:2", "", false));
    assert_eq!(cause.as_deref(), Some("More than one address stands there."));
    assert_eq!(
        fix,
        "write one address, http://a:1, and give http://b:2 an endpoint of its own, such as \
         Kestrel:Endpoints:A2:Url; only urls takes a list"
    );
    let (_, fix) = told_of(&settings("http://127.0.0.1:1;127.0.0.1:2", "", false));
    assert!(fix.contains("give 127.0.0.1:2 an endpoint of its own"), "{fix}");
    let mut added = settings("", "", false);
    added.added_urls = sourced("http://a:1;http://b:2").into_iter().collect();
    assert_eq!(
        told_of(&added).1,
        "call add_url once for each address: http://a:1, then http://b:2"
    );
}

#[test]
fn ports_are_told_by_their_own_key() {
    let settings = EndpointSettings {
        https_ports: sourced("5001"),
        http_ports: sourced("5000"),
        ..settings("http://*:81", "", false)
    };
    let overridden = plan(&settings);
    let Some(Note::AddressesOverridden { addresses, .. }) = overridden.notes.first() else {
        panic!("{overridden:?}");
    };
    let keys: Vec<_> =
        addresses.iter().map(|address| (address.key, &*address.text.value)).collect();
    assert_eq!(keys, [("http_ports", "http://*:5000"), ("https_ports", "https://*:5001")]);
    let wrong = plan(&EndpointSettings { https_ports: sourced("x"), ..Default::default() });
    assert_eq!(wrong.problems[0].problem.key.as_deref(), Some("https_ports"));
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
fn what_covers_what_is_told() {
    let covers = |all: &str, one: &str| {
        format!(
            "http://{all}:1 takes the port on every address of this machine, IPv4 and IPv6: it covers http://{one}:1."
        )
    };
    for (urls, cause, removed) in [
        ("http://0.0.0.0:1;http://[::]:1", Some(covers("[::]", "0.0.0.0")), "http://0.0.0.0:1"),
        ("http://[::]:1;http://0.0.0.0:1", Some(covers("[::]", "0.0.0.0")), "http://0.0.0.0:1"),
        ("http://localhost:1;http://*:1", Some(covers("[::]", "localhost")), "http://localhost:1"),
        (
            "http://127.0.0.1:1;http://0.0.0.0:1",
            Some("http://0.0.0.0:1 takes the port on every IPv4 address of this machine: it covers http://127.0.0.1:1.".to_owned()),
            "http://127.0.0.1:1",
        ),
        (
            "http://0.0.0.0:1;http://localhost:1",
            Some("http://localhost:1 stands for it, and http://0.0.0.0:1 has it already.".to_owned()),
            "",
        ),
        (
            "http://127.0.0.1:1;http://localhost:1",
            Some("http://localhost:1 stands for it, and http://127.0.0.1:1 has it already.".to_owned()),
            "",
        ),
        ("https://[::]:1;http://0.0.0.0:1", None, ""),
        ("http://[::]:1;http://*:1", None, ""),
        ("http://127.0.0.1:1;http://127.0.0.1:1", None, ""),
    ] {
        let plan = plan(&settings("", urls, false));
        let told = &plan.problems[0].problem;
        let fix = told.fix.clone().unwrap_or_default();
        let start = match &cause {
            Some(_) if !removed.is_empty() => format!("remove {removed}, set by "),
            _ => "give one of them another port, or remove it; the first is ".to_owned(),
        };
        assert!(fix.starts_with(&start), "{urls}: {fix}");
        assert_eq!(told.cause, cause, "{urls}");
    }
}

#[test]
fn the_two_loopbacks_are_advised_in_the_form_that_counts() {
    let listen = ConfiguredEndpoint {
        key: "--listen".to_owned(),
        target: Sourced::new(ListenTarget::Localhost(0), Origin::Default),
        ..endpoint("")
    };
    let call = ConfiguredEndpoint { key: "listen_localhost".to_owned(), ..listen.clone() };
    let of = |listen| EndpointSettings { listen: vec![listen], ..EndpointSettings::default() };
    for (settings, advice) in [
        (of(listen), "write --listen 127.0.0.1:0 --listen [::1]:0 "),
        (of(call), "call listen with 127.0.0.1:0 and with [::1]:0 "),
        (
            settings("", "https://localhost:0", false),
            "write --urls \"https://127.0.0.1:0;https://[::1]:0\" ",
        ),
        (
            settings("http://localhost:0", "", false),
            "write http://127.0.0.1:0, and give http://[::1]:0 an endpoint",
        ),
    ] {
        let fix = plan(&settings).problems[0].problem.fix.clone().unwrap_or_default();
        assert!(fix.starts_with(advice), "{fix}");
    }
}

#[test]
fn addresses_that_no_system_binds_are_refused_with_what_to_write() {
    for (url, fix) in [
        ("http://[::ffff:127.0.0.1]:1", "write http://127.0.0.1:1"),
        (
            "https://[fe80::1]:1",
            "write the interface behind a '%', such as https://[fe80::1%eth0]:1; ",
        ),
    ] {
        let plan = plan(&settings("", url, false));
        let told = &plan.problems[0].problem;
        assert!(told.message.ends_with(": Invalid argument."), "{told}");
        assert!(told.fix.as_deref().is_some_and(|told| told.starts_with(fix)), "{told}");
    }
    assert_eq!(plan(&settings("", "http://[fe80::1%3]:1", false)).problems, []);
}

#[test]
fn in_a_container_a_loopback_alone_is_told() {
    let within = |urls: &str| EndpointSettings {
        container: Some("there is a file /.dockerenv".to_owned()),
        ..settings("", urls, false)
    };
    let by_default = plan(&within(""));
    assert_eq!(notes(&by_default), ["default"]);
    let warning = &by_default.warnings[0];
    assert!(warning.message.contains("is reached only from inside this container"), "{warning}");
    assert!(
        warning.cause.as_ref().is_some_and(|cause| cause.contains("there is a file /.dockerenv"))
    );
    let fix = "listen on all interfaces: --urls http://*:8080, or the variable ASPNETCORE_HTTP_PORTS=8080";
    assert_eq!(warning.fix.as_deref(), Some(fix));
    for (urls, said) in [
        ("http://127.0.0.1:1", &["inside only"][..]),
        ("http://localhost:1;http://[::1]:2", &["inside only"]),
        ("http://127.8.8.8:1", &["inside only"]),
        ("http://*:1", &[]),
        ("http://localhost:1;http://*:2", &[]),
        ("http://localhost:1;http://10.0.0.1:2", &[]),
        // A volume shares it.
        ("http://unix:/run/a.sock", &[]),
        ("http://localhost:1;http://unix:/run/a.sock", &[]),
    ] {
        let told = plan(&within(urls));
        assert_eq!(notes(&told), said, "{urls}");
        assert_eq!(told.warnings, [], "{urls}");
        let outside = plan(&settings("", urls, false));
        assert_eq!(notes(&outside), [""; 0], "{urls}");
    }
    let reloaded = replan(
        &[],
        &EndpointSettings {
            container: Some("there is a file /.dockerenv".to_owned()),
            ..settings("http://127.0.0.1:1", "", false)
        },
    );
    assert_eq!(notes(&reloaded), ["inside only"]);
    assert_eq!(plan(&settings("", "", false)).warnings, []);
}

#[test]
fn nobody_is_promised_http3() {
    let served = |url: &str, protocols| {
        let mut configured = endpoint(url);
        configured.protocols = Some(protocols);
        plan(&EndpointSettings { endpoints: vec![configured], ..EndpointSettings::default() })
    };
    let alone = served("https://*:1", HttpProtocols::Http3);
    assert_eq!(alone.endpoints, []);
    assert!(alone.problems[0].problem.message.starts_with("Unable to bind an HTTP/3 endpoint."));
    let beside = served("https://*:1", HttpProtocols::Http1AndHttp2AndHttp3);
    assert_eq!(beside.endpoints[0].protocols, HttpProtocols::Http1AndHttp2);
    assert!(beside.warnings[0].message.starts_with("HTTP/3 is not there yet"));
    let none = served("http://*:1", HttpProtocols::None);
    assert!(none.warnings[0].message.contains("speaks no protocol"));
    assert_eq!(served("https://*:1", HttpProtocols::Http1).warnings, []);
}

#[test]
fn no_name_is_promised_http3() {
    let served = |protocols| {
        let mut configured = endpoint("https://*:1");
        let name = crate::tls::SniOptions {
            name: "example.org".to_owned(),
            protocols: Some(protocols),
            ..crate::tls::SniOptions::default()
        };
        configured.tls = Some(ConfiguredTls { sni: vec![name], ..ConfiguredTls::default() });
        plan(&EndpointSettings { endpoints: vec![configured], ..EndpointSettings::default() })
    };
    assert!(
        told(&served(HttpProtocols::Http3))
            .contains("the name example.org would be served to nobody")
    );
    let beside = served(HttpProtocols::Http1AndHttp2AndHttp3);
    assert!(told(&beside).contains("the name example.org has HTTP/1.1 and HTTP/2"));
    assert_eq!(served(HttpProtocols::Http2).warnings, []);
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
        let planned = fixed.map(|fixed| replan(&fixed, &now));
        let told = planned.iter().flat_map(|plan| &plan.warnings);
        let told: Vec<_> =
            told.filter(|it| it.message.ends_with("until the next start.")).collect();
        let planned = planned.as_ref().map(bound);
        assert_eq!(planned.as_deref(), expected, "{endpoints:?} -> {after:?}");
        // What a start would not bind beside them is told.
        let is_told = endpoints.is_empty() && !prefers;
        assert_eq!(told.len(), usize::from(is_told), "{endpoints:?} -> {after:?}: {told:?}");
        assert!(told.iter().all(|it| it.message.contains(" is listened on beside ")));
    }
}

#[test]
fn endpoints_that_say_nothing_to_listen_on_are_not_replaced_by_the_default() {
    let refused = |protocols| ConfiguredEndpoint { protocols, ..endpoint("") };
    let within = |urls: &str| EndpointSettings {
        refused: vec![refused(None)],
        container: Some("x".to_owned()),
        ..settings("", urls, false)
    };
    let alone = plan(&within(""));
    assert_eq!((bound(&alone), notes(&alone), alone.warnings.len()), (String::new(), vec![], 0));
    // Who knows where it was to listen.
    let beside =
        plan(&EndpointSettings { endpoints: vec![endpoint("http://127.0.0.1:1")], ..within("") });
    assert_eq!((bound(&beside), notes(&beside)), ("http://127.0.0.1:1".to_owned(), vec![]));
    for plan in [plan, |settings: &_| replan(&[], settings)] {
        let refused = vec![refused(Some(HttpProtocols::Http3))];
        let wrong = plan(&EndpointSettings { refused, ..EndpointSettings::default() }).problems;
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].problem.message.starts_with("Unable to bind an HTTP/3 endpoint"));
    }
}

#[test]
fn a_wrong_address_hides_no_wrong_protocol() {
    for (url, told) in [
        ("htp://x", "Unable to bind an HTTP/3 endpoint"),
        ("https://x:y", "Unable to bind an HTTP/3 endpoint"),
        ("http://[::1:80", "HTTP/3 requires HTTPS."),
    ] {
        let wrong = ConfiguredEndpoint { protocols: Some(HttpProtocols::Http3), ..endpoint(url) };
        let plan = plan(&EndpointSettings { endpoints: vec![wrong], ..Default::default() });
        assert_eq!(plan.problems.len(), 2, "{url}: {:?}", plan.problems);
        let message = &plan.problems[1].problem.message;
        assert!(message.starts_with(told), "{url}: {message}");
    }
}

#[test]
fn a_short_ip_address_of_a_spec_is_told_in_full() {
    let told = |spec: &str| {
        let told = short_ip_of_spec(spec);
        told.map(|told| (told.message.clone(), told.fix.unwrap_or_default()))
    };
    let words = |message: &str, fix: &str| Some((message.to_owned(), fix.to_owned()));
    let of = "is the IP address";
    for (spec, expected) in [
        (
            "127.1:5000",
            words(
                &format!("'127.1' in 127.1:5000 {of} 127.0.0.1."),
                "write --listen 127.0.0.1:5000",
            ),
        ),
        (
            "010.0.0.1:80",
            words(
                &format!("'010.0.0.1' in 010.0.0.1:80 {of} 8.0.0.1."),
                "write --listen 8.0.0.1:80",
            ),
        ),
        ("0:80", words(&format!("'0' in 0:80 {of} 0.0.0.0."), "write --listen 0.0.0.0:80")),
        ("127.0.0.1:80", None),
        ("[::1]:80", None),
        ("localhost:80", None),
        ("unix:/a:1", None),
    ] {
        assert_eq!(told(spec), expected, "{spec}");
    }
}

#[test]
fn a_short_ip_address_is_told_in_full() {
    for (url, told) in [
        ("http://192.168.1:5000", Some("http://192.168.0.1:5000")),
        ("https://010.0.0.1/", Some("https://8.0.0.1/")),
        ("http://127.1", Some("http://127.0.0.1")),
        ("http://127.0.0.1:1", None),
        ("http://[::ffff:1.2.3.4]:1", None),
        ("http://0.0.0.0:1", None),
    ] {
        let plan = plan(&settings("", url, false));
        let fixes: Vec<_> = plan.warnings.iter().filter_map(|it| it.fix.clone()).collect();
        let expected: Vec<_> = told.iter().map(|full| format!("write {full}")).collect();
        assert_eq!(fixes, expected, "{url}");
        // Whoever knows the form may mean it.
        assert!(plan.warnings.iter().all(|it| it.severity == Severity::Information), "{url}");
    }
}
