//! Problems that the endpoints tell (RFC 9457), as ASP.NET Core's minimal APIs do.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::body::piece;

/// A problem with a title of its own, or that of the status, and further members.
pub(crate) fn problem(
    is_traced: bool,
    status: StatusCode,
    title: Option<&str>,
    more: &[(&str, Value)],
) -> Response {
    let mut members = Map::new();
    let section = match status.as_u16() {
        status @ 400..=417 => Some(format!("15.5.{}", status - 399)),
        status @ 500..=505 => Some(format!("15.6.{}", status - 499)),
        _ => None,
    };
    if let Some(section) = section {
        let kind = format!("https://tools.ietf.org/html/rfc9110#section-{section}");
        members.insert("type".to_owned(), kind.into());
    }
    if let Some(title) = title.or(status.canonical_reason()) {
        members.insert("title".to_owned(), title.into());
    }
    members.insert("status".to_owned(), status.as_u16().into());
    members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    if is_traced {
        members.insert("traceId".to_owned(), trace_id().into());
    }
    let mut response = Response::new(piece(Value::Object(members).to_string()));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// A new id in the form of Trace Context.
fn trace_id() -> String {
    let [a, b, c] = [(); 3].map(|()| RandomState::new().build_hasher().finish());
    format!("00-{a:016x}{b:016x}-{c:016x}-00")
}
