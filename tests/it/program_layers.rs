//! The layers that a program puts around its app, whatever kind of app it is.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, Response};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use kestrel::{App, AppContext, AppError, HostBuilder, HostError, Reloaded};

use crate::reload::Stage;
use crate::support::{Wire, builder, saying, started, stopped};

/// Around all of the app: the first layer, and then the second.
fn layered(builder: HostBuilder) -> HostBuilder {
    let first = async |request: Request, next: Next| signed("first", next.run(request).await);
    let second = async |request: Request, next: Next| signed("second", next.run(request).await);
    builder.layer(from_fn(first)).layer(from_fn(second))
}

/// Tells that an answer has gone through a layer.
fn signed(layer: &'static str, mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().append("layer", HeaderValue::from_static(layer));
    answer
}

/// The layers that an answer has gone through, in this order.
fn signatures(head: &str) -> Vec<&str> {
    head.lines().filter_map(|line| line.strip_prefix("Layer: ")).collect()
}

fn service() -> App {
    App::service(tower::service_fn(async |_: Request| {
        Ok::<_, Infallible>(Response::new(Body::from("hello")))
    }))
}

async fn made(_: AppContext) -> Result<App, AppError> {
    Ok(saying("hello").into())
}

#[tokio::test]
async fn layers_are_around_every_kind_of_app_and_the_last_is_outermost() {
    let builder = || builder().use_urls("http://127.0.0.1:0");
    for (kind, part, builder) in [
        ("a router", "hello", builder().app(saying("hello"))),
        ("a service", "hello", builder().app(service())),
        ("the welcome page", "\"environment\"", builder()),
        ("a router that is made", "hello", builder().app_with(async |_| Ok(saying("hello")))),
        ("a reloadable app", "hello", builder().reloadable_app(made)),
    ] {
        let host = started(layered(builder)).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        let answer = wire.get("/").await;
        assert_eq!(answer.status, 200, "{kind}");
        assert_eq!(signatures(&answer.head), ["first", "second"], "{kind}");
        assert!(answer.body.contains(part), "{kind}: {}", answer.body);
        stopped(host).await;
    }
}

#[tokio::test]
async fn every_app_that_a_reload_makes_gets_the_layers() {
    let endpoint = |greeting: &str| {
        format!(
            r#"{{"Greeting":"{greeting}","Kestrel":{{"Endpoints":{{"A":{{"Url":"http://127.0.0.1:0"}}}}}}}}"#
        )
    };
    let greeter = |context: AppContext| async move {
        let text = context.configuration.value("Greeting").ok_or("no greeting")?.to_owned();
        Ok(Router::new().route("/", get(async move || text.clone())))
    };
    let stage = Stage::new(&endpoint("one"));
    let host = started(layered(stage.builder().reloadable_app(greeter))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "one");
    stage.write(&endpoint("two"));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    let answer = wire.get("/").await;
    assert_eq!((answer.body.as_str(), signatures(&answer.head)), ("two", vec!["first", "second"]));
    stopped(host).await;
}

#[tokio::test]
async fn layers_are_inside_the_stages_and_outside_the_routes() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let to_greeting = from_fn(move |mut request: Request, next: Next| {
        count.fetch_add(1, Ordering::Relaxed);
        *request.uri_mut() = "/hello/you".parse().expect("a path");
        next.run(request)
    });
    let app = Router::new()
        .route("/hello/{name}", get(async |Path(name): Path<String>| format!("hello {name}")));
    let builder = builder().use_urls("http://127.0.0.1:0").use_setting("AllowedHosts", "a.test");
    let host = started(builder.app(app).layer(to_greeting)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.status, 400, "its host is not allowed");
    assert_eq!(seen.load(Ordering::Relaxed), 0, "no layer sees what a stage refuses");
    wire.send("GET /elsewhere HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(wire.answer().await.body, "hello you");
    // The form that has no path at all goes the same way.
    wire.send("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 405);
    assert_eq!(seen.load(Ordering::Relaxed), 2);
    stopped(host).await;
}

#[test]
fn the_plan_names_the_place_of_layers_if_there_are_any() {
    let plan = |builder: HostBuilder| match builder.args(["--plan"]).build() {
        Err(HostError::Answered(answer)) => answer.text,
        other => panic!("{other:?}"),
    };
    let hosts = || builder().use_setting("AllowedHosts", "a.test");
    assert!(!plan(builder()).contains("requests go through"));
    assert!(!plan(hosts()).contains("layers"));
    let alone = "\nrequests go through:\n  the program's layers\n  the app\n";
    assert!(plan(layered(builder())).ends_with(alone));
    let behind =
        [", key AllowedHosts)\n    a.test (set by ", ")\n  the program's layers\n  the app\n"];
    let plan = plan(layered(hosts()));
    assert!(plan.contains(behind[0]) && plan.ends_with(behind[1]), "{plan}");
}
