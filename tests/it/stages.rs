//! Stages that the configuration switches on, over real sockets, and what a reload does to them.

use axum::Router;
use axum::extract::Request;
use kestrel::{EffectiveRequest, Reloaded, RequestTarget};

use crate::reload::Stage;
use crate::support::{Wire, stopped};

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
