//! Connections that another protocol takes over.

use std::io;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::any};
use hyper_util::rt::TokioIo;
use kestrel::HostBuilder;
use tokio::net::TcpStream;

use crate::support::{Wire, limited, saying, soon, started, stopped};

pub(crate) const UPGRADE: &str =
    "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

/// Turns the connection into one that says everything back.
pub(crate) async fn echo(mut request: Request) -> Response {
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // The server may have no place for one more.
        let Ok(upgraded) = upgrading.await else { return };
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        // Ends with the connection, one way or the other.
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let headers = [("Connection", "Upgrade"), ("Upgrade", "echo")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn app() -> Router {
    saying("hello").route("/echo", any(echo))
}

fn host_with(limits: &[(&str, &str)]) -> HostBuilder {
    limited(limits).app(app())
}

/// A connection that is upgraded.
async fn upgraded(address: &str, then: &str) -> Wire<TcpStream> {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("{UPGRADE}{then}")).await;
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    wire
}

#[tokio::test]
async fn what_was_sent_with_the_head_is_the_other_protocols() {
    let host = started(host_with(&[])).await;
    let address = &host.addresses()[0].clone();
    for then in ["x", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n\0"] {
        let mut wire = upgraded(address, then).await;
        assert_eq!(wire.take(then.len()).await, then.as_bytes());
        wire.send("more").await;
        assert_eq!(wire.take(4).await, b"more");
        wire.finish().await;
        assert_eq!(wire.rest().await, b"");
    }
    stopped(host).await;
}

#[tokio::test]
async fn requests_before_an_upgrade_are_answered_before_it() {
    let host = started(host_with(&[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(format!("GET / HTTP/1.1\r\nHost: a\r\n\r\n{UPGRADE}ping")).await;
    assert_eq!(wire.answer().await.body, "hello");
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(wire.take(4).await, b"ping");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_request_whose_upgrade_the_app_declines_is_followed_by_others() {
    let host = started(host_with(&[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let request = UPGRADE.replace("/echo", "/");
    wire.send(request.repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(wire.answer().await.body, "hello");
    }
    wire.send(&request).await;
    assert_eq!(wire.answer().await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn upgraded_connections_have_a_limit_of_their_own_and_leave_the_other() {
    let limits = [("MaxConcurrentConnections", "1"), ("MaxConcurrentUpgradedConnections", "1")];
    let host = started(host_with(&limits)).await;
    let address = &host.addresses()[0].clone();
    let mut first = upgraded(address, "").await;
    // It is no connection of the server any more.
    let second = async {
        loop {
            let mut wire = Wire::connect(address).await;
            wire.send(UPGRADE).await;
            if let Ok(answer) = wire.answer_or_end().await {
                return (wire, answer);
            }
        }
    };
    let (mut second, answer) = soon("a free slot", second).await;
    assert_eq!(answer.status, 503, "there is one upgraded connection already");
    assert_eq!(second.get("/").await.body, "hello", "the connection lives");
    first.send("ping").await;
    assert_eq!(first.take(4).await, b"ping");
    drop(first);
    // The server takes its time to see that.
    let freed = async {
        loop {
            second.send(UPGRADE).await;
            let head = second.head().await;
            if head.starts_with("HTTP/1.1 101 ") {
                return;
            }
        }
    };
    soon("a freed slot", freed).await;
    drop(second);
    stopped(host).await;
}

#[tokio::test]
async fn the_abort_at_the_end_of_a_stop_is_a_reset() {
    let host = started(host_with(&[]).shutdown_timeout(Duration::ZERO)).await;
    let mut wire = upgraded(&host.addresses()[0], "ping").await;
    assert_eq!(wire.take(4).await, b"ping");
    stopped(host).await;
    let error = wire.end().await.expect_err("an end could be taken for a good one");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// The app's own business is whether it takes the tunnel; here it does not.
#[tokio::test]
async fn a_tunnel_that_nobody_takes_begins_and_ends_whatever_came_with_the_connect() {
    let app = saying("hello").fallback(any(async |body: axum::body::Bytes| {
        format!("a body that a tunnel has no place for, behind {} bytes", body.len())
    }));
    let host = started(limited(&[]).app(app)).await;
    for framed in [
        "\r\n",
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        for then in ["", "x", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n\0"] {
            let mut wire = Wire::connect(&host.addresses()[0]).await;
            wire.send(format!("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n{framed}{then}")).await;
            let head = wire.head().await;
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{framed:?} {then:?}: {head}");
            assert_eq!(wire.end().await.unwrap_or_default(), b"", "{framed:?} {then:?}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_tunnel_begins_behind_the_body_of_its_request() {
    async fn tunnel(mut request: Request) -> StatusCode {
        let upgrading = hyper::upgrade::on(&mut request);
        let body = axum::body::to_bytes(request.into_body(), 100).await;
        assert_eq!(body.as_deref().ok(), Some(&b"hello"[..]));
        tokio::spawn(async move {
            let Ok(upgraded) = upgrading.await else { return };
            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        });
        StatusCode::OK
    }
    let host = started(limited(&[]).app(saying("hello").fallback(any(tunnel)))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    wire.send(format!(
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello{next}"
    ))
    .await;
    wire.head().await;
    assert_eq!(wire.take(next.len()).await, next.as_bytes(), "it is no request in there");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_length_of_zero_is_no_body_before_an_upgrade() {
    let host = started(host_with(&[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let request = UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
    wire.send(format!("{request}hello")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(wire.take(5).await, b"hello");
    drop(wire);
    stopped(host).await;
}
