//! Requests through the stage to servers on real sockets.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::sync::Arc;

use axum::body::to_bytes;
use http::Method;
use tokio::net::TcpListener;
use tower_service::Service as _;

use super::kit::{
    Scripted, all_to, application, application_of, ask, ask_for_head, cluster, destination, echo,
    get, ok, route,
};
use crate::apps::reverse_proxy::forwarder::cluster::Cluster;
use crate::apps::reverse_proxy::forwarder::{Material, Upstreams};
use crate::apps::reverse_proxy::options::{
    AffinityCookie, AffinityFailure, AffinityOptions, AffinityPolicy, LoadBalancing, ProxyOptions,
};

#[tokio::test]
async fn a_request_arrives_with_what_it_asks_for_and_for_whom() {
    let port = echo().await;
    let options = ProxyOptions {
        routes: vec![route("r1", "/api/{**rest}")],
        clusters: vec![cluster(vec![destination("d1", port)])],
        ..ProxyOptions::default()
    };
    let mut application = application(&Upstreams::default(), &options);
    for _ in 0..2 {
        let mut request = get("/api/a%2Fb?c=d");
        request.headers_mut().append("x-a", "1".parse().unwrap());
        request.headers_mut().append("x-a", "2".parse().unwrap());
        request.headers_mut().append("connection", "x-b".parse().unwrap());
        request.headers_mut().append("x-b", "3".parse().unwrap());
        for name in ["x-forwarded-for", "x-forwarded-prefix", "forwarded"] {
            request.headers_mut().append(name, "for=9.9.9.9".parse().unwrap());
        }
        let (status, got) = ask(&mut application, request).await;
        assert_eq!(status, 200);
        let mut lines: Vec<String> = got.lines().map(str::to_lowercase).collect();
        assert_eq!(lines.remove(0), "get /api/a%2fb?c=d http/1.1");
        lines.sort();
        assert_eq!(
            lines,
            [
                "",
                &format!("host: 127.0.0.1:{port}"),
                "x-a: 1, 2",
                "x-forwarded-host: app.test",
                "x-forwarded-proto: http",
            ]
        );
    }
    assert_eq!(ask(&mut application, get("/other")).await.0, 404);
}

#[tokio::test]
async fn who_does_not_listen_is_a_502_and_a_cluster_without_destinations_a_503() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for (destinations, status) in [(vec![destination("d1", port)], 502), (Vec::new(), 503)] {
        let options = ProxyOptions {
            routes: vec![route("r1", "/{**rest}")],
            clusters: vec![cluster(destinations)],
            ..ProxyOptions::default()
        };
        let mut application = application(&Upstreams::default(), &options);
        assert_eq!(ask(&mut application, get("/x")).await.0, status);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none_that_is_whole() {
    let broken = |head: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\n{head}Connection: close\r\n\r\n{body}")
    };
    for (answer, is_whole) in [
        (broken("Content-Length: 6\r\n", "abcdef"), true),
        (broken("Content-Length: 6\r\n", "abc"), false),
        (broken("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"), false),
        (broken("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), true),
    ] {
        let said = answer.clone();
        let server = Scripted::start(move |_| Some(said.clone())).await;
        let options = all_to(cluster(vec![destination("d1", server.port)]));
        let mut application = application(&Upstreams::default(), &options);
        let response = application.call(get("/")).await.unwrap();
        assert_eq!(to_bytes(response.into_body(), 100).await.is_ok(), is_whole, "{answer}");
    }
}

#[tokio::test]
async fn nobody_gets_a_tunnel_to_anywhere() {
    let server = Scripted::start(|_| ok("")).await;
    let options = all_to(cluster(vec![destination("d1", server.port)]));
    let mut application = application(&Upstreams::default(), &options);
    let mut request = get("/");
    *request.method_mut() = Method::CONNECT;
    assert_eq!(ask(&mut application, request).await.0, 502);
    assert_eq!(server.seen(), [""; 0]);
}

#[tokio::test]
async fn what_a_reload_leaves_as_it_is_keeps_its_connections_and_its_health() {
    let port = echo().await;
    let upstreams = Upstreams::default();
    let mut options = ProxyOptions {
        routes: vec![route("r1", "/{**rest}")],
        clusters: vec![cluster(vec![destination("d1", port), destination("d2", port)])],
        ..ProxyOptions::default()
    };
    drop(application(&upstreams, &options));
    let before = upstreams.clusters();
    options.clusters[0].load_balancing = LoadBalancing::Random;
    options.clusters[0].destinations[1].name = "d3".to_owned();
    drop(application(&upstreams, &options));
    let after = upstreams.clusters();
    let kept =
        |clusters: &[Arc<Cluster>], place: usize| Arc::clone(&clusters[0].destinations[place].kept);
    assert!(Arc::ptr_eq(&kept(&before, 0), &kept(&after, 0)));
    assert!(!Arc::ptr_eq(&kept(&before, 1), &kept(&after, 1)));
    let server = |clusters: &[Arc<Cluster>]| Arc::clone(&clusters[0].destinations[0].server);
    assert!(Arc::ptr_eq(&server(&before), &server(&after)));
    drop(application(&upstreams, &options));
    assert!(Arc::ptr_eq(&after[0], &upstreams.clusters()[0]), "nothing is another one");
    // Connections that are made in another way are other ones, to a destination that is the same.
    options.clusters[0].client.max_connections_per_server = Some(60);
    drop(application(&upstreams, &options));
    let last = upstreams.clusters();
    assert!(Arc::ptr_eq(&kept(&after, 0), &kept(&last, 0)));
    assert!(!Arc::ptr_eq(&server(&after), &server(&last)));
}

#[tokio::test]
async fn a_key_that_is_renewed_seals_from_then_on_and_connections_stay() {
    let (port, upstreams) = (echo().await, Upstreams::default());
    let mut options = all_to(cluster(vec![destination("d1", port)]));
    options.clusters[0].affinity = Some(AffinityOptions {
        policy: AffinityPolicy::Cookie,
        failure: AffinityFailure::Redistribute,
        key_name: "a".to_owned(),
        cookie: AffinityCookie::default(),
        key: None,
    });
    let mut shown = Vec::new();
    for key in ["one", "one", "two"] {
        let material = Material { affinity_key: key.as_bytes().into(), ..Material::default() };
        let mut application = application_of(&upstreams, &options, &material);
        let head = ask_for_head(&mut application, get("/")).await;
        let cookie = head.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
        shown.push((cookie, Arc::clone(&upstreams.clusters()[0])));
    }
    let [first, second, third] = &shown[..] else { unreachable!() };
    assert!(first.0 == second.0 && Arc::ptr_eq(&first.1, &second.1));
    assert!(first.0 != third.0 && !Arc::ptr_eq(&first.1, &third.1));
    assert!(Arc::ptr_eq(&first.1.destinations[0].server, &third.1.destinations[0].server));
}
