//! The services of a host: their order, their failures, and their end.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Router, routing::get};
use kestrel::{AppContext, AppError, Ending, ExitKind, HostedService, Lifetime, OnFailure};
use tokio::sync::{mpsc, oneshot};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told as Heard;
use crate::settings_monitor::Details;
use crate::support::{NEVER, Wire, builder, saying, soon, started, stopped, taken_port};

const ANY_PORT: &str = "http://127.0.0.1:0";

/// What was seen, in its order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn say(&self, what: String) {
        self.0.lock().expect("no panic").push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// A service that says what is asked of it, and may refuse to start.
struct Told {
    name: &'static str,
    seen: Seen,
    refuses: Option<&'static str>,
}

impl HostedService for Told {
    async fn start(&mut self, context: AppContext) -> Result<(), AppError> {
        let bound = context.addresses.list().len();
        self.seen.say(format!("{} starts, {bound} bound", self.name));
        match self.refuses {
            None => Ok(()),
            Some(why) => Err(why.into()),
        }
    }

    async fn stop(&mut self) {
        self.seen.say(format!("{} stops", self.name));
    }
}

fn told(name: &'static str, seen: &Seen) -> Told {
    Told { name, seen: seen.clone(), refuses: None }
}

#[tokio::test]
async fn services_start_before_binding_and_stop_behind_the_last_request_in_the_opposite_order() {
    let seen = Seen::default();
    let (asked, mut asks) = mpsc::unbounded_channel();
    let (go_on, goes_on) = oneshot::channel::<()>();
    let goes_on = Arc::new(tokio::sync::Mutex::new(Some(goes_on)));
    let at_request = seen.clone();
    let handler = get(async move || {
        asked.send(()).expect("the test waits");
        let goes_on = goes_on.lock().await.take().expect("one request");
        goes_on.await.expect("the test tells");
        at_request.say("answered".to_owned());
        "answered"
    });
    let at_end = seen.clone();
    let worker = async move |_: AppContext, mut ending: Ending| {
        ending.begun().await;
        at_end.say("worker ends".to_owned());
        Ok(())
    };
    let builder = builder().use_urls(ANY_PORT).shutdown_timeout(NEVER);
    let builder = builder.service("one", told("one", &seen)).background_service("worker", worker);
    let builder = builder.service("two", told("two", &seen));
    let host = started(builder.app(Router::new().route("/", handler))).await;
    assert_eq!(seen.taken(), ["one starts, 0 bound", "two starts, 0 bound"]);
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    soon("the request", asks.recv()).await.expect("the handler is there");
    let lifetime = host.lifetime();
    let stop = tokio::spawn(stopped(host));
    soon("the stop", lifetime.stopping()).await;
    assert_eq!(seen.taken(), Vec::<String>::new(), "a request runs");
    go_on.send(()).expect("the handler waits");
    assert_eq!(wire.answer().await.body, "answered");
    soon("the end", stop).await.expect("no panic");
    assert_eq!(seen.taken(), ["answered", "two stops", "worker ends", "one stops"]);
}

#[tokio::test]
async fn a_service_that_does_not_start_refuses_the_start_and_those_before_it_stop() {
    struct Panics;
    impl HostedService for Panics {
        async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
            panic!("a panic for the test");
        }
    }
    let seen = Seen::default();
    let refuses = Told { refuses: Some("the queue is gone."), ..told("two", &seen) };
    let host = |seen: &Seen| builder().use_urls(ANY_PORT).service("one", told("one", seen));
    let error = host(&seen).service("two", refuses).service("three", told("three", &seen));
    let error = error.start().await.expect_err("it refuses");
    assert_eq!(error.exit_kind(), ExitKind::Service);
    assert_eq!(error.to_string(), "The service 'two' cannot start: the queue is gone.");
    assert_eq!(seen.taken(), ["one starts, 0 bound", "two starts, 0 bound", "one stops"]);

    let error = host(&seen).service("two", Panics).start().await.expect_err("it panics");
    assert_eq!(
        error.to_string(),
        "The service 'two' cannot start: it panicked.\n  a panic for the test"
    );
    assert_eq!(seen.taken(), ["one starts, 0 bound", "one stops"]);

    let (_taken, address) = taken_port();
    let error = builder().listen(address).service("one", told("one", &seen)).start().await;
    assert_eq!(error.expect_err("the port is taken").exit_kind(), ExitKind::Binding);
    assert_eq!(seen.taken(), ["one starts, 0 bound", "one stops"], "nothing is left running");
}

