//! The log in programs with a subscriber of their own, in tests, and of several hosts in one process. A process has one
//! subscriber, so each case has a process: the test starts its own program anew, for that case alone.

#![expect(clippy::print_stdout, reason = "what a program of its own prints")]

use std::fmt::Debug;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::{Router, routing::get};
use kestrel::{Host, HostBuilder, HostError, Reloaded, RunningHost};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Tells a process which case it is for.
const CASE: &str = "KESTREL_TEST_CASE";

/// What a process prints that runs nothing but this case; `None` in that process, which is to run it.
fn printed_by(case: &str, arguments: &[&str]) -> Option<Output> {
    #[expect(clippy::disallowed_methods, reason = "it is set by this program, for itself")]
    let chosen = std::env::var_os(CASE);
    if chosen.is_some_and(|chosen| chosen == case) {
        return None;
    }
    let program = std::env::args_os().next().expect("the program");
    let mut command = Command::new(program);
    command.args(["--exact", case]).args(arguments).env(CASE, case);
    Some(command.output().expect("it runs"))
}

/// The standard output of a case that succeeds.
fn told_by(case: &str) -> Option<String> {
    let output = printed_by(case, &["--nocapture"])?;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    Some(stdout)
}

/// A folder with this `appsettings.json`.
fn folder(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, settings);
    folder
}

fn write(folder: &TempDir, settings: &str) {
    fs::write(folder.path().join("appsettings.json"), settings).expect("it can be written");
}

/// A builder with the log of the process, on a free port, whose files are read again only when it is asked for.
fn builder(folder: &TempDir) -> HostBuilder {
    let hello = || async {
        tracing::info!(target: "my_app", "hello from the app");
        "hello"
    };
    Host::builder()
        .environment_variables([
            ("DOTNET_RUNNING_IN_CONTAINER", "false"),
            ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
            ("DOTNET_hostBuilder__reloadConfigOnChange", "false"),
        ])
        .current_directory(folder.path())
        .app(Router::new().route("/", get(hello)))
}

async fn started(builder: HostBuilder) -> RunningHost {
    builder.start().await.expect("it starts")
}

/// Asks for a path, and waits for the end of the answer.
async fn ask(host: &RunningHost, path: &str) {
    let address = host.addresses()[0].strip_prefix("http://").expect("http").to_owned();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
    });
    asked.await.expect("no panic");
}

/// The messages that a layer of the program's hears.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl Messages {
    fn has(&self, part: &str) -> bool {
        self.0.lock().expect("no panic").iter().any(|message| message.contains(part))
    }
}

impl<S: tracing::Subscriber> Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Messages {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().expect("no panic").push(format!("{value:?}"));
        }
    }
}

#[tokio::test]
async fn a_program_installs_its_subscriber_between_build_and_start() {
    let Some(told) = told_by("a_program_installs_its_subscriber_between_build_and_start") else {
        let folder = folder("{}");
        // Neither one that is refused is in the way.
        let refused = builder(&folder).args(["--urls=nothing"]).build();
        assert!(matches!(refused, Err(HostError::Configuration(_))), "{refused:?}");
        let host = builder(&folder).build().expect("it is right");
        tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).init();
        let host = host.start().await.expect("it starts");
        ask(&host, "/a").await;
        host.stop().await;
        return;
    };
    for part in [
        "Kestrel.Configuration: Configuration file ",
        "Microsoft.Hosting.Lifetime: Now listening on: http://127.0.0.1:",
        "Diagnostics: Request starting HTTP/1.1 GET http://a/a - - -",
        "Microsoft.Hosting.Lifetime: Application is shutting down...",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("info: Microsoft"), "{told}");
}

/// A logger of the program's.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("the program's logger: {}", record.args());
    }

    fn flush(&self) {}
}

fn empty() -> HostBuilder {
    let any_port = kestrel::Endpoint::ip(([127, 0, 0, 1], 0).into());
    Host::empty_builder().listen_on(any_port).use_setting("Logging:LogLevel:Default", "Debug")
}

#[tokio::test]
async fn a_host_that_reads_nothing_writes_the_log_that_it_is_asked_for() {
    let Some(told) = told_by("a_host_that_reads_nothing_writes_the_log_that_it_is_asked_for")
    else {
        empty().with_logging().start().await.expect("it starts").stop().await;
        return;
    };
    assert!(told.contains("dbug: Microsoft.Extensions.Hosting.Internal.Host[1]"), "{told}");
}

