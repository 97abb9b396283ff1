//! Endpoints of the PROXY protocol: who the client is, before TLS and HTTP.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kestrel::{Connection, Endpoint, HostBuilder, IpNetwork, Local, Remote, RunningHost};
use tokio::net::TcpStream;

use crate::http2_frames::Http2;
use crate::proxies::{NEEDS_HAPROXY, haproxy};
use crate::reload::Stage;
use crate::support::{
    Wire, builder, configured, really, skipped, socket_address, soon, started, stopped,
};
use crate::tls_client::{Client, connected as connected_to, options};

const LINE: &[u8] = b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n";
const CLIENT_AND_SERVER: &str = "203.0.113.9:56324 192.0.2.1:443 http";

/// The same in version 2, with something that nobody reads behind it.
fn binary() -> Vec<u8> {
    let addresses = [203, 0, 113, 9, 192, 0, 2, 1, 0xdc, 0x04, 0x01, 0xbb, 0x04, 0, 1, 0xff];
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10"[..], &addresses].concat()
}

/// A check of health: the proxy speaks for itself.
const OF_ITS_OWN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0";

async fn who(connection: Connection) -> String {
    let end = |address: Option<std::net::SocketAddr>| {
        address.map_or_else(|| "nobody".to_owned(), |address| address.to_string())
    };
    let client = end(connection.remote().map(|Remote(address)| address));
    let server = end(connection.local().map(|Local(address)| address));
    format!("{client} {server} {}", connection.scheme().as_str())
}

fn app() -> Router {
    Router::new().route("/", get(who))
}

/// A builder for an endpoint on a free port that speaks the protocol with whoever is on this machine.
fn proxied() -> HostBuilder {
    configured(&[
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__ProxyProtocol", "true"),
    ])
    .app(app())
}

async fn connected(host: &RunningHost) -> Wire<TcpStream> {
    Wire::connect(&host.addresses()[0]).await
}

