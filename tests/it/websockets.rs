//! WebSockets of axum, alone and behind nginx and Apache as the README has them configured.

use std::io::{Read, Write};
use std::net::TcpStream;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::{Router, routing::any};
use tungstenite::Message;

use crate::proxies::{NEEDS, Proxies, readme};
use crate::support::{configured, skipped, started, stopped};

/// Says every message back, after the `Host` it was asked by.
fn app() -> Router {
    let echo = async |upgrade: WebSocketUpgrade, headers: HeaderMap| {
        let host = headers["host"].to_str().expect("text").to_owned();
        upgrade.on_upgrade(async move |mut socket| {
            // Both end with the connection.
            let _ = socket.send(host.into()).await;
            while let Some(Ok(message)) = socket.recv().await {
                let _ = socket.send(message).await;
            }
        })
    };
    Router::new().route("/echo", any(echo))
}

/// Asks for a WebSocket as `a.test:81`, and says something small and something large.
fn is_served(name: &str, stream: impl Read + Write) {
    let (mut socket, answer) = tungstenite::client("ws://a.test:81/echo", stream)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(answer.status(), 101, "{name}");
    let host = socket.read().expect("a message");
    assert_eq!(host, Message::text("a.test:81"), "{name}: the port belongs to the host");
    for text in ["x".to_owned(), "y".repeat(100_000)] {
        socket.send(Message::text(text.clone())).expect("it reads");
        assert_eq!(socket.read().expect("an answer"), Message::text(text), "{name}");
    }
    socket.close(None).expect("it reads");
    while socket.read().is_ok() {}
}

#[tokio::test]
async fn a_websocket_is_served() {
    let urls = [("ASPNETCORE_URLS", "http://127.0.0.1:0")];
    let host = started(configured(&urls).app(app())).await;
    let address = host.addresses()[0].strip_prefix("http://").expect("http").to_owned();
    let alone = TcpStream::connect(&address).expect("it listens");
    tokio::task::spawn_blocking(move || is_served("alone", alone)).await.expect("no panic");
    stopped(host).await;
}

#[tokio::test]
async fn a_websocket_is_served_through_the_proxies_of_the_readme() {
    let Some(proxies) = Proxies::new() else {
        return skipped("WebSockets through nginx and Apache", NEEDS);
    };
    let socket = format!("http://unix:{}", proxies.socket().display());
    let variables = [
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__B__Url", &*socket),
        ("Kestrel__Endpoints__B__UnixSocket__Mode", "666"),
    ];
    let host = started(configured(&variables).app(app())).await;
    let port = host.addresses()[0].clone();
    let through = move || {
        for url in [&port, &socket] {
            let proxy = proxies.nginx(&readme("nginx", url));
            is_served(&format!("nginx to {url}"), proxy.connect());
        }
        is_served("Apache", proxies.apache(&readme("apache", &port)).connect());
    };
    tokio::task::spawn_blocking(through).await.expect("no panic");
    stopped(host).await;
}
