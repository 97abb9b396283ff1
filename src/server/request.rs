//! One request on its way to the app and its answer on the way back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use pin_project_lite::pin_project;
use tracing::Span;

use super::activity::Activity;
use super::error::{BoxError, StreamError};
use super::incoming_body::IncomingBody;
use super::log_scope;
use super::open_requests::Target;
use super::rejection::{Refusal, Rejection};
use super::request_body::{BodyFacts, RequestBody};
use super::request_log::RequestLog;
use super::response::{self, UnsentResponse};
use super::response_body::ResponseBody;
use super::running::Running;
use crate::diagnostics::{events, panic_message};
use crate::features::{Connection, RequestBodyLimits};
use crate::pipeline::{LookUp, Responding};

/// Hands the requests of one connection to the app.
#[derive(Clone, Debug)]
pub(super) struct RequestService {
    connection: Connection,
    /// The log scope of the connection.
    scope: Span,
    activity: Activity,
    pipeline: LookUp,
}

impl RequestService {
    pub(super) fn new(connection: Connection, activity: Activity) -> Self {
        let scope = events::connection_scope(&connection.id());
        let pipeline = LookUp::of(activity.common().context().application());
        connection.completed_by(|| match &activity {
            Activity::Http1(http1) => Arc::clone(http1) as _,
            Activity::Http2(http2) => Arc::clone(http2) as _,
        });
        Self { connection, scope, activity, pipeline }
    }

    /// What is known of the connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Answers a request that the app is not to see, or resets its stream.
    pub(super) fn refuse(&self, refusal: Refusal) -> RequestFuture {
        let mut running = Running::begin(&self.activity);
        let counters = running.context().counters();
        let state = match refusal {
            Refusal::Answer(rejection) => {
                counters.count_rejection(rejection.reason);
                events::bad_request(&self.connection.id(), &rejection);
                State::Refused { rejection }
            }
            Refusal::Reset(error, why) => {
                // As on Kestrel, a request that is no request is not told of.
                counters.count_bad_request();
                running.reset(error, why);
                State::Reset { error }
            }
        };
        RequestFuture {
            state,
            scope: Span::none(),
            running: Some(running),
            method: Method::GET,
            target: None,
            upgradable: false,
            by_gate: false,
            old: None,
            body: None,
            log: None,
        }
    }

    /// Gives a request its body as the app gets it, with its limits.
    fn guard_body(
        &self,
        request: &mut Request<Body>,
        incoming: IncomingBody,
        number: u32,
    ) -> Arc<BodyFacts> {
        let limits = &self.activity.common().context().options().limits;
        let limits =
            RequestBodyLimits::new(limits.max_request_body_size, limits.min_request_body_data_rate);
        request.extensions_mut().insert(limits.clone());
        let activity = self.activity.clone();
        let facts = BodyFacts::new(limits, activity, number, request.version(), request.headers());
        *request.body_mut() = Body::new(RequestBody::new(incoming, Arc::clone(&facts)));
        // There is one limit, ours, not another one of the extractors.
        DefaultBodyLimit::disable().apply(request);
        facts
    }

    /// Hands a request to the app. Its body comes apart: to give a request another body moves all of
    /// it, twice. A request without one was made by the gate of its connection, which writes the answer's head, too,
    /// with what every answer has.
    pub(super) fn call(
        &self,
        mut request: Request<Body>,
        incoming: Option<IncomingBody>,
    ) -> RequestFuture {
        let mut running = Running::begin(&self.activity);
        let number = running.request();
        let scope = log_scope::of_request(&self.scope, &request, &self.connection, number);
        let entered = scope.enter();
        let pipeline = self.pipeline.current();
        let log = (events::requests_are_logged() && !pipeline.is_noise(&request))
            .then(|| Box::new(RequestLog::start(&request, &self.connection, scope.clone())));
        if events::kept_connections_are_logged() {
            let asked = request.version() != Version::HTTP_10 || keeps_alive(request.headers());
            let kept = asked && !has_token(request.headers(), "close");
            match &self.activity {
                Activity::Http1(_) => running.set_kept(kept),
                Activity::Http2(_) => {}
            }
        }
        let method = request.method().clone();
        let target = Target::of(request.uri());
        let upgradable = match &self.activity {
            Activity::Http1(http1) => http1.is_switchable() && asks_to_switch(request.headers()),
            Activity::Http2(_) => false,
        };
        let old = (request.version() == Version::HTTP_10).then(|| keeps_alive(request.headers()));
        request.extensions_mut().insert(self.connection.for_request(number));
        let by_gate = incoming.is_none();
        let body = incoming
            .filter(|incoming| !http_body::Body::is_end_stream(incoming))
            .map(|incoming| self.guard_body(&mut request, incoming, number));
        let future = pipeline.call(request);
        running.is_answered_by(pipeline);
        drop(entered);
        RequestFuture {
            state: State::App { future },
            scope,
            running: Some(running),
            method,
            target,
            upgradable,
            by_gate,
            old,
            body,
            log,
        }
    }
}

