//! What is no endpoint: answers made to order.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;
use kestrel::{BadRequest, EffectiveRequest, RequestTarget};

use crate::body::{Step, piece, steps};
use crate::endpoints::{JSON, fail, nothing, of_type};
use crate::parameters::Parameters;

pub(crate) async fn answer(path: &str, request: Request) -> Response {
    match path {
        "/throw" => fail("thrown by the app"),
        "/throw-inner" => fail(Outer(Inner)),
        "/throw-bad" => {
            fail(BadRequest::new(StatusCode::PAYLOAD_TOO_LARGE, "bad request by the app"))
        }
        "/throw-cancel" => fail("cancelled"),
        "/throw-late" => {
            let failure = "thrown after the response started".into();
            Response::new(steps([Step::write("started"), Step::Flush, Step::Fail(failure)]))
        }
        "/throw-buffered" => {
            let mut response = fail("thrown with headers set");
            response.headers_mut().insert("x-before", HeaderValue::from_static("1"));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        "/echo" => echo(request).await,
        "/r" | "/r/sub" => made(request).await,
        _ => nothing(404),
    }
}

/// A failure with a cause.
#[derive(Debug)]
struct Outer(Inner);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Inner;

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inner <b>")
    }
}

impl Error for Inner {}

/// What the app saw of a request, once its body is read.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return fail(error),
    };
    let (target, meant) = (RequestTarget::of_parts(&parts), EffectiveRequest::of_parts(&parts));
    let header = |name| parts.headers.get(name).and_then(|it: &HeaderValue| it.to_str().ok());
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let codings = parts.headers.get_all(CONTENT_ENCODING).iter();
    let codings: Vec<_> = codings.filter_map(|it| it.to_str().ok()).collect();
    let start = String::from_utf8_lossy(&body[..body.len().min(200)]);
    // Written by hand: the recordings have its members in this order and without blanks.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let told = format!(
        "{{\"method\":{},\"scheme\":{},\"host\":{},\"pathBase\":{},\"path\":{},\"query\":{},\
         \"contentEncoding\":{},\"contentLength\":{},\"length\":{},\"body\":{}}}",
        text(parts.method.as_str()),
        text(meant.scheme()),
        text(meant.host()),
        text(meant.path_base()),
        text(&target.path()),
        text(target.query()),
        text(&codings.join(",")),
        length.map_or("null".to_owned(), |length| length.to_string()),
        body.len(),
        text(&start),
    );
    of_type(JSON, piece(told))
}

/// An answer by the parameters of the query.
async fn made(request: Request) -> Response {
    let wanted = Parameters::of(&request);
    if wanted.has("read")
        && let Err(error) = request.into_body().collect().await
    {
        return fail(error);
    }
    let mut response = Response::new(Body::empty());
    if let Some(status) = wanted.number("status") {
        match StatusCode::from_u16(status) {
            Ok(status) => *response.status_mut() = status,
            Err(error) => return fail(error),
        }
    }
    let headers = response.headers_mut();
    if let Some(media_type) = wanted.value("ct").filter(|it| !it.is_empty()) {
        match HeaderValue::from_str(media_type) {
            Ok(media_type) => headers.insert(CONTENT_TYPE, media_type),
            Err(error) => return fail(error),
        };
    }
    for header in wanted.all("h") {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value.trim())) {
            (Ok(name), Ok(value)) => headers.append(name, value),
            (Err(error), _) => return fail(error),
            (_, Err(error)) => return fail(error),
        };
    }
    let body = content(&wanted);
    if wanted.has("len") {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if let Some(steps_of_body) = written(&wanted, &body) {
        *response.body_mut() = steps(steps_of_body);
    }
    response
}

/// How the body is written; `None` if there is none.
fn written(wanted: &Parameters, body: &Bytes) -> Option<Vec<Step>> {
    let parts: usize = wanted.number("parts").unwrap_or(1);
    let wait = Duration::from_millis(wanted.number("wait").unwrap_or(0));
    let flushed = wanted.has("flush") || parts > 1 && !wanted.has("noflush");
    let mut steps = Vec::new();
    if wanted.has("start") {
        steps.push(Step::Flush);
    }
    for _ in 0..parts {
        if !body.is_empty() {
            steps.push(Step::Write(body.clone()));
        }
        if flushed {
            steps.push(Step::Flush);
        }
        if !wait.is_zero() {
            steps.push(Step::Pause(wait));
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// One body: a text, or bytes that look like letters.
fn content(wanted: &Parameters) -> Bytes {
    if let Some(text) = wanted.value("text") {
        return Bytes::copy_from_slice(text.as_bytes());
    }
    let length: i32 = wanted.number("n").unwrap_or(0);
    let byte = |at: i32| {
        let place = at.wrapping_mul(at) % 23;
        u8::try_from(i32::from(b'a') + place).unwrap_or(b'?')
    };
    (0..length).map(byte).collect::<Vec<_>>().into()
}
