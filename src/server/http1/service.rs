//! The requests of HTTP/1 on their way from hyper to the app.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use super::answerer::Answerer;
use super::handover::{Answer, Handover};
use crate::features::{Connection, RawTarget};
use crate::server::activity::{Activity, Http1Activity, Note};
use crate::server::error::BoxError;
use crate::server::incoming_body::IncomingBody;
use crate::server::rejection::Refusal;
use crate::server::request::{RequestFuture, RequestService};
use crate::server::response_body::ResponseBody;

/// What hyper hands the requests of a connection to.
#[derive(Clone, Debug)]
pub(in crate::server) struct Service {
    requests: RequestService,
    activity: Arc<Http1Activity>,
    handover: Arc<Handover>,
}

impl Service {
    pub(in crate::server) fn new(connection: Connection, activity: Arc<Http1Activity>) -> Self {
        let requests = RequestService::new(connection, Activity::Http1(Arc::clone(&activity)));
        Self { requests, activity, handover: Handover::new() }
    }

    /// What answers requests of the connection without hyper.
    pub(super) fn answerer(&self) -> Answerer {
        Answerer::new(self.requests.clone(), Arc::clone(&self.handover))
    }

    #[cfg(test)]
    pub(super) fn handover(&self) -> &Handover {
        &self.handover
    }

    /// What is known of the connection.
    pub(super) fn connection(&self) -> &Connection {
        self.requests.connection()
    }

    /// What the connection is at.
    pub(super) fn activity(&self) -> &Arc<Http1Activity> {
        &self.activity
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (parts, body) = request.into_parts();
        let mut request = Request::from_parts(parts, Body::empty());
        match self.activity.take_note() {
            None => {}
            Some(Note::RawTarget(target)) => {
                request.extensions_mut().insert(RawTarget(target));
            }
            Some(Note::Rejected(rejection)) => {
                let future = self.requests.refuse(Refusal::Answer(rejection));
                return Answering::Asked { future };
            }
            Some(Note::Answered) => {
                return Answering::Answered { answer: self.handover.take() };
            }
        }
        // The gate has judged trailers.
        let body = IncomingBody::new(body, |_| None);
        Answering::Asked { future: self.requests.call(request, Some(body)) }
    }
}

pin_project! {
    /// The answer to a request on its way.
    #[allow(clippy::large_enum_variant, reason = "most of them are the large one")]
    #[project = AnsweringProjection]
    pub(in crate::server) enum Answering {
        Asked { #[pin] future: RequestFuture },
        Answered { answer: Option<Answer> },
    }
}

impl Future for Answering {
    type Output = Result<Response<ResponseBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Asked { future } => future.poll(cx),
            AnsweringProjection::Answered { answer } => {
                Poll::Ready(answer.take().unwrap_or_else(|| Err("it was answered before".into())))
            }
        }
    }
}