#[tokio::test]
async fn a_log_that_nobody_writes_is_told_where_nobody_hears() {
    let case = "a_log_that_nobody_writes_is_told_where_nobody_hears";
    let Some(output) = printed_by(case, &["--nocapture"]) else {
        empty().start().await.expect("it starts").stop().await;
        return;
    };
    let told = String::from_utf8(output.stderr).expect("text");
    let line =
        "warning: 'Logging:LogLevel:Default' has no effect on a console: this host writes none.";
    assert!(told.contains(line), "{told}");
}

#[tokio::test]
async fn a_program_keeps_the_logger_that_it_sets_before_the_start() {
    let Some(told) = told_by("a_program_keeps_the_logger_that_it_sets_before_the_start") else {
        let folder = folder("{}");
        let host = builder(&folder).build().expect("it is right");
        log::set_logger(&Logger).expect("there is none");
        log::set_max_level(log::LevelFilter::Trace);
        let host = host.start().await.expect("it starts");
        log::trace!(target: "old_crate", "a record");
        host.stop().await;
        return;
    };
    assert!(told.contains("the program's logger: a record"), "{told}");
    assert!(told.contains("Now listening on: "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_the_crate_log_go_by_the_rules_of_their_host() {
    let Some(told) = told_by("records_of_the_crate_log_go_by_the_rules_of_their_host") else {
        let say = |host: &'static str| {
            Router::new().fallback(move |uri: axum::http::Uri| async move {
                let at = format!("{host}, {}", uri.path());
                log::error!(target: "old_crate", "an error of {at}");
                log::info!(target: "old_crate::part", "a record of {at}");
                log::debug!(target: "old_crate", "a detail of {at}");
                log::info!(target: "mio::poll", "of a crate inside of {at}");
            })
        };
        let rules = |level: &str| {
            format!(
                r#"{{ "Logging": {{ "LogLevel": {{ "old_crate": "{level}" }}, "Console": {{ "FormatterOptions": {{ "IncludeScopes": true }} }} }} }}"#
            )
        };
        let (of_first, of_second) = (folder(&rules("Information")), folder(&rules("Error")));
        let first = started(builder(&of_first).app(say("first"))).await;
        let second = started(builder(&of_second).app(say("second"))).await;
        ask(&first, "/1").await;
        ask(&second, "/1").await;
        write(&of_second, &rules("Debug"));
        assert_eq!(second.reload().await.expect("it is right"), Reloaded::Changed);
        ask(&first, "/2").await;
        ask(&second, "/2").await;
        first.stop().await;
        second.stop().await;
        return;
    };
    for (part, is_told) in [
        ("fail: old_crate[0]\n      => ", true),
        ("\n      an error of first, /1\n", true),
        ("info: old_crate::part[0]\n      => ", true),
        ("\n      a record of first, /1\n", true),
        ("an error of second, /1", true),
        ("a record of second, /1", false),
        ("a detail of first", false),
        ("a detail of second, /1", false),
        ("a record of second, /2", true),
        ("a detail of second, /2", true),
        ("of a crate inside", false),
    ] {
        assert_eq!(told.contains(part), is_told, "{part}: {told}");
    }
}

#[tokio::test]
async fn what_build_found_is_told_by_the_start() {
    let Some(told) = told_by("what_build_found_is_told_by_the_start") else {
        let folder =
            folder(r#"{ "Logging": { "LogLevel": { "Default": "Debug" } }, "webroot": "new" }"#);
        let host = builder(&folder).build().expect("it is right");
        println!("built");
        host.start().await.expect("it starts").stop().await;
        return;
    };
    let (before, after) = told.split_once("built\n").expect("it is built");
    assert!(!before.contains("Kestrel."), "{before}");
    let mut at = 0;
    for part in ["Configuration file ", "The web root ", "Hosting starting", "Now listening on: "] {
        let found = after[at..].find(part).unwrap_or_else(|| panic!("{part}: {after}"));
        at += found;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_host_has_its_own_levels_and_layout() {
    let Some(told) = told_by("each_host_has_its_own_levels_and_layout") else {
        let level = |level: &str| {
            format!(
                r#"{{ "Logging": {{ "LogLevel": {{ "Default": "{level}" }}, "Console": {{ "FormatterName": "json" }} }} }}"#
            )
        };
        let (of_first, of_second) = (folder("{}"), folder(&level("None")));
        let first = started(builder(&of_first)).await;
        let second = started(builder(&of_second)).await;
        ask(&first, "/first-1").await;
        ask(&second, "/second-1").await;
        write(&of_second, &level("Information"));
        assert_eq!(second.reload().await.expect("it is right"), Reloaded::Changed);
        ask(&second, "/second-2").await;
        ask(&second, "/").await;
        write(&of_second, &level("None"));
        assert_eq!(second.reload().await.expect("it is right"), Reloaded::Changed);
        ask(&first, "/first-2").await;
        ask(&second, "/second-3").await;
        second.stop().await;
        ask(&first, "/first-3").await;
        first.stop().await;
        return;
    };
    let lines_with = |part: &str| {
        let lines: Vec<_> = told.lines().filter(|line| line.contains(part)).collect();
        lines
    };
    for path in ["/first-1", "/first-2", "/first-3"] {
        let lines = lines_with(path);
        assert_eq!(lines.len(), 2, "start and finish of {path}: {told}");
        assert!(lines.iter().all(|line| line.starts_with("      Request ")), "{told}");
    }
    let lines = lines_with("/second-");
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines.iter().all(|line| line.starts_with('{') && line.contains("/second-2")), "{told}");
    let of_app = lines_with("hello from the app");
    assert!(matches!(of_app[..], [line] if line.starts_with('{')), "{told}");
    assert_eq!(lines_with("Now listening on").len(), 1, "{told}");
}

#[tokio::test]
async fn the_console_is_a_layer_beside_those_of_the_program() {
    let Some(told) = told_by("the_console_is_a_layer_beside_those_of_the_program") else {
        let level = |level: &str| {
            format!(r#"{{ "Logging": {{ "LogLevel": {{ "Default": "{level}" }} }} }}"#)
        };
        let folder = folder(&level("None"));
        let host = builder(&folder).build().expect("it is right");
        let (all, by_rules) = (Messages::default(), Messages::default());
        tracing_subscriber::registry()
            .with(host.log().layer())
            .with(all.clone())
            .with(by_rules.clone().with_filter(host.log().filter()))
            .init();
        let host = host.start().await.expect("it starts");
        ask(&host, "/silent").await;
        assert!(all.has("/silent") && all.has("Now listening on: http://"));
        assert!(!by_rules.has("/silent"));
        write(&folder, &level("Information"));
        assert_eq!(host.reload().await.expect("it is right"), Reloaded::Changed);
        ask(&host, "/loud").await;
        host.stop().await;
        assert!(all.has("/loud") && by_rules.has("/loud"));
        return;
    };
    assert!(!told.contains("/silent") && !told.contains("Now listening"), "{told}");
    assert!(told.contains("info: Microsoft.AspNetCore.Hosting.Diagnostics[1]\n      Request starting HTTP/1.1 GET http://a/loud"), "{told}");
    assert!(told.contains("Application is shutting down..."), "what is queued is written: {told}");
}

#[tokio::test]
async fn the_log_of_a_test_is_shown_with_the_test_that_fails() {
    const CASES: [&str; 2] = ["captured_fails", "captured_passes"];
    #[expect(clippy::disallowed_methods, reason = "it is set by this program, for itself")]
    let chosen = std::env::var_os(CASE).and_then(|chosen| chosen.into_string().ok());
    if let Some(chosen) = chosen.as_deref().filter(|chosen| CASES.contains(chosen)) {
        let folder = folder("{}");
        let host = started(builder(&folder).captured_logging()).await;
        ask(&host, "/seen").await;
        host.stop().await;
        assert!(
            tracing::dispatcher::get_default(|it| it.is::<tracing::subscriber::NoSubscriber>())
        );
        assert_eq!(chosen, CASES[1], "this one fails to show its output");
        return;
    }
    for (case, is_told) in CASES.into_iter().zip([true, false]) {
        let program = std::env::args_os().next().expect("the program");
        let mut command = Command::new(program);
        command.args(["--exact", "the_log_of_a_test_is_shown_with_the_test_that_fails"]);
        let output = command.env(CASE, case).output().expect("it runs");
        let stdout = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.success(), !is_told, "{stdout}");
        for part in
            ["Now listening on: ", "Request starting HTTP/1.1 GET http://a/seen", "shutting down"]
        {
            assert_eq!(stdout.contains(part), is_told, "{case}, {part}: {stdout}");
        }
    }
}
