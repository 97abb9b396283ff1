//! How many requests pass over real sockets, and what becomes of the others.

use std::time::Duration;

use axum::Router;
use axum::routing::any;
use kestrel::{HostBuilder, Reloaded};
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told;
use crate::http2_frames::{self as frames, Http2};
use crate::reload::Stage;
use crate::slow_app::{SlowApp, Step};
use crate::support::{Answer, Wire, builder, pass, saying, soon, started, stopped};
use crate::upgrades::{UPGRADE, echo};

/// A host with these settings of the limiter.
fn limited(app: Router, settings: &[(&str, &str)]) -> HostBuilder {
    let builder = builder()
        .use_urls("http://127.0.0.1:0")
        // Idle connections are none of this.
        .use_setting("Kestrel:Limits:KeepAliveTimeout", "1.00:00:00")
        .use_setting("RateLimiter:Enabled", "true");
    let set = |builder: HostBuilder, (key, value): &(&str, &str)| {
        builder.use_setting(&format!("RateLimiter:{key}"), value)
    };
    settings.iter().fold(builder, set).app(app)
}

/// The answer to a request for a path, with this header line.
async fn asked(wire: &mut Wire<tokio::net::TcpStream>, path: &str, line: &str) -> Answer {
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n{line}\r\n\r\n")).await;
    wire.answer().await
}

#[tokio::test]
async fn requests_beyond_a_window_are_turned_away_until_it_is_over() {
    let heard = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let window = [("GlobalLimiter:PermitLimit", "2"), ("GlobalLimiter:Window", "00:01:00")];
    let host = started(limited(saying("hello"), &window)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..2 {
        assert_eq!(wire.get("/").await.status, 200);
    }
    for _ in 0..2 {
        let answer = wire.get("/").await;
        assert_eq!((answer.status, &*answer.body), (503, ""));
        let after: u64 = answer.header("retry-after").expect("it is known").parse().unwrap();
        assert!((50..=60).contains(&after), "{after}");
    }
    assert!(heard.has(Level::WARN, 1) && heard.has(Level::DEBUG, 1), "once, and each");
    pass(Duration::from_secs(60)).await;
    assert_eq!(wire.get("/").await.status, 200);
    stopped(host).await;
}

#[tokio::test]
async fn clients_are_told_apart_as_a_known_proxy_tells_of_them() {
    let settings = [
        ("RejectionStatusCode", "429"),
        ("Policies:api:Paths:0", "/api"),
        ("Policies:api:PermitLimit", "1"),
        ("Policies:api:Window", "01:00:00"),
    ];
    let host = limited(saying("hello"), &settings)
        .use_setting("ForwardedHeaders:Enabled", "true")
        .use_setting("StatusCodePages:Enabled", "true");
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, client, status) in [
        ("/api", "192.0.2.1", 404),
        ("/API/x", "192.0.2.1", 429),
        ("/%61pi/y", "192.0.2.1:1234", 429),
        ("/", "192.0.2.1", 200),
        ("/api", "192.0.2.2", 404),
        ("/api", "2001:db8::1", 404),
        ("/api", "2001:db8::2", 429),
        ("/api", "2001:db8:0:1::1", 404),
    ] {
        let line = format!("X-Forwarded-For: {client}\r\nConnection: close");
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n{line}\r\n\r\n")).await;
        let text = String::from_utf8(wire.rest().await).expect("text");
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {client}: {text}");
        assert_eq!(text.contains("Status Code: 429"), status == 429, "{path} {client}: {text}");
    }
    assert_eq!(asked(&mut wire, "/", "Accept: */*").await.status, 200);
    stopped(host).await;
}

