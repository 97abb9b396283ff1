//! Answers that cannot be sent as the app made them, and apps that fail.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body::Frame;
use kestrel::{Abort, BadRequest, ResetStream, RunningHost, Unhandled};
use tokio::sync::mpsc;

use crate::support::{Wire, builder, really, saying, started, stopped};

type BoxError = Box<dyn Error + Send + Sync>;
type Step = fn() -> Result<&'static str, BoxError>;

/// A body that comes step by step, and not all at once.
struct Steps(mpsc::Receiver<Step>);

impl Steps {
    fn body(steps: &'static [Step]) -> Body {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for step in steps {
                // Nobody may be left to take it.
                let _ = sender.send(*step).await;
                really(Duration::from_millis(20)).await;
            }
        });
        Body::new(Self(receiver))
    }
}

impl http_body::Body for Steps {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let step = self.0.poll_recv(cx);
        step.map(|step| step.map(|step| Ok(Frame::data(Bytes::from_static(step()?.as_bytes())))))
    }
}

/// With a length that may be wrong.
fn of_length(length: &'static str, body: Body) -> Response {
    ([("Content-Length", length)], body).into_response()
}

fn app() -> Router {
    const HELLO: Step = || Ok("hello");
    const ERROR: Step = || Err(io::Error::other("disk").into());
    const ABORT: Step = || Err(Abort.into());
    const RESET: Step = || Err(ResetStream(8).into());
    const PANIC: Step = || panic!("on purpose, in a body");
    saying("hello")
        .route("/short", any(async || of_length("6", Body::from("hello"))))
        .route("/long", any(async || of_length("4", Body::from("hello"))))
        .route("/none", any(async || of_length("4", Body::empty())))
        .route("/short-steps", any(async || of_length("11", Steps::body(&[HELLO, HELLO]))))
        .route("/long-steps", any(async || of_length("9", Steps::body(&[HELLO, HELLO]))))
        .route("/steps", any(async || of_length("10", Steps::body(&[HELLO, HELLO]))))
        .route("/chunks", any(async || Steps::body(&[HELLO, HELLO])))
        .route("/unhandled", any(async || -> Result<(), Unhandled> { Err("disk")? }))
        .route(
            "/bad",
            any(async || -> Result<(), Unhandled> {
                Err(BadRequest::new(StatusCode::IM_A_TEAPOT, "no coffee"))?
            }),
        )
        .route("/abort", any(async || Abort))
        .route("/reset", any(async || ResetStream(8)))
        .route("/error-later", any(async || Steps::body(&[HELLO, ERROR])))
        .route("/abort-later", any(async || Steps::body(&[HELLO, ABORT])))
        .route("/reset-later", any(async || Steps::body(&[HELLO, RESET])))
        .route("/panic-later", any(async || Steps::body(&[HELLO, PANIC])))
        .route("/informational", any(async || StatusCode::PROCESSING))
        .route("/without-body", any(async || (StatusCode::NO_CONTENT, Steps::body(&[HELLO]))))
        .route("/foreign", any(async || [("Transfer-Encoding", "gzip")]))
}

async fn host() -> RunningHost {
    started(builder().use_urls("http://127.0.0.1:0").app(app())).await
}

#[tokio::test]
async fn what_cannot_be_sent_is_replaced_by_a_500() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for path in ["/long", "/none", "/informational", "/foreign", "/unhandled"] {
        let answer = wire.get(path).await;
        assert_eq!((answer.status, &*answer.body), (500, ""), "{path}");
        assert_eq!(answer.header("Connection"), None, "{path}");
        assert_eq!(wire.get("/").await.body, "hello", "after {path}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_bad_request_the_app_hands_on_becomes_its_answer() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let answer = wire.get("/bad").await;
    assert_eq!((answer.status, answer.header("Connection")), (418, Some("close")));
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn answers_that_come_in_steps_are_whole() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/steps").await.body, "hellohello");
    wire.send("GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(wire.head().await.to_lowercase().contains("transfer-encoding: chunked\r\n"));
    let chunks = b"5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n";
    assert_eq!(wire.take(chunks.len()).await, chunks);
    assert_eq!(wire.get("/").await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn an_app_that_aborts_leaves_no_answer() {
    let host = host().await;
    for path in ["/abort", "/reset"] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let error = wire.end().await.expect_err("a reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{path}");
    }
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.status, 200);
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_cannot_be_taken_for_a_whole_one() {
    let host = host().await;
    for path in [
        "/short",
        "/short-steps",
        "/long-steps",
        "/error-later",
        "/abort-later",
        "/reset-later",
        "/panic-later",
    ] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let head = wire.head().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        let rest = wire.end().await.unwrap_or_default();
        // Less than the length that was told, or no last chunk.
        let told = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        match told.map(|length| length.parse().expect("a number")) {
            Some(length) => assert!(rest.len() < length, "{path}: {}", rest.escape_ascii()),
            None => assert!(!rest.ends_with(b"0\r\n\r\n"), "{path}: {}", rest.escape_ascii()),
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_status_without_a_body_gets_none() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /without-body HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
    assert_eq!(wire.get("/").await.body, "hello");
    stopped(host).await;
}
