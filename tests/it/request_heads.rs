//! How long a request's head may take, and what stands before it.

use std::time::{Duration, Instant};

use crate::support::{Wire, limited, really, started, stopped};

#[tokio::test]
async fn a_head_that_takes_too_long_is_answered_with_408_also_a_second_one() {
    let host = started(limited(&[("RequestHeadersTimeout", "00:00:00.3")])).await;
    let address = &host.addresses()[0].clone();
    let begun = Instant::now();
    let late = async |before: &str, part: &str| {
        let mut wire = Wire::connect(address).await;
        wire.send(before).await;
        if !before.is_empty() {
            assert_eq!(wire.answer().await.status, 200);
        }
        wire.send(part).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("Connection")), (408, Some("close")), "{part:?}");
        assert_eq!(wire.rest().await, b"", "{part:?}");
    };
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    tokio::join!(
        late("", "G"),
        late("", "\r\nGET / HTTP/1.1\r\nHost: a\r\nX"),
        late(request, "G"),
        late(request, "GET / HTTP/1.1\r\n"),
    );
    // A clock that ticks once a second cuts no timeout short.
    assert!(begun.elapsed() >= Duration::from_millis(1300), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    stopped(host).await;
}

/// Before the timeout for heads, which is not waited for here.
#[tokio::test]
async fn a_cr_that_no_lf_follows_is_refused_as_soon_as_that_is_known() {
    let host = started(limited(&[("RequestHeadersTimeout", "23:00:00")])).await;
    let address = &host.addresses()[0].clone();
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (before, bare) in [
        ("", "\rG"),
        ("", "GET /\rx"),
        ("", "GET / HTTP/1.1\r\r"),
        ("", "GET / HTTP/1.1\r\nHost: a\rb"),
        ("", "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
        (request, "GET / HTTP/1.1\r\nX\r:"),
        (request, "GET / HTTP/1.1\r\nHost: a\r\n\r\r"),
    ] {
        for in_pieces in [false, true] {
            let mut wire = Wire::connect(address).await;
            wire.send(before).await;
            if !before.is_empty() {
                assert_eq!(wire.answer().await.status, 200);
            }
            if in_pieces {
                for byte in bare.bytes() {
                    wire.send([byte]).await;
                    tokio::task::yield_now().await;
                }
            } else {
                wire.send(bare).await;
            }
            let answer = wire.answer().await;
            assert_eq!(
                (answer.status, answer.header("Connection")),
                (400, Some("close")),
                "{bare:?}"
            );
            assert!(answer.header("Date").is_some(), "{bare:?}");
            assert_eq!(wire.end().await.unwrap_or_default(), b"", "{bare:?}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn every_head_has_the_whole_time() {
    let host = started(limited(&[("RequestHeadersTimeout", "00:00:00.9")])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..3 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n").await;
        really(Duration::from_millis(700)).await;
        wire.send("\r\n").await;
        assert_eq!(wire.answer().await.status, 200);
    }
    stopped(host).await;
}

#[tokio::test]
async fn empty_lines_are_no_request() {
    let timeouts = [("RequestHeadersTimeout", "00:00:00.1"), ("KeepAliveTimeout", "00:00:00.5")];
    let host = started(limited(&timeouts)).await;
    let address = &host.addresses()[0].clone();
    let mut wire = Wire::connect(address).await;
    wire.send("\r\n".repeat(100_000)).await;
    assert_eq!(wire.get("/").await.status, 200, "they may stand before one");
    // However long they come, they are not the beginning of one.
    let trickling = async {
        let mut wire = Wire::connect(address).await;
        let begun = Instant::now();
        let mut sent = true;
        while sent && begun.elapsed() < Duration::from_secs(20) {
            really(Duration::from_millis(50)).await;
            sent = wire.try_send("\r\n").await;
        }
        assert!(!sent, "the connection is closed");
        assert!(begun.elapsed() > Duration::from_millis(1400), "but not as a slow head");
    };
    let flooding = async {
        let mut wire = Wire::connect(address).await;
        let begun = Instant::now();
        let lines = "\r\n".repeat(2000);
        let mut sent = true;
        while sent && begun.elapsed() < Duration::from_secs(20) {
            sent = wire.try_send(&lines).await;
            tokio::task::yield_now().await;
        }
        assert!(!sent, "the connection is closed");
    };
    tokio::join!(trickling, flooding);
    stopped(host).await;
}
