//! Stages that the configuration switches on, over real sockets, and what a reload does to them.

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use kestrel::{EffectiveRequest, Reexecution, Reloaded, RequestTarget, Unhandled};

use crate::reload::Stage;
use crate::support::{Wire, builder, started, stopped};

/// An app that tells which path it was asked for, and below which.
fn told() -> Router {
    Router::new().fallback(async |request: Request| {
        let base = EffectiveRequest::of(&request).path_base().to_owned();
        format!("{base} {}", RequestTarget::of(&request).path())
    })
}

const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;

#[tokio::test]
async fn a_reload_switches_path_base_and_redirection_on_open_connections() {
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(told()).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (settings, expected) in [
        ("", (200, " /app/a", "")),
        (r#""PathBase":"/app","#, (200, "/app /a", "")),
        (
            r#""PathBase":"/app","HttpsRedirection":{"Enabled":true,"HttpsPort":8443},"#,
            (307, "", "https://a.example:8443/app/a"),
        ),
        (
            r#""HttpsRedirection":{"Enabled":true,"RedirectStatusCode":308},"https_port":443,"#,
            (308, "", "https://a.example/app/a"),
        ),
        // Nobody knows where to.
        (r#""HttpsRedirection":{"Enabled":true},"#, (200, " /app/a", "")),
    ] {
        stage.write(&format!("{{{settings}{A}}}"));
        let reloaded = host.reload().await.unwrap();
        assert_eq!(reloaded == Reloaded::Changed, !settings.is_empty(), "{settings}");
        wire.send("GET /app/a HTTP/1.1\r\nHost: a.example:5000\r\n\r\n".to_owned()).await;
        let answer = wire.answer().await;
        let location = answer.header("location").unwrap_or_default();
        assert_eq!((answer.status, answer.body.as_str(), location), expected, "{settings}");
    }
    stopped(host).await;
}

async fn panics() -> &'static str {
    panic!("this one is for the test")
}

/// An app that fails in several ways, and has a page for it.
fn failing() -> Router {
    let page = async |request: Request| {
        let before = Reexecution::of(&request).expect("it is asked once more");
        let error = before.error().map(ToString::to_string).unwrap_or_default();
        format!("{} {}{}: {error}", before.status(), before.path(), before.query())
    };
    Router::new()
        .route("/error", any(page))
        .route("/panics", get(panics))
        .route("/fails", any(async || Err::<(), _>(Unhandled::from("disk full"))))
}

#[tokio::test]
async fn a_page_of_the_app_stands_in_the_place_of_a_failure() {
    let host = builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("ExceptionHandler:Enabled", "true")
        .use_setting("ExceptionHandler:Path", "/error")
        .use_setting("StatusCodePages:Enabled", "true")
        .use_setting("StatusCodePages:ReExecute", "/error?for={0}")
        .app(failing());
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (request, status, body) in [
        (
            "GET /panics?a HTTP/1.1",
            500,
            "500 Internal Server Error /panics?a: this one is for the test",
        ),
        (
            "POST /fails HTTP/1.1\r\nContent-Length: 3",
            500,
            "500 Internal Server Error /fails: disk full",
        ),
        ("GET /missing?b HTTP/1.1", 404, "404 Not Found /missing?b: "),
        ("DELETE /panics HTTP/1.1", 405, "405 Method Not Allowed /panics: "),
    ] {
        let sent = if request.starts_with("POST") { "abc" } else { "" };
        wire.send(format!("{request}\r\nHost: a\r\n\r\n{sent}")).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{request}");
        let is_kept = answer.header("cache-control") == Some("no-cache,no-store");
        assert_eq!(is_kept, status == 500, "{request}: {}", answer.head);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{request}: {}", answer.head);
    }
    stopped(host).await;
}

#[tokio::test]
async fn developers_see_what_an_app_failed_with_and_nobody_else_does() {
    for (environment, expected) in [("Development", true), ("Production", false)] {
        let host = builder()
            .environment(environment)
            .use_urls("http://127.0.0.1:0")
            .use_setting("ProblemDetails:Enabled", "true")
            .use_setting("StatusCodePages:Enabled", "true")
            .app(failing());
        let host = started(host).await;
        for (accept, shown) in
            [("text/html", "text/html; charset=utf-8"), ("*/*", "application/problem+json")]
        {
            let mut wire = Wire::connect(&host.addresses()[0]).await;
            let more = format!("Accept: {accept}\r\nCookie: PW\r\nConnection: close");
            wire.send(format!("GET /fails HTTP/1.1\r\nHost: a\r\n{more}\r\n\r\n")).await;
            let answer = String::from_utf8(wire.rest().await).expect("text");
            assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
            let of_type = format!("content-type: {shown}\r\n");
            let has_type = answer.to_ascii_lowercase().contains(&of_type);
            assert_eq!(has_type, expected, "{environment}: {answer}");
            assert_eq!(answer.contains("disk full"), expected, "{answer}");
            assert!(!answer.contains("PW"), "{answer}");
        }
        stopped(host).await;
    }
}
