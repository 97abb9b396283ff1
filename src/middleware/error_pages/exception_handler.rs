//! What a client gets when the app fails (`ExceptionHandler`).

use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, EXPIRES, PRAGMA};
use http::{HeaderValue, StatusCode};

use super::failure::{Failure, outcome};
use super::once_more::Kept;
use super::problem_details::ProblemDetails;
use crate::diagnostics::events;
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// The path of the app's own page for failures, as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorPath(pub(crate) Arc<str>);

/// Answers in the place of an app that has failed, with a page of the app's, or with a problem. (What
/// `ExceptionHandlerMiddleware` is in ASP.NET Core.)
///
/// Whoever has begun its answer is left to the server, which cuts it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExceptionHandler {
    /// Asks the app once more, for this path.
    Page(ErrorPath),
    /// Tells a problem to clients that take one, and others nothing.
    Problem,
}

impl Stage for ExceptionHandler {
    fn enter(&self, request: &mut Request) -> Enter {
        match self {
            Self::Page(path) => {
                let (path, kept) = (path.clone(), Kept::of(request));
                around(move |failure, next| with_page(path, kept, failure, next))
            }
            Self::Problem => {
                let details = ProblemDetails::of(request.headers());
                around(async move |failure, _| with_problem(&details, &failure))
            }
        }
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// Goes on, and lets `handle` answer in the place of an app that fails.
fn around<F>(handle: impl FnOnce(Failure, Next) -> F + Send + 'static) -> Enter
where
    F: Future<Output = Response> + Send,
{
    Enter::Around(Box::new(|request, next: Next| {
        Responding::later(async move {
            match outcome(next.call(request)).await {
                Ok(response) => response,
                Err(failure) => {
                    // The server has told what is wrong with a body.
                    if failure.of_request_body().is_none() {
                        events::unhandled_by_app(&failure.line());
                    }
                    handle(failure, next).await
                }
            }
        })
    }))
}

async fn with_page(
    ErrorPath(path): ErrorPath,
    kept: Kept,
    failure: Failure,
    next: Next,
) -> Response {
    let status = failure.of_request_body().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let request = kept.once_more(&path, None, status, Some(Arc::clone(&failure.error)));
    match outcome(next.call(request)).await {
        // There is no such page.
        Ok(response) if response.status() == StatusCode::NOT_FOUND => {
            events::error_page_missing(&path);
            failure.left_to_the_server()
        }
        Ok(mut response) => {
            if response.status() == StatusCode::OK {
                *response.status_mut() = status;
            }
            not_to_be_kept(&mut response);
            response
        }
        Err(of_page) => {
            events::error_page_failed(&path, &of_page.line());
            failure.left_to_the_server()
        }
    }
}

fn with_problem(details: &ProblemDetails, failure: &Failure) -> Response {
    let mut response = Response::default();
    *response.status_mut() = failure.of_request_body().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    not_to_be_kept(&mut response);
    match details.is_taken() {
        true => details.tell(&mut response, None, &[]),
        false => {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    }
    response
}

/// Lets no cache keep the answer.
fn not_to_be_kept(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache,no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("-1"));
    headers.remove(ETAG);
}
