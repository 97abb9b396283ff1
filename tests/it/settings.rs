//! Settings as types of the program's: what is wrong with them reaches whoever starts the host.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kestrel::configuration::{Origin, Problem};
use kestrel::{App, AppContext, AppError, ExitKind};
use serde::Deserialize;

use crate::reload::Stage;
use crate::support::{Wire, soon, started, stopped};

#[derive(Debug, Deserialize)]
struct Mail {
    host: String,
    port: u16,
    timeout: Duration,
    #[serde(default)]
    recipients: Vec<String>,
}

/// An app that says its settings.
async fn app(context: AppContext) -> Result<App, AppError> {
    let mail: Mail = context.configuration.get("Mail")?;
    let database = context.configuration.require_connection_string("Main")?.len();
    let Mail { host, port, timeout, recipients } = mail;
    let text = format!("{host}:{port} {timeout:?} {recipients:?} {database}");
    Ok(Router::new().route("/", get(async move || text.clone())).into())
}

fn place(problem: &Problem) -> Option<(usize, usize)> {
    match &problem.origin {
        Some(Origin::File { line, column, .. }) => Some((*line, *column)),
        _ => None,
    }
}

#[tokio::test]
async fn an_app_is_made_of_typed_settings() {
    let stage = Stage::new(
        r#"{
  "Mail": { "Host": "mail.test", "Port": 25, "Timeout": "1m30s", "Recipients": ["a", "b"] },
  "ConnectionStrings": { "Main": "12345" },
  "Kestrel": { "Endpoints": { "A": { "Url": "http://127.0.0.1:0" } } }
}"#,
    );
    let variables = [("DOTNET_hostBuilder__reloadConfigOnChange", "false"), ("MAIL__PORT", "2525")];
    let host = started(stage.builder().environment_variables(variables).app_with(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, r#"mail.test:2525 90s ["a", "b"] 5"#);
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn all_mistakes_of_settings_are_told_with_their_places() {
    let stage = Stage::new(
        r#"{
  "Mail": {
    "Prot": 25,
    "Port": "many",
    "Timeout": 30
  },
  "Kestrel": { "Endpoints": { "A": { "Url": "http://127.0.0.1:0" } } }
}"#,
    );
    let host = stage.builder().app_with(app).build().expect("the host can be configured");
    let error = soon("the start", host.start()).await.expect_err("the settings are wrong");
    assert_eq!(error.exit_kind(), ExitKind::App);
    let problems = error.problems();
    let told: Vec<_> = problems.iter().map(|it| (it.key.as_deref(), place(it))).collect();
    assert_eq!(
        told,
        [
            (Some("Mail:Port"), Some((4, 13))),
            (Some("Mail:Timeout"), Some((5, 16))),
            (Some("Mail:Host"), None),
        ],
        "{error}"
    );
}
