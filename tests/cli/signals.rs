//! Which signals end it, when, and with which code: the table of `docs/diagnostics.md`, but for the
//! rows of a log that is blocked, see `blocked_output`.

use std::fs::{self, File};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::certificates::{http2, install};
use crate::environment::skipped;
use crate::http::{Scheme, StuckRequest, get};
use crate::process::{
    Kestrel, LIMIT, terminal, wait_until_not_ignored, wait_until_signals_are_taken,
};

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
    let told = "info: Kestrel.Reload[9]\n      The configuration was read again on SIGHUP: nothing changed.";
    running.wait_for(told);
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
        // Those that come within a second are the same wish.
        let outcome = running.signal_until_ended(second);
        assert_eq!(outcome.code, Some(code), "{first}, {second}");
        let told = "warn: Kestrel.Server[4]\n      A second signal came during the stop";
        assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "", "{first}, {second}");
    }
}

#[test]
fn a_second_signal_ends_the_delay_of_a_stop_at_once() {
    let running = Kestrel::run([
        "--shutdownTimeoutSeconds=86400",
        "--HealthChecks:Enabled=true",
        "--HealthChecks:StopDelay=01:00:00",
    ])
    .started();
    running.signal(Signal::SIGTERM);
    running.wait_for("info: Kestrel.Server[13]\n      The stop begins in 3600 seconds");
    assert_eq!(get(&running.address(), "/healthz/ready", &[]).status, 503);
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    let outcome = running.signal_until_ended(Signal::SIGTERM);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(143), ""));
}

#[test]
fn signals_that_come_together_are_one_wish() {
    let running =
        Kestrel::run(["--shutdownTimeoutSeconds=86400", "--Logging:LogLevel:Kestrel.Server=Debug"])
            .started();
    let stuck = StuckRequest::new(&running.address());
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
        running.signal(signal);
    }
    let again = "dbug: Kestrel.Server[8]\n      A signal to stop came while the stop was beginning";
    running.wait_until(|text| text.matches(again).count() == 2);
    // The request goes on, and its end is that of the stop.
    drop(stuck);
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("Kestrel.Server[4]"), "{}", outcome.stdout);
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
    let outcome = running.signal_until_ended(Signal::SIGINT);
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
    running
        .wait_for("info: Kestrel.Server[3]\n      A hang-up signal (SIGHUP) came during the stop");
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

/// A settings file that is read for longer than any test waits for a signal to be obeyed.
fn endless_settings() -> String {
    format!("{{\"A\":[{}0]}}", "0,".repeat(3_000_000))
}

#[test]
fn before_it_has_begun_a_signal_ends_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT] {
        // A shell lets what it runs in the background ignore two of them, and this test, too.
        let mut command = Command::new("/usr/bin/env");
        command.arg("--default-signal=INT,QUIT,TERM").arg(env!("CARGO_BIN_EXE_kestrel"));
        command.args(["run", "--urls", "http://127.0.0.1:0"]);
        let running = Kestrel::by(command).spawn();
        wait_until_not_ignored(running.id(), signal);
        running.signal(signal);
        let outcome = running.ended();
        // It may have come to serve in the meantime.
        let stopped = outcome.code == Some(0) && outcome.stdout.contains(SHUTTING_DOWN);
        assert!(stopped || outcome.signal == Some(signal as i32), "{signal}: {outcome:?}");
    }
}

#[test]
fn while_it_reads_its_settings_a_signal_ends_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT] {
        let running = Kestrel::run([]).file("appsettings.json", &endless_settings()).spawn();
        wait_until_signals_are_taken(running.id());
        // These wait for a host that runs.
        running.signal(Signal::SIGHUP);
        running.signal(Signal::SIGUSR1);
        running.signal(signal);
        let outcome = running.ended();
        // What a supervisor takes for a stop, and a shell for an end by Ctrl+C.
        assert_eq!((outcome.code, outcome.signal), (None, Some(signal as i32)));
        assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", ""), "{signal}");
    }
}

