//! A destination that a reload removes ends what it has begun, and gets nothing more.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use super::kit::{Scripted, all_to, application, ask, cluster, destination, get, ok};
use crate::apps::reverse_proxy::forwarder::Upstreams;

/// The next connection, whose request was read.
async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut head).await.unwrap() > 0);
    }
    stream
}

/// What is read when a connection ends, long before an idle one does by itself.
async fn ends(stream: &mut TcpStream) -> usize {
    let ended = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut [0])).await;
    ended.expect("it is not kept").unwrap()
}

#[tokio::test]
async fn what_is_under_way_ends_well_and_kept_connections_are_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = Scripted::start(|_| ok("other")).await;
    let upstreams = Upstreams::default();
    let mut before = application(&upstreams, &all_to(cluster(vec![destination("a", port)])));
    // One request whose answer is not all there, and one that leaves its connection.
    let begun = tokio::spawn(before.call(get("/")));
    let mut busy = asked(&listener).await;
    busy.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc").await.unwrap();
    let begun = begun.await.unwrap().unwrap();
    let mut asking = before.clone();
    let asking = tokio::spawn(async move { ask(&mut asking, get("/")).await });
    let mut idle = asked(&listener).await;
    idle.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert_eq!(asking.await.unwrap().1, "ok");

    let removed = std::sync::Arc::clone(&upstreams.clusters()[0]);
    let options = all_to(cluster(vec![destination("b", other.port)]));
    let mut after = application(&upstreams, &options);
    assert_eq!(ends(&mut idle).await, 0, "it is closed at once");
    for _ in 0..3 {
        assert_eq!(ask(&mut after, get("/")).await.1, "other");
    }
    busy.write_all(b"def").await.unwrap();
    assert_eq!(begun.into_body().collect().await.unwrap().to_bytes(), "abcdef");
    // Its connection ends with it, though the destination is known for as long as somebody has it.
    assert_eq!(ends(&mut busy).await, 0);
    drop(removed);
}
