//! Another server behind the same host: each line of standard input is the path of a request, each
//! answer a line of standard output. Try `echo /greet | cargo run --example custom_server`

use std::process::ExitCode;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::{Router, routing::get};
use kestrel::{Application, BoxFuture, Host, Lifetime, Server, ServerError, ServerStart};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// Speaks lines in the place of HTTP.
struct LineServer {
    /// Stops the host at the end of the input.
    end: Lifetime,
    task: Option<JoinHandle<()>>,
}

impl Server for LineServer {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        let end = self.end.clone();
        self.task = Some(tokio::spawn(async move {
            let mut lines = BufReader::new(stdin()).lines();
            while let Ok(Some(path)) = lines.next_line().await {
                let answer = answer(&start.application, &path).await;
                if stdout().write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
            end.stop();
        }));
        Box::pin(async { Ok(vec!["lines://stdin".to_owned()]) })
    }

    fn stop(&mut self, _grace: Duration) -> BoxFuture<'_, ()> {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        Box::pin(async {})
    }
}

async fn answer(application: &Application, path: &str) -> String {
    let Ok(request) = axum::http::Request::get(path).body(Body::empty()) else {
        return "400 that is no path\n".to_owned();
    };
    let Ok(response) = application.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap_or_default();
    format!("{status} {}\n", String::from_utf8_lossy(&body))
}

#[tokio::main]
async fn main() -> ExitCode {
    let app = Router::new().route("/greet", get(|| async { "Hello, line!" }));
    let end = Lifetime::default();
    let server = LineServer { end: end.clone(), task: None };
    Host::builder().app(app).lifetime(end).server(server).run().await
}
