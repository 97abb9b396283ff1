//! The `Timeout` of a route is one for all that becomes of a request.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use tokio::time::timeout;
use tower_service::Service as _;

use super::kit::{
    Scripted, Seen, all_to, application, ask, ask_for_head, cluster, destination, get, nobody,
    one_probe,
};
use crate::apps::reverse_proxy::forwarder::Upstreams;
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
