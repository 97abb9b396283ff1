//! The life of a host: who is told of its steps, and what ends itself when the stop begins.

use std::convert::Infallible;
use std::net::TcpStream;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, Sse};
use axum::{Router, routing::get};
use futures_util::stream::{self, Stream, StreamExt};
use kestrel::Lifetime;
use tokio::sync::oneshot;
use tungstenite::Message;

use crate::support::{NEVER, Wire, builder, saying, soon, started, stopped, taken_port};

/// One event, and then none.
async fn events(lifetime: Lifetime) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = stream::once(async { Ok(Event::default().data("one")) });
    Sse::new(lifetime.until_stopping(first.chain(stream::pending())))
}

/// Says goodbye when the stop begins.
async fn socket(upgrade: WebSocketUpgrade, lifetime: Lifetime) -> axum::response::Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let _ = socket.send("here".into()).await;
        tokio::select! {
            () = lifetime.stopping() => {
                let frame = CloseFrame { code: 1001, reason: "".into() };
                let _ = socket.send(Frame::Close(Some(frame))).await;
                while let Some(Ok(_)) = socket.recv().await {}
            }
            _ = socket.recv() => panic!("the client says nothing"),
        }
    })
}

#[tokio::test]
async fn an_open_stream_of_events_and_a_websocket_end_cleanly_when_the_stop_begins() {
    let app = Router::new().route("/events", get(events)).route("/socket", get(socket));
    let never = builder().shutdown_timeout(NEVER);
    let host = started(never.use_urls("http://127.0.0.1:0").app(app)).await;
    let address = host.addresses()[0].clone();
    let mut events = Wire::connect(&address).await;
    events.send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert!(events.head().await.contains("text/event-stream"));
    let (open, opened) = oneshot::channel();
    let authority = address.strip_prefix("http://").expect("http").to_owned();
    let client = tokio::task::spawn_blocking(move || {
        let stream = TcpStream::connect(&authority).expect("it listens");
        let url = format!("ws://{authority}/socket");
        let (mut socket, _) = tungstenite::client(url, stream).expect("an upgrade");
        assert_eq!(socket.read().expect("a message"), Message::text("here"));
        open.send(()).expect("the test waits");
        match socket.read().expect("a message") {
            Message::Close(Some(frame)) => u16::from(frame.code),
            other => panic!("{other} is no end"),
        }
    });
    soon("the socket", opened).await.expect("no panic");
    stopped(host).await;
    assert_eq!(client.await.expect("no panic"), 1001);
    let rest = String::from_utf8(events.end().await.expect("a clean end")).expect("text");
    assert!(rest.contains("data: one") && rest.ends_with("0\r\n\r\n"), "{rest:?}");
}

#[tokio::test]
async fn whoever_waits_is_told_of_each_step() {
    let lifetime = Lifetime::new();
    let waiter = |lifetime: Lifetime| {
        tokio::spawn(async move {
            lifetime.started().await;
            lifetime.stopping().await;
            lifetime.stopped().await;
        })
    };
    let early = [waiter(lifetime.clone()), waiter(lifetime.clone())];
    let host = builder().use_urls("http://127.0.0.1:0").lifetime(lifetime.clone());
    let host = started(host.app(saying("hello"))).await;
    soon("the start", lifetime.started()).await;
    assert!(!lifetime.is_stopping());
    let late = waiter(host.lifetime());
    host.lifetime().stop();
    assert!(lifetime.is_stopping());
    soon("the wish", host.stop_requested()).await;
    soon("the wish, again", host.stop_requested()).await;
    stopped(host).await;
    for waiter in early.into_iter().chain([late]) {
        soon("the end of who waits", waiter).await.expect("no panic");
    }
}

#[tokio::test]
async fn two_hosts_with_one_life_stop_together() {
    let lifetime = Lifetime::new();
    let run = || {
        let host = builder().use_urls("http://127.0.0.1:0").lifetime(lifetime.clone());
        tokio::spawn(host.app(saying("hello")).run())
    };
    let (first, second) = (run(), run());
    soon("the start", lifetime.started()).await;
    lifetime.stop();
    for host in [first, second] {
        soon("the end of a host", host).await.expect("no panic");
    }
    soon("the end", lifetime.stopped()).await;
}

#[tokio::test]
async fn a_start_that_fails_is_the_end_of_a_life() {
    let (_taken, address) = taken_port();
    let cannot_bind = || builder().listen(address);
    for host in [cannot_bind(), builder().use_urls("http://nonsense:port")] {
        let lifetime = Lifetime::new();
        let refused = match host.lifetime(lifetime.clone()).build() {
            Ok(host) => host.start().await.err(),
            Err(error) => Some(error),
        };
        assert!(refused.is_some());
        soon("the end", lifetime.stopped()).await;
    }
}