#[tokio::test]
async fn a_background_service_that_fails_stops_the_host_with_its_exit_code() {
    let fails = async |_: AppContext, _: Ending| Err(AppError::from("the mail is gone"));
    let panics =
        async |_: AppContext, _: Ending| -> Result<(), AppError> { panic!("a panic for the test") };
    let host = || builder().use_urls(ANY_PORT).app(saying("hello"));
    for host in
        [host().background_service("mail", fails), host().background_service("mail", panics)]
    {
        assert_eq!(soon("the end", host.run()).await, ExitCode::from(7));
    }
}

#[tokio::test]
async fn why_a_service_failed_stands_below_what_failed() {
    struct PanicsLate;
    impl HostedService for PanicsLate {
        async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
            Ok(())
        }
        async fn stop(&mut self) {
            panic!("too late");
        }
    }
    let details = Details::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(details.clone()));
    let told = || details.taken().into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>();
    let fails = async |context: AppContext, _: Ending| {
        context.configuration.get::<Duration>("Shop:Timeout")?;
        Ok(())
    };
    let panics =
        async |_: AppContext, _: Ending| -> Result<(), AppError> { panic!("a panic for the test") };
    let host = || builder().use_urls(ANY_PORT).app(saying("hello"));
    soon("the end", host().background_service("mail", fails).run()).await;
    let fix = "set 'Shop:Timeout' in appsettings.json, the variable Shop__Timeout, or give --Shop:Timeout=VALUE";
    assert_eq!(told(), [format!("key: Shop:Timeout\nfix: {fix}")]);
    soon("the end", host().background_service("mail", panics).run()).await;
    assert_eq!(told(), ["a panic for the test"]);
    stopped(started(host().service("mail", PanicsLate)).await).await;
    assert_eq!(told(), ["too late"]);
}

/// Why it is given up once a start was told to take its time; another reason if it never is.
async fn until_told(told: Heard, id: u64) -> AppError {
    for _ in 0..60 {
        if told.has(tracing::Level::WARN, id) {
            return "it is told".into();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    "it is not told".into()
}

#[tokio::test(start_paused = true)]
async fn a_start_tells_what_it_waits_for() {
    struct Slow(Heard);
    impl HostedService for Slow {
        async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
            Err(until_told(self.0.clone(), 9).await)
        }
    }
    let told = Heard::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let host = builder().use_urls(ANY_PORT).service("mail", Slow(told.clone()));
    let error = host.start().await.expect_err("it gives up");
    assert_eq!(error.to_string(), "The service 'mail' cannot start: it is told.");

    let app = async move |_| Err::<Router, _>(until_told(told, 10).await);
    let error = builder().use_urls(ANY_PORT).app_with(app).start().await.expect_err("it gives up");
    assert_eq!(error.to_string(), "The app cannot be made: it is told.");
}

#[tokio::test]
async fn two_services_of_one_name_are_refused() {
    let seen = Seen::default();
    let host = builder().use_urls(ANY_PORT).service("one", told("one", &seen));
    let host = host.background_service("two", async |_, _| Ok(()));
    let host = host.service("one", told("two", &seen)).service("one", told("three", &seen));
    let error = host.build().expect_err("two are called alike");
    assert_eq!(
        error.to_string(),
        "Several services are called 'one'.\n  set by: code (service)\n  fix: give each a name of its own"
    );
}

#[tokio::test]
async fn a_background_service_may_end_or_be_allowed_to_fail() {
    let (ended, ends) = oneshot::channel();
    let fails = async |_: AppContext, _: Ending| {
        ended.send(()).expect("the test waits");
        Err(AppError::from("the mail is gone"))
    };
    let lifetime = Lifetime::new();
    let host = builder().use_urls(ANY_PORT).app(saying("hello")).lifetime(lifetime.clone());
    let host = host.background_service("done", async |_, _| Ok(()));
    let host = started(host.background_service_with("mail", OnFailure::Tell, fails)).await;
    soon("the failure", ends).await.expect("it runs");
    let answer = Wire::connect(&host.addresses()[0]).await.get("/").await;
    assert_eq!(answer.body, "hello");
    assert!(!lifetime.is_stopping());
    stopped(host).await;
}

#[tokio::test]
async fn a_service_that_does_not_stop_is_cut_off() {
    struct Held(Option<oneshot::Sender<()>>);
    impl HostedService for Held {
        async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
            Ok(())
        }
        async fn stop(&mut self) {
            let _held = self.0.take();
            std::future::pending::<()>().await;
        }
    }
    let (held, dropped) = oneshot::channel::<()>();
    let host = builder().use_urls(ANY_PORT).shutdown_timeout(Duration::ZERO);
    stopped(started(host.service("held", Held(Some(held)))).await).await;
    soon("the end of the stop", dropped).await.expect_err("it is dropped");
}
