//! A handler that panics takes nobody with it.

use axum::{Router, routing::get};

use crate::http2_frames::Http2;
use crate::support::{Wire, saying, speaking, started, stopped};

fn app() -> Router {
    async fn fail() -> &'static str {
        panic!("on purpose")
    }
    async fn fail_later() -> &'static str {
        tokio::task::yield_now().await;
        panic!("on purpose, at the second poll")
    }
    saying("hello").route("/panic", get(fail)).route("/panic-later", get(fail_later))
}

#[tokio::test]
async fn a_panic_is_answered_with_500_and_the_connection_lives() {
    let host = started(speaking("Http1").app(app())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for path in ["/panic", "/panic-later"] {
        let answer = wire.get(path).await;
        assert_eq!((answer.status, &*answer.body), (500, ""), "{path}");
        assert_eq!(answer.header("Content-Length"), Some("0"), "{path}");
        assert_eq!(answer.header("Connection"), None, "{path}");
        assert_eq!(answer.header("Server"), Some("Kestrel"), "{path}");
        let next = wire.get("/").await;
        assert_eq!((next.status, &*next.body), (200, "hello"), "after {path}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_panic_on_one_http2_stream_leaves_the_others_alone() {
    let host = started(speaking("Http2").app(app())).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/panic").await;
    http2.request(3, "/").await;
    assert_eq!(http2.body_of(3).await, b"hello");
    drop(http2);
    stopped(host).await;
}
