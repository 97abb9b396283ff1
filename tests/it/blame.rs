//! Whose fault it is: what a client does wrong is no error of the app, or clients could fill the log.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::any;
use kestrel::Unhandled;
use tracing::field::{Field, Visit};
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use crate::http2_frames::{self as frames, END_HEADERS, Http2, frame};
use crate::support::{Wire, builder, limited, pass, saying, started, stopped};
use crate::upgrades::{UPGRADE, echo};

/// What was told of the requests: the level and the id of each event, and the status that it names.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(Level, Event)>>>);

impl Told {
    fn events(&self) -> Vec<(Level, u64)> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().map(|(level, event)| (*level, event.id)).collect()
    }

    /// The statuses of requests that are finished.
    pub(crate) fn statuses(&self) -> Vec<u64> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter_map(|(_, event)| event.status).collect()
    }

    pub(crate) fn has(&self, level: Level, id: u64) -> bool {
        self.events().contains(&(level, id))
    }

    fn count(&self, level: Level, id: u64) -> usize {
        self.events().iter().filter(|event| **event == (level, id)).count()
    }

    fn has_errors(&self) -> bool {
        !self.errors().is_empty()
    }

    /// Warnings, and what is worse.
    pub(crate) fn errors(&self) -> Vec<(Level, u64)> {
        self.events().into_iter().filter(|(level, _)| *level <= Level::WARN).collect()
    }
}

impl<S: Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut told = Event::default();
        event.record(&mut told);
        let told = (*event.metadata().level(), told);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }
}

/// What is looked at of an event.
#[derive(Default)]
struct Event {
    id: u64,
    status: Option<u64>,
}

impl Visit for Event {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "event.id" => self.id = value,
            "StatusCode" => self.status = Some(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// What apps do with the body of a request that fails.
fn app() -> Router {
    async fn handed_on(body: Body) -> Result<String, Unhandled> {
        Ok(format!("{} bytes", to_bytes(body, usize::MAX).await?.len()))
    }
    async fn in_words(body: Body) -> Result<String, Unhandled> {
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) => Ok(format!("{} bytes", bytes.len())),
            Err(error) => Err(format!("no body: {error}").into()),
        }
    }
    async fn echo(request: Request) -> Body {
        request.into_body()
    }
    saying("hello")
        .route("/handed-on", any(handed_on))
        .route("/in-words", any(in_words))
        .route("/echo", any(echo))
        .route("/fails", any(async || Err::<(), _>(Unhandled::from("the app"))))
}

const PATHS: [&str; 3] = ["/handed-on", "/in-words", "/echo"];

