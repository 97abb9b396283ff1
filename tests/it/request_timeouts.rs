//! How long an answer may take to begin, and what is not touched by that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, get};
use kestrel::{HostBuilder, Reloaded};
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told;
use crate::http2_frames::{self as frames, Http2};
use crate::reload::Stage;
use crate::slow_app::{SlowApp, Step};
use crate::support::{Wire, builder, pass, started, stopped};
use crate::upgrades::{UPGRADE, echo};

const MINUTE: Duration = Duration::from_secs(60);

fn timed(app: Router) -> HostBuilder {
    builder()
        .use_urls("http://127.0.0.1:0")
        // Idle connections are none of this.
        .use_setting("Kestrel:Limits:KeepAliveTimeout", "1.00:00:00")
        .use_setting("RequestTimeouts:Enabled", "true")
        .use_setting("RequestTimeouts:DefaultTimeout", "00:01:00")
        .app(app)
}

#[tokio::test]
async fn an_app_that_takes_too_long_is_given_up_and_the_connection_goes_on() {
    let heard = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let (app, mut slow) = SlowApp::new();
    let host = started(timed(app).use_setting("StatusCodePages:Enabled", "true")).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    http2.request(1, "/slow").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    pass(MINUTE / 2).await;
    assert!(slow.steps.is_empty(), "they have half of their time");
    pass(MINUTE / 2).await;
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 504 ") && head.contains("text/plain"), "{head}");
    let data = http2.next_of_kind(frames::DATA).await;
    assert!(data.payload.starts_with(b"Status Code: 504"), "{data:?}");
    assert!(heard.has(Level::WARN, 1) && heard.has(Level::DEBUG, 1));
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "quick");
    stopped(host).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_counts_and_an_answer_that_has_begun_does_not() {
    let (pieces, mut stream) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
    let stream = futures_util::stream::poll_fn(move |cx| {
        stream.poll_recv(cx).map(|piece| piece.map(Ok::<_, std::io::Error>))
    });
    let stream = Arc::new(Mutex::new(Some(Body::from_stream(stream))));
    let streams = get(async move || stream.lock().expect("no panic").take().expect("one request"));
    let reads = any(async |body: Bytes| body.len().to_string());
    let app =
        Router::new().route("/stream", streams).route("/reads", reads).route("/echo", any(echo));
    let host = timed(app).use_setting("Kestrel:Limits:MinRequestBodyDataRate", "");
    let host = started(host).await;
    let address = host.addresses()[0].clone();
    let mut streaming = Wire::connect(&address).await;
    streaming.send("GET /stream HTTP/1.1\r\nHost: test\r\n\r\n").await;
    let head = streaming.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut upgraded = Wire::connect(&address).await;
    upgraded.send(UPGRADE).await;
    assert!(upgraded.head().await.starts_with("HTTP/1.1 101 "));
    let mut sending = Wire::connect(&address).await;
    sending.send("POST /reads HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\na").await;
    pass(MINUTE * 2).await;
    let head = sending.head().await;
    assert!(head.starts_with("HTTP/1.1 504 "), "{head}");
    pieces.send(Bytes::from_static(b"late")).expect("it is streamed");
    drop(pieces);
    let body = String::from_utf8(streaming.take(14).await).expect("text");
    assert_eq!(body, "4\r\nlate\r\n0\r\n\r\n"[..14], "it goes on");
    upgraded.send("ping").await;
    assert_eq!(upgraded.take(4).await, b"ping");
    drop(upgraded);
    stopped(host).await;
}

#[tokio::test]
async fn policies_are_by_paths_and_follow_reloads() {
    const A: &str = r#""Kestrel":{"Limits":{"KeepAliveTimeout":"1.00:00:00"},"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let (app, mut slow) = SlowApp::new();
    let host = stage.started(app).await;
    let policy = |timeout: &str| {
        format!(
            r#"{{"RequestTimeouts":{{"Enabled":true,"DefaultTimeout":"1.00:00:00","Policies":{{"a":{{"Paths":["/SLOW"],"Timeout":"{timeout}","TimeoutStatusCode":503}}}}}},{A}}}"#
        )
    };
    for seconds in [40, 20] {
        stage.write(&policy(&format!("00:00:{seconds}")));
        assert_eq!(host.reload().await.expect("it is right"), Reloaded::Changed);
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(slow.next_step().await, Step::Entered);
        pass(Duration::from_secs(seconds - 1)).await;
        assert!(slow.steps.is_empty(), "{seconds}");
        pass(Duration::from_secs(1)).await;
        assert_eq!(slow.next_step().await, Step::Left);
        assert_eq!(wire.answer().await.status, 503, "{seconds}");
    }
    stopped(host).await;
}
