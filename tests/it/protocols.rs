//! Which versions of HTTP an endpoint speaks, told by the first bytes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::Frame;

use crate::http2_frames::{self as frames, EMPTY_SETTINGS, Http2, PREFACE};
use crate::support::{Wire, builder, saying, speaking, started, stopped};

/// One GOAWAY frame: no stream was processed, the error is HTTP_1_1_REQUIRED.
const GOAWAY_HTTP_1_1_REQUIRED: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d];

#[tokio::test]
async fn http1_serves_one_request_after_the_other_on_a_connection() {
    let host = started(speaking("Http1").app(saying("hello"))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..2 {
        let answer = wire.get("/").await;
        assert_eq!((answer.status, &*answer.body), (200, "hello"));
        assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", answer.head);
        assert_eq!(answer.header("Connection"), None);
        assert_eq!(answer.header("Server"), Some("Kestrel"));
        assert!(answer.header("Date").is_some_and(|date| date.ends_with(" GMT")));
    }
    stopped(host).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let app = saying("first").route("/second", axum::routing::get(|| async { "second" }));
    let host = started(speaking("Http1AndHttp2").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(wire.answer().await.body, "first");
    assert_eq!(wire.answer().await.body, "second");
    stopped(host).await;
}

#[tokio::test]
async fn an_http_1_0_connection_ends_after_its_answer() {
    let host = started(speaking("Http1").app(saying("hello"))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.0\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "hello"));
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

/// A body that does not know its length.
struct Pieces(Vec<&'static str>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.pop().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        Poll::Ready(next)
    }
}

/// The version that is said is the server's own (RFC 9110 section 2.5); how an answer is framed goes
/// by the client's.
#[tokio::test]
async fn http_1_0_is_answered_with_the_version_that_the_server_speaks() {
    const KEPT: &str = "HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let large = "x".repeat(100_000);
    let sent = large.clone();
    let app = saying("hello")
        .route("/large", axum::routing::get(async move || sent.clone()))
        .route("/endless", axum::routing::get(async || Body::new(Pieces(vec!["two", "one"]))));
    let host = started(speaking("Http1").app(app)).await;
    let address = &host.addresses()[0].clone();
    let mut wire = Wire::connect(address).await;
    for (path, body) in [("/", "hello"), ("/large", &large), ("/", "hello")] {
        wire.send(format!("GET {path} {KEPT}")).await;
        let answer = wire.answer().await;
        assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", answer.head);
        assert_eq!(answer.header("Connection"), Some("keep-alive"));
        assert_eq!(answer.body, body);
    }
    // Mixed with the other version, and all at once.
    wire.send(format!("GET / {KEPT}GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / {KEPT}").repeat(20))
        .await;
    for number in 0..60 {
        let answer = wire.answer().await;
        assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{number}: {}", answer.head);
        assert_eq!(answer.body, "hello", "{number}");
    }
    // Without a length, the body ends with the connection, and there are no chunks.
    wire.send(format!("GET /endless {KEPT}")).await;
    let answer = String::from_utf8(wire.rest().await).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nConnection: close\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
    assert_eq!(body, "onetwo");
    stopped(host).await;
}

#[tokio::test]
async fn connection_close_is_obeyed() {
    let host = started(speaking("Http1").app(saying("hello"))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.header("Connection"), Some("close"), "{}", answer.head);
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn the_default_endpoint_also_speaks_http2_with_prior_knowledge() {
    for endpoint in
        [builder().use_urls("http://127.0.0.1:0"), speaking("Http1AndHttp2"), speaking("Http2")]
    {
        let host = started(endpoint.app(saying("hello"))).await;
        let mut http2 = Http2::connect(&host.addresses()[0]).await;
        assert_eq!(http2.next().await.kind, frames::SETTINGS);
        http2.request(1, "/").await;
        assert_eq!(http2.body_of(1).await, b"hello");
        http2.request(3, "/").await;
        assert_eq!(http2.body_of(3).await, b"hello");
        drop(http2);
        stopped(host).await;
    }
}

#[tokio::test]
async fn a_preface_that_comes_byte_by_byte_is_understood() {
    let host = started(speaking("Http1AndHttp2").app(saying("hello"))).await;
    let address = &host.addresses()[0].clone();
    let mut wire = Wire::connect(address).await;
    for byte in PREFACE.iter().chain(&EMPTY_SETTINGS) {
        wire.send([*byte]).await;
        // Another connection's answer means that the server has had the time to read the byte.
        assert_eq!(Wire::connect(address).await.get("/").await.status, 200);
    }
    let head = wire.take(9).await;
    assert_eq!(head[3], frames::SETTINGS, "{head:?}");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn an_http1_request_that_comes_byte_by_byte_is_understood() {
    let app = axum::Router::new().route("/", axum::routing::any(|| async { "hello" }));
    let host = started(speaking("Http1AndHttp2").app(app)).await;
    let address = &host.addresses()[0].clone();
    let mut wire = Wire::connect(address).await;
    // It begins like the preface.
    for byte in b"PR / HTTP/1.1\r\nHost: a\r\n\r\n" {
        wire.send([*byte]).await;
        assert_eq!(Wire::connect(address).await.get("/").await.status, 200);
    }
    assert_eq!(wire.answer().await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn an_http1_endpoint_sends_an_http2_client_away() {
    let host = started(speaking("Http1").app(saying("hello"))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(PREFACE).await;
    assert_eq!(wire.take(17).await, GOAWAY_HTTP_1_1_REQUIRED);
    // What the client sent beyond the line was not read, so the system may end with a reset.
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
    stopped(host).await;
}

#[tokio::test]
async fn an_http2_endpoint_tells_an_http1_client_what_is_wrong() {
    let text = "An HTTP/1.x request was sent to an HTTP/2 only endpoint.";
    let host = started(speaking("Http2").app(saying("hello"))).await;
    for request in
        ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "PRINT / HTTP/1.1\r\n\r\n"]
    {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(request).await;
        let answer = wire.answer().await;
        assert!(answer.head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request}");
        assert_eq!(answer.header("Connection"), Some("close"), "{request}");
        assert_eq!(answer.header("Server"), Some("Kestrel"), "{request}");
        assert!(answer.header("Date").is_some_and(|date| date.ends_with(" GMT")), "{request}");
        assert_eq!(answer.body, text, "{request}");
        assert_eq!(wire.end().await.unwrap_or_default(), b"", "{request}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_without_protocols_closes_every_connection_without_a_byte() {
    let host = started(speaking("None").app(saying("hello"))).await;
    for _ in 0..2 {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        assert_eq!(wire.rest().await, b"");
    }
    stopped(host).await;
}

#[tokio::test]
async fn bytes_that_are_no_http_are_refused_and_the_next_client_is_served() {
    let host = started(speaking("Http1AndHttp2").app(saying("hello"))).await;
    let address = &host.addresses()[0].clone();
    let mut wire = Wire::connect(address).await;
    wire.send("hello there\r\n\r\n").await;
    let answer = String::from_utf8(wire.rest().await).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert_eq!(Wire::connect(address).await.get("/").await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn the_server_header_can_be_switched_off() {
    let quiet = crate::support::configured(&[
        ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
        ("Kestrel__AddServerHeader", "false"),
    ]);
    let host = started(quiet.app(saying("hello"))).await;
    let answer = Wire::connect(&host.addresses()[0]).await.get("/").await;
    assert_eq!(answer.header("Server"), None, "{}", answer.head);
    stopped(host).await;
}
