//! Clients that go away: whatever is done for them ends, and what they held is free.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::{any, get};
use http_body::Frame;
use http_body_util::BodyExt;
use kestrel::RunningHost;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing_subscriber::layer::SubscriberExt;

use crate::blame::Told;
use crate::http2_frames::{CANCEL, END_HEADERS, HEADERS, Http2, RST_STREAM, get as http2_get};
use crate::slow_app::{SlowApp, Step, Visit};
use crate::support::{Wire, limited, really, saying, soon, started, stopped};
use crate::tls_client::{Client, options, serving};

/// An app of answers that never end: before the head, behind an event, and more than anybody reads.
fn endless() -> (Router, SlowApp) {
    let (steps, slow) = SlowApp::watching();
    let visit = move || Visit::begin(&steps);
    let (wait, events, flood, spawned) = (visit.clone(), visit.clone(), visit.clone(), visit);
    let app = saying("hello")
        // Its body, if it has one, is not read.
        .route("/wait", any(async move |request: Request| never((wait(), request)).await))
        .route("/read", any(async move |request| never(read(spawned(), request)).await))
        .route("/events", any(async move || Body::new(Events(Some("data: 1\n\n"), events()))))
        .route("/flood", get(async move || Body::new(Flood(flood()))));
    (app, slow)
}

/// Holds what it has for ever.
async fn never<T>(_held: T) -> &'static str {
    std::future::pending().await
}

/// Reads a body in a task of its own, until it fails.
fn read(visit: Visit, request: Request) -> JoinHandle<()> {
    tokio::spawn(async move {
        let read = request.into_body().collect().await;
        assert!(read.is_err(), "half a body was taken for a whole one");
        drop(visit);
    })
}

/// One event, then none.
struct Events(Option<&'static str>, #[expect(dead_code, reason = "dropped with it")] Visit);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .take()
            .map_or(Poll::Pending, |event| Poll::Ready(Some(Ok(Frame::data(event.into())))))
    }
}

/// As much as is taken.
struct Flood(#[expect(dead_code, reason = "dropped with it")] Visit);

impl http_body::Body for Flood {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}

async fn host() -> (RunningHost, SlowApp) {
    let (app, slow) = endless();
    // Else a client that reads nothing would be cut off for that.
    let builder = limited(&[]).app(app).configure_kestrel(|options| {
        options.limits.min_response_data_rate = None;
        options.limits.min_request_body_data_rate = None;
    });
    (started(builder).await, slow)
}

/// More than the server reads ahead, but not more than the systems of both sides take besides: the
/// end of what a client sends comes behind everything else.
const MANY_REQUESTS: usize = 3000;

/// Every request whose client may go away, and how many bytes of its answer come before.
fn requests() -> Vec<(String, &'static str)> {
    let posted = |path: &str, framed: &str, body: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framed}\r\n\r\n{body}")
    };
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let large = "a".repeat(60_000);
    vec![
        (get("/wait"), "before the head"),
        (get("/events"), "behind an event"),
        (get("/flood"), "while the client takes nothing"),
        (get("/").repeat(3) + &get("/wait"), "behind other requests"),
        (get("/wait") + &get("/").repeat(3), "before other requests"),
        (get("/wait") + &get("/").repeat(MANY_REQUESTS), "before more than is read ahead"),
        (
            get("/flood") + &get("/").repeat(MANY_REQUESTS),
            "the same while the client takes nothing",
        ),
        (posted("/wait", "Content-Length: 2", "hi"), "with a body that is not read"),
        (posted("/wait", "Content-Length: 60000", &large), "with one that nobody has room for"),
        (posted("/wait", "Content-Length: 100", "half"), "within a body that is not read"),
        (posted("/read", "Content-Length: 100", "half"), "within a body that is read"),
        (posted("/read", "Transfer-Encoding: chunked", "9\r\nhalf"), "within a chunk"),
        (posted("/read", "Transfer-Encoding: chunked", "2\r\nhi\r\n"), "between two chunks"),
        (
            "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n".to_owned(),
            "that asked for an upgrade",
        ),
        ("GET /wait HTTP/1.0\r\n\r\n".to_owned(), "of HTTP/1.0"),
    ]
}

/// The handler is left: that nothing happens is told with what was done.
async fn is_left(slow: &mut SlowApp, what: &str) {
    let step = soon(what, slow.steps.recv()).await;
    assert_eq!(step, Some(Step::Left), "{what}");
}

