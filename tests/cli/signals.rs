//! Which signals end it, when, and with which code.

use nix::sys::signal::Signal;

use crate::certificates::{http2, install};
use crate::http::{Scheme, StuckRequest, get};
use crate::process::Kestrel;

const SHUTTING_DOWN: &str = "Application is shutting down...";

#[test]
fn a_signal_stops_it_with_0() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT] {
        let running = Kestrel::run([]).started();
        running.signal(signal);
        let outcome = running.ended();
        assert_eq!(outcome.code, Some(0), "{signal}");
        let last = outcome.stdout.lines().last().map(str::trim);
        assert_eq!(last, Some(SHUTTING_DOWN), "{signal}");
        assert_eq!(outcome.stderr, "", "{signal}");
    }
}

#[test]
fn a_hang_up_is_a_reload_and_survived() {
    let running = Kestrel::run([]).started();
    running.signal(Signal::SIGHUP);
    running.wait_for("The configuration was read again on SIGHUP: nothing changed.");
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    let outcome = running.terminated();
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.contains(SHUTTING_DOWN), "{}", outcome.stdout);
}

#[test]
fn a_second_signal_during_the_stop_ends_it_at_once() {
    for (first, second, code) in [
        (Signal::SIGINT, Signal::SIGINT, 130),
        (Signal::SIGTERM, Signal::SIGTERM, 143),
        (Signal::SIGTERM, Signal::SIGQUIT, 131),
        (Signal::SIGTERM, Signal::SIGINT, 130),
    ] {
        // Longer than the test: only the second signal can end it.
        let running = Kestrel::run(["--shutdownTimeoutSeconds", "86400"]).started();
        let _stuck = StuckRequest::new(&running.address());
        running.signal(first);
        running.wait_for(SHUTTING_DOWN);
        running.signal(second);
        let outcome = running.ended();
        assert_eq!(outcome.code, Some(code), "{first}, {second}");
        let told = "warn: Kestrel.Server[4]\n      A second signal came during the stop";
        assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "", "{first}, {second}");
    }
}

#[test]
fn a_second_signal_ends_a_request_over_tls_at_once() {
    let kestrel = Kestrel::new([
        "run",
        "--urls=https://127.0.0.1:0",
        "--shutdownTimeoutSeconds=86400",
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
    ]);
    install("server", &kestrel.root());
    let running = kestrel.started();
    let _stuck = StuckRequest::over(http2(&running.address()), Scheme::Https);
    // One that never says its hello does not count as a request.
    let authority = running.address().replace("https://", "");
    let _silent = std::net::TcpStream::connect(authority).expect("somebody listens");
    running.signal(Signal::SIGINT);
    running.wait_for(SHUTTING_DOWN);
    running.signal(Signal::SIGINT);
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(130), ""));
    let told = "warn: Kestrel.Server[4]\n      A second signal came during the stop";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
}

#[test]
fn a_hang_up_during_the_stop_ends_nothing() {
    let running = Kestrel::run(["--shutdownTimeoutSeconds", "86400"]).started();
    let stuck = StuckRequest::new(&running.address());
    running.signal(Signal::SIGTERM);
    running.wait_for(SHUTTING_DOWN);
    running.signal(Signal::SIGHUP);
    running.wait_for("SIGHUP");
    // The end of the request is the end of the stop.
    drop(stuck);
    assert_eq!(running.ended().code, Some(0));
}

#[test]
fn what_outlives_the_shutdown_timeout_is_counted_and_aborted() {
    let running = Kestrel::run(["--shutdownTimeoutSeconds=0"]).started();
    let _stuck = StuckRequest::new(&running.address());
    let outcome = running.terminated();
    assert_eq!(outcome.code, Some(0));
    let told = "warn: Kestrel.Server[2]\n      1 connection was still busy";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
}