/// Whether a request asks to change to another protocol (RFC 9110 section 7.8).
fn asks_to_switch(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE) && has_token(headers, "upgrade")
}

/// Whether a request of HTTP/1.0 asks to keep the connection (RFC 9112 section 9.3).
fn keeps_alive(headers: &HeaderMap) -> bool {
    has_token(headers, "keep-alive") && !has_token(headers, "close")
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        let mut tokens = value.as_bytes().split(|byte| matches!(byte, b',' | b' ' | b'\t'));
        tokens.any(|one| one.eq_ignore_ascii_case(token.as_bytes()))
    })
}

pin_project! {
    /// The answer of the app, guarded and completed.
    pub(super) struct RequestFuture {
        #[pin]
        state: State,
        scope: Span,
        // Until the answer takes it.
        running: Option<Running>,
        method: Method,
        // Until it is known whether the answer takes time.
        target: Option<Target>,
        upgradable: bool,
        // It did not come by hyper.
        by_gate: bool,
        // Of a request of HTTP/1.0: whether it asks to keep the connection.
        old: Option<bool>,
        body: Option<Arc<BodyFacts>>,
        log: Option<Box<RequestLog>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State {
        App { #[pin] future: Responding },
        Refused { rejection: Rejection },
        Reset { error: StreamError },
    }
}

impl Future for RequestFuture {
    type Output = Result<Response<ResponseBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let entered = this.scope.enter();
        let mut prepared = None;
        let response = match this.state.project() {
            StateProjection::App { future } => {
                match catch_unwind(AssertUnwindSafe(|| future.poll_parts(cx))) {
                    Ok(Poll::Ready((response, head))) => {
                        prepared = head;
                        response
                    }
                    Ok(Poll::Pending) => {
                        if let Some(running) = this.running {
                            running.asked();
                            if let Some(target) = this.target.take() {
                                running.takes_time(this.method, target);
                            }
                        }
                        return Poll::Pending;
                    }
                    Err(panic) => {
                        if let Some(running) = this.running {
                            running.failed(panic_message(&*panic));
                        }
                        response::empty(StatusCode::INTERNAL_SERVER_ERROR)
                    }
                }
            }
            StateProjection::Refused { rejection } => match this.running {
                Some(running) => response::refusal(rejection.reason, running),
                None => response::empty(rejection.reason.status()),
            },
            StateProjection::Reset { error } => return Poll::Ready(Err((*error).into())),
        };
        drop(entered);
        let mut answer = UnsentResponse::new(response);
        if let Some(head) = prepared {
            let may_be_left = *this.by_gate && this.log.is_none();
            answer.prepare(head, may_be_left);
        }
        Poll::Ready(self.as_mut().finish(answer, cx))
    }
}

impl RequestFuture {
    /// Makes of the app's response what is sent.
    fn finish(
        self: Pin<&mut Self>,
        mut answer: UnsentResponse,
        cx: &mut TaskContext<'_>,
    ) -> Result<Response<ResponseBody>, BoxError> {
        let this = self.project();
        let _entered = this.scope.enter();
        let Some(mut running) = this.running.take() else {
            return Err("the answer was made twice".into());
        };
        let watched = running.common().completions().are_wanted();
        let given = watched.then(|| answer.status_and_body());
        answer.settle_outcome(this.body.as_deref(), &mut running)?;
        if answer.status().is_informational() {
            answer.judge_switch(*this.upgradable, &mut running);
        } else if *this.method == Method::CONNECT && answer.status().is_success() {
            answer.judge_tunnel(&mut running);
        } else {
            answer.judge_body(this.method, &mut running, cx)?;
        }
        if let Some(body) = this.body {
            answer.heed_request_body(body, &mut running);
        }
        if let Some(kept) = *this.old {
            answer.fit_http10(kept, this.method);
        }
        let shown = watched && running.common().completions().want_headers();
        if !*this.by_gate || shown || !answer.leave_headers(&running) {
            answer.add_headers(&running);
        }
        answer.complete(&running);
        if let Some(target) = this.target.take()
            && answer.takes_time(this.method)
        {
            running.takes_time(this.method, target);
        }
        if answer.may_last(this.method) {
            running.lasts();
        }
        // An answer of nobody's, to a client that broke its request off, is none.
        let abandoned = this.body.as_deref().is_some_and(BodyFacts::is_broken)
            && matches!(answer.status().as_u16(), 400 | 500);
        if let Some(log) = this.log.as_mut().filter(|_| !abandoned) {
            log.answered(answer.status(), answer.headers(), answer.content_length());
        }
        if let Some(given) = given.filter(|_| !abandoned) {
            answer.tell_head(given, &running);
        }
        Ok(answer.send(this.log.take(), running))
    }
}
