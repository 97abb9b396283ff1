//! The app and its life: what is made by a reload, what runs beside it, when it ends.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use kestrel::configuration::Problem;
use kestrel::{App, AppContext, AppError, ExitKind, HostError, Reloaded, RunningHost};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::http2_frames::{END_HEADERS, END_STREAM, HEADERS, Http2, get as http2_get};
use crate::reload::Stage;
use crate::support::{Wire, builder, saying, soon, started, stopped};
use crate::tls_client::{Client, options, serving};

fn greeting(text: &str) -> String {
    format!(
        r#"{{"Greeting":"{text}","Kestrel":{{"Endpoints":{{"A":{{"Url":"http://127.0.0.1:0"}}}}}}}}"#
    )
}

/// What happens to the tasks of apps, by their greetings.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Begun(String),
    Asked,
    Ended(String),
}

/// An app that says its greeting, at `/slow` once somebody gives it a turn.
struct Greeter {
    seen: mpsc::UnboundedSender<Seen>,
    turns: Arc<Semaphore>,
}

impl Greeter {
    async fn app(self: Arc<Self>, context: AppContext) -> Result<App, AppError> {
        let text =
            context.configuration.value("Greeting").ok_or("there is no greeting")?.to_owned();
        let (quick, slow, turns) = (text.clone(), text.clone(), Arc::clone(&self.turns));
        let asked = self.seen.clone();
        let router = Router::new().route("/", get(async move || quick.clone())).route(
            "/slow",
            get(async move || {
                asked.send(Seen::Asked).expect("the test waits");
                turns.acquire().await.expect("it is open").forget();
                slow.clone()
            }),
        );
        let seen = self.seen.clone();
        Ok(App::from(router).background(|mut ending| async move {
            seen.send(Seen::Begun(text.clone())).expect("the test waits");
            ending.begun().await;
            let _ = seen.send(Seen::Ended(text));
        }))
    }
}

async fn greeted(stage: &Stage) -> (RunningHost, mpsc::UnboundedReceiver<Seen>, Arc<Semaphore>) {
    let (seen, told) = mpsc::unbounded_channel();
    let turns = Arc::new(Semaphore::new(0));
    let greeter = Arc::new(Greeter { seen, turns: Arc::clone(&turns) });
    let make = move |context| Arc::clone(&greeter).app(context);
    (started(stage.builder().reloadable_app(make)).await, told, turns)
}

