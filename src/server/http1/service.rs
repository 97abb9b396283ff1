//! The requests of HTTP/1 on their way from hyper to the app.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;

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
}

impl Service {
    pub(in crate::server) fn new(connection: Connection, activity: Arc<Http1Activity>) -> Self {
        let requests = RequestService::new(connection, Activity::Http1(Arc::clone(&activity)));
        Self { requests, activity }
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
    type Future = RequestFuture;

    fn call(&self, request: Request<Incoming>) -> RequestFuture {
        let (parts, body) = request.into_parts();
        let mut request = Request::from_parts(parts, Body::empty());
        match self.activity.take_note() {
            None => {}
            Some(Note::RawTarget(target)) => {
                request.extensions_mut().insert(RawTarget(target));
            }
            Some(Note::Rejected(rejection)) => {
                return self.requests.refuse(Refusal::Answer(rejection));
            }
        }
        // The gate has judged trailers.
        self.requests.call(request, IncomingBody::new(body, |_| None))
    }
}
