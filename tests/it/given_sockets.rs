//! Hosts on sockets that listen already: whoever opened them, they are served, and left alone.

use std::net::TcpListener;

use axum::Router;
use axum::routing::get;
use kestrel::addresses::{GivenSocket, UnixSocketOptions};
use kestrel::{Endpoint, HostError, Reloaded};
use tokio::net::TcpStream;

use crate::reload::Stage;
use crate::support::{Wire, builder, saying, started, stopped, taken_port};
use crate::tls_client::{Client, options};

fn listening() -> (TcpListener, String) {
    let (listener, address) = taken_port();
    (listener, format!("http://{address}"))
}

#[tokio::test]
async fn a_socket_that_listens_is_served_with_who_waited_there() {
    let (listener, address) = listening();
    // Before there is a host.
    let mut early = Wire::connect(&address).await;
    let host = started(builder().listen_on(listener).app(saying("hello"))).await;
    assert_eq!(host.addresses(), [&*address]);
    assert_eq!(early.get("/").await.body, "hello");
    drop(early);
    stopped(host).await;
    let authority = address.strip_prefix("http://").expect("an http address");
    let error = TcpStream::connect(authority).await.expect_err("it was closed with the host");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn it_may_be_secured() {
    let (listener, _) = listening();
    let endpoint = Endpoint::socket(listener).https(options());
    let host = started(builder().listen_on(endpoint).app(saying("hello"))).await;
    let mut wire = Client::default().connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "hello");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_leaves_it_alone() {
    let (listener, address) = listening();
    let stage = Stage::with_endpoints(r#""A":{"Url":"http://127.0.0.1:0"}"#);
    let app = Router::new().route("/", get(|| async { "hello" }));
    let host = started(stage.builder().listen_on(listener).app(app)).await;
    let mut wire = Wire::connect(&address).await;
    assert_eq!(wire.get("/").await.status, 200);
    let other = r#""B":{"Url":"http://[::1]:0"}"#;
    assert_eq!(stage.go_over_to(&host, other).await.expect("it is right"), Reloaded::Changed);
    assert_eq!(host.addresses()[0], address);
    assert_eq!(wire.get("/").await.status, 200, "on the same connection");
    assert_eq!(Wire::connect(&address).await.get("/").await.status, 200);

    // Who wants its port is refused, and it is there still.
    let port = address.rsplit_once(':').expect("a port").1;
    let taken = format!(r#""B":{{"Url":"http://127.0.0.1:{port}"}}"#);
    assert!(stage.go_over_to(&host, &taken).await.is_err());
    assert_eq!(Wire::connect(&address).await.get("/").await.status, 200);
    drop(wire);
    stopped(host).await;
}

#[test]
fn the_plan_has_it() {
    let (listener, address) = listening();
    let error = builder().args(["--plan"]).listen_on(listener).build();
    let Err(HostError::Answered(answer)) = error else { panic!("{error:?}") };
    let socket = address.replace("http://", "");
    for expected in [
        format!("{address}\n"),
        format!("  sockets:   {socket}, which listens already\n"),
        "  set by:    code (listen_on), key listen_on\n".to_owned(),
    ] {
        assert!(answer.text.contains(&expected), "{expected}: {}", answer.text);
    }
}

#[tokio::test]
async fn one_socket_is_for_one_host() {
    let socket = GivenSocket::from(listening().0);
    let host = || builder().listen_on(Endpoint::socket(socket.clone())).app(saying("hello"));
    let first = started(host()).await;
    let error = host().start().await.expect_err("it is taken");
    let told = error.to_string();
    assert!(matches!(error, HostError::Bind(_)), "{told}");
    assert!(told.contains("another host has taken this socket"), "{told}");
    stopped(first).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_a_unix_socket_stays_and_is_not_changed() {
    use std::os::unix::net::UnixListener;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let kept = listener.try_clone().expect("a descriptor");
    let socket = GivenSocket::from(listener);
    let mut file = UnixSocketOptions::default();
    file.mode = Some(0o660);
    let wrong = builder().listen_on(Endpoint::socket(socket.clone()).socket_file(file)).build();
    let told = wrong.expect_err("it is not ours").to_string();
    assert!(told.contains("is as whoever made it wants it"), "{told}");

    let host = builder().listen_on(Endpoint::socket(socket)).app(saying("hello"));
    let host = started(host).await;
    assert_eq!(host.addresses(), [format!("http://unix:{}", path.display())]);
    let stream = tokio::net::UnixStream::connect(&path).await.expect("somebody listens");
    let mut wire = Wire::new(stream);
    assert_eq!(wire.get("/").await.body, "hello");
    drop(wire);
    stopped(host).await;
    assert!(path.exists(), "whoever made it removes it");
    // Whoever has it besides, as systemd does, goes on with it.
    let _next = std::os::unix::net::UnixStream::connect(&path).expect("it listens still");
    kept.accept().expect("somebody waits there");
}
