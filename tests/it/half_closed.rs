//! Clients that end their side of the connection, and wait for answers.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};

use crate::slow_app::{SlowApp, Step};
use crate::support::{Wire, builder, really, saying, started, stopped};

#[tokio::test]
async fn a_client_that_only_will_not_send_more_is_answered() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(saying("hello"))).await;
    let address = &host.addresses()[0].clone();
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for count in [1, 3] {
        let mut wire = Wire::connect(address).await;
        wire.send(request.repeat(count)).await;
        wire.finish().await;
        for _ in 0..count {
            assert_eq!(wire.answer().await.body, "hello");
        }
        assert_eq!(wire.rest().await, b"", "the server ends its side, too");
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_end_right_behind_a_request_leaves_time_for_its_answer() {
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    for request in [
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(request).await;
        wire.finish().await;
        assert_eq!(slow.next_step().await, Step::Entered);
        // Less than a client may be gone.
        really(Duration::from_millis(300)).await;
        slow.let_go();
        assert_eq!(wire.answer().await.body, "finished");
        assert_eq!(slow.next_step().await, Step::Left);
        // It is not left open until it is idle for long: no test waits for 130 seconds.
        assert_eq!(wire.rest().await, b"");
    }
    stopped(host).await;
}

/// As `printf 'GET /large ...' | nc -N` does: whoever takes the answer is there.
#[tokio::test]
async fn a_client_that_sends_no_more_gets_an_answer_that_it_takes_longer_to_read() {
    const LARGE: usize = 32 * 1024 * 1024;
    // Not a static: the program would carry it.
    let body = Bytes::from(vec![b'x'; LARGE]);
    let app = Router::new().route("/", get(|| std::future::ready(body)));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.finish().await;
    wire.head().await;
    for _ in 0..16 {
        assert_eq!(wire.take(LARGE / 16).await.len(), LARGE / 16);
        really(Duration::from_millis(125)).await;
    }
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn an_end_within_a_request_is_answered_with_400() {
    let app = Router::new().route("/", post(async |body: Bytes| format!("{}", body.len())));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    for part in [
        "G",
        "POST / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(part).await;
        wire.finish().await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("Connection")), (400, Some("close")), "{part:?}");
        assert_eq!(wire.rest().await, b"", "{part:?}");
    }
    stopped(host).await;
}
