//! A body limit for some routes.

use std::task::{Context, Poll};

use http::{Extensions, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::diagnostics::events;
use crate::features::RequestBodyLimits;
use crate::pipeline::{self, Enter, Stage};

/// Gives the requests to some routes a limit of their own for the size of their bodies, in place
/// of `Kestrel:Limits:MaxRequestBodySize`. (What `[RequestSizeLimit]` and
/// `[DisableRequestSizeLimit]` are in ASP.NET Core.)
///
/// ```
/// use axum::{Router, routing::post};
/// use kestrel::RequestSizeLimit;
///
/// let uploads = Router::new()
///     .route("/upload", post(|| async { "thank you" }))
///     .route_layer(RequestSizeLimit::bytes(1_000_000_000));
/// let app: Router = Router::new().route("/", post(|| async { "hello" })).merge(uploads);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSizeLimit {
    max_size: Option<u64>,
}

impl RequestSizeLimit {
    /// Bodies of at most this many bytes.
    pub fn bytes(max_size: u64) -> Self {
        Self { max_size: Some(max_size) }
    }

    /// Bodies of any size.
    pub fn disabled() -> Self {
        Self { max_size: None }
    }

    /// The largest body; `None` is no limit.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only `kestrel generate` asks"))]
    pub(crate) fn max_size(self) -> Option<u64> {
        self.max_size
    }

    /// In words.
    pub(crate) fn shown(self) -> String {
        self.max_size.map_or_else(|| "no limit".to_owned(), |it| format!("{it} bytes at most"))
    }

    fn apply(self, request: &Extensions) {
        // A request without a body has no limits, and needs none.
        if let Some(limits) = request.get::<RequestBodyLimits>() {
            match (limits.set_max_size(self.max_size), self.max_size) {
                (Ok(()), Some(size)) => events::request_size_limit_set(size),
                (Ok(()), None) => events::request_size_limit_disabled(),
                (Err(_), _) => events::request_size_limit_read_only(),
            }
        }
    }
}

/// The same for all requests of a site (`Limits:MaxRequestBodySize`).
pub(crate) struct BodyLimit(pub(crate) RequestSizeLimit);

impl Stage for BodyLimit {
    fn enter(&self, request: &mut pipeline::Request) -> Enter {
        self.0.apply(request.extensions());
        Enter::Next
    }
}

impl<S> Layer<S> for RequestSizeLimit {
    type Service = RequestSizeLimitService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestSizeLimitService { inner, limit: *self }
    }
}

/// The service of a [`RequestSizeLimit`].
#[derive(Clone, Copy, Debug)]
pub struct RequestSizeLimitService<S> {
    inner: S,
    limit: RequestSizeLimit,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for RequestSizeLimitService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.limit.apply(request.extensions());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn the_limit_of_the_route_is_the_requests() {
        for (limit, reading, expected) in [
            (RequestSizeLimit::bytes(5), false, Some(5)),
            (RequestSizeLimit::disabled(), false, None),
            (RequestSizeLimit::bytes(5), true, Some(3)),
        ] {
            let limits = RequestBodyLimits::new(Some(3), None);
            if reading {
                limits.reading_starts();
            }
            let mut request = Request::new(());
            request.extensions_mut().insert(limits.clone());
            let app =
                tower::service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(()));
            limit.layer(app).oneshot(request).await.unwrap();
            assert_eq!(limits.max_size(), expected);
        }
    }
}
