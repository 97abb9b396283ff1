//! What proxies in front tell of a request, over real sockets.

use axum::Router;
use axum::extract::Request;
use kestrel::{Connection, EffectiveRequest, Reloaded, Remote, RequestTarget};
use tokio::net::TcpStream;

use crate::http2_frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, get as http2_get};
use crate::reload::Stage;
use crate::support::{Wire, builder, started, stopped};

/// An app that tells who the client is, and whom the connection is with.
fn who() -> Router {
    Router::new().fallback(async |request: Request| {
        let meant = EffectiveRequest::of(&request);
        let client = meant.client().map(|client| client.ip().to_string()).unwrap_or_default();
        let connection: Option<&Connection> = request.extensions().get();
        let peer =
            connection.and_then(Connection::remote).map(|Remote(peer)| peer.ip().to_string());
        let (scheme, host, base) = (meant.scheme(), meant.host(), meant.path_base());
        format!("{scheme}://{host}{base} {client} by {}", peer.unwrap_or_default())
    })
}

const TOLD: &str = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
    X-Forwarded-Host: shop.example\r\nX-Forwarded-Prefix: /base\r\n";

async fn asked(wire: &mut Wire<TcpStream>, headers: &str) -> (u16, String) {
    wire.send(format!("GET / HTTP/1.1\r\nHost: inside\r\n{headers}\r\n")).await;
    let answer = wire.answer().await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_reload_lets_proxies_be_believed_on_open_connections() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(who()).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let of_connection = (200, "http://inside 127.0.0.1 by 127.0.0.1".to_owned());
    assert_eq!(asked(&mut wire, TOLD).await, of_connection);
    for (settings, expected) in [
        (r#""ForwardedHeaders_Enabled":"true""#, "https://inside 192.0.2.7 by 127.0.0.1"),
        (
            r#""ForwardedHeaders":{"Enabled":true,"ForwardedHeaders":"All"}"#,
            "https://shop.example/base 192.0.2.7 by 127.0.0.1",
        ),
        (
            r#""ForwardedHeaders":{"Enabled":true,"KnownProxies":["192.0.2.1"]}"#,
            "http://inside 127.0.0.1 by 127.0.0.1",
        ),
    ] {
        stage.write(&format!("{{{settings},{A}}}"));
        assert_eq!(host.reload().await.unwrap(), Reloaded::Changed, "{settings}");
        assert_eq!(asked(&mut wire, TOLD).await, (200, expected.to_owned()), "{settings}");
    }
    stage.write(&format!("{{{A}}}"));
    host.reload().await.unwrap();
    assert_eq!(asked(&mut wire, TOLD).await, of_connection, "it is off again");
    stopped(host).await;
}

#[tokio::test]
async fn proxies_are_believed_on_http2() {
    let host = builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("ForwardedHeaders:Enabled", "true")
        .use_setting("ForwardedHeaders:ForwardedHeaders", "All")
        .app(who());
    let host = started(host).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let mut head = http2_get("/");
    for line in TOLD.trim_end().split("\r\n") {
        let (name, value) = line.split_once(": ").expect("a header");
        let name = name.to_ascii_lowercase();
        head.push(0);
        for text in [name.as_str(), value] {
            head.push(u8::try_from(text.len()).expect("a short text"));
            head.extend(text.bytes());
        }
    }
    http2.send(HEADERS, END_HEADERS | END_STREAM, 1, &head).await;
    let body = http2.next_of_kind(DATA).await.payload;
    let expected = "https://shop.example/base 192.0.2.7 by 127.0.0.1";
    assert_eq!(String::from_utf8(body).expect("text"), expected);
    stopped(host).await;
}

#[tokio::test]
async fn every_fact_of_a_request_names_the_host_that_was_told() {
    let app = Router::new().fallback(async |request: Request| {
        let meant = EffectiveRequest::of(&request).host();
        let target = RequestTarget::of(&request);
        let header = request.headers()["host"].to_str().unwrap_or_default();
        let of_uri = request.uri().authority().map_or("-", |authority| authority.as_str());
        format!("{meant} {} {header} {of_uri} {}", target.host(), target.raw())
    });
    let host = builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("ForwardedHeaders:Enabled", "true")
        .use_setting("ForwardedHeaders:ForwardedHeaders", "XForwardedHost")
        .app(app);
    let host = started(host).await;
    let told = "X-Forwarded-Host: shop.example:81\r\n";
    let four = "shop.example:81 shop.example:81 shop.example:81";
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(asked(&mut wire, told).await.1, format!("{four} - /"));
    wire.send(format!("GET http://inside/?a HTTP/1.1\r\nHost: inside\r\n{told}\r\n")).await;
    let body = wire.answer().await.body;
    assert!(body.starts_with(four) && body.ends_with(" http://inside/?a"), "{body}");
    assert!(!body.contains(" inside"), "{body}");
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let mut head = http2_get("/");
    let [name, value] = ["x-forwarded-host", "shop.example:81"];
    head.push(0);
    for text in [name, value] {
        head.push(u8::try_from(text.len()).expect("a short text"));
        head.extend(text.bytes());
    }
    http2.send(HEADERS, END_HEADERS | END_STREAM, 1, &head).await;
    let body = String::from_utf8(http2.next_of_kind(DATA).await.payload).expect("text");
    assert_eq!(body, format!("{four} shop.example:81 /"));
    stopped(host).await;
}

#[tokio::test]
async fn hosts_are_filtered_before_and_what_follows_goes_by_what_was_told() {
    let host = builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("AllowedHosts", "inside")
        .use_setting("ForwardedHeaders:Enabled", "true")
        .use_setting("ForwardedHeaders:ForwardedHeaders", "All")
        .use_setting("ForwardedHeaders:AllowedHosts:0", "shop.example")
        .use_setting("Hsts:Enabled", "true")
        .use_setting("Hsts:ExcludedHosts:0", "inside")
        .app(who());
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(format!("GET / HTTP/1.1\r\nHost: inside\r\n{TOLD}\r\n")).await;
    let answer = wire.answer().await;
    assert_eq!(answer.body, "https://shop.example/base 192.0.2.7 by 127.0.0.1");
    assert!(answer.header("Strict-Transport-Security").is_some(), "the client came by https");
    let other = TOLD.replace("shop.example", "evil.example");
    let (_, body) = asked(&mut wire, &other).await;
    assert_eq!(body, "https://inside/base 192.0.2.7 by 127.0.0.1", "a host that may not be told");
    wire.send(format!("GET / HTTP/1.1\r\nHost: shop.example\r\n{TOLD}\r\n")).await;
    assert_eq!(wire.answer().await.status, 400, "the host that was sent is filtered");
    stopped(host).await;
}
