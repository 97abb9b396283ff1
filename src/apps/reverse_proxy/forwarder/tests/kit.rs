//! Servers on real sockets, options that lead to them, and requests through the stage.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_service::Service as _;

use crate::apps::reverse_proxy::forwarder::{Material, ReverseProxy, Upstreams};
use crate::apps::reverse_proxy::options::{
    ActiveCheckOptions, AvailableDestinations, ClientOptions, ClusterOptions, DestinationAddress,
    DestinationOptions, LoadBalancing, Metadata, Place, ProxyOptions, RequestOptions, RouteMatch,
    RouteOptions, Scheme,
};
use crate::apps::reverse_proxy::template::Template;
use crate::apps::reverse_proxy::transform_options::Transforms;
use crate::pipeline::{Application, ClientAddress, InUse, Pipeline, Responder, Response, Stage};

/// A server that answers each request with what it got.
pub(super) async fn echo() -> u16 {
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

/// A server that does with each request what a test says.
pub(super) struct Scripted {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `answer` gives what is sent to a request, which it sees with its body; `None` cuts the connection off, which
    /// is closed behind an answer that says so.
    pub(super) async fn start(
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        let said = answer(&request);
                        noted.lock().unwrap().push(request);
                        let Some(said) = said else { return };
                        let _ = stream.write_all(said.as_bytes()).await;
                        if said.contains("Connection: close") {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, seen }
    }

    /// One that answers nothing but probes, and tells of each other request.
    pub(super) async fn silent(told: &Seen) -> Self {
        let told = told.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let told = told.clone();
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        match is_probe(&request) {
                            true => drop(stream.write_all(ok("").unwrap().as_bytes()).await),
                            false => told.0.add_permits(1),
                        }
                    }
                });
            }
        });
        Self { port, seen: Arc::default() }
    }

    /// The requests that came, but for probes.
    pub(super) fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| !is_probe(request)).cloned().collect()
    }
}

/// How many requests came that nobody has waited for.
#[derive(Clone)]
pub(super) struct Seen(Arc<Semaphore>);

impl Default for Seen {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Seen {
    pub(super) async fn wait(&self) {
        let came = tokio::time::timeout(Duration::from_secs(30), self.0.acquire()).await;
        came.expect("a request").unwrap().forget();
    }
}

/// A port at which nobody listens.
pub(super) async fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether a request asks how the server does.
pub(super) fn is_probe(request: &str) -> bool {
    request.starts_with("GET /probe ")
}

/// An answer with this for its body.
pub(super) fn ok(body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Reads a request whose body has a length, or none. `None` is the end.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut got = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&got).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(String::from_utf8_lossy(&got).into_owned());
            }
        }
        if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

pub(super) fn destination(name: &str, port: u16) -> DestinationOptions {
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

pub(super) fn cluster(destinations: Vec<DestinationOptions>) -> ClusterOptions {
    ClusterOptions {
        id: "c1".to_owned(),
        destinations,
        load_balancing: LoadBalancing::RoundRobin,
        slow_start: None,
        retry: false,
        affinity: None,
        available: AvailableDestinations::HealthyOrPanic,
        active_check: None,
        passive_check: None,
        client: ClientOptions::default(),
        request: RequestOptions::default(),
        metadata: Metadata::default(),
    }
}

/// Probes, of which one is sent while a test runs.
pub(super) fn one_probe() -> ActiveCheckOptions {
    ActiveCheckOptions {
        interval: Duration::from_secs(3600),
        timeout: Duration::from_secs(10),
        threshold: 2,
        path: "/probe".to_owned(),
        query: String::new(),
    }
}

/// All requests to one cluster.
pub(super) fn all_to(cluster: ClusterOptions) -> ProxyOptions {
    ProxyOptions {
        routes: vec![route("r1", "/{**rest}")],
        clusters: vec![cluster],
        ..ProxyOptions::default()
    }
}

pub(super) fn route(id: &str, path: &str) -> RouteOptions {
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
pub(super) fn application(upstreams: &Upstreams, options: &ProxyOptions) -> Application {
    application_of(upstreams, options, &Material::default())
}

/// The same, with what each cluster needs.
pub(super) fn application_of(
    upstreams: &Upstreams,
    options: &ProxyOptions,
    material: &Material,
) -> Application {
    let made = |cluster: &ClusterOptions| {
        let mut material = material.clone();
        material.client.max_connections =
            cluster.client.max_connections_per_server.map(|most| most as usize);
        material
    };
    let materials: Vec<_> = options.clusters.iter().map(made).collect();
    upstreams.change_to(&options.clusters, &materials);
    let stage: Box<dyn Stage> = Box::new(ReverseProxy::new(options, &upstreams.clusters()));
    let (app, _) = InUse::new(Responder::router(Router::new()), ClientAddress::InConnection);
    Application::new(Pipeline::new(Box::new([stage]), app))
}

pub(super) async fn ask(
    application: &mut Application,
    request: Request<Body>,
) -> (StatusCode, String) {
    let response: Result<Response, Infallible> = application.call(request).await;
    let response = response.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(super) async fn ask_for_head(
    application: &mut Application,
    request: Request<Body>,
) -> http::response::Parts {
    let response: Result<Response, Infallible> = application.call(request).await;
    response.unwrap().into_parts().0
}

pub(super) fn get(target: &str) -> Request<Body> {
    Request::builder().uri(target).header("host", "app.test").body(Body::empty()).unwrap()
}
