//! Routes that take the connection, or the stream, for bytes of their own.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::http::{Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;

use crate::body::{nothing, piece};

/// Echoes raw bytes after the answer 101.
pub(crate) async fn upgrade(mut request: Request) -> Response {
    if !upgradable(&request) {
        return (StatusCode::BAD_REQUEST, nothing()).into_response();
    }
    echo(&mut request);
    (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "Upgrade")], Body::empty()).into_response()
}

/// Whether the client asks for another protocol, names one, and sends no body before.
fn upgradable(request: &Request) -> bool {
    let headers = request.headers();
    let connection = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let asked = connection
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    request.version() == Version::HTTP_11
        && asked
        && headers.contains_key(UPGRADE)
        && request.body().is_end_stream()
}

/// Accepts an extended CONNECT (RFC 8441) and echoes what its stream carries.
pub(crate) async fn extended_connect(mut request: Request) -> Response {
    let extended =
        request.method() == Method::CONNECT && request.extensions().get::<Protocol>().is_some();
    if !extended {
        return (StatusCode::BAD_REQUEST, piece("not extended")).into_response();
    }
    echo(&mut request);
    Response::new(Body::empty())
}

fn echo(request: &mut Request) {
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        // A connection that is gone has nobody to echo to.
        let Ok(upgraded) = upgrading.await else { return };
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut writer).await;
    });
}
