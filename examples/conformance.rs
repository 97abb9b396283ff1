//! The app behind the recorded cases of the tests: `cargo run --example conformance -- run --urls http://127.0.0.1:5000`
//!
//! The real Kestrel was recorded with the same app; `tests/conformance` plays the recordings
//! against this one. What a program says in code, it says here through `CODE_` variables.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::env;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, UPGRADE};
use axum::http::{HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::TokioIo;
use kestrel::{AppContext, Connection, Host, HostBuilder, MinDataRate, Remote};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> ExitCode {
    // A route that fails, fails by a panic; the host logs it, which is what the cases look at.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = env::args().skip(1).skip_while(|argument| argument == "run");
    let host = Host::builder()
        .args(arguments)
        .application_name("oracle")
        .user_secrets_id("kestrel-oracle")
        .app_with(app);
    said_in_code(host).run().await
}

/// The calls that the recordings name under `code`.
#[expect(clippy::disallowed_methods, reason = "these variables stand for code, not for settings")]
fn said_in_code(mut host: HostBuilder) -> HostBuilder {
    let code = |name: &str| env::var(format!("CODE_{name}")).ok();
    for target in code("LISTEN").iter().flat_map(|list| list.split(';')) {
        host = listen(host, target);
    }
    if let Some(urls) = code("USEURLS") {
        host = host.use_urls(&urls);
    }
    for url in code("APPURLS").iter().flat_map(|list| list.split(';')) {
        host = host.add_url(url);
    }
    if let Some(prefer) = code("PREFERHOSTINGURLS") {
        host = host.prefer_hosting_urls(prefer == "true");
    }
    if let Some(seconds) = code("SHUTDOWN").and_then(|seconds| seconds.parse().ok()) {
        host = host.shutdown_timeout(Duration::from_secs(seconds));
    }
    let (request, response) = (code("MINREQ"), code("MINRESP"));
    host.configure_kestrel(move |options| {
        if let Some(text) = request {
            options.limits.min_request_body_data_rate = min_data_rate(&text);
        }
        if let Some(text) = response {
            options.limits.min_response_data_rate = min_data_rate(&text);
        }
    })
}

/// `1000,2` is 1000 bytes per second after two seconds; `null` is no such rate.
fn min_data_rate(text: &str) -> Option<MinDataRate> {
    let (rate, grace) = text.split_once(',')?;
    MinDataRate::new(rate.parse().ok()?, Duration::from_secs_f64(grace.parse().ok()?)).ok()
}

fn listen(host: HostBuilder, target: &str) -> HostBuilder {
    let port = |text: &str| text.parse().expect("a port");
    match target.split_once(':') {
        Some(("any", number)) => host.listen_any_ip(port(number)),
        Some(("localhost", number)) => host.listen_localhost(port(number)),
        Some(("unix", path)) => host.listen_unix_socket(path),
        _ => host.listen(target.parse().expect("an address")),
    }
}

fn app(context: &AppContext) -> Router {
    Router::new()
        .route("/plaintext", any(|| async { with_length("Hello, World!") }))
        .route("/json", any(|| async { json_answer(&json!({ "message": "Hello, World!" })) }))
        .route("/noread", any(|| async { chunks(["not read"]) }))
        .route("/throw", any(|| async { fail() }))
        .route("/throw-late", any(throw_late))
        .route("/short", any(|| async { framed("10", "short") }))
        .route("/long", any(|| async { framed("3", "longer") }))
        .route("/204", any(|| async { StatusCode::NO_CONTENT }))
        .route("/205", any(|| async { StatusCode::RESET_CONTENT }))
        .route("/304", any(|| async { StatusCode::NOT_MODIFIED }))
        .route("/204body", any(|| async { (StatusCode::NO_CONTENT, "no body") }))
        .route("/empty", any(|| async { StatusCode::OK }))
        .route("/chunked", any(|| async { chunks(["one", "two"]) }))
        .route("/slow", any(slow))
        .route("/stream", any(stream))
        .route("/limit", any(limit))
        .route("/upgrade", any(upgrade))
        .route("/addresses", any(addresses))
        .route("/config/get", any(configuration_value))
        .fallback(echo)
        .with_state(context.clone())
}

fn fail() -> Response {
    panic!("thrown by the app")
}

fn with_length(text: &'static str) -> Response {
    ([(CONTENT_TYPE, "text/plain")], text).into_response()
}

fn framed(length: &'static str, body: &'static str) -> Response {
    let body = StreamBody::new(Pieces(vec![body.into()].into_iter()));
    ([(CONTENT_LENGTH, length)], Body::new(body)).into_response()
}

/// A body without a length: chunked on HTTP/1.1.
fn chunks<const N: usize>(pieces: [&'static str; N]) -> Response {
    let pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
    Response::new(Body::new(StreamBody::new(Pieces(pieces.into_iter()))))
}

fn json_answer(value: &Value) -> Response {
    let body = Bytes::from(value.to_string());
    let body = Body::new(StreamBody::new(Pieces(vec![body].into_iter())));
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// Pieces of a body as a stream.
struct Pieces(std::vec::IntoIter<Bytes>);

impl futures_core::Stream for Pieces {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

/// A body that another task writes.
struct Written<E>(mpsc::Receiver<Result<Frame<Bytes>, E>>);

impl<E> futures_core::Stream for Written<E> {
    type Item = Result<Frame<Bytes>, E>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

async fn throw_late() -> Response {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send(Ok(Frame::data(Bytes::from("started")))).await;
        let _ = sender.send(Err(std::io::Error::other("thrown by the app"))).await;
    });
    Response::new(Body::new(StreamBody::new(Written(receiver))))
}

type Parameters = Query<BTreeMap<String, String>>;

async fn slow(Query(parameters): Parameters) -> Response {
    let milliseconds = parameters.get("ms").and_then(|text| text.parse().ok()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    chunks(["slow"])
}

async fn stream(Query(parameters): Parameters) -> Response {
    const PIECE: usize = 64 * 1024;
    static ZEROS: [u8; PIECE] = [0; PIECE];
    let total: usize = parameters.get("bytes").and_then(|text| text.parse().ok()).unwrap_or(0);
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut left = total;
        while left > 0 {
            let piece = left.min(PIECE);
            if sender
                .send(Ok::<_, Infallible>(Frame::data(Bytes::from_static(&ZEROS[..piece]))))
                .await
                .is_err()
            {
                return;
            }
            left -= piece;
        }
    });
    ([(CONTENT_LENGTH, total.to_string())], Body::new(StreamBody::new(Written(receiver))))
        .into_response()
}

async fn limit(
    context: State<AppContext>,
    Query(parameters): Parameters,
    request: Request,
) -> Response {
    let max = parameters.get("max").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let (parts, body) = request.into_parts();
    match to_bytes(body, max).await {
        Ok(bytes) => echo(context, Request::from_parts(parts, Body::from(bytes))).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

async fn upgrade(mut request: Request) -> Response {
    let asked = request.version() == Version::HTTP_11 && request.headers().contains_key(UPGRADE);
    if !asked {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let protocol = request.headers()[UPGRADE].clone();
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrading.await {
            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
    });
    let headers = [(CONNECTION, HeaderValue::from_static("Upgrade")), (UPGRADE, protocol)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

async fn addresses(State(context): State<AppContext>) -> Response {
    json_answer(&json!(context.addresses.list()))
}

async fn configuration_value(
    State(context): State<AppContext>,
    Query(parameters): Parameters,
) -> Response {
    let key = parameters.get("key").map(String::as_str).unwrap_or_default();
    json_answer(&json!(context.configuration.value(key)))
}

async fn echo(_: State<AppContext>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let connection = parts.extensions.get::<Connection>();
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        headers
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let protocol = match parts.version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    };
    json_answer(&json!({
        "method": parts.method.as_str(),
        "rawTarget": target,
        "path": path,
        "query": parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default(),
        "protocol": protocol,
        "scheme": connection.map(|connection| connection.scheme().as_str()),
        "host": parts.uri.authority().map(|authority| authority.as_str()).or_else(|| header(HOST)),
        "remoteIp": connection.and_then(Connection::remote).map(|Remote(address)| address.ip().to_string()),
        "contentLength": header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()),
        "body": body.to_bytes().len(),
        "headers": headers,
    }))
}