#[tokio::test]
async fn a_body_that_breaks_the_rules_is_told_at_debug() {
    let extensions = format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(16 * 1024));
    for (body, status) in [
        (&*extensions, 413),
        ("5;\u{1b}[31m\r\nhello\r\n0\r\n\r\n", 400),
        ("x\r\n", 400),
        ("80000000\r\n", 413),
        ("0\r\nbad\r\n\r\n", 400),
        (&*format!("0\r\nX: {}\r\n\r\n", "a".repeat(40_000)), 431),
    ] {
        for path in PATHS {
            let told = Told::default();
            let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
            let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
            let mut wire = Wire::connect(&host.addresses()[0]).await;
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            wire.send_until_closed(format!("{head}{body}")).await;
            let answer = String::from_utf8(wire.end().await.unwrap_or_default()).expect("text");
            // An echo may have begun before the body broke.
            let answered = answer.starts_with(&format!("HTTP/1.1 {status} "));
            assert!(answered || path == "/echo", "{path} {body:.20?}: {answer}");
            stopped(host).await;
            assert!(told.has(Level::DEBUG, 17), "{path} {body:.20?}: {:?}", told.events());
            assert!(!told.has_errors(), "{path} {body:.20?}: {:?}", told.events());
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_body_is_told_at_debug() {
    for path in PATHS {
        let told = Told::default();
        let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
        let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
        let address = &host.addresses()[0].clone();
        for ends_properly in [false, true] {
            let mut wire = Wire::connect(address).await;
            wire.send(format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello"
            ))
            .await;
            if path == "/echo" {
                wire.head().await;
            }
            match ends_properly {
                true => {
                    wire.finish().await;
                    wire.end().await.unwrap_or_default();
                }
                false => wire.reset(),
            }
        }
        let mut http2 = Http2::connect(address).await;
        // A POST.
        let fields = [&[0x83][..], &frames::get(path)[1..]].concat();
        http2.0.send(frame(frames::HEADERS, END_HEADERS, 1, &fields)).await;
        http2.send(frames::DATA, 0, 1, b"hello").await;
        http2.seen().await;
        http2.send(frames::RST_STREAM, 0, 1, &frames::CANCEL.to_be_bytes()).await;
        http2.seen().await;
        drop(http2);
        stopped(host).await;
        assert!(told.has(Level::DEBUG, 66), "{path}: {:?}", told.events());
        assert!(!told.has_errors(), "{path}: {:?}", told.events());
        // The head of an echo was out. Of the others only the client that ended its side properly was
        // there for an answer.
        let expected = if path == "/echo" { [200; 3] } else { [400, 499, 499] };
        let mut statuses = told.statuses();
        statuses.sort_unstable();
        assert_eq!(statuses, expected, "{path}");
    }
}

#[tokio::test]
async fn what_the_app_does_wrong_is_told_as_an_error() {
    let told = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/fails").await.status, 500);
    stopped(host).await;
    assert!(told.has(Level::ERROR, 13), "{:?}", told.events());
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_once_and_then_counted() {
    let told = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let host = started(limited(&[("MaxConcurrentConnections", "1")])).await;
    let address = &host.addresses()[0].clone();
    let mut served = Wire::connect(address).await;
    served.get("/").await;
    for _ in 0..5 {
        assert_eq!(Wire::connect(address).await.end().await.unwrap_or_default(), b"");
    }
    assert_eq!((told.count(Level::WARN, 24), told.count(Level::DEBUG, 24)), (1, 4));
    assert_eq!(told.count(Level::WARN, 9), 0, "it is not over");
    pass(Duration::from_secs(61)).await;
    assert_eq!(told.count(Level::WARN, 9), 1, "nobody else came");
    // That was told just now.
    assert_eq!(Wire::connect(address).await.end().await.unwrap_or_default(), b"");
    assert_eq!((told.count(Level::WARN, 24), told.count(Level::DEBUG, 24)), (1, 5));
    drop(served);
    stopped(host).await;
    assert_eq!(told.count(Level::WARN, 9), 2, "the rest is told at the end");
}

#[tokio::test]
async fn upgrades_beyond_the_limit_are_no_error_of_the_app() {
    let told = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let app = saying("hello").route("/echo", any(echo));
    let limits = [("MaxConcurrentUpgradedConnections", "0")];
    let host = started(limited(&limits).app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..3 {
        wire.send(UPGRADE).await;
        assert_eq!(wire.answer().await.status, 503);
    }
    assert_eq!(wire.get("/").await.body, "hello");
    drop(wire);
    stopped(host).await;
    assert_eq!(told.count(Level::WARN, 10), 1, "{:?}", told.events());
    assert_eq!(told.count(Level::ERROR, 13), 0, "{:?}", told.events());
}

#[tokio::test]
async fn headers_that_http2_has_not_are_told_once_and_then_counted() {
    let told = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let app = saying("hello").route("/closes", any(async || ([("Connection", "close")], "bye")));
    let host = started(limited(&[]).app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    for stream in [1, 3, 5] {
        http2.request(stream, "/closes").await;
    }
    http2.seen().await;
    drop(http2);
    stopped(host).await;
    assert_eq!((told.count(Level::WARN, 41), told.count(Level::DEBUG, 41)), (1, 2));
}

/// The app may live for weeks after it: whoever waits for the end to hear of it, waits too long.
#[tokio::test]
async fn a_panic_of_a_background_task_is_told_when_it_happens() {
    let told = Told::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let app = kestrel::App::from(saying("hello"))
        .background(|_| async { panic!("this one is for the test") });
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    crate::support::soon("the line of the panic", async {
        while !told.has(Level::ERROR, 2) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.body, "hello");
    stopped(host).await;
}
