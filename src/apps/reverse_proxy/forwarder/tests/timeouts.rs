//! The `Timeout` of a route is one for all that becomes of a request, and nobody waits for a client for longer than
//! `ActivityTimeout`.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower_service::Service as _;

use super::kit::{
    Scripted, Seen, all_to, application, ask, ask_for_head, cluster, destination, get, nobody,
    one_probe,
};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::forwarder::load_balancing::Candidate as _;
use crate::apps::reverse_proxy::options::LoadBalancing;

const SHORT: Option<Duration> = Some(Duration::from_millis(100));

/// No other time may be over before.
const LONG: Duration = Duration::from_secs(3600);

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_answer_that_is_not_whole_in_time_is_cut_off() {
    let endless = |_: &str| Some("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc".to_owned());
    let server = Scripted::start(endless).await;
    let mut cluster = cluster(vec![destination("a", server.port)]);
    cluster.request.activity_timeout = LONG;
    let mut options = all_to(cluster);
    options.routes[0].timeout = SHORT;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &options);
    let response = application.call(get("/")).await.unwrap();
    assert_eq!(response.status(), 200);
    let read = timeout(LIMIT, to_bytes(response.into_body(), usize::MAX)).await;
    read.unwrap().unwrap_err();
}

#[tokio::test]
async fn nobody_waits_for_a_client_that_takes_nothing() {
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef";
    // So long after the beginning of its answer, by the cluster or by the route.
    for (activity, route) in [(SHORT.unwrap(), None), (LONG, SHORT)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut cluster = cluster(vec![destination("a", port)]);
        cluster.request.activity_timeout = activity;
        let mut options = all_to(cluster);
        options.routes[0].timeout = route;
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &options);
        let asking = tokio::spawn(application.call(get("/")));
        let (mut there, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            there.read_buf(&mut head).await.unwrap();
        }
        there.write_all(&WHOLE[..WHOLE.len() - 3]).await.unwrap();
        let response = asking.await.unwrap().unwrap();
        // Nobody asks for its body, and the destination is rid of it.
        let ended = timeout(LIMIT, there.read(&mut [0])).await;
        assert_eq!(ended.expect("it is not held").unwrap(), 0);
        let load = |upstreams: &Upstreams| upstreams.clusters()[0].destinations[0].load();
        assert_eq!(load(&upstreams), 0);
        assert!(upstreams.clusters()[0].destinations[0].kept.health.is_available());
        to_bytes(response.into_body(), usize::MAX).await.unwrap_err();
    }
}

#[tokio::test]
async fn who_takes_the_last_of_it_late_gets_all_the_same() {
    let body = "x".repeat(300_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Scripted::start(move |_| Some(answer.clone())).await;
    let mut cluster = cluster(vec![destination("a", server.port)]);
    let activity = Duration::from_millis(500);
    cluster.request.activity_timeout = activity;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(cluster));
    let mut body = application.call(get("/")).await.unwrap().into_body();
    let mut length = 0;
    while length < 300_000 {
        length += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    // All of it was handed on, and the client has it when it has it.
    tokio::time::sleep(2 * activity).await;
    assert!(body.is_end_stream() || body.frame().await.is_none());
}

#[tokio::test]
async fn who_still_sends_a_body_when_it_is_over_is_told_that_the_connection_ends() {
    let server = Scripted::silent(&Seen::default()).await;
    let mut options = all_to(cluster(vec![destination("a", server.port)]));
    options.routes[0].timeout = SHORT;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &options);
    for has_body in [false, true] {
        let mut request = get("/");
        if has_body {
            request.headers_mut().insert("content-length", 6.into());
            *request.body_mut() = Body::from("abcdef");
        }
        let answered = ask_for_head(&mut application, request).await;
        assert_eq!(answered.status, 504);
        assert_eq!(answered.headers.contains_key("connection"), has_body);
    }
}

#[tokio::test]
async fn another_destination_has_what_is_left_of_it() {
    let told = Seen::default();
    let silent = Scripted::silent(&told).await;
    let destinations = vec![destination("a", nobody().await), destination("b", silent.port)];
    let mut cluster = cluster(destinations);
    cluster.load_balancing = LoadBalancing::FirstAlphabetical;
    cluster.active_check = Some(one_probe());
    cluster.request.activity_timeout = LONG;
    let mut options = all_to(cluster);
    options.routes[0].timeout = SHORT;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &options);
    let answered = timeout(LIMIT, ask(&mut application, get("/"))).await;
    assert_eq!(answered.unwrap().0, 504);
    told.wait().await;
}
