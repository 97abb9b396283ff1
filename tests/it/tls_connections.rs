//! Connections behind their handshake: what goes over them, and how they end.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, get, post};
use kestrel::{MinDataRate, RunningHost};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http2_frames::{DATA, Http2, SETTINGS, WINDOW_UPDATE};
use crate::support::{really, saying, soon, started, stopped};
use crate::tls_client::{Client, options, serving};
use crate::tls_host::{VERSIONS, address, app, host};
use crate::upgrades::echo;

/// A host whose clients have to take what they ask for.
async fn impatient_host() -> RunningHost {
    let app = Router::new().route("/", get(|| async { Body::from(vec![b'x'; 50_000_000]) }));
    let builder = serving(options()).app(app).configure_kestrel(|options| {
        let grace = Duration::from_millis(1100);
        options.limits.min_response_data_rate = MinDataRate::new(1e9, grace).ok();
        options.allow_alternate_schemes = true;
    });
    started(builder).await
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let host = impatient_host().await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.head().await;
    // It is cut off while it looks away: the stop has nothing to wait for.
    stopped(host).await;
    assert!(wire.end().await.is_err());
}

#[tokio::test]
async fn a_client_of_http2_that_takes_nothing_is_cut_off() {
    let host = impatient_host().await;
    let wire = Client::offering(&["h2"]).connect(&address(&host)).await;
    let mut http2 = Http2::over(wire).await;
    // Windows without an end, so that the socket is what is full.
    http2.send(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]).await;
    http2.send(WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0]).await;
    http2.request(1, "/").await;
    http2.next_of_kind(DATA).await;
    stopped(host).await;
    assert!(http2.0.end().await.is_err());
}

/// rustls has nothing to say about it any more, and asserts so.
#[tokio::test]
async fn what_comes_behind_the_goodbye_is_passed_over() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 400);
    assert_eq!(wire.rest().await, b"");
    let (mut tcp, _) = wire.into_stream().into_inner();
    for _ in 0..64 {
        tcp.write_all(&[23; 64 * 1024]).await.expect("somebody still reads it");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_ends_with_a_goodbye() {
    let builder = serving(options()).configure_kestrel(|options| {
        // More than lies between a handshake and a request where everything takes its time.
        options.limits.keep_alive_timeout = Duration::from_secs(2);
    });
    let host = started(builder.app(app())).await;
    // Without close_notify, this client would have an error.
    let idle = async {
        let mut idle = Client::default().connect(&address(&host)).await;
        idle.get("/").await;
        assert_eq!(idle.rest().await, b"");
    };
    let silent = async {
        let mut silent = Client::default().connect(&address(&host)).await;
        assert_eq!(silent.rest().await, b"");
    };
    tokio::join!(idle, silent);
    let mut last = Client::default().connect(&address(&host)).await;
    last.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(last.answer().await.status, 200);
    assert_eq!(last.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn the_stop_says_goodbye() {
    let host = host(options()).await;
    let mut idle = Client::default().connect(&address(&host)).await;
    idle.get("/").await;
    let mut http2 = Http2::over(Client::offering(&["h2"]).connect(&address(&host)).await).await;
    http2.seen().await;
    stopped(host).await;
    assert_eq!(idle.rest().await, b"");
    assert_eq!(http2.goaway().await, (0, 0));
}

#[tokio::test]
async fn a_client_may_leave_without_a_goodbye() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.get("/").await;
    let (mut tcp, _) = wire.into_stream().into_inner();
    tcp.shutdown().await.expect("it is connected");
    let mut rest = Vec::new();
    // The end, not a reset.
    soon("the end", tcp.read_to_end(&mut rest)).await.expect("the end");
    stopped(host).await;
}

/// Says how much came.
async fn length(body: Bytes) -> String {
    body.len().to_string()
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    const SIZE: usize = 5_000_000;

    let app = Router::new()
        .route("/length", post(length))
        .route("/large", get(|| async { Body::from(vec![b'x'; SIZE]) }));
    let host = started(serving(options()).app(app)).await;
    for (versions, _) in VERSIONS {
        let mut wire = Client { versions, ..Client::default() }.connect(&address(&host)).await;
        for _ in 0..2 {
            wire.send(format!(
                "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"
            ))
            .await;
            wire.send(vec![b'y'; SIZE]).await;
            assert_eq!(wire.answer().await.body, SIZE.to_string());
            assert_eq!(wire.get("/large").await.body.len(), SIZE);
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_is_whole_for_a_client_that_reads_late() {
    const SIZE: usize = 3_000_000;

    let app = Router::new().route("/", get(|| async { Body::from(vec![b'x'; SIZE]) }));
    let host = started(serving(options()).app(app)).await;
    for connection in ["keep-alive", "close"] {
        let mut wire = Client::default().connect(&address(&host)).await;
        wire.send(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n")).await;
        // Longer than hyper is kept for an idle connection, several times.
        for _ in 0..4 {
            really(Duration::from_millis(250)).await;
            wire.take(SIZE / 5).await;
        }
        let answer = wire.take(SIZE / 5).await;
        assert!(answer.ends_with(b"xxx"));
        if connection == "close" {
            let rest = wire.rest().await;
            assert!(rest.iter().all(|byte| *byte == b'x') && rest.len() < 1000, "{}", rest.len());
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_turn() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500)).await;
    for _ in 0..500 {
        assert_eq!(wire.answer().await.body, "https Tls13 - - 0");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_client_may_change_its_keys() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    for _ in 0..3 {
        wire.stream_mut().get_mut().1.refresh_traffic_keys().expect("TLS 1.3");
        assert_eq!(wire.get("/").await.status, 200);
    }
    stopped(host).await;
}

#[tokio::test]
async fn another_protocol_may_take_over() {
    let app = saying("hello").route("/echo", any(echo));
    let host = started(serving(options()).app(app)).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    let large = vec![b'z'; 1_000_000];
    let (mut reader, mut writer) = tokio::io::split(wire.into_stream());
    let sent = large.clone();
    let sending = tokio::spawn(async move {
        writer.write_all(&sent).await.expect("sent");
        writer.flush().await.expect("sent");
        writer
    });
    let mut back = vec![0; large.len()];
    soon("the echo", reader.read_exact(&mut back)).await.expect("the echo");
    assert!(back == large);
    sending.await.expect("sent").shutdown().await.expect("the end");
    stopped(host).await;
}
