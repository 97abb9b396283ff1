//! Requests through the stage to servers on real sockets.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use super::{Material, ReverseProxy, Upstreams};
use crate::apps::reverse_proxy::options::{
    AvailableDestinations, ClientOptions, ClusterOptions, DestinationAddress, DestinationOptions,
    LoadBalancing, Metadata, Place, ProxyOptions, RequestOptions, RouteMatch, RouteOptions, Scheme,
};
use crate::apps::reverse_proxy::template::Template;
use crate::apps::reverse_proxy::transform_options::Transforms;
use crate::pipeline::{Application, ClientAddress, InUse, Pipeline, Responder, Response, Stage};

/// A server that answers each request with what it got.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream));
        }
    });
    port
}

async fn answer_all(mut stream: TcpStream) {
    let mut got = Vec::new();
    loop {
        while !got.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut piece = [0; 4096];
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(read) => got.extend_from_slice(&piece[..read]),
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nX-Up: 1\r\nContent-Length: {}\r\n\r\n", got.len());
        stream.write_all(&[head.as_bytes(), &got].concat()).await.unwrap();
        got.clear();
    }
}

fn destination(name: &str, port: u16) -> DestinationOptions {
    DestinationOptions {
        name: name.to_owned(),
        address: DestinationAddress {
            scheme: Scheme::Http,
            place: Place::Tcp("127.0.0.1".to_owned(), port),
            authority: format!("127.0.0.1:{port}"),
            base_path: String::new(),
        },
        health: None,
        host: None,
        metadata: Metadata::default(),
    }
}

fn cluster(destinations: Vec<DestinationOptions>) -> ClusterOptions {
    ClusterOptions {
        id: "c1".to_owned(),
        destinations,
        load_balancing: LoadBalancing::RoundRobin,
        affinity: None,
        available: AvailableDestinations::HealthyOrPanic,
        active_check: None,
        passive_check: None,
        client: ClientOptions::default(),
        request: RequestOptions::default(),
        metadata: Metadata::default(),
    }
}

fn route(id: &str, path: &str) -> RouteOptions {
    RouteOptions {
        id: id.to_owned(),
        order: 0,
        cluster: Some(0),
        matching: RouteMatch {
            path: Some(Template::parse(path).unwrap()),
            ..RouteMatch::default()
        },
        timeout: None,
        timeout_policy: None,
        rate_limiter_policy: None,
        cors_policy: None,
        max_request_body_size: None,
        metadata: Metadata::default(),
        transforms: Transforms::default(),
    }
}

/// The stage, before an app that answers 404.
fn application(upstreams: &Upstreams, options: &ProxyOptions) -> Application {
    let materials = vec![Material::default(); options.clusters.len()];
    upstreams.change_to(&options.clusters, &materials);
    let stage: Box<dyn Stage> = Box::new(ReverseProxy::new(options, &upstreams.clusters()));
    let (app, _) = InUse::new(Responder::router(Router::new()), ClientAddress::InConnection);
    Application::new(Pipeline::new(Box::new([stage]), app))
}

async fn ask(application: &mut Application, request: Request<Body>) -> (StatusCode, String) {
    let response: Result<Response, Infallible> = application.call(request).await;
    let response = response.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn get(target: &str) -> Request<Body> {
    Request::builder().uri(target).header("host", "app.test").body(Body::empty()).unwrap()
}

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
        request.headers_mut().append("x-forwarded-for", "9.9.9.9".parse().unwrap());
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
    let kept = |clusters: &[Arc<super::cluster::Cluster>], place: usize| {
        Arc::clone(&clusters[0].destinations[place].kept)
    };
    assert!(Arc::ptr_eq(&kept(&before, 0), &kept(&after, 0)));
    assert!(!Arc::ptr_eq(&kept(&before, 1), &kept(&after, 1)));
    drop(application(&upstreams, &options));
    assert!(Arc::ptr_eq(&after[0], &upstreams.clusters()[0]), "nothing is another one");
}
