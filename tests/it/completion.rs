//! When the answer to a request is out, and how that ended.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::any;
use http_body::Frame;
use kestrel::{Abort, Completed, Completion, HostBuilder, RunningHost};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::http2_frames::{DATA, END_STREAM, HEADERS, Http2, WINDOW_UPDATE};
use crate::support::{Wire, configured, soon, started, stopped};

/// More than a socket takes at once, and than a client of HTTP/2 lets be sent.
const LARGE: usize = 32 * 1024 * 1024;

struct Told(UnboundedReceiver<Completed>);

impl Told {
    async fn next(&mut self) -> Completed {
        soon("the end of the answer", self.0.recv()).await.expect("it is told")
    }

    fn is_not_yet(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

/// A host that tells how each answer ended.
async fn telling(builder: HostBuilder) -> (RunningHost, Told) {
    let (sender, told) = unbounded_channel();
    let app = Router::new()
        .route("/small", any(async || "small"))
        .route("/empty", any(async || ()))
        .route("/large", any(async || Bytes::from(vec![b'x'; LARGE])))
        .route("/aborted", any(async || Abort))
        .route("/aborts", any(async || breaking_off(Abort.into())))
        .route("/fails", any(async || breaking_off("out of ink".into())))
        .route("/never", any(std::future::pending::<()>))
        .layer(from_fn(move |completion: Completion, request: Request, next: Next| {
            let sender = sender.clone();
            completion.on_end(move |end| sender.send(end).unwrap_or_default());
            next.run(request)
        }));
    (started(builder.app(app)).await, Told(told))
}

/// A body that breaks off behind its first piece.
struct BreakingOff(Option<Bytes>, Option<BoxError>);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl axum::body::HttpBody for BreakingOff {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let first = self.0.take().map(|first| Ok(Frame::data(first)));
        Poll::Ready(first.or_else(|| self.1.take().map(Err)))
    }
}

fn breaking_off(error: BoxError) -> Response<Body> {
    let first = Bytes::from_static(b"first");
    Response::new(Body::new(BreakingOff(Some(first), Some(error))))
}

fn local() -> HostBuilder {
    configured(&[("ASPNETCORE_URLS", "http://127.0.0.1:0")])
}

#[tokio::test]
async fn an_answer_that_is_out_is_told_on_every_version() {
    let (host, mut told) = telling(local()).await;
    let address = host.addresses()[0].clone();
    let mut wire = Wire::connect(&address).await;
    for path in ["/small", "/empty", "/none"] {
        wire.get(path).await;
        assert_eq!(told.next().await, Completed::Sent, "{path}");
    }
    wire.send("HEAD /large HTTP/1.1\r\nHost: test\r\n\r\n").await;
    wire.head().await;
    assert_eq!(told.next().await, Completed::Sent);
    // Two that leave in one write.
    wire.send("GET /small HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await;
    assert_eq!([told.next().await, told.next().await], [Completed::Sent; 2]);
    let mut http2 = Http2::connect(&address).await;
    for (stream, path) in [(1, "/small"), (3, "/empty"), (5, "/none")] {
        http2.request(stream, path).await;
        assert_eq!(told.next().await, Completed::Sent, "{path}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_is_not_out_as_long_as_its_client_does_not_take_it() {
    let (host, mut told) = telling(local()).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await;
    wire.head().await;
    assert!(told.is_not_yet());
    wire.take(LARGE / 2).await;
    assert!(told.is_not_yet());
    wire.take(LARGE / 2).await;
    assert_eq!(told.next().await, Completed::Sent);
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_of_http2_is_not_out_as_long_as_its_window_is_closed() {
    let (host, mut told) = telling(local()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/large").await;
    http2.next_of_kind(HEADERS).await;
    let mut came = 0;
    while came < 65_535 {
        came += http2.next_of_kind(DATA).await.payload.len();
    }
    assert!(told.is_not_yet());
    for stream in [0, 1] {
        let more = u32::try_from(LARGE).expect("small enough").to_be_bytes();
        http2.send(WINDOW_UPDATE, 0, stream, &more).await;
    }
    while http2.next_of_kind(DATA).await.flags & END_STREAM == 0 {}
    assert_eq!(told.next().await, Completed::Sent);
    stopped(host).await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_told_as_that() {
    let (host, mut told) = telling(local()).await;
    let address = host.addresses()[0].clone();
    for path in ["/large", "/never"] {
        let mut wire = Wire::<TcpStream>::connect(&address).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        if path == "/large" {
            wire.head().await;
        }
        wire.reset();
        assert_eq!(told.next().await, Completed::ClientGone, "{path}");
    }
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/large").await;
    http2.next_of_kind(DATA).await;
    http2.send(crate::http2_frames::RST_STREAM, 0, 1, &8_u32.to_be_bytes()).await;
    assert_eq!(told.next().await, Completed::ClientGone);
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_that_the_app_breaks_off_is_told_with_the_reason() {
    let (host, mut told) = telling(local()).await;
    let address = host.addresses()[0].clone();
    for (path, end) in [
        ("/aborted", Completed::Aborted),
        ("/aborts", Completed::Aborted),
        ("/fails", Completed::Failed),
    ] {
        let mut wire = Wire::connect(&address).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        assert_eq!(told.next().await, end, "{path}");
        let mut http2 = Http2::connect(&address).await;
        http2.request(1, path).await;
        assert_eq!(told.next().await, end, "{path} on HTTP/2");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_client_that_takes_an_answer_too_slowly_is_told_as_that() {
    let builder = configured(&[
        ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
        ("Kestrel__Limits__MinResponseDataRate__BytesPerSecond", "1000000"),
        ("Kestrel__Limits__MinResponseDataRate__GracePeriod", "00:00:01.1"),
    ]);
    let (host, mut told) = telling(builder).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(told.next().await, Completed::TooSlow);
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_that_the_stop_cuts_off_is_told_as_that() {
    let (host, mut told) = telling(local().shutdown_timeout(Duration::ZERO)).await;
    let address = host.addresses()[0].clone();
    let mut wire = Wire::connect(&address).await;
    wire.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await;
    wire.head().await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/large").await;
    http2.next_of_kind(DATA).await;
    stopped(host).await;
    assert_eq!([told.next().await, told.next().await], [Completed::Stopped; 2]);
}