/// They are kept for the host that is about to run, and end nothing.
#[test]
fn what_is_no_stop_is_kept_until_it_runs() {
    // To be read takes longer than to send two signals, mostly.
    let settings = format!("{{\"A\":[{}0]}}", "0,".repeat(100_000));
    let running = Kestrel::run([]).file("appsettings.json", &settings).spawn();
    wait_until_signals_are_taken(running.id());
    running.signal(Signal::SIGHUP);
    running.signal(Signal::SIGUSR1);
    running.wait_for("info: Kestrel.Reload[9]\n      The configuration was read again on SIGHUP: ");
    running.wait_for("info: Kestrel.Server[6]\n      SIGUSR1 came.");
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    let place = |text: &str| outcome.stdout.find(text).expect("it was told");
    let started = place("Application started.");
    assert!(place("on SIGHUP") > started && place("SIGUSR1 came.") > started, "{}", outcome.stdout);
}

/// Nothing kills the first process of a container but what it does itself.
#[test]
fn as_the_first_process_of_a_container_it_ends_by_itself() {
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child", env!("CARGO_BIN_EXE_kestrel"), "run"]);
    let able = Command::new("unshare").args(["--pid", "--fork", "true"]).status();
    if !able.is_ok_and(|status| status.success()) {
        return skipped("the first process of a container", "unshare, and root");
    }
    let running = Kestrel::by(unshare).file("appsettings.json", &endless_settings()).spawn();
    running.wait_for_thread("unshare");
    let children = format!("/proc/{0}/task/{0}/children", running.id());
    let began = std::time::Instant::now();
    let first = loop {
        if let Ok(child) = fs::read_to_string(&children).unwrap_or_default().trim().parse::<i32>() {
            break child;
        }
        assert!(began.elapsed() < LIMIT, "it has no child");
        std::thread::yield_now();
    };
    wait_until_signals_are_taken(first.cast_unsigned());
    kill(Pid::from_raw(first), Signal::SIGTERM).expect("it runs");
    assert_eq!(running.ended().code, Some(143));
}

#[test]
fn a_reload_and_a_stop_at_once_are_a_stop() {
    let running = Kestrel::run([]).file("appsettings.json", "{}");
    let root = running.root();
    let running = running.started();
    fs::write(root.join("appsettings.json"), endless_settings()).expect("the folder is ours");
    running.signal(Signal::SIGHUP);
    running.wait_for_thread("kestrel-reload");
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let last = outcome.stdout.lines().last().map(str::trim);
    assert_eq!(last, Some(SHUTTING_DOWN), "{}", outcome.stdout);
}

#[test]
fn a_signal_for_log_files_is_told_and_changes_nothing() {
    let running = Kestrel::run(["--shutdownTimeoutSeconds", "86400"]).started();
    running.signal(Signal::SIGUSR1);
    let told = "info: Kestrel.Server[6]\n      SIGUSR1 came. It opens log files anew";
    running.wait_for(told);
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    let stuck = StuckRequest::new(&running.address());
    running.signal(Signal::SIGTERM);
    running.wait_for(SHUTTING_DOWN);
    running.signal(Signal::SIGUSR1);
    running.wait_until(|text| text.matches("SIGUSR1 came.").count() == 2);
    drop(stuck);
    assert_eq!(running.ended().code, Some(0));
}

/// The binary on a terminal that ends with the other result, started by these words.
fn on_a_terminal(words: &[&str]) -> (Kestrel, File) {
    let (shown, used) = terminal();
    // Whoever runs the tests by `nohup` has them ignore the signal, and what they start with them.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", "setsid", "--ctty"]).args(words);
    command.args([env!("CARGO_BIN_EXE_kestrel"), "run", "--urls", "http://127.0.0.1:0"]);
    (Kestrel::by(command).stdin(used), shown)
}

#[test]
fn it_stops_with_its_terminal() {
    let (kestrel, terminal) = on_a_terminal(&[]);
    let running = kestrel.started();
    running.signal(Signal::SIGHUP);
    running.wait_for("The configuration was read again on SIGHUP: nothing changed.");
    drop(terminal);
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    let told = "info: Kestrel.Server[7]\n      The terminal is gone (SIGHUP): the host stops.";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(SHUTTING_DOWN), "{}", outcome.stdout);
}

#[test]
fn with_nohup_it_outlives_its_terminal() {
    let (kestrel, terminal) = on_a_terminal(&["nohup"]);
    let running = kestrel.started();
    drop(terminal);
    running.wait_for("The configuration was read again on SIGHUP: nothing changed.");
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    assert_eq!(running.terminated().code, Some(0));
}
