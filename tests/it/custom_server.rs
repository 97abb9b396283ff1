//! Another server behind the same host.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use kestrel::{
    BoxFuture, ExitKind, HostError, Lifetime, Server, ServerError, ServerReload, ServerStart,
};
use tower::ServiceExt;

use crate::support::{Wire, builder, saying, started, stopped};

/// What the host asked of a server.
#[derive(Debug, Default)]
struct Asked {
    start: Option<ServerStart>,
    stop: Vec<Duration>,
}

/// A server that only writes down what it is asked for.
struct Recording {
    asked: Arc<Mutex<Asked>>,
    fails: bool,
}

impl Server for Recording {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(async move {
            self.asked.lock().expect("no panic").start = Some(start);
            if self.fails {
                let error: Box<dyn std::error::Error + Send + Sync> =
                    Box::new(io::Error::other("no ink"));
                return Err(error.into());
            }
            Ok(vec!["test://one".to_owned(), "test://two".to_owned()])
        })
    }

    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.asked.lock().expect("no panic").stop.push(grace);
        })
    }
}

fn recording() -> (Recording, Arc<Mutex<Asked>>) {
    let asked = Arc::default();
    let server = Recording { asked: Arc::clone(&asked), fails: false };
    (server, asked)
}

#[tokio::test]
async fn a_custom_server_gets_plan_and_app_and_its_addresses_are_the_hosts() {
    let (server, asked) = recording();
    let host = started(
        builder()
            .use_urls("http://127.0.0.1:5000;http://*:5001")
            .app(saying("hello"))
            .server(server),
    )
    .await;
    assert_eq!(host.addresses(), ["test://one", "test://two"]);

    let start = asked.lock().expect("no panic").start.take();
    let start = start.expect("the server was started");
    let names: Vec<_> =
        start.plan.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    assert_eq!(names, ["http://127.0.0.1:5000", "http://*:5001"]);
    let request = Request::get("/").body(Body::empty()).expect("a request");
    let Ok(response) = start.application.oneshot(request).await;
    let body = to_bytes(response.into_body(), 100).await.expect("a body");
    assert_eq!(body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn a_running_host_has_what_its_server_counts() {
    let one = || builder().use_urls("http://127.0.0.1:0").app(saying("hello"));
    let host = started(one()).await;
    let counters = host.counters().expect("the built-in server counts");
    assert_eq!(counters.accepted(), 0);
    Wire::connect(&host.addresses()[0]).await.get("/").await;
    assert_eq!(counters.accepted(), 1);
    stopped(host).await;
    let host = started(one().server(recording().0)).await;
    assert!(host.counters().is_none(), "it counts nothing");
    stopped(host).await;
}

#[tokio::test]
async fn a_custom_server_is_stopped_once_with_the_shutdown_timeout() {
    let (server, asked) = recording();
    let grace = Duration::from_secs(7);
    let host = started(builder().shutdown_timeout(grace).server(server)).await;
    assert!(asked.lock().expect("no panic").stop.is_empty());
    stopped(host).await;
    assert_eq!(asked.lock().expect("no panic").stop, [grace]);
}

/// As a test of a server does it.
#[tokio::test]
async fn a_server_is_started_without_a_host() {
    let host = builder().use_urls("http://127.0.0.1:5000;http://*:5001").build();
    let plan = host.expect("a host").plan().clone();
    let lifetime = Lifetime::new();
    let start = ServerStart::new(plan, saying("hello").into()).within(lifetime.clone());
    let (mut server, asked) = recording();
    let addresses = server.start(start).await.expect("it starts");
    assert_eq!(addresses, ["test://one", "test://two"]);
    let start = asked.lock().expect("no panic").start.take().expect("it was started");
    assert_eq!(start.plan.endpoints.len(), 2);
    lifetime.stop();
    assert!(start.lifetime.is_stopping());
    let request = Request::get("/").body(Body::empty()).expect("a request");
    let Ok(response) = start.application.oneshot(request).await;
    let body = to_bytes(response.into_body(), 100).await.expect("a body");
    assert_eq!(body, "hello");
}

#[tokio::test]
async fn https_is_a_custom_servers_own_affair() {
    let (server, _asked) = recording();
    let host = started(builder().use_urls("https://127.0.0.1:0").server(server)).await;
    stopped(host).await;
}

#[tokio::test]
async fn the_error_of_a_custom_server_is_the_hosts() {
    let (mut server, asked) = recording();
    server.fails = true;
    let host = builder().server(server).build().expect("a host");
    let error = host.start().await.expect_err("the server fails");
    assert!(matches!(&error, HostError::Server(_)), "{error:?}");
    assert_eq!(error.exit_kind(), ExitKind::Internal);
    assert!(error.to_string().contains("no ink"), "{error}");
    assert!(asked.lock().expect("no panic").stop.is_empty());
}

/// A server that has lost what it listened on, and has it back after a reload.
struct Lost {
    recording: Recording,
    is_lost: bool,
    reloads: Arc<Mutex<Vec<ServerReload>>>,
}

impl Server for Lost {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        self.recording.start(start)
    }

    fn reload(&mut self, reload: ServerReload) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        self.reloads.lock().expect("no panic").push(reload);
        self.is_lost = false;
        Box::pin(async { Ok(vec!["test://three".to_owned()]) })
    }

    fn has_lost_endpoints(&self) -> bool {
        self.is_lost
    }

    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()> {
        self.recording.stop(grace)
    }
}

/// The edit that cost it the endpoint may just be undone.
#[tokio::test]
async fn a_server_that_lost_an_endpoint_is_reloaded_though_nothing_is_different() {
    let (recording, _asked) = recording();
    let reloads = Arc::<Mutex<Vec<ServerReload>>>::default();
    let server = Lost { recording, is_lost: true, reloads: Arc::clone(&reloads) };
    let host = started(builder().server(server)).await;
    assert_eq!(host.reload().await.expect("it can be reloaded"), kestrel::Reloaded::Changed);
    assert_eq!(host.addresses(), ["test://three"]);
    assert_eq!(host.reload().await.expect("nothing to do"), kestrel::Reloaded::Unchanged);
    stopped(host).await;
    let reloads = reloads.lock().expect("no panic");
    assert_eq!(reloads.len(), 1);
    assert!(reloads[0].difference.is_empty());
}

#[tokio::test]
async fn a_custom_server_that_cannot_reload_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |text: &str| std::fs::write(folder.path().join("appsettings.json"), text);
    let endpoint = |port: u16| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{"A":{{"Url":"http://127.0.0.1:{port}"}}}}}},"B":"{port}"}}"#
        )
    };
    write(&endpoint(5000)).expect("the folder is ours");
    let (server, _asked) = recording();
    let builder = builder().current_directory(folder.path()).server(server);
    let host = started(
        builder.environment_variables([("DOTNET_hostBuilder__reloadConfigOnChange", "false")]),
    )
    .await;
    write(&endpoint(5001)).expect("the folder is ours");
    let error = host.reload().await.expect_err("it has other endpoints");
    assert!(error.to_string().contains("this server cannot be reloaded"), "{error}");
    // What is none of the server's business is.
    write(&endpoint(5000).replace("\"B\":\"5000\"", "\"B\":\"1\"")).expect("the folder is ours");
    assert_eq!(host.reload().await.expect("the same endpoints"), kestrel::Reloaded::Changed);
    stopped(host).await;
}
