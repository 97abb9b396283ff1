//! How long a connection stays open between two requests.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::any;

use crate::support::{Wire, builder, limited, really, started, stopped};

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_keep_alive_timeout() {
    let host = started(limited(&[("KeepAliveTimeout", "00:00:01")])).await;
    let address = &host.addresses()[0].clone();
    let (least, most) = (Duration::from_millis(2000), Duration::from_secs(20));
    let silent = async {
        let mut wire = Wire::connect(address).await;
        let begun = Instant::now();
        assert_eq!(wire.rest().await, b"");
        assert!(begun.elapsed() >= least - Duration::from_millis(50), "{:?}", begun.elapsed());
        assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
    };
    let used = async {
        let mut wire = Wire::connect(address).await;
        // Longer in all than the timeout, which begins again with every answer.
        for _ in 0..4 {
            assert_eq!(wire.get("/").await.status, 200);
            really(Duration::from_millis(600)).await;
        }
        assert_eq!(wire.get("/").await.status, 200);
        let begun = Instant::now();
        assert_eq!(wire.rest().await, b"");
        assert!(begun.elapsed() >= least - Duration::from_millis(50), "{:?}", begun.elapsed());
        assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
    };
    tokio::join!(silent, used);
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_that_was_idle_for_long_goes_on_however_the_next_request_comes() {
    let app = Router::new().fallback(any(async |body: Bytes| format!("{} bytes", body.len())));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let address = &host.addresses()[0].clone();
    // After three seconds the server puts away what it does not need in order to wait.
    let idle = Duration::from_millis(3600);
    let whole = async |silent: bool| {
        let mut wire = Wire::connect(address).await;
        if !silent {
            assert_eq!(wire.get("/").await.status, 200);
        }
        really(idle).await;
        assert_eq!(wire.get("/").await.body, "0 bytes");
        assert_eq!(wire.get("/").await.body, "0 bytes");
    };
    let split = async {
        let mut wire = Wire::connect(address).await;
        assert_eq!(wire.get("/").await.status, 200);
        really(idle).await;
        for byte in b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" {
            wire.send([*byte]).await;
            really(Duration::from_millis(2)).await;
        }
        assert_eq!(wire.answer().await.body, "0 bytes");
    };
    let body = async |framed: &str| {
        let mut wire = Wire::connect(address).await;
        assert_eq!(wire.get("/").await.status, 200);
        really(idle).await;
        wire.send("POST / HTTP/1.1\r\nHost: a\r\n").await;
        really(Duration::from_millis(5)).await;
        wire.send(format!("{framed}GET / HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(wire.answer().await.body, "5 bytes");
        assert_eq!(wire.answer().await.body, "0 bytes");
    };
    let rejected = async {
        let mut wire = Wire::connect(address).await;
        assert_eq!(wire.get("/").await.status, 200);
        really(idle).await;
        wire.send("BAD\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, 400);
    };
    let ended = async {
        let mut wire = Wire::connect(address).await;
        assert_eq!(wire.get("/").await.status, 200);
        really(idle).await;
        wire.finish().await;
        assert_eq!(wire.rest().await, b"");
    };
    tokio::join!(
        whole(false),
        whole(true),
        split,
        body("Content-Length: 5\r\n\r\nhello"),
        body("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        rejected,
        ended,
    );
    stopped(host).await;
}