#[tokio::test]
async fn the_request_of_a_client_that_ends_its_side_is_dropped_after_a_second() {
    let (host, mut slow) = host().await;
    for (request, which) in requests() {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(&request).await;
        assert_eq!(slow.next_step().await, Step::Entered, "{which}");
        wire.finish().await;
        is_left(&mut slow, which).await;
        drop(wire);
    }
    stopped(host).await;
}

#[tokio::test]
async fn the_request_of_a_client_that_closes_its_connection_is_dropped() {
    let (host, mut slow) = host().await;
    for (request, which) in requests() {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(&request).await;
        assert_eq!(slow.next_step().await, Step::Entered, "{which}");
        drop(wire);
        is_left(&mut slow, which).await;
    }
    stopped(host).await;
}

#[tokio::test]
async fn the_request_of_a_client_that_resets_its_connection_is_dropped() {
    let (host, mut slow) = host().await;
    for (request, which) in requests() {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(&request).await;
        assert_eq!(slow.next_step().await, Step::Entered, "{which}");
        wire.reset();
        is_left(&mut slow, which).await;
    }
    stopped(host).await;
}

#[tokio::test]
async fn the_second_begins_when_the_client_goes_however_late_that_is() {
    let (host, mut slow) = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    really(Duration::from_millis(2000)).await;
    wire.finish().await;
    really(Duration::from_millis(300)).await;
    assert!(slow.steps.is_empty(), "it may still be there");
    assert_eq!(slow.next_step().await, Step::Left);
    stopped(host).await;
}

/// How a client of TLS leaves.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// It says goodbye, and waits.
    Goodbye,
    /// It closes its socket without a word.
    Silently,
    Reset,
}

#[tokio::test]
async fn a_client_of_tls_that_goes_away_is_noticed_in_every_way() {
    let (app, mut slow) = endless();
    let host = started(serving(options()).app(app)).await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let requests = [
        get("/wait"),
        get("/events"),
        get("/flood"),
        get("/").repeat(3) + &get("/wait"),
        "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf".to_owned(),
        "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
    ];
    for leaves in [Leaves::Goodbye, Leaves::Silently, Leaves::Reset] {
        for request in &requests {
            let mut wire = Client::default().connect(&host.addresses()[0]).await;
            wire.send(request).await;
            assert_eq!(slow.next_step().await, Step::Entered, "{leaves:?} {request:?}");
            let mut held = None;
            match leaves {
                Leaves::Goodbye => {
                    wire.finish().await;
                    held = Some(wire);
                }
                Leaves::Silently => drop(wire.into_stream().into_inner().0),
                Leaves::Reset => {
                    let (tcp, _) = wire.into_stream().into_inner();
                    tcp.set_zero_linger().expect("it is connected");
                }
            }
            is_left(&mut slow, &format!("{leaves:?} {request:?}")).await;
            drop(held);
        }
    }
    stopped(host).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_of_a_unix_socket_that_goes_away_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let (app, mut slow) = endless();
    let builder = crate::support::builder().listen_unix_socket(&path).app(app);
    let host = started(builder).await;
    for (request, which) in requests() {
        if request.len() > 50_000 {
            // More than the system holds: the client could not send it and go.
            continue;
        }
        let stream = tokio::net::UnixStream::connect(&path).await.expect("somebody listens");
        let mut wire = Wire::new(stream);
        wire.send(&request).await;
        assert_eq!(slow.next_step().await, Step::Entered, "{which}");
        drop(wire);
        is_left(&mut slow, which).await;
    }
    stopped(host).await;
}

#[tokio::test]
async fn twenty_abandoned_long_polls_leave_room_for_the_next_client() {
    const MANY: usize = 20;
    let (app, mut slow) = endless();
    let host = started(limited(&[("MaxConcurrentConnections", "20")]).app(app)).await;
    let address = &host.addresses()[0].clone();
    let mut polls = Vec::new();
    for _ in 0..MANY {
        let mut wire = Wire::connect(address).await;
        wire.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(slow.next_step().await, Step::Entered);
        polls.push(wire);
    }
    let mut refused = Wire::connect(address).await;
    refused.send_until_closed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(refused.answer_or_end().await.is_err(), "there is no room for it");
    really(Duration::from_millis(50)).await;
    drop(polls);
    for _ in 0..MANY {
        assert_eq!(slow.next_step().await, Step::Left);
    }
    // The places are free a moment after the handlers are gone.
    let served = async {
        loop {
            let mut wire = Wire::connect(address).await;
            wire.send_until_closed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            if let Ok(answer) = wire.answer_or_end().await {
                return answer.body;
            }
        }
    };
    assert_eq!(soon("a free place", served).await, "hello");
    // Nothing is left that the stop would have to wait for.
    stopped(host).await;
}