async fn next(told: &mut mpsc::UnboundedReceiver<Seen>) -> Seen {
    soon("the life of an app", told.recv()).await.expect("the app tells")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_replaced_while_connections_are_busy() {
    let stage = Stage::new(&greeting("one"));
    let (host, mut told, _) = greeted(&stage).await;
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    let address = host.addresses()[0].clone();
    let (ends, news) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let (address, ends, news) = (address.clone(), Arc::clone(&ends), Arc::clone(&news));
            tokio::spawn(async move {
                let mut wire = Wire::connect(&address).await;
                let mut new = false;
                while !(ends.load(Ordering::Relaxed) && new) {
                    let answer = wire.get("/").await;
                    assert_eq!(answer.status, 200);
                    match answer.body.as_str() {
                        "one" => assert!(!new, "the old app answers behind the new one"),
                        "two" if !new => {
                            new = true;
                            news.fetch_add(1, Ordering::Relaxed);
                        }
                        "two" => {}
                        other => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    stage.write(&greeting("two"));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    ends.store(true, Ordering::Relaxed);
    for client in clients {
        soon("a client", client).await.expect("no request fails");
    }
    assert_eq!(news.load(Ordering::Relaxed), 64, "each on the connection it had");
    // The two are tasks of their own.
    let mut seen = [next(&mut told).await, next(&mut told).await];
    seen.sort();
    assert_eq!(seen, [Seen::Begun("two".to_owned()), Seen::Ended("one".to_owned())]);
    stopped(host).await;
    assert_eq!(next(&mut told).await, Seen::Ended("two".to_owned()));
}

#[tokio::test]
async fn the_tasks_of_a_replaced_app_end_after_its_last_request() {
    let stage = Stage::new(&greeting("one"));
    let (host, mut told, turns) = greeted(&stage).await;
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    let address = host.addresses()[0].clone();
    let mut slow = Wire::connect(&address).await;
    slow.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(next(&mut told).await, Seen::Asked);
    let mut quick = Wire::connect(&address).await;
    assert_eq!(quick.get("/").await.body, "one");
    stage.write(&greeting("two"));
    host.reload().await.unwrap();
    assert_eq!(next(&mut told).await, Seen::Begun("two".to_owned()));
    assert_eq!(quick.get("/").await.body, "two");
    told.try_recv().expect_err("a request of the first app is not answered yet");
    turns.add_permits(1);
    assert_eq!(soon("the answer", slow.answer()).await.body, "one");
    assert_eq!(next(&mut told).await, Seen::Ended("one".to_owned()));
    assert_eq!(slow.get("/").await.body, "two", "the same connection");
    stopped(host).await;
}

#[tokio::test]
async fn an_app_stays_as_long_as_its_configuration_does() {
    let stage = Stage::new(&greeting("one"));
    let (host, mut told, _) = greeted(&stage).await;
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "one");
    told.try_recv().expect_err("no other app was made");
    stopped(host).await;
}

#[tokio::test]
async fn what_only_the_host_uses_makes_no_other_app_but_whoever_asks_for_one_gets_it() {
    let stage = Stage::new(&greeting("one"));
    let (host, mut told, _) = greeted(&stage).await;
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    let with = |key: &str| greeting("one").replacen('{', &format!("{{{key},"), 1);
    for key in [
        r#""AllowedHosts":"*""#,
        r#""Logging":{"LogLevel":{"Default":"Error"}}"#,
        r#""Urls":"http://127.0.0.1:0""#,
        r#""shutdownTimeoutSeconds":"7""#,
    ] {
        stage.write(&with(key));
        assert_eq!(host.reload().await.expect(key), Reloaded::Changed, "{key}");
        told.try_recv().expect_err("no other app was made");
    }
    assert_eq!(host.renew().await.expect("nothing is wrong"), Reloaded::Changed);
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    assert_eq!(next(&mut told).await, Seen::Ended("one".to_owned()));
    stage.write(&with(r#""Other":"1""#));
    assert_eq!(host.reload().await.expect("nothing is wrong"), Reloaded::Changed);
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    stopped(host).await;
}

#[tokio::test]
async fn an_app_that_is_never_made_does_not_hold_the_next_reload() {
    let stage = Stage::new(&greeting("one"));
    let (making, mut makes) = mpsc::unbounded_channel();
    let make = move |context: AppContext| {
        let text = context.configuration.value("Greeting").unwrap_or_default().to_owned();
        making.send(text.clone()).expect("the test waits");
        async move {
            match &*text {
                "two" => std::future::pending().await,
                _ => Ok(Router::new().route("/", get(async move || text.clone()))),
            }
        }
    };
    let host = Arc::new(started(stage.builder().reloadable_app(make)).await);
    assert_eq!(makes.recv().await.as_deref(), Some("one"));
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    stage.write(&greeting("two"));
    let asking = Arc::clone(&host);
    let hangs = tokio::spawn(async move { asking.reload().await });
    assert_eq!(soon("the second app", makes.recv()).await.as_deref(), Some("two"));
    assert_eq!(wire.get("/").await.body, "one");
    stage.write(&greeting("three"));
    assert_eq!(soon("the reload", host.reload()).await.expect("it is right"), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "three");
    soon("the first reload", hangs).await.expect("no panic").expect_err("it has given way");
    stopped(Arc::into_inner(host).expect("nobody else has it")).await;
}

#[tokio::test]
async fn an_app_that_was_asked_for_is_made_by_the_reload_that_its_own_gives_way_to() {
    let stage = Stage::new(&greeting("one"));
    let (making, mut makes) = mpsc::unbounded_channel();
    let made = Arc::new(AtomicUsize::new(0));
    let make = move |_: AppContext| {
        let number = made.fetch_add(1, Ordering::Relaxed) + 1;
        making.send(number).expect("the test waits");
        async move {
            match number {
                2 => std::future::pending().await,
                _ => Ok(Router::new().route("/", get(async move || number.to_string()))),
            }
        }
    };
    let host = Arc::new(started(stage.builder().reloadable_app(make)).await);
    assert_eq!(makes.recv().await, Some(1));
    let asking = Arc::clone(&host);
    let hangs = tokio::spawn(async move { asking.renew().await });
    assert_eq!(soon("the second app", makes.recv()).await, Some(2));
    // What is different is the host's alone.
    stage.write(&greeting("one").replacen('{', r#"{"AllowedHosts":"*","#, 1));
    assert_eq!(soon("the reload", host.reload()).await.expect("it is right"), Reloaded::Changed);
    let body = Wire::connect(&host.addresses()[0]).await.get("/").await.body;
    assert_eq!(body, "3");
    soon("the first reload", hangs).await.expect("no panic").expect_err("it has given way");
    stopped(Arc::into_inner(host).expect("nobody else has it")).await;
}

#[tokio::test]
async fn an_app_that_cannot_be_made_refuses_the_reload_and_changes_nothing() {
    let stage = Stage::new(&greeting("one"));
    let (host, mut told, _) = greeted(&stage).await;
    assert_eq!(next(&mut told).await, Seen::Begun("one".to_owned()));
    let address = host.addresses()[0].clone();
    stage.write(r#"{"Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"},"B":{"Url":"http://[::1]:0"}}}}"#);
    let error = host.reload().await.expect_err("it needs a greeting");
    assert!(matches!(error, HostError::App(_)), "{error:?}");
    assert_eq!(error.to_string(), "The app cannot be made: there is no greeting.");
    assert_eq!(host.addresses(), std::slice::from_ref(&address));
    assert_eq!(Wire::connect(&address).await.get("/").await.body, "one");
    stopped(host).await;
}

#[tokio::test]
async fn a_panic_while_an_app_is_made_is_not_the_end_of_reloads() {
    let stage = Stage::new(&greeting("one"));
    let make = async |context: AppContext| {
        let text = context.configuration.value("Greeting").unwrap_or_default().to_owned();
        assert_ne!(text, "two", "this one is for the test");
        Ok(Router::new().route("/", get(async move || text.clone())))
    };
    let host = started(stage.builder().reloadable_app(make)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    stage.write(&greeting("two"));
    let error = host.reload().await.expect_err("it panics");
    let text = error.to_string();
    assert!(
        text.starts_with("The app cannot be made: the code that makes it panicked.\n"),
        "{text}"
    );
    assert!(text.contains("this one is for the test"), "{text}");
    assert_eq!(wire.get("/").await.body, "one");
    stage.write(&greeting("three"));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "three");
    stopped(host).await;
}

#[tokio::test]
async fn what_is_wrong_with_an_app_is_told_by_its_own_exit_code() {
    let wrong = |_: AppContext| async {
        let problem = Problem::error("The folder is missing.").key("Site:Folder").fix("make it");
        Err::<App, _>(AppError::from(problem))
    };
    let host = builder().use_urls("http://127.0.0.1:0").reloadable_app(wrong);
    let error = host.build().expect("the app is not made yet").start().await.expect_err("it fails");
    assert_eq!(error.exit_kind(), ExitKind::App);
    assert_eq!(error.to_string(), "The folder is missing.\n  key: Site:Folder\n  fix: make it");
}

#[tokio::test]
async fn an_app_ends_the_host_with_an_exit_code() {
    let (exit, code) = oneshot::channel();
    let app = App::from(saying("hello")).exit_with(async { code.await.expect("the test tells") });
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    assert_eq!(host.exit_code(), None);
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.body, "hello");
    exit.send(ExitCode::from(42)).expect("the app waits");
    soon("the wish to stop", host.stop_requested()).await;
    assert_eq!(host.exit_code(), Some(ExitCode::from(42)));
    stopped(host).await;
}

#[tokio::test]
async fn a_task_that_does_not_end_is_cut_off_when_the_time_of_the_stop_is_over() {
    /// Tells when it is dropped.
    struct Held(Option<oneshot::Sender<()>>);
    impl Drop for Held {
        fn drop(&mut self) {
            let _ = self.0.take().expect("once").send(());
        }
    }
    let (sender, dropped) = oneshot::channel();
    let held = Held(Some(sender));
    let app = App::from(saying("hello")).background(|_| async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let builder = builder().use_urls("http://127.0.0.1:0").shutdown_timeout(Duration::ZERO);
    stopped(started(builder.app(app)).await).await;
    soon("the end of the task", dropped).await.expect("it is dropped");
}

#[tokio::test]
async fn a_stop_may_have_all_the_time_there_is() {
    let builder = builder().use_urls("http://127.0.0.1:0").shutdown_timeout(Duration::MAX);
    let host = started(builder.app(saying("hello"))).await;
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told_alone_and_not_what_an_app_says_of_it() {
    let stage = Stage::new(&greeting("one"));
    let (host, _told, _) = greeted(&stage).await;
    stage.write("{ nonsense");
    let error = host.reload().await.expect_err("that is no JSON");
    assert!(matches!(error, HostError::Configuration(_)), "{error:?}");
    assert!(!error.to_string().contains("greeting"), "{error}");
    stopped(host).await;
}

#[tokio::test]
async fn an_error_with_sources_is_told_with_all_of_them() {
    #[derive(Debug, thiserror::Error)]
    #[error("the store cannot be opened.")]
    struct Store(#[source] Disk);
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct Disk(#[source] std::io::Error);
    let wrong = |_: AppContext| async {
        Err::<App, _>(AppError::from(Store(Disk(std::io::Error::other("no power")))))
    };
    let host = builder().use_urls("http://127.0.0.1:0").reloadable_app(wrong);
    let error = host.build().expect("it is not made yet").start().await.expect_err("it fails");
    assert_eq!(
        error.to_string(),
        "The app cannot be made: the store cannot be opened.\n  the disk is gone\n  no power"
    );
}

#[tokio::test]
async fn a_service_of_towers_is_an_app() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        seen.lock().expect("no panic").push(request.uri().path().to_owned());
        async { Ok::<_, Infallible>(Response::new(Body::from("served"))) }
    });
    let host = started(builder().use_urls("http://127.0.0.1:0").app(App::service(service))).await;
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/a").await.body, "served");
    assert_eq!(*asked.lock().expect("no panic"), ["/a"]);
    stopped(host).await;
}

#[tokio::test]
async fn a_stage_that_a_reload_switches_on_counts_for_connections_that_are_open() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(saying("hello")).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.status, 200);
    stage.write(&format!(r#"{{"AllowedHosts":"example.com",{A}}}"#));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    let refused = wire.get("/").await;
    assert_eq!((refused.status, refused.header("Content-Length")), (400, Some("334")));
    wire.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").await;
    assert_eq!(wire.answer().await.body, "hello");
    stage.write(&format!("{{{A}}}"));
    host.reload().await.unwrap();
    assert_eq!(wire.get("/").await.status, 200, "it is off again");
    stopped(host).await;
}

#[tokio::test]
async fn a_stage_works_on_the_way_out() {
    let host = serving(options()).use_setting("Hsts:Enabled", "true").app(saying("hello"));
    let host = started(host).await;
    let mut wire = Client::default().connect(&host.addresses()[0]).await;
    let answer = wire.get("/").await;
    assert_eq!(answer.header("Strict-Transport-Security"), Some("max-age=2592000"));
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(wire.answer().await.header("Strict-Transport-Security"), None);
    stopped(host).await;
}

/// Whatever is behind it: a router takes the body away, another app does not.
#[tokio::test]
async fn head_is_get_without_the_body_on_every_version() {
    for app in [None, Some(App::service(tower::service_fn(page))), Some(saying("a page").into())] {
        let builder = builder().use_urls("http://127.0.0.1:0");
        let builder = match app {
            Some(app) => builder.app(app),
            None => builder,
        };
        let host = started(builder).await;
        let address = host.addresses()[0].clone();
        let mut wire = Wire::connect(&address).await;
        wire.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        let head = wire.head().await;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert!(length.is_some_and(|length| length != "0"), "{head}");
        // The next answer begins where the body would be.
        assert_eq!(wire.get("/").await.status, 200);

        let mut http2 = Http2::connect(&address).await;
        let head = [&[0x02, 4][..], b"HEAD", &http2_get("/")[1..]].concat();
        http2.send(HEADERS, END_HEADERS | END_STREAM, 1, &head).await;
        let frame = http2.next_of_kind(HEADERS).await;
        assert_eq!(frame.flags & END_STREAM, END_STREAM, "nothing follows the head: {frame:?}");
        stopped(host).await;
    }
}

async fn page(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from("a page")))
}
