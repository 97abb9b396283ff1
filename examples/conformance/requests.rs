//! Routes that look at the request, or read its body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::Version;
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::http::request::Parts;
use axum::response::Response;
use http_body_util::BodyExt;
use kestrel::{AppContext, BadRequest, EffectiveRequest, RequestBodyLimits, RequestTarget};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::answers::{fail, json_answer, milliseconds, text};
use crate::body::written;

/// A parameter of the query.
pub(crate) fn parameter<'a>(request: &'a Request, name: &str) -> Option<Cow<'a, str>> {
    let pairs = request.uri().query()?.split('&');
    let (_, value) = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

/// A number of the query.
pub(crate) fn number<T: FromStr>(request: &Request, name: &str) -> Option<T> {
    parameter(request, name)?.parse().ok()
}

/// What the app saw, as JSON, after the body is read to its end.
pub(crate) async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match length(body).await {
        Ok(length) => json_answer(&seen(&parts, length)),
        Err(error) => fail(error),
    }
}

/// Reads a body to its end without keeping it.
async fn length(mut body: Body) -> Result<usize, axum::Error> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(length)
}

fn seen(parts: &Parts, body: usize) -> Value {
    let target = RequestTarget::of_parts(parts);
    let meant = EffectiveRequest::of_parts(parts);
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str()).or_default().push(value);
    }
    // On the reference the authority of HTTP/2 is the Host header of the app.
    if parts.version == Version::HTTP_2 && !meant.host().is_empty() {
        headers.insert(HOST.as_str(), vec![meant.host().to_owned()]);
    }
    let protocol = match parts.version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    };
    // A CONNECT of HTTP/2 has none at all.
    let no_query = parts.version == Version::HTTP_2 && parts.uri.path_and_query().is_none();
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    json!({
        "method": parts.method.as_str(),
        "rawTarget": target.raw(),
        "path": target.path(),
        "query": if no_query { Value::Null } else { target.query().into() },
        "protocol": protocol,
        "scheme": meant.scheme(),
        "host": meant.host(),
        "remoteIp": meant.client().map(|address| address.ip().to_string()),
        "contentLength": length.and_then(|length| length.parse::<u64>().ok()),
        "body": body,
        "headers": headers,
    })
}

/// Sets the request's own limit, then echoes.
pub(crate) async fn limit(request: Request) -> Response {
    let max = match parameter(&request, "max").as_deref().map(str::parse) {
        None => None,
        Some(Ok(max)) => Some(max),
        // The reference refuses a negative limit when it is set.
        Some(Err(error)) => return fail(error),
    };
    // There are no limits where there is no body.
    if let Some(limits) = request.extensions().get::<RequestBodyLimits>()
        && let Err(error) = limits.set_max_size(max)
    {
        return fail(error);
    }
    echo(request).await
}

/// Reads something first, and then tries to set the limit.
pub(crate) async fn limit_late(mut request: Request) -> Response {
    if let Some(Err(error)) = request.body_mut().frame().await {
        return fail(error);
    }
    if let Some(limits) = request.extensions().get::<RequestBodyLimits>()
        && let Err(error) = limits.set_max_size(Some(5))
    {
        return fail(error);
    }
    echo(request).await
}

/// Handles the failure of a body itself.
pub(crate) async fn swallow(request: Request) -> Response {
    match length(request.into_body()).await {
        Ok(_) => text("read"),
        Err(error) => text(match BadRequest::of(&error) {
            Some(bad) => format!("caught BadHttpRequestException {}", bad.status().as_u16()),
            None => "caught IOException ".to_owned(),
        }),
    }
}

/// Answers first, and then reads.
pub(crate) async fn early(request: Request) -> Response {
    let (writer, body) = written();
    tokio::spawn(async move {
        // Nobody is there to be told when the client is gone.
        let _ = writer.send(Ok(Bytes::from_static(b"early"))).await;
        let read = length(request.into_body()).await;
        let _ =
            writer.send(read.map(|length| format!(" {length}").into()).map_err(Into::into)).await;
    });
    Response::new(body)
}

pub(crate) async fn slow_read(request: Request) -> Response {
    sleep(milliseconds(&request)).await;
    echo(request).await
}

/// The trailers of the request, as JSON.
pub(crate) async fn trailers(request: Request) -> Response {
    let fields = match request.into_body().collect().await {
        Ok(read) => read.trailers().cloned().unwrap_or_default(),
        Err(error) => return fail(error),
    };
    let mut told = Map::new();
    for name in fields.keys() {
        let values = fields.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        told.insert(name.as_str().to_owned(), json!(values));
    }
    json_answer(&Value::Object(told))
}

pub(crate) async fn addresses(State(context): State<AppContext>) -> Response {
    json_answer(&json!(context.addresses.list()))
}

pub(crate) async fn configuration_value(
    State(context): State<AppContext>,
    request: Request,
) -> Response {
    let key = parameter(&request, "key").unwrap_or_default();
    json_answer(&json!(context.live_configuration.value(&key)))
}
