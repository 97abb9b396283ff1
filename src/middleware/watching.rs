//! How a stage sees what becomes of a request, whoever serves it.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body::{Body as _, Frame, SizeHint};

use crate::features::{Completed, Completion, Outcome, SentHead, Watch};
use crate::pipeline::{Enter, Request, Responding, Response};

/// What a stage does with the answer on the way out.
type Leave = Box<dyn FnOnce(Response) -> Response + Send>;

/// Lets a request go on, and `watch` see what is sent.
///
/// Our server tells it of the head as it is sent, and of the end. If another server has taken the request,
/// what leaves this stage is all that there is to be seen.
pub(super) fn watched(request: &Request, watch: Box<dyn Watch>, leave: Option<Leave>) -> Enter {
    match Completion::of(request) {
        Some(completion) => {
            completion.watch(watch);
            leave.map_or(Enter::Next, Enter::Then)
        }
        None => Enter::Around(Box::new(|request, next| {
            Responding::later(async move {
                match next.call(request).caught().await {
                    Ok(response) => {
                        let left = match leave {
                            Some(leave) => leave(response),
                            None => response,
                        };
                        seen_leaving(left, watch)
                    }
                    Err(panic) => {
                        told_of_failure(watch);
                        resume_unwind(panic)
                    }
                }
            })
        })),
    }
}

/// How an answer ended that was not sent whole, in a word.
pub(super) fn broken(how: Completed) -> Option<&'static str> {
    match how {
        Completed::Sent => None,
        Completed::ClientGone => Some("client_gone"),
        Completed::TooSlow => Some("client_too_slow"),
        Completed::Aborted => Some("aborted"),
        Completed::Failed => Some("failed"),
        Completed::Stopped => Some("stopped"),
    }
}

fn told_of_failure(mut watch: Box<dyn Watch>) {
    watch.head(&SentHead {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        headers: &http::HeaderMap::new(),
        content_length: None,
        has_body: false,
    });
    watch.end(Completed::Failed, 0);
}

fn seen_leaving(response: Response, mut watch: Box<dyn Watch>) -> Response {
    if matches!(response.extensions().get(), Some(Outcome::Aborted | Outcome::Reset(_))) {
        watch.end(Completed::Aborted, 0);
        return response;
    }
    let (parts, body) = response.into_parts();
    let told = parts.headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    watch.head(&SentHead {
        status: parts.status,
        headers: &parts.headers,
        content_length: told.or_else(|| body.size_hint().exact()),
        has_body: !body.is_end_stream(),
    });
    let watched = WatchedBody { inner: body, watch: Some(watch), bytes: 0, end: None };
    Response::from_parts(parts, Body::new(watched))
}

/// A body that tells what became of it when it is dropped.
struct WatchedBody {
    inner: Body,
    watch: Option<Box<dyn Watch>>,
    bytes: u64,
    end: Option<Completed>,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(_))) => self.end = Some(Completed::Failed),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        let whole = self.inner.is_end_stream();
        let otherwise = if whole { Completed::Sent } else { Completed::ClientGone };
        if let Some(watch) = self.watch.take() {
            watch.end(self.end.unwrap_or(otherwise), self.bytes);
        }
    }
}
