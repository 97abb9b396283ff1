//! The requests of HTTP/2 on their way from hyper to the app, and their answers on the way back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body as AppBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use super::frame::Code;
use super::request_rules::{self, KnownHost};
use crate::features::Connection;
use crate::server::activity::{Activity, Http2Activity};
use crate::server::error::{BoxError, StreamError};
use crate::server::incoming_body::IncomingBody;
use crate::server::request::{RequestFuture, RequestService};
use crate::server::response_body::ResponseBody;

/// What hyper hands the requests of a connection to.
#[derive(Debug)]
pub(in crate::server) struct Service {
    requests: RequestService,
    activity: Arc<Http2Activity>,
    known_host: KnownHost,
}

impl Service {
    pub(in crate::server) fn new(connection: Connection, activity: Arc<Http2Activity>) -> Self {
        let requests = RequestService::new(connection, Activity::Http2(Arc::clone(&activity)));
        Self { requests, activity, known_host: KnownHost::default() }
    }

    /// What the connection is at.
    pub(super) fn activity(&self) -> &Arc<Http2Activity> {
        &self.activity
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<CodedBody>;
    type Error = BoxError;
    type Future = CodedFuture;

    fn call(&self, request: Request<Incoming>) -> CodedFuture {
        let (parts, body) = request.into_parts();
        let mut request = Request::from_parts(parts, AppBody::empty());
        let options = self.activity.context().options();
        let scheme = self.requests.connection().scheme();
        let future = match request_rules::check(&mut request, options, scheme, &self.known_host) {
            Ok(()) => {
                let body = IncomingBody::new(body, request_rules::excess);
                self.requests.call(request, Some(body))
            }
            Err(refusal) => self.requests.refuse(refusal),
        };
        CodedFuture { future }
    }
}

pin_project! {
    /// The answer, with errors as hyper's library knows them.
    pub(in crate::server) struct CodedFuture {
        #[pin]
        future: RequestFuture,
    }
}

impl Future for CodedFuture {
    type Output = Result<Response<CodedBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().future.poll(cx)) {
            Ok(response) => Ok(response.map(|body| CodedBody { body })),
            Err(error) => Err(for_library(error)),
        })
    }
}

pin_project! {
    /// The body of an answer, with errors as hyper's library knows them.
    pub(in crate::server) struct CodedBody {
        #[pin]
        body: ResponseBody,
    }
}

impl Body for CodedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(cx).map_err(for_library)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An error that says with which code the stream is to be reset, if we know one.
fn for_library(error: BoxError) -> BoxError {
    match error.downcast::<StreamError>() {
        Ok(error) => h2::Error::from(h2::Reason::from(Code::from(*error).0)).into(),
        Err(error) => error,
    }
}
