//! Several requests on their way at once (RFC 9112 section 9.3.2).

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, Uri};
use tokio::time::timeout;

use crate::slow_app::{SlowApp, Step};
use crate::support::{Wire, builder, really, started, stopped};

/// An app that tells what it was asked.
fn echo() -> Router {
    Router::new().fallback(async |method: Method, uri: Uri, body: Bytes| {
        format!("{method} {uri} {}", String::from_utf8_lossy(&body))
    })
}

#[tokio::test]
async fn requests_of_one_write_are_answered_in_order_and_a_rejected_one_last() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(concat!(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "\r\n",
        "GET http://a/4 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /5 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /6 HTTP/1.1\r\nHost: a\r\n\r\n",
    ))
    .await;
    for told in ["GET /1 ", "POST /2 hello", "POST /3 hi", "GET /4 "] {
        let answer = wire.answer().await;
        assert_eq!((answer.status, &*answer.body), (200, told));
    }
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("Connection")), (400, Some("close")));
    assert_eq!(wire.end().await.unwrap_or_default(), b"", "nothing follows a rejection");
    stopped(host).await;
}

#[tokio::test]
async fn a_pair_of_requests_may_be_split_anywhere() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for pair in [
        "GET /1 HTTP/1.1\r\nHost:\r\n\r\nGET /2 HTTP/1.1\r\nHost:\r\n\r\n",
        "\r\nGET /1 HTTP/1.1\nHost:\n\n\r\nGET http://a/2 HTTP/1.1\r\nHost:a\r\n\r\n",
    ] {
        for place in 1..pair.len() {
            let (one, two) = pair.split_at(place);
            wire.send(one).await;
            // The server's turn: it is to see the first part alone.
            really(Duration::from_millis(1)).await;
            wire.send(two).await;
            assert_eq!(wire.answer().await.body, "GET /1 ", "{one:?} {two:?}");
            assert_eq!(wire.answer().await.body, "GET /2 ", "{one:?} {two:?}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_pair_with_a_body_may_be_split_anywhere() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for framed in [
        "Content-Length:2\r\n\r\nhi",
        "Transfer-Encoding:chunked\r\n\r\n2\r\nhi\r\n0\r\nA:b\r\n\r\n",
    ] {
        let pair = format!("PUT / HTTP/1.1\r\nHost:\r\n{framed}GET / HTTP/1.1\r\nHost:\r\n\r\n");
        for place in 1..pair.len() {
            let (one, two) = pair.split_at(place);
            wire.send(one).await;
            really(Duration::from_millis(1)).await;
            wire.send(two).await;
            assert_eq!(wire.answer().await.body, "PUT / hi", "{one:?} {two:?}");
            assert_eq!(wire.answer().await.body, "GET / ", "{one:?} {two:?}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_deep_pipeline_of_large_answers_comes_whole() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let path = |number: usize| format!("/{number}/{}", "a".repeat(number * 13 % 3000));
    let requests: String = (0..300)
        .map(|number| format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path(number)))
        .collect();
    wire.send(requests).await;
    for number in 0..300 {
        assert_eq!(wire.answer().await.body, format!("GET {} ", path(number)));
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_waits_for_no_request_that_takes_long() {
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let quick = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let long = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
    wire.send([quick, quick, long, quick].concat()).await;
    assert_eq!(wire.answer().await.body, "quick");
    assert_eq!(wire.answer().await.body, "quick");
    assert_eq!(slow.next_step().await, Step::Entered);
    slow.let_go();
    assert_eq!(wire.answer().await.body, "finished");
    assert_eq!(wire.answer().await.body, "quick");
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_waits_for_no_request_that_is_not_complete() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for next in ["\r", "\r\n", "G", "PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh"] {
        wire.send(format!("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n{next}")).await;
        assert_eq!(wire.answer().await.body, "GET /1 ", "before {next:?}");
        let rest = match next {
            "\r" => "\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n" => "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            "G" => "ET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            _ => "i",
        };
        wire.send(rest).await;
        assert!(wire.answer().await.body.contains(" /2 "), "after {next:?}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_rejected_request_waits_for_its_turn() {
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /%00 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    assert!(!wire.has_bytes(Duration::from_millis(50)).await, "it is not its turn");
    slow.let_go();
    assert_eq!(wire.answer().await.body, "finished");
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("Connection")), (400, Some("close")));
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
    stopped(host).await;
}

#[tokio::test]
async fn more_than_is_read_ahead_waits_and_is_answered() {
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    for more in ["", "Connection: Upgrade\r\nUpgrade: x\r\n"] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(format!("GET /slow HTTP/1.1\r\nHost: a\r\n{more}\r\n")).await;
        assert_eq!(slow.next_step().await, Step::Entered);
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5000)).await;
        really(Duration::from_millis(50)).await;
        slow.let_go();
        assert_eq!(wire.answer().await.body, "finished");
        for _ in 0..5000 {
            assert_eq!(wire.answer().await.body, "quick");
        }
        assert_eq!(slow.next_step().await, Step::Left);
    }
    stopped(host).await;
}

/// What nobody has room for has to wait at the client.
#[tokio::test]
async fn what_is_read_ahead_is_bounded() {
    /// More than the systems of both sides hold.
    const MUCH: usize = 64 * 1024 * 1024;
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    let more = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2500);
    let mut taken = 0;
    // Where nothing is taken for a while, it is full. (If a machine is slower than that, nothing is
    // learnt of it.)
    while let Ok(sent) = timeout(Duration::from_secs(1), wire.try_send(&more)).await {
        assert!(sent, "the connection lives");
        taken += more.len();
        assert!(taken < MUCH, "whatever comes is taken");
    }
    wire.reset();
    slow.let_go();
    assert_eq!(slow.next_step().await, Step::Left);
    stopped(host).await;
}

#[tokio::test]
async fn a_client_that_waits_for_leave_is_told_behind_the_answers_before() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(concat!(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    ))
    .await;
    assert_eq!(wire.answer().await.body, "GET /1 ");
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hi").await;
    assert_eq!(wire.answer().await.body, "PUT /2 hi");
    stopped(host).await;
}

#[tokio::test]
async fn nothing_is_answered_behind_a_request_that_ends_the_connection() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(echo())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(concat!(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    ))
    .await;
    assert_eq!(wire.answer().await.body, "GET /1 ");
    let answer = wire.answer().await;
    assert_eq!((&*answer.body, answer.header("Connection")), ("GET /2 ", Some("close")));
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
    stopped(host).await;
}