/// A stream of HTTP/2 with this request; the handler has it.
async fn http2_request<S: AsyncRead + AsyncWrite + Unpin>(
    http2: &mut Http2<S>,
    slow: &mut SlowApp,
    stream: u32,
    path: &str,
) {
    match path {
        // A body that does not come.
        "/read" => http2.send(HEADERS, END_HEADERS, stream, &http2_get(path)).await,
        _ => http2.request(stream, path).await,
    }
    assert_eq!(slow.next_step().await, Step::Entered, "{path}");
}

#[tokio::test]
async fn a_stream_of_http2_that_is_reset_is_dropped_and_its_connection_lives() {
    let (host, mut slow) = host().await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    for (stream, path) in (1..).step_by(2).zip(["/wait", "/events", "/flood", "/read"]) {
        http2_request(&mut http2, &mut slow, stream, path).await;
        http2.send(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()).await;
        is_left(&mut slow, path).await;
    }
    http2.seen().await;
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn the_requests_of_a_client_of_http2_that_goes_away_are_dropped() {
    let (host, mut slow) = host().await;
    for path in ["/wait", "/events", "/flood", "/read"] {
        for how in ["ends its side", "closes", "resets"] {
            let mut http2 = Http2::connect(&host.addresses()[0]).await;
            http2_request(&mut http2, &mut slow, 1, path).await;
            let mut wire = http2.0;
            let mut held = None;
            match how {
                "ends its side" => {
                    wire.finish().await;
                    held = Some(wire);
                }
                "closes" => drop(wire),
                _ => wire.reset(),
            }
            is_left(&mut slow, &format!("{path}: the client {how}")).await;
            drop(held);
        }
    }
    stopped(host).await;
}

/// Of a body that a task reads the handler is not told; the handler of a request is dropped.
#[tokio::test]
async fn a_body_in_another_task_fails_when_its_client_goes_away() {
    let (sender, mut ends) = mpsc::unbounded_channel();
    let app = Router::new().route(
        "/",
        any(async move |request: Request| {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut body = request.into_body();
                // The rest is only read once the client is gone.
                let first = body.frame().await;
                assert!(first.is_some_and(|frame| frame.is_ok()), "it has begun");
                let _ = sender.send(true);
                really(Duration::from_millis(2500)).await;
                let _ = sender.send(body.collect().await.is_ok());
            });
            std::future::pending::<()>().await;
        }),
    );
    let host = started(limited(&[]).app(app)).await;
    for framed in ["Content-Length: 500000", "Transfer-Encoding: chunked"] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        let body = format!("493e0\r\n{}\r\n", "a".repeat(300_000));
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{framed}\r\n\r\n{body}")).await;
        assert_eq!(soon("its beginning", ends.recv()).await, Some(true));
        drop(wire);
        assert_eq!(soon("its end", ends.recv()).await, Some(false), "{framed}: it is not whole");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_has_its_end_in_the_log() {
    let told = Told::default();
    let subscriber = tracing_subscriber::Registry::default().with(told.clone());
    let _heard = tracing::subscriber::set_default(subscriber);
    let (app, mut slow) = endless();
    let host = started(limited(&[]).app(app).shutdown_timeout(Duration::ZERO)).await;
    let address = &host.addresses()[0];
    let mut expected = Vec::new();
    for (path, status) in [("/wait", 499), ("/events", 200)] {
        let mut wire = Wire::connect(address).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(slow.next_step().await, Step::Entered, "{path}");
        if status == 200 {
            wire.head().await;
        }
        wire.reset();
        is_left(&mut slow, path).await;
        expected.push(status);
        assert_eq!(told.statuses(), expected, "{path}");

        let mut http2 = Http2::connect(address).await;
        http2_request(&mut http2, &mut slow, 1, path).await;
        http2.send(RST_STREAM, 0, 1, &CANCEL.to_be_bytes()).await;
        is_left(&mut slow, path).await;
        expected.push(status);
        assert_eq!(told.statuses(), expected, "{path} on HTTP/2");
    }
    let mut wire = Wire::connect(address).await;
    wire.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    stopped(host).await;
    expected.push(499);
    assert_eq!(told.statuses(), expected, "cut by the stop");
}
