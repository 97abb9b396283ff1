//! The ways to make a host of a builder, a configuration and an app, and to start it.

use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use axum::{Router, routing::get};
use kestrel::{App, AppContext, AppError, ExitKind, HostError, Lifetime};

use crate::support::{Wire, builder, saying, soon, started, stopped, taken_port};

const ANY_PORT: &str = "http://127.0.0.1:0";

#[tokio::test]
async fn an_app_is_made_of_the_configuration_between_build_and_start() {
    let host = builder().use_urls(ANY_PORT).use_setting("Greeting", "from the settings");
    let host = host.app(saying("nothing")).build().expect("a host");
    let greeting = host.configuration().value("Greeting").expect("a setting").to_owned();
    assert_eq!(host.context().environment(), host.environment());
    let lifetime = host.lifetime();
    let app = Router::new().route("/", get(async move || greeting));
    let host = host.app(app).start().await.expect("a free port");
    soon("the start", lifetime.started()).await;
    let answer = Wire::connect(&host.addresses()[0]).await.get("/").await;
    assert_eq!(answer.body, "from the settings");
    stopped(host).await;
}

#[tokio::test]
async fn an_app_that_is_made_once_may_wait_and_fail() {
    let make = async |context: AppContext| -> Result<Router, AppError> {
        tokio::task::yield_now().await;
        let greeting = context.configuration.value("Greeting").ok_or("there is no greeting")?;
        let greeting = greeting.to_owned();
        Ok(Router::new().route("/", get(async move || greeting)))
    };
    let builder = || builder().use_urls(ANY_PORT).app_with(make);
    let host = started(builder().use_setting("Greeting", "made")).await;
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.body, "made");
    stopped(host).await;
    let error = builder().start().await.expect_err("there is none");
    assert_eq!(error.exit_kind(), ExitKind::App);
    assert_eq!(error.to_string(), "The app cannot be made: there is no greeting.");
}

#[tokio::test]
async fn a_builder_that_starts_tells_what_is_wrong_with_the_app_among_the_rest() {
    let wrong = async |_: AppContext| Err::<App, _>(AppError::from("it is Sunday"));
    let error = builder().use_urls("http://nonsense:port").app_with(wrong).start().await;
    let HostError::Several(kinds) = error.expect_err("two mistakes") else {
        panic!("two kinds of them");
    };
    let kinds: Vec<_> = kinds.iter().map(HostError::exit_kind).collect();
    assert_eq!(kinds, [ExitKind::Configuration, ExitKind::App]);
}

#[tokio::test]
async fn run_gives_an_exit_code_and_try_run_an_error() {
    let lifetime = Lifetime::new();
    lifetime.stop();
    let host = || builder().use_urls(ANY_PORT).lifetime(lifetime.clone()).app(saying("hello"));
    assert_eq!(soon("the end", host().run()).await, ExitCode::SUCCESS);
    assert_eq!(soon("the end", host().try_run()).await.expect("it runs"), ExitCode::SUCCESS);
    let built = || host().build().expect("a host");
    assert_eq!(soon("the end", built().run()).await, ExitCode::SUCCESS);
    assert_eq!(soon("the end", built().try_run()).await.expect("it runs"), ExitCode::SUCCESS);

    let (_taken, address) = taken_port();
    let host = || builder().listen(address).app(saying("hello"));
    assert_eq!(host().run().await, ExitCode::from(4));
    assert_eq!(host().try_run().await.expect_err("it is taken").exit_kind(), ExitKind::Binding);
    let built = || host().build().expect("a host");
    assert_eq!(built().run().await, ExitCode::from(4));
    assert_eq!(built().try_run().await.expect_err("it is taken").exit_kind(), ExitKind::Binding);
}

/// Callers hold these futures within their own, on stacks of two megabytes, one on Windows; and a build for
/// debugging copies them for each call on the way.
#[tokio::test]
async fn the_futures_of_a_host_are_small() {
    let host = || builder().use_urls(ANY_PORT).app(saying("hello"));
    let built = || host().build().expect("a host");
    let running = || async { started(host()).await };
    let sizes = [
        ("HostBuilder", size_of_val(&host())),
        ("HostBuilder::start", size_of_val(&host().start())),
        ("HostBuilder::run", size_of_val(&host().run())),
        ("HostBuilder::try_run", size_of_val(&host().try_run())),
        ("Host::start", size_of_val(&built().start())),
        ("Host::run", size_of_val(&built().run())),
        ("Host::try_run", size_of_val(&built().try_run())),
        ("RunningHost::stop", size_of_val(&running().await.stop())),
        ("RunningHost::reload", size_of_val(&running().await.reload())),
        ("RunningHost::wait_for_shutdown", size_of_val(&running().await.wait_for_shutdown())),
    ];
    let large: Vec<_> = sizes.into_iter().filter(|(_, size)| *size > 4096).collect();
    assert!(large.is_empty(), "{large:?} of {sizes:?}");
}

#[test]
fn a_start_in_a_runtime_without_its_drivers_is_an_error() {
    use tokio::runtime::Builder;

    let started = |mut runtime: Builder| {
        let runtime = runtime.build().expect("a runtime");
        runtime.block_on(builder().use_urls(ANY_PORT).app(saying("hello")).start()).map(drop)
    };
    for (io, time, lacks) in [
        (false, false, "timers (enable_time) and sockets (enable_io)"),
        (true, false, "timers (enable_time)"),
        (false, true, "sockets (enable_io)"),
    ] {
        for mut runtime in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            if io {
                runtime.enable_io();
            }
            if time {
                runtime.enable_time();
            }
            let error = started(runtime).expect_err("it lacks something").to_string();
            assert!(error.contains(&format!("was built without {lacks}: call")), "{error}");
        }
    }
    let mut whole = Builder::new_current_thread();
    whole.enable_all();
    assert!(started(whole).is_ok());
}

#[test]
fn a_start_outside_of_a_runtime_is_an_error() {
    let mut start = Box::pin(builder().use_urls(ANY_PORT).app(saying("hello")).start());
    let Poll::Ready(started) = start.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nobody could wake it");
    };
    let error = started.expect_err("nothing runs its tasks").to_string();
    assert!(error.contains("#[tokio::main]"), "{error}");
}
