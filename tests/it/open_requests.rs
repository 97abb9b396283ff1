//! A stop that waits says what for, once.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{any, get};
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::http2_frames::Http2;
use crate::support::{Wire, builder, soon, started};
use crate::upgrades::echo;

/// What the event of a stop that waits has told, each time.
#[derive(Clone, Default)]
struct Told(Arc<(Mutex<Vec<Event>>, Notify)>);

#[derive(Debug, Default)]
struct Event {
    id: u64,
    seconds: u64,
    connections: u64,
    detail: String,
}

impl Visit for Event {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "event.id" => self.id = value,
            "seconds" => self.seconds = value,
            "connections" => self.connections = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event.detail" {
            value.clone_into(&mut self.detail);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: tracing::Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut seen = Event::default();
        event.record(&mut seen);
        if event.metadata().target() == "Kestrel.Server" && seen.id == 5 {
            self.0.0.lock().expect("no panic").push(seen);
            self.0.1.notify_one();
        }
    }
}

/// A body that begins and does not end.
struct Endless(bool);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Pending,
            false => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"begun"))))),
        }
    }
}

fn app(entered: Arc<Notify>) -> Router {
    let never = move || {
        entered.notify_one();
        std::future::pending::<&'static str>()
    };
    Router::new()
        .route("/never/{id}", get(never))
        .route("/stream", get(|| async { Response::new(Body::new(Endless(false))) }))
        .route("/echo", any(echo))
        .route("/quick", get(|| async { "quick" }))
}

#[tokio::test]
async fn a_stop_that_waits_names_the_requests_that_are_open() {
    let told = Told::default();
    let _here = tracing::subscriber::set_default(Registry::default().with(told.clone()));
    let entered = Arc::new(Notify::new());
    let timeout = Duration::from_secs(24 * 3600);
    let host = builder().use_urls("http://127.0.0.1:0").shutdown_timeout(timeout);
    let host = started(host.app(app(Arc::clone(&entered)))).await;
    let address = host.addresses()[0].clone();

    let mut never = Wire::connect(&address).await;
    assert_eq!(never.get("/quick?earlier").await.status, 200);
    never.send("GET /never/a%0Ab?token=secret HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon("the first request", entered.notified()).await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/never/2").await;
    soon("the second request", entered.notified()).await;
    let mut stream = Wire::connect(&address).await;
    stream.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").await;
    assert!(stream.head().await.contains(" 405 "), "another method is answered at once");
    stream.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    stream.head().await;
    let mut upgraded = Wire::connect(&address).await;
    upgraded
        .send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    assert!(upgraded.head().await.contains(" 101 "));

    let stop = tokio::spawn(host.stop());
    soon("the stop says what it waits for", told.0.1.notified()).await;
    drop((never, http2, stream, upgraded));
    soon("the stop", stop).await.expect("no panic");

    let told = told.0.0.lock().expect("no panic");
    let [told] = &told[..] else { panic!("once, not {told:?}") };
    // A second of the timeout is over, and what has passed beside it is none.
    assert_eq!((told.seconds, told.connections), (timeout.as_secs() - 1, 4));
    let told = &told.detail;
    let mut lines: Vec<_> =
        told.lines().map(|line| line.split(" for ").next().unwrap_or_default()).collect();
    lines.sort_unstable();
    let expected = ["GET /echo", "GET /never/2", "GET /never/a%0Ab?…", "GET /stream"];
    assert_eq!(lines, expected, "{told}");
    assert!(told.lines().all(|line| line.ends_with(" s")), "{told}");
}
