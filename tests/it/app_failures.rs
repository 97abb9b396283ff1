//! What becomes of a host whose app fails: where it is made, beside its requests, and at its end.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use axum::{Router, routing::get};
use kestrel::{App, AppContext, AppError, Completion, ExitKind};
use tokio::sync::mpsc;

use crate::support::{NEVER, Wire, builder, saying, soon, started, stopped};

const ANY_PORT: &str = "http://127.0.0.1:0";

#[tokio::test]
async fn code_that_makes_an_app_and_panics_is_a_mistake_of_the_app() {
    let waits = |_: AppContext| async {
        tokio::task::yield_now().await;
        if Path::new("/").is_absolute() {
            panic!("a panic for the test");
        }
        Ok::<App, AppError>(saying("hello").into())
    };
    let at_once = |_: AppContext| -> std::future::Ready<Result<App, AppError>> {
        panic!("a panic for the test")
    };
    for host in [
        builder().app_with(waits),
        builder().app_with(at_once),
        builder().reloadable_app(waits),
        builder().reloadable_app(at_once),
    ] {
        let host = host.use_urls(ANY_PORT);
        let error = soon("the start", host.start()).await.expect_err("it cannot be made");
        assert_eq!(error.exit_kind(), ExitKind::App);
        assert_eq!(
            error.to_string(),
            "The app cannot be made: the code that makes it panicked.\n  a panic for the test"
        );
    }
}

#[tokio::test]
async fn a_host_whose_app_cannot_tell_its_end_any_more_stops() {
    let app = App::from(saying("hello")).exit_with(async { panic!("a panic for the test") });
    let host = started(builder().use_urls(ANY_PORT).app(app)).await;
    soon("the stop", host.stop_requested()).await;
    assert_eq!(host.exit_code(), Some(ExitCode::from(1)));
    stopped(host).await;
}

#[tokio::test]
async fn a_panic_of_who_is_told_that_an_answer_is_out_does_not_end_the_connection() {
    let (told, mut tells) = mpsc::unbounded_channel();
    let handler = get(async move |completion: Completion| {
        let told = told.clone();
        completion.on_end(move |_| {
            told.send(()).expect("the test waits");
            panic!("a panic for the test");
        });
        "answered"
    });
    let app = Router::new().route("/", handler);
    let host = started(builder().use_urls(ANY_PORT).app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..2 {
        assert_eq!(wire.get("/").await.body, "answered");
        soon("the panic", tells.recv()).await.expect("the handler is there");
    }
    stopped(host).await;
}

/// Says that it began to end, works a little, and says that it has ended.
fn with_work_at_the_end(router: Router) -> (App, mpsc::UnboundedReceiver<&'static str>) {
    let (says, said) = mpsc::unbounded_channel();
    let app = App::from(router).background(async move |mut ending| {
        ending.begun().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        says.send("ended").expect("the test waits");
    });
    (app, said)
}

#[tokio::test]
async fn tasks_have_some_of_the_time_of_the_stop_even_if_requests_take_all_of_it() {
    for timeout in [Duration::from_secs(1), Duration::ZERO] {
        let (asked, mut asks) = mpsc::unbounded_channel();
        let slow = get(async move || {
            asked.send(()).expect("the test waits");
            std::future::pending::<()>().await;
        });
        let (app, mut said) = with_work_at_the_end(Router::new().route("/", slow));
        let builder = builder().use_urls(ANY_PORT).shutdown_timeout(timeout);
        let host = started(builder.app(app)).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        soon("the request", asks.recv()).await.expect("it is there");
        stopped(host).await;
        assert_eq!(said.try_recv(), Ok("ended"), "{timeout:?}");
    }
}

#[tokio::test]
async fn tasks_end_behind_the_last_request_if_there_is_time() {
    let (app, mut said) = with_work_at_the_end(saying("hello"));
    let host = started(builder().use_urls(ANY_PORT).shutdown_timeout(NEVER).app(app)).await;
    stopped(host).await;
    assert_eq!(said.try_recv(), Ok("ended"));
}

#[tokio::test]
async fn a_relative_current_directory_counts_once() {
    let host = kestrel::Host::builder().current_directory("tests").without_logging().build();
    let root = host.expect("a host").content_root().to_owned();
    assert!(root.is_absolute() && root.ends_with(Path::new("tests")), "{}", root.display());
    assert!(root.is_dir(), "{}", root.display());
}