#[tokio::test]
async fn those_that_run_at_the_same_time_let_the_next_pass_when_their_answer_is_out() {
    let settings = [
        ("GlobalLimiter:Limiter", "Concurrency"),
        ("GlobalLimiter:PermitLimit", "1"),
        ("GlobalLimiter:QueueLimit", "1"),
    ];
    let (app, mut slow) = SlowApp::new();
    let host = started(limited(app, &settings)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/slow").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    // One waits, and the next finds no place.
    http2.request(3, "/slow").await;
    http2.request(5, "/slow").await;
    let rejected = http2.next_of_kind(frames::HEADERS).await;
    assert_eq!(rejected.stream, 5, "{rejected:?}");
    assert!(slow.steps.is_empty(), "one runs");
    // The one that waits goes away.
    http2.send(frames::RST_STREAM, 0, 3, &8_u32.to_be_bytes()).await;
    http2.send(frames::PING, 0, 0, &[0; 8]).await;
    http2.next_of_kind(frames::PING).await;
    slow.let_go();
    assert_eq!(http2.body_of(1).await, b"finished");
    assert_eq!(slow.next_step().await, Step::Left);
    http2.request(7, "/slow").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    http2.request(9, "/slow").await;
    slow.let_go();
    assert_eq!(http2.body_of(7).await, b"finished");
    assert_eq!(slow.next_step().await, Step::Left);
    assert_eq!(slow.next_step().await, Step::Entered, "it is the turn of the next");
    slow.let_go();
    assert_eq!(http2.body_of(9).await, b"finished");
    http2.request(11, "/").await;
    assert_eq!(http2.body_of(11).await, b"quick");
    stopped(host).await;
}

#[tokio::test]
async fn what_becomes_another_protocol_counts_to_its_end() {
    let settings = [("GlobalLimiter:Limiter", "Concurrency"), ("GlobalLimiter:PermitLimit", "1")];
    let host = started(limited(saying("hello").route("/echo", any(echo)), &settings)).await;
    let address = host.addresses()[0].clone();
    let mut socket = Wire::connect(&address).await;
    socket.send(UPGRADE).await;
    assert!(socket.head().await.starts_with("HTTP/1.1 101 "));
    let mut other = Wire::connect(&address).await;
    for _ in 0..2 {
        assert_eq!(other.get("/").await.status, 503);
        socket.send("ping").await;
        assert_eq!(socket.take(4).await, b"ping");
    }
    drop(socket);
    // The server takes its time to see that.
    let freed = async { while other.get("/").await.status != 200 {} };
    soon("a free place", freed).await;
    assert_eq!(other.get("/").await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn who_waits_for_a_window_passes_with_the_next_one() {
    let settings = [
        ("GlobalLimiter:Limiter", "TokenBucket"),
        ("GlobalLimiter:TokenLimit", "1"),
        ("GlobalLimiter:TokensPerPeriod", "1"),
        ("GlobalLimiter:ReplenishmentPeriod", "00:01:00"),
        ("GlobalLimiter:QueueLimit", "5"),
    ];
    let host = started(limited(saying("hello"), &settings)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.status, 200);
    wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    pass(Duration::from_secs(30)).await;
    assert!(!wire.has_bytes(Duration::from_millis(50)).await, "it waits");
    pass(Duration::from_secs(30)).await;
    assert_eq!(wire.answer().await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn the_page_of_a_request_that_is_turned_away_is_the_apps_and_does_not_count() {
    let window = [("GlobalLimiter:PermitLimit", "1"), ("GlobalLimiter:Window", "01:00:00")];
    let app = saying("hello").route("/status", any(async || "come back later"));
    let host = limited(app, &window)
        .use_setting("StatusCodePages:Enabled", "true")
        .use_setting("StatusCodePages:ReExecute", "/status");
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.status, 200);
    for path in ["/", "/status"] {
        let answer = wire.get(path).await;
        assert_eq!((answer.status, &*answer.body), (503, "come back later"), "{path}");
        assert!(answer.header("retry-after").is_some(), "{}", answer.head);
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_keeps_what_was_counted_where_the_limit_stays() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let settings = |permits: u32, status: u32| {
        format!(
            r#"{{"RateLimiter":{{"Enabled":true,"RejectionStatusCode":{status},"GlobalLimiter":{{"PermitLimit":{permits},"Window":"01:00:00"}}}},{A}}}"#
        )
    };
    let stage = Stage::new(&settings(1, 503));
    let host = stage.started(saying("hello")).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for expected in [200, 503] {
        assert_eq!(wire.get("/").await.status, expected);
    }
    for (permits, status, expected) in [(1, 429, [429, 429]), (2, 429, [200, 200])] {
        stage.write(&settings(permits, status));
        assert_eq!(host.reload().await.expect("it is right"), Reloaded::Changed);
        for expected in expected {
            assert_eq!(wire.get("/").await.status, expected, "{permits} {status}");
        }
    }
    stage.write(&format!("{{{A}}}"));
    assert_eq!(host.reload().await.expect("it is right"), Reloaded::Changed);
    assert_eq!(wire.get("/").await.status, 200);
    stopped(host).await;
}
