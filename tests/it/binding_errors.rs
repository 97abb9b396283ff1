//! Why a host does not start, as a value a program can look at.

use kestrel::addresses::{BindError, Relation};
use kestrel::configuration::Origin;
use kestrel::{ExitKind, HostBuilder, HostError};

#[cfg(target_os = "linux")]
use crate::support::{ReservedPort, Wire, saying};
use crate::support::{builder, configured, soon, started, stopped, taken_port};

async fn start_error(builder: HostBuilder) -> HostError {
    let host = builder.build().expect("the configuration is right");
    let started = soon("start", host.start()).await;
    started.expect_err("the address is taken")
}

/// Why addresses could not be bound.
fn reasons(error: &HostError) -> &[BindError] {
    match error {
        HostError::Bind(reasons) => reasons,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_origin_and_its_holder() {
    let (_taken, address) = taken_port();
    let url = format!("http://{address}");
    let error = start_error(configured(&[("ASPNETCORE_URLS", &*url)])).await;
    assert_eq!(error.exit_kind(), ExitKind::Binding);
    let [BindError::AddressInUse { address: told, origin, holder, .. }] = reasons(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(*told, url);
    assert_eq!(*origin, Origin::EnvironmentVariable("ASPNETCORE_URLS".to_owned()));
    let text = error.to_string();
    let first = format!("Failed to bind to address {url}: address already in use.");
    assert_eq!(text.lines().next(), Some(&*first));
    assert!(text.contains("environment variable ASPNETCORE_URLS"), "{text}");
    if cfg!(target_os = "linux") {
        let process = holder.as_ref().and_then(|holder| holder.process.as_ref());
        let known = process.map(|process| (process.id, process.relation));
        assert_eq!(known, Some((std::process::id(), Relation::Itself)));
        let told = format!("This very process ({}) listens on {address}.", std::process::id());
        assert!(text.contains(&told), "{text}");
    }
}

#[tokio::test]
async fn a_port_that_a_host_of_this_process_has_is_taken_too() {
    let first = started(builder().use_urls("http://127.0.0.1:0")).await;
    let error = start_error(builder().use_urls(&first.addresses()[0])).await;
    assert!(matches!(reasons(&error), [BindError::AddressInUse { .. }]), "{error:?}");
    stopped(first).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_was_bound_before_a_failure_is_released() {
    let reserved = ReservedPort::new();
    let (_taken, taken) = taken_port();
    let both = builder().listen(reserved.address()).listen(taken);
    let error = start_error(both).await;
    let [BindError::AddressInUse { address, .. }] = reasons(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(*address, format!("http://{taken}"));
    std::net::TcpStream::connect(reserved.address()).expect_err("nobody listens");
    // And the first of the two can be had again.
    let host = started(builder().listen(reserved.address()).app(saying("hello"))).await;
    std::net::TcpStream::connect(reserved.address()).expect("somebody listens");
    stopped(host).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn every_address_is_tried_and_every_failure_told() {
    let reserved = ReservedPort::new();
    let (_first, first) = taken_port();
    let (_second, second) = taken_port();
    let error =
        start_error(builder().listen(first).listen(reserved.address()).listen(second)).await;
    let told: Vec<_> = reasons(&error).iter().map(BindError::address).collect();
    assert_eq!(told, [format!("http://{first}"), format!("http://{second}")]);
    assert_eq!(error.problems().len(), 2, "{error}");
    // What could be had between them is given back.
    std::net::TcpStream::connect(reserved.address()).expect_err("nobody listens");
    let host = started(builder().listen(reserved.address())).await;
    stopped(host).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_port_of_a_stopped_host_is_free_for_the_next() {
    let reserved = ReservedPort::new();
    for round in ["first", "second"] {
        let host = started(builder().listen(reserved.address()).app(saying(round))).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        assert_eq!(wire.get("/").await.body, round);
        stopped(host).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn localhost_is_refused_if_its_port_is_taken_on_one_loopback() {
    use std::net::{Ipv6Addr, TcpListener};

    #[expect(clippy::disallowed_methods, reason = "somebody else has to have the port")]
    let Ok(ipv6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return crate::support::skipped(
            "localhost_is_refused_if_its_port_is_taken_on_one_loopback",
            "an IPv6 loopback",
        );
    };
    let port = ipv6.local_addr().expect("it is bound").port();
    let error = start_error(builder().use_urls(&format!("http://localhost:{port}"))).await;
    let [BindError::AddressInUse { address, .. }] = reasons(&error) else {
        panic!("{error:?}");
    };
    // Unless another process happens to have the same port on the other loopback.
    let either = [format!("http://[::1]:{port}"), format!("http://127.0.0.1:{port}")];
    assert!(either.contains(address), "{address}");
}

#[test]
fn two_endpoints_that_want_one_address_are_found_before_binding() {
    // Nothing is bound: the port may be anybody's.
    let error = configured(&[
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:5000"),
        ("Kestrel__Endpoints__B__Url", "http://*:5000"),
    ])
    .build()
    .expect_err("both want port 5000");
    assert!(matches!(&error, HostError::Endpoints(_)), "{error:?}");
    assert_eq!(error.exit_kind(), ExitKind::Binding);
    let [problem] = &error.problems()[..] else {
        panic!("{error}");
    };
    let text = problem.to_string();
    for part in [
        "address already in use",
        "environment variable Kestrel__Endpoints__B__Url",
        "environment variable Kestrel__Endpoints__A__Url",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn https_is_refused_for_want_of_a_certificate_before_anything_is_bound() {
    let error = builder().use_urls("https://127.0.0.1:0").build().expect_err("there is none");
    assert!(matches!(&error, HostError::Certificate(_)), "{error:?}");
    assert_eq!(error.exit_kind(), ExitKind::Certificate);
    assert!(error.to_string().contains("code (use_urls)"), "{error}");
}

#[test]
fn mistakes_of_every_kind_are_told_together_and_the_first_kind_gives_the_code() {
    let wrong = |limit: &'static str| {
        configured(&[
            ("Kestrel__Endpoints__A__Url", "https://127.0.0.1:5000"),
            ("Kestrel__Endpoints__A__Certificate__Path", "/nowhere/a.pfx"),
            ("Kestrel__Endpoints__B__Url", "http://127.0.0.1:5000"),
            ("Kestrel__Limits__MaxRequestLineSize", limit),
        ])
    };
    let error = wrong("many").build().expect_err("three mistakes");
    let HostError::Several(kinds) = &error else {
        panic!("{error:?}");
    };
    let codes: Vec<_> = kinds.iter().map(HostError::exit_kind).collect();
    assert_eq!(codes, [ExitKind::Configuration, ExitKind::Certificate, ExitKind::Binding]);
    assert_eq!(error.exit_kind(), ExitKind::Configuration);
    let text = error.to_string();
    for part in ["MaxRequestLineSize", "/nowhere/a.pfx", "Two endpoints want it"] {
        assert!(text.contains(part), "'{part}' is not in {text}");
    }
    let error = wrong("8192").build().expect_err("two mistakes");
    assert_eq!(error.exit_kind(), ExitKind::Certificate, "{error}");
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once() {
    let error = configured(&[
        ("ASPNETCORE_URLS", "http://127.0.0.1:x"),
        ("Kestrel__Limits__MaxRequestLineSize", "many"),
        ("Kestrel__AddServerHeader", "perhaps"),
    ])
    .build()
    .expect_err("three mistakes");
    assert!(matches!(&error, HostError::Configuration(_)), "{error:?}");
    assert_eq!(error.exit_kind(), ExitKind::Configuration);
    assert_eq!(error.problems().len(), 3, "{error}");
    for problem in error.problems() {
        assert!(problem.origin.is_some(), "{problem}");
        assert!(problem.fix.is_some(), "{problem}");
    }
}

#[test]
fn warnings_are_fatal_when_strict() {
    let odd = || configured(&[("ASPNETCORE_URLS", "http://127.0.0.1:0")]).use_setting("urlz", "x");
    odd().build().expect("a near miss is only warned about");
    let error = odd().strict(true).build().expect_err("now it is not");
    assert!(error.to_string().contains("did you mean urls?"), "{error}");
}

#[test]
fn the_exit_codes_are_the_documented_ones() {
    for (kind, code) in [
        (ExitKind::Stopped, 0),
        (ExitKind::Internal, 1),
        (ExitKind::Usage, 2),
        (ExitKind::Configuration, 3),
        (ExitKind::Binding, 4),
        (ExitKind::Certificate, 5),
    ] {
        assert_eq!(kind as u8, code, "{kind:?}");
    }
}
