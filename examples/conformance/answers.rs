//! Routes that only answer, or fail to.

use std::io;
use std::iter;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG, HeaderName, SERVER,
    SET_COOKIE, TRAILER, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;
use kestrel::{Abort, ResetStream, Unhandled};
use serde_json::{Value, json};

use crate::body::{Step, nothing, piece, steps, written};
use crate::requests::{number, parameter};

pub(crate) async fn plaintext() -> Response {
    ([(CONTENT_TYPE, "text/plain")], "Hello, World!").into_response()
}

pub(crate) async fn json() -> Response {
    json_answer(&json!({ "message": "Hello, World!" }))
}

/// An answer in JSON, without a length.
pub(crate) fn json_answer(value: &Value) -> Response {
    let body = piece(value.to_string());
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

pub(crate) async fn noread() -> Response {
    text("not read")
}

/// A text without a length and a type.
pub(crate) fn text(text: impl Into<Bytes>) -> Response {
    Response::new(piece(text))
}

/// The app fails before it answers.
pub(crate) fn fail(error: impl Into<Unhandled>) -> Response {
    error.into().into_response()
}

pub(crate) async fn throw() -> Response {
    fail("thrown by the app")
}

pub(crate) async fn throw_late() -> Response {
    let failure = io::Error::other("thrown by the app");
    started_then(failure.into())
}

fn started_then(failure: Box<dyn std::error::Error + Send + Sync>) -> Response {
    Response::new(steps([Step::write("started"), Step::Flush, Step::Fail(failure)]))
}

/// The hook that the reference has for the head fails, and with it the request. There is no such
/// hook here, so that this is the same failure.
pub(crate) async fn on_starting() -> Response {
    fail("thrown by the hook of the app")
}

pub(crate) async fn abort() -> Response {
    Abort.into_response()
}

pub(crate) async fn abort_late() -> Response {
    started_then(Abort.into())
}

pub(crate) async fn reset(request: Request) -> Response {
    ResetStream(number(&request, "code").unwrap_or(0)).into_response()
}

pub(crate) async fn short() -> Response {
    // The reference sends at once what is written.
    framed("10", [Step::write("five!"), Step::Flush])
}

pub(crate) async fn long() -> Response {
    framed("3", [Step::Flush, Step::write("longer")])
}

pub(crate) async fn long_raw() -> Response {
    framed("3", [Step::write("longer")])
}

pub(crate) async fn long_late() -> Response {
    framed("3", [Step::write("lo"), Step::Flush, Step::write("nger")])
}

pub(crate) async fn short_none() -> Response {
    framed("10", [Step::Flush])
}

fn framed<const N: usize>(length: &'static str, body: [Step; N]) -> Response {
    ([(CONTENT_LENGTH, length)], steps(body)).into_response()
}

pub(crate) async fn started() -> Response {
    Response::new(steps([Step::Flush]))
}

pub(crate) async fn status(code: u16) -> Response {
    let mut response = Response::new(nothing());
    match StatusCode::from_u16(code) {
        Ok(status) => *response.status_mut() = status,
        Err(error) => return fail(error),
    }
    response
}

pub(crate) async fn status_asked_for(request: Request) -> Response {
    match parameter(&request, "code").unwrap_or_default().parse() {
        Ok(code) => status(code).await,
        Err(error) => fail(error),
    }
}

pub(crate) async fn raw(request: Request) -> Response {
    let mut response = status_asked_for(request).await;
    *response.body_mut() = piece("x");
    response
}

pub(crate) async fn no_content_with_body() -> Response {
    (StatusCode::NO_CONTENT, piece("no body")).into_response()
}

/// A length, and nothing written.
pub(crate) async fn with_length(code: u16) -> Response {
    let mut response = status(code).await;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
    response
}

pub(crate) async fn length_of_head(request: Request) -> Response {
    if request.method() == Method::HEAD {
        return with_length(200).await;
    }
    framed("5", [Step::write("five!")])
}

pub(crate) async fn reason() -> Response {
    let mut response = status(299).await;
    response.extensions_mut().insert(ReasonPhrase::from_static(b"Own Words"));
    response
}

pub(crate) async fn chunked() -> Response {
    Response::new(steps([Step::write("one"), Step::Flush, Step::write("two")]))
}

pub(crate) async fn buffered() -> Response {
    Response::new(steps([Step::write("one"), Step::write("two")]))
}

pub(crate) async fn writer() -> Response {
    text("abc")
}

/// Works on after its answer is complete.
pub(crate) async fn complete() -> Response {
    tokio::spawn(tokio::time::sleep(Duration::from_secs(1)));
    text("done")
}

pub(crate) async fn slow(request: Request) -> Response {
    tokio::time::sleep(milliseconds(&request)).await;
    text("slow")
}

pub(crate) fn milliseconds(request: &Request) -> Duration {
    Duration::from_millis(number(request, "ms").unwrap_or(0))
}

pub(crate) async fn drip(request: Request) -> Response {
    let (pause, count) = (milliseconds(&request), number(&request, "n").unwrap_or(0));
    let dot = || [Step::Pause(pause), Step::write("."), Step::Flush];
    Response::new(steps(iter::repeat_with(dot).take(count).flatten()))
}

pub(crate) async fn stream(request: Request) -> Response {
    const PIECE: usize = 64 * 1024;
    static ZEROS: [u8; PIECE] = [0; PIECE];
    let total: usize = number(&request, "bytes").unwrap_or(0);
    let (writer, body) = written();
    tokio::spawn(async move {
        let mut left = total;
        while left > 0 {
            let piece = &ZEROS[..left.min(PIECE)];
            if writer.send(Ok(Bytes::from_static(piece))).await.is_err() {
                return;
            }
            left -= piece.len();
        }
    });
    ([(CONTENT_LENGTH, total.to_string())], body).into_response()
}

pub(crate) async fn connection_close() -> Response {
    ([(CONNECTION, "close")], piece("bye")).into_response()
}

pub(crate) async fn connection_odd() -> Response {
    ([(CONNECTION, "x-odd"), (CONTENT_LENGTH, "3")], piece("odd")).into_response()
}

pub(crate) async fn headers() -> Response {
    let mut response = framed("2", [Step::write("ok")]);
    let names = [
        (HeaderName::from_static("x-unknown-one"), "1"),
        (SET_COOKIE, "a=1"),
        (SET_COOKIE, "b=2"),
        (ETAG, "\"e\""),
        (WWW_AUTHENTICATE, "Basic"),
        (HeaderName::from_static("x-two"), "2"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_TYPE, "text/plain"),
    ];
    for (name, value) in names {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

/// A header that may be none: then the app fails.
pub(crate) async fn header(name: &'static str, value: &'static str) -> Response {
    let mut response = text("x");
    let Ok(name) = name.parse::<HeaderName>() else { return fail("not a header name") };
    // Texts beyond ASCII are taken here, so that it is for the server to refuse them.
    match HeaderValue::from_str(value) {
        Ok(value) => response.headers_mut().insert(name, value),
        Err(error) => return fail(error),
    };
    response
}

pub(crate) async fn big_header(request: Request) -> Response {
    let value = "x".repeat(number(&request, "n").unwrap_or(0));
    ([("x-big", value)], piece("x")).into_response()
}

pub(crate) async fn server() -> Response {
    ([(SERVER, "mine"), (DATE, "then")], nothing()).into_response()
}

pub(crate) async fn transfer_encoding() -> Response {
    ([(TRANSFER_ENCODING, "gzip")], piece("x")).into_response()
}

pub(crate) async fn hop_headers() -> Response {
    let headers = [
        (CONNECTION, "close"),
        (HeaderName::from_static("keep-alive"), "1"),
        (UPGRADE, "x"),
        (TRANSFER_ENCODING, "chunked"),
        (HeaderName::from_static("proxy-connection"), "x"),
        (HeaderName::from_static("x-kept"), "1"),
    ];
    (headers, piece("x")).into_response()
}

pub(crate) async fn trailers(request: Request) -> Response {
    if request.version() != Version::HTTP_2 {
        return text("no trailers feature");
    }
    let fields =
        HeaderMap::from_iter([(HeaderName::from_static("x-t"), HeaderValue::from_static("v"))]);
    let body = steps([Step::write("body"), Step::Trailers(fields)]);
    ([(TRAILER, "x-t")], body).into_response()
}
