//! What answers requests in the end.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::future::RouteFuture;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::file_part::FilePart;
use super::prepared_head::PreparedHead;

/// A request as stages and apps get it.
pub(crate) type Request = http::Request<Body>;

/// An answer as stages and apps give it.
pub(crate) type Response = http::Response<Body>;

/// Answers requests, with as little between the server and itself as there can be.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers a request, at once or later.
    fn call(&self, request: Request) -> Answering;
}

/// An answer, or the way to it.
pub(crate) enum Answering {
    /// It is here.
    Ready(Response),
    /// It takes time.
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Answering {
    /// An answer that takes time.
    pub(crate) fn later(answer: impl Future<Output = Response> + Send + 'static) -> Self {
        Self::Later(Box::pin(answer))
    }
}

/// What answers requests: a router, or anything else.
#[derive(Clone)]
pub(crate) enum Responder {
    /// Called as axum calls it, without another box around its future.
    Router(Router),
    /// Anything else.
    Handler(Arc<dyn Handler>),
}

impl Responder {
    /// A router whose handlers are made into services now, and not again for every request.
    pub(crate) fn router(router: Router) -> Self {
        Self::Router(router.with_state(()))
    }

    /// A service of tower's.
    pub(crate) fn service<S>(service: S) -> Self
    where
        S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        Self::Handler(Arc::new(OfService(service)))
    }

    #[inline]
    pub(super) fn call(&self, request: Request) -> Responding {
        match self {
            Self::Router(router) => Responding::Router { future: router.clone().call(request) },
            Self::Handler(handler) => Responding::guarded(|| handler.call(request).into()),
        }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Router(_) => "Router",
            Self::Handler(_) => "Handler",
        })
    }
}

/// A service of tower's as a handler.
struct OfService<S>(S);

impl<S> Handler for OfService<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    fn call(&self, request: Request) -> Answering {
        let mut service = self.0.clone();
        Answering::later(async move {
            let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
            let Ok(response) = service.call(request).await;
            response.into_response()
        })
    }
}

pin_project! {
    /// The answer of a responder on its way.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on makes them"))]
    #[project = RespondingProjection]
    pub(crate) enum Responding {
        Router { #[pin] future: RouteFuture<Infallible> },
        Ready { response: Option<Response> },
        Prepared { prepared: Option<Prepared> },
        Later { future: Pin<Box<dyn Future<Output = Response> + Send>> },
        LaterParts { future: Pin<Box<dyn Future<Output = AnswerParts> + Send>> },
        Panicked { panic: Option<Box<dyn Any + Send>> },
    }
}

/// An answer, and headers that were made before and are not in it, if there are any.
pub(crate) type AnswerParts = (Response, Option<Arc<PreparedHead>>);

/// An answer with the headers that were made before.
fn whole((mut response, head): AnswerParts) -> Response {
    if let Some(head) = head {
        head.put_into(response.headers_mut());
    }
    response
}

/// An answer that is here, all but its headers, which were made before.
pub(crate) struct Prepared {
    pub(super) response: Response,
    head: Arc<PreparedHead>,
}

impl Prepared {
    /// The answer with its headers.
    pub(super) fn whole(self) -> Response {
        whole((self.response, Some(self.head)))
    }
}

impl Responding {
    /// What `begin` gives. A panic in it becomes one of the first poll, which the server is prepared
    /// for. (A router does nothing before it is polled.)
    pub(super) fn guarded(begin: impl FnOnce() -> Self) -> Self {
        catch_unwind(AssertUnwindSafe(begin))
            .unwrap_or_else(|panic| Self::Panicked { panic: Some(panic) })
    }

    /// The answer, or the panic that came in its place.
    pub(crate) async fn caught(self) -> Result<Response, Box<dyn Any + Send>> {
        let mut responding = std::pin::pin!(self);
        poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| responding.as_mut().poll(cx)));
            match polled {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(response)) => Poll::Ready(Ok(response)),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        })
        .await
    }

    /// An answer that takes time.
    pub(crate) fn later(answer: impl Future<Output = Response> + Send + 'static) -> Self {
        Self::Later { future: Box::pin(answer) }
    }

    /// An answer that takes time, and may lack headers that were made before.
    #[cfg_attr(
        not(feature = "proxy"),
        allow(dead_code, reason = "who hands requests on makes them")
    )]
    pub(crate) fn later_parts(answer: impl Future<Output = AnswerParts> + Send + 'static) -> Self {
        Self::LaterParts { future: Box::pin(answer) }
    }

    /// An answer that is here, and lacks the headers that were prepared for it.
    pub(crate) fn prepared(response: Response, head: Arc<PreparedHead>) -> Self {
        Self::Prepared { prepared: Some(Prepared { response, head }) }
    }

    /// The answer, for somebody who can do without the headers that were prepared for it.
    pub(crate) fn poll_parts(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<AnswerParts> {
        match self.project() {
            RespondingProjection::Prepared { prepared } => match prepared.take() {
                Some(Prepared { response, head }) => Poll::Ready((response, Some(head))),
                None => Poll::Pending,
            },
            RespondingProjection::LaterParts { future } => future.as_mut().poll(cx),
            this => this.poll_whole(cx).map(|response| (response, None)),
        }
    }

    /// The same answer, whose body is to be read. (No router knows of files.)
    pub(super) fn without_file(self) -> Self {
        match self {
            Self::Ready { response: Some(mut response) } => {
                FilePart::take(&mut response);
                Self::Ready { response: Some(response) }
            }
            Self::Prepared { prepared: Some(mut prepared) } => {
                FilePart::take(&mut prepared.response);
                Self::Prepared { prepared: Some(prepared) }
            }
            Self::Later { future } => Self::later(async {
                let mut response = future.await;
                FilePart::take(&mut response);
                response
            }),
            other => other,
        }
    }
}

impl From<Answering> for Responding {
    fn from(answering: Answering) -> Self {
        match answering {
            Answering::Ready(response) => Self::Ready { response: Some(response) },
            Answering::Later(future) => Self::Later { future },
        }
    }
}

impl Future for Responding {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        self.project().poll_whole(cx)
    }
}

impl RespondingProjection<'_> {
    fn poll_whole(self, cx: &mut Context<'_>) -> Poll<Response> {
        match self {
            Self::Router { future } => future.poll(cx).map(|answer| {
                let Ok(response) = answer;
                response
            }),
            Self::Ready { response } => response.take().map_or(Poll::Pending, Poll::Ready),
            Self::Prepared { prepared } => {
                prepared.take().map_or(Poll::Pending, |prepared| Poll::Ready(prepared.whole()))
            }
            Self::Later { future } => future.as_mut().poll(cx),
            Self::LaterParts { future } => future.as_mut().poll(cx).map(whole),
            Self::Panicked { panic } => match panic.take() {
                Some(panic) => resume_unwind(panic),
                None => Poll::Pending,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// A handler that fails before it gives an answer.
    struct Panics;

    impl Handler for Panics {
        fn call(&self, _: Request) -> Answering {
            panic!("this one is for the test");
        }
    }

    #[tokio::test]
    async fn a_panic_before_there_is_an_answer_comes_when_it_is_waited_for() {
        let responding = Responder::Handler(Arc::new(Panics)).call(Request::new(Body::empty()));
        let polled = tokio::spawn(responding).await;
        assert!(polled.is_err_and(|error| error.is_panic()));
    }
}
