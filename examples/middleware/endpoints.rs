//! The endpoints: paths without regard to case, with a slash at the end or not, each with its methods.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use kestrel::{Reexecution, Unhandled};
use serde_json::{Value, json};

use crate::Site;
use crate::body::piece;
use crate::problems::problem;

/// What the endpoints made of a request.
pub(crate) enum Answered {
    By(Response),
    ByNone(Request),
}

pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An answer of nothing but a status.
pub(crate) fn nothing(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// A body with its type.
pub(crate) fn of_type(media_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// The app fails before it answers.
pub(crate) fn fail(error: impl Into<Unhandled>) -> Response {
    error.into().into_response()
}

/// The methods of the endpoint at a path; none where there is no endpoint.
fn methods(site: &Site, path: &str) -> &'static [&'static str] {
    match path {
        "/ep/get" | "/ep/notfound" | "/ep/problem" | "/ep/problem404" | "/ep/validation"
        | "/ep/throw" => &["GET"],
        "/ep/post" | "/ep/json" => &["POST"],
        "/ep/disabled" if site.cors.disabled => &["GET"],
        "/ep/named" if site.cors.named => &["GET", "PUT"],
        "/two" if site.endpoints_only => &["GET", "PUT"],
        path if typed(path).is_some() => &["GET"],
        _ => &[],
    }
}

/// The number in the path of the endpoint that takes one.
fn typed(path: &str) -> Option<i32> {
    path.strip_prefix("/ep/typed/")?.parse().ok()
}

/// The number in the path of the pages for statuses.
fn status_page(path: &str) -> Option<i32> {
    path.strip_prefix("/status/")?.parse().ok()
}

pub(crate) async fn answer(site: &Site, path: &str, request: Request) -> Answered {
    let lower = path.to_ascii_lowercase();
    let path = match lower.strip_suffix('/') {
        Some(without) if !without.is_empty() => without,
        _ => &lower,
    };
    if path == "/error" {
        return Answered::By(error_page(&request));
    }
    if let Some(code) = status_page(path) {
        return Answered::By(page_of_status(code, &request));
    }
    let methods = methods(site, path);
    if !methods.contains(&request.method().as_str()) {
        return match methods.is_empty() || !site.endpoints_only {
            true => Answered::ByNone(request),
            false => {
                let mut response = nothing(405);
                let allowed = HeaderValue::from_str(&methods.join(", "));
                response.headers_mut().extend(allowed.ok().map(|methods| (ALLOW, methods)));
                Answered::By(response)
            }
        };
    }
    let traced = site.traced_problems && takes_problems(request.headers());
    Answered::By(match path {
        "/ep/get" => of_type(TEXT, piece("get")),
        "/ep/post" => of_type(TEXT, piece("post")),
        "/ep/disabled" => of_type(TEXT, piece("disabled")),
        "/ep/named" if request.method() == "PUT" => of_type(TEXT, piece("named put")),
        "/ep/named" => of_type(TEXT, piece("named")),
        "/two" => of_type(TEXT, piece("two")),
        "/ep/json" => person(request).await,
        "/ep/notfound" => nothing(404),
        "/ep/problem" => {
            let detail = ("detail", json!("what went wrong"));
            problem(traced, StatusCode::CONFLICT, None, &[detail])
        }
        "/ep/problem404" => problem(traced, StatusCode::NOT_FOUND, None, &[]),
        "/ep/validation" => {
            let title = "One or more validation errors occurred.";
            let errors = ("errors", json!({"name": ["is required"]}));
            problem(traced, StatusCode::BAD_REQUEST, Some(title), &[errors])
        }
        "/ep/throw" => fail("thrown by the endpoint"),
        path => of_type(TEXT, format!("id {}", typed(path).unwrap_or_default())),
    })
}

/// Reads somebody, and answers the same.
async fn person(request: Request) -> Response {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    if media_type != "application/json" && !media_type.ends_with("+json") {
        return nothing(415);
    }
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return fail(error),
    };
    let Ok(Value::Object(members)) = serde_json::from_slice(&body) else { return nothing(400) };
    let member = |name: &str| {
        members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let (name, age) = (member("name"), member("age"));
    if name.is_some_and(|it| !it.is_string() && !it.is_null())
        || age.is_some_and(|it| it.as_i64().is_none())
    {
        return nothing(400);
    }
    let told = json!({"name": name, "age": age.unwrap_or(&json!(0))});
    of_type(JSON, piece(told.to_string()))
}

/// The page that the stage for failures asks for.
fn error_page(request: &Request) -> Response {
    let before = Reexecution::of(request);
    let (status, path) = before.map_or((200, ""), |it| (it.status().as_u16(), it.path()));
    of_type(TEXT, format!("error page, status {status}, path {path}"))
}

/// The page that the stage for statuses asks for.
fn page_of_status(code: i32, request: &Request) -> Response {
    let (path, query) = Reexecution::of(request).map_or(("", ""), |it| (it.path(), it.query()));
    of_type(TEXT, format!("status page {code}, original path {path}{query}"))
}

/// Whether a client takes problems with all that belongs to them.
fn takes_problems(headers: &HeaderMap) -> bool {
    let types = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let types = types.flat_map(|line| line.split(',')).map(|it| it.split(';').next().unwrap_or(it));
    let mut types = types.map(str::trim).filter(|it| it.contains('/')).peekable();
    let taken = ["*/*", "application/*", "application/json", "application/problem+json"];
    types.peek().is_none() || types.any(|it| taken.contains(&it))
}
