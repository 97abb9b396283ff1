//! The page a freshly started host shows: that it runs, where it listens, and what it saw of the
//! request.
//!
//! The root gets `200 OK`, whatever method of RFC 9110 but CONNECT, or PATCH, it is asked for with;
//! any other method is not allowed. Any other path gets the same with `404 Not Found`: there is nothing, and
//! whoever looks after the server by asking for a file that should be there must not believe that it is. A
//! browser gets HTML, everyone else JSON (`negotiation.rs`). A request becomes a `Seen`, plain text in which secrets are already hidden;
//! `html.rs` and `json.rs` are functions of that text alone.
//!
//! The request's body is read to its end and dropped, so that a client that sends one wrongly is told
//! what is wrong instead of being answered halfway. Nothing is stored and nothing is fetched: the page is one
//! document without scripts, and its security policy forbids any.

mod html;
mod json;
mod negotiation;
mod seen;
mod welcome;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::response::IntoResponse;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body as _;

use crate::features::RequestTarget;
use crate::pipeline::{Answering, Handler, Request, Response};
pub(crate) use welcome::Welcome;

/// The welcome page as an app.
#[derive(Debug)]
pub(crate) struct WelcomePage(Arc<Welcome>);

impl WelcomePage {
    /// A page that tells this.
    pub(crate) fn new(facts: Welcome) -> Self {
        Self(Arc::new(facts))
    }
}

impl Handler for WelcomePage {
    fn call(&self, request: Request) -> Answering {
        let status = status(&request);
        let (head, body) = request.into_parts();
        if !is_answered(&head.method) {
            let allow = [(header::ALLOW, ANSWERED)];
            return Answering::Ready((StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
        }
        if body.is_end_stream() {
            return Answering::Ready(answer(&self.0, status, &head));
        }
        let facts = Arc::clone(&self.0);
        Answering::later(async move {
            match drop_all(body).await {
                Ok(()) => answer(&facts, status, &head),
                // The server puts the status of what is wrong in its place.
                Err(_) => StatusCode::BAD_REQUEST.into_response(),
            }
        })
    }
}

/// What the page may do in a browser: apply its own style sheet, known by its SHA-256, and show
/// the empty icon that keeps the browser from asking for `/favicon.ico`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    style-src 'sha256-Dl4nWebKMrKa8Uu5r9BHK4hBChlziAeSlzA7az6vmbU='; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a client may ask with (RFC 9110 section 9.3, RFC 5789).
const ANSWERED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE";

/// Whether a method is one of those. With any 2xx to a CONNECT, the client would take the connection for
/// a tunnel to somewhere. What an unknown method asks for was not done, and nobody may think so.
fn is_answered(method: &Method) -> bool {
    ANSWERED.split(", ").any(|answered| method == answered)
}

/// There is the root, and the server as a whole (`OPTIONS *`), and nothing else.
fn status(request: &Request) -> StatusCode {
    let path = RequestTarget::of(request).path();
    match path.trim_matches('/').is_empty() || request.uri().path() == "*" {
        true => StatusCode::OK,
        false => StatusCode::NOT_FOUND,
    }
}

fn answer(facts: &Welcome, status: StatusCode, head: &Parts) -> Response {
    let seen = seen::Seen::of(head, facts);
    let (content_type, text) = if negotiation::wants_html(&accept(&head.headers)) {
        ("text/html; charset=utf-8", html::html(&seen))
    } else {
        ("application/json; charset=utf-8", json::json(&seen))
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::VARY, "Accept"),
        // The answer holds the request: no cache may hand it to someone else.
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    // The server takes the body away again where the request is a HEAD.
    (status, headers, Body::from(text)).into_response()
}

/// Reads a body and keeps nothing of it.
async fn drop_all(mut body: Body) -> Result<(), axum::Error> {
    while !body.is_end_stream() {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            None => break,
            Some(frame) => drop(frame?),
        }
    }
    Ok(())
}

/// All `Accept` lines as one list (RFC 9110 section 5.3), empty if there is none.
fn accept(headers: &HeaderMap) -> String {
    let lines = headers.get_all(header::ACCEPT).iter();
    let readable: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
    readable.join(",")
}

#[cfg(test)]
mod tests;
