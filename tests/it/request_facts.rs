//! What a handler can know of the connection its request came in on.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::{Extension, Router, routing::get};
use kestrel::{App, Connection, Local, Remote};

use crate::support::{Wire, builder, socket_address, started, stopped};

/// Says what it knows: id, scheme, our address, the client's address.
async fn facts(connection: Connection) -> String {
    let local = connection.local().map(|Local(address)| address.to_string());
    let remote = connection.remote().map(|Remote(address)| address.to_string());
    let none = || "none".to_owned();
    format!(
        "{} {} {} {}",
        connection.id(),
        connection.scheme().as_str(),
        local.unwrap_or_else(none),
        remote.unwrap_or_else(none),
    )
}

fn app() -> Router {
    Router::new().route("/", get(facts))
}

fn parts(text: &str) -> [&str; 4] {
    let parts: Vec<_> = text.split(' ').collect();
    parts.try_into().expect("four facts")
}

#[tokio::test]
async fn a_handler_is_told_both_ends_of_its_connection() {
    for url in ["http://127.0.0.1:0", "http://[::1]:0"] {
        let host = started(builder().use_urls(url).app(app())).await;
        let address = &host.addresses()[0].clone();
        let mut wire = Wire::connect(address).await;
        let text = wire.get("/").await.body;
        let [_, scheme, local, remote] = parts(&text);
        assert_eq!(scheme, "http");
        assert_eq!(local, socket_address(address).to_string());
        assert_eq!(remote, wire.local_address().to_string());
        stopped(host).await;
    }
}

#[tokio::test]
async fn a_connection_keeps_its_id_and_the_next_has_another() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
    let mut one = Wire::connect(&host.addresses()[0]).await;
    let mut two = Wire::connect(&host.addresses()[0]).await;
    let mut ids = Vec::new();
    for wire in [&mut one, &mut two] {
        let (first, second) = (wire.get("/").await.body, wire.get("/").await.body);
        assert_eq!(parts(&first)[0], parts(&second)[0]);
        let id = parts(&first)[0].to_owned();
        let digits = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'V'));
        assert!(id.len() == 13 && digits, "{id}");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    stopped(host).await;
}

#[tokio::test]
async fn an_ipv4_client_of_a_dual_stack_socket_appears_as_ipv6() {
    let host = started(builder().use_urls("http://*:0").app(app())).await;
    let port = socket_address(&host.addresses()[0]).port();
    let mut wire = Wire::connect(&format!("http://127.0.0.1:{port}")).await;
    let text = wire.get("/").await.body;
    let [_, _, local, remote] = parts(&text);
    assert_eq!(local, format!("[::ffff:127.0.0.1]:{port}"));
    let client = wire.local_address().port();
    assert_eq!(remote, format!("[::ffff:127.0.0.1]:{client}"));
    stopped(host).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_has_no_addresses_to_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let host = started(builder().listen_unix_socket(&path).app(app())).await;
    let stream = tokio::net::UnixStream::connect(&path).await;
    let text = Wire::new(stream.expect("somebody listens")).get("/").await.body;
    let [_, scheme, local, remote] = parts(&text);
    assert_eq!((scheme, local, remote), ("http", "none", "none"));
    stopped(host).await;
}

/// Says the client's address as axum knows it.
async fn client(ConnectInfo(address): ConnectInfo<SocketAddr>) -> String {
    address.to_string()
}

#[tokio::test]
async fn the_clients_address_is_told_in_axums_own_way_too() {
    let router = || Router::new().route("/", get(client));
    for (kind, app) in [
        ("a router", App::from(router())),
        ("a service", App::service(router())),
        ("with a layer", App::from(router().layer(axum::middleware::from_fn(passed_on)))),
    ] {
        let host = started(builder().use_urls("http://127.0.0.1:0").connect_info().app(app)).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        assert_eq!(wire.get("/").await.body, wire.local_address().to_string(), "{kind}");
        stopped(host).await;
    }
}

/// Takes the address on the way, as a rate limiter does.
async fn passed_on(
    ConnectInfo(_): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    next.run(request).await
}

#[tokio::test]
async fn a_client_that_a_proxy_tells_of_is_the_one_that_axum_is_told() {
    let host =
        builder().use_urls("http://127.0.0.1:0").use_setting("ForwardedHeaders:Enabled", "true");
    let host = started(host.connect_info().app(Router::new().route("/", get(client)))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 192.0.2.7:4711\r\n\r\n").await;
    assert_eq!(wire.answer().await.body, "192.0.2.7:4711");
    stopped(host).await;
}

#[cfg(unix)]
#[tokio::test]
async fn axum_is_told_no_address_of_a_client_on_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let told = async |info: Option<Extension<ConnectInfo<SocketAddr>>>| match info {
        Some(_) => "an address",
        None => "none",
    };
    let app = Router::new().route("/", get(told));
    let host = started(builder().listen_unix_socket(&path).connect_info().app(app)).await;
    let stream = tokio::net::UnixStream::connect(&path).await.expect("it listens");
    assert_eq!(Wire::new(stream).get("/").await.body, "none");
    stopped(host).await;
}