#[tokio::test]
async fn a_header_of_either_version_tells_the_client() {
    let host = started(proxied()).await;
    for header in [LINE.to_vec(), binary()] {
        // All at once, and byte by byte.
        let mut wire = connected(&host).await;
        wire.send([&header[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).await;
        assert_eq!(wire.answer().await.body, CLIENT_AND_SERVER);
        assert_eq!(wire.get("/").await.body, CLIENT_AND_SERVER, "to the end of the connection");
        let mut wire = connected(&host).await;
        for byte in &header {
            wire.send([*byte]).await;
        }
        assert_eq!(wire.get("/").await.body, CLIENT_AND_SERVER);
    }
    let mut wire = connected(&host).await;
    wire.send(OF_ITS_OWN).await;
    let its_own = format!("{} {} http", wire.local_address(), socket_address(&host.addresses()[0]));
    assert_eq!(wire.get("/").await.body, its_own);
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn it_stands_before_http2() {
    let host = started(proxied()).await;
    let mut wire = connected(&host).await;
    wire.send(binary()).await;
    let mut http2 = Http2::over(wire).await;
    http2.request(1, "/").await;
    assert_eq!(http2.body_of(1).await, CLIENT_AND_SERVER.as_bytes());
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn it_stands_before_the_handshake() {
    let endpoint = Endpoint::ip(([127, 0, 0, 1], 0).into()).https(options()).proxy_protocol([]);
    let host = started(builder().listen_on(endpoint).app(app())).await;
    let mut tcp = Wire::new(connected_to(&host.addresses()[0]).await);
    tcp.send(binary()).await;
    let client = Client::default();
    let mut wire = client.try_over(client.config(), tcp.into_stream()).await.expect("a handshake");
    assert_eq!(wire.get("/").await.body, CLIENT_AND_SERVER.replace("http", "https"));
    // Without it there is no handshake.
    assert!(client.try_connect(&host.addresses()[0]).await.is_err());
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_without_one_is_closed_without_an_answer() {
    let host = started(proxied()).await;
    for sent in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"PROXY TCP4 203.0.113.9 192.0.2.1 56324\r\n\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443 GET / HTTP/1.1\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c0123456789ab",
    ] {
        let mut wire = connected(&host).await;
        wire.send(sent).await;
        let text = String::from_utf8_lossy(sent);
        // What it sent behind may be unread: then the end is a reset.
        assert_eq!(wire.end().await.unwrap_or_default(), b"", "{text}");
    }
    let mut wire = connected(&host).await;
    wire.send(LINE).await;
    assert_eq!(wire.get("/").await.body, CLIENT_AND_SERVER, "others are served");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn who_is_no_known_proxy_is_refused() {
    let elsewhere: IpNetwork = "192.0.2.0/24".parse().expect("a network");
    let address = ([127, 0, 0, 1], 0).into();
    let endpoint = Endpoint::ip(address).proxy_protocol([elsewhere]);
    let host = started(builder().listen_on(endpoint).app(app())).await;
    let mut wire = connected(&host).await;
    wire.send_until_closed([LINE, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).await;
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
    stopped(host).await;
}

#[tokio::test]
async fn who_comes_by_a_unix_socket_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let endpoint = Endpoint::unix_socket(&path).proxy_protocol([]);
    let host = started(builder().listen_on(endpoint).app(app())).await;
    let stream = tokio::net::UnixStream::connect(&path).await.expect("somebody listens");
    let mut wire = Wire::new(stream);
    wire.send(LINE).await;
    assert_eq!(wire.get("/").await.body, CLIENT_AND_SERVER);
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn half_a_header_holds_neither_a_stop_nor_a_place_for_ever() {
    let host = started(proxied().configure_kestrel(|options| {
        options.handshake_timeout = Duration::from_millis(300);
    }))
    .await;
    let mut slow = connected(&host).await;
    slow.send(&LINE[..20]).await;
    assert!(soon("its time is over", slow.at_end()).await);
    stopped(host).await;

    let host = started(proxied()).await;
    let mut half = connected(&host).await;
    half.send(&LINE[..20]).await;
    let silent = connected(&host).await;
    // Long enough that both are connections of the server's.
    really(Duration::from_millis(20)).await;
    stopped(host).await;
    drop((half, silent));
}

#[tokio::test]
async fn a_reload_switches_it_for_new_connections() {
    let plain = r#""A":{"Url":"http://127.0.0.1:0"}"#;
    let stage = Stage::with_endpoints(plain);
    let host = started(stage.builder().app(app())).await;
    let mut before = connected(&host).await;
    let own = before.get("/").await.body;
    let with = r#""A":{"Url":"http://127.0.0.1:0","ProxyProtocol":true}"#;
    stage.go_over_to(&host, with).await.expect("it is right");
    assert_eq!(before.get("/").await.body, own, "it began without");
    let mut behind = connected(&host).await;
    behind.send(LINE).await;
    assert_eq!(behind.get("/").await.body, CLIENT_AND_SERVER);
    stage.go_over_to(&host, plain).await.expect("it is right");
    assert_eq!(connected(&host).await.get("/").await.status, 200);
    drop((before, behind));
    stopped(host).await;
}

/// TLS from the client to the server, with HAProxy between.
#[tokio::test]
async fn haproxy_hands_on_connections_of_tls() {
    let endpoint = Endpoint::ip(([127, 0, 0, 1], 0).into()).https(options()).proxy_protocol([]);
    let host = started(builder().listen_on(endpoint).app(app())).await;
    let server = host.addresses()[0].replace("https://", "");
    let sections = format!(
        "listen public\nmode tcp\nbind :80\nserver app {server} send-proxy-v2-ssl-cn check\n"
    );
    let Some((proxy, entrance)) = haproxy(&sections) else {
        return skipped("HAProxy in front of TLS", NEEDS_HAPROXY);
    };
    let tcp = TcpStream::connect(entrance).await.expect("it listens");
    let own = tcp.local_addr().expect("it is connected");
    let client = Client::offering(&["http/1.1"]);
    let mut wire = client.try_over(client.config(), tcp).await.expect("a handshake");
    assert_eq!(wire.get("/").await.body, format!("{own} {entrance} https"));
    drop((wire, proxy));
    stopped(host).await;
}
