//! One request on its way to the app and its answer on the way back.

use std::any::Any;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::future::RouteFuture;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, SERVER, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::service::Service;
use pin_project_lite::pin_project;
use tower_service::Service as TowerService;
use tracing::Span;

use super::activity::{Activity, Cut, Note, Running};
use super::answer::{AnswerBody, Judgement, Promise};
use super::body::{BodyFacts, RequestBody};
use super::date;
use super::drain::{Phase, PhaseFlag};
use super::http2::check::{self, Refusal};
use super::rejection::{Reason, Rejection};
use super::scope;
use super::slot::Slot;
use crate::diagnostics::events::{self, RequestFacts};
use crate::features::{
    BadRequest, Connection, Outcome, RawTarget, RequestBodyLimits, RequestTarget, ResetStream,
    Unhandled,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// Hands the requests of one connection to the app.
#[derive(Debug)]
pub(super) struct RequestService {
    connection: Connection,
    phase: PhaseFlag,
    /// The log scope of the connection.
    scope: Span,
    activity: Arc<Activity>,
}

impl RequestService {
    pub(super) fn new(
        connection: Connection,
        phase: PhaseFlag,
        activity: Arc<Activity>,
    ) -> Self {
        let scope = events::connection_scope(&connection.id());
        Self { connection, phase, scope, activity }
    }

    /// The request as the app gets it.
    fn prepare(
        &self,
        mut request: Request<Incoming>,
        number: u32,
    ) -> (Request<Body>, Option<Arc<BodyFacts>>) {
        request.extensions_mut().insert(self.connection.clone());
        if http_body::Body::is_end_stream(request.body()) {
            return (request.map(|_| Body::empty()), None);
        }
        let (mut parts, incoming) = request.into_parts();
        let limits = &self.activity.context().options().limits;
        let limits =
            RequestBodyLimits::new(limits.max_request_body_size, limits.min_request_body_data_rate);
        parts.extensions.insert(limits.clone());
        let facts = BodyFacts::new(
            limits,
            Arc::clone(&self.activity),
            number,
            parts.version,
            &parts.headers,
        );
        let body = Body::new(RequestBody::new(incoming, Arc::clone(&facts)));
        let mut request = Request::from_parts(parts, body);
        // There is one limit, ours, not another one of the extractors.
        DefaultBodyLimit::disable().apply(&mut request);
        (request, Some(facts))
    }
}

impl Service<Request<Incoming>> for RequestService {
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = RequestFuture;

    fn call(&self, mut request: Request<Incoming>) -> RequestFuture {
        let running = Activity::begin(&self.activity);
        let number = running.request();
        let mut future = RequestFuture {
            state: State::Nothing,
            scope: Span::none(),
            running: Some(running),
            method: Method::GET,
            upgradable: false,
            old: None,
            body: None,
            log: None,
        };
        match self.activity.take_note() {
            None => {}
            Some(Note::RawTarget(target)) => {
                request.extensions_mut().insert(RawTarget(target));
            }
            Some(Note::Rejected(rejection)) => {
                events::bad_request(&self.connection.id(), &rejection);
                future.state = State::Refused { rejection };
                return future;
            }
        }
        if !self.activity.is_http1() {
            let options = self.activity.context().options();
            match check::check(&mut request, options, self.connection.scheme()) {
                Ok(()) => {}
                Err(Refusal::Reset(reason, why)) => {
                    // As on Kestrel, a request that is no request is not told of.
                    if let Some(running) = &mut future.running {
                        running.reset(reason, why);
                    }
                    future.state = State::Reset { reason };
                    return future;
                }
                Err(Refusal::Status(status)) => {
                    future.state = State::Answered { status };
                    return future;
                }
            }
        }
        future.scope = scope::of_request(&self.scope, &request, &self.connection, number);
        let entered = future.scope.enter();
        if events::requests_are_logged() {
            let (phase, scope) = (self.phase.clone(), future.scope.clone());
            future.log =
                Some(Box::new(RequestLog::start(&request, &self.connection, phase, scope)));
        }
        future.method = request.method().clone();
        future.upgradable = is_upgradable(&request);
        if request.version() == Version::HTTP_10 {
            future.old = Some(keeps_alive(request.headers()));
        }
        let (request, body) = self.prepare(request, number);
        future.body = body;
        future.state = State::App { future: self.activity.context().app().clone().call(request) };
        drop(entered);
        future
    }
}

/// Whether a request asks for an upgrade, as far as it may: with a body it is an ordinary one.
fn is_upgradable(request: &Request<Incoming>) -> bool {
    // hyper leaves a mark where it could hand the connection over.
    !request.extensions().is_empty()
        && request.headers().contains_key(UPGRADE)
        && request.version() == Version::HTTP_11
        && http_body::Body::is_end_stream(request.body())
        && has_token(request.headers(), "upgrade")
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
        upgradable: bool,
        // Of a request of HTTP/1.0: whether it asks to keep the connection.
        old: Option<bool>,
        body: Option<Arc<BodyFacts>>,
        log: Option<Box<RequestLog>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State {
        App { #[pin] future: RouteFuture<std::convert::Infallible> },
        // By the gate of HTTP/1, by a check of HTTP/2.
        Refused { rejection: Rejection },
        Answered { status: StatusCode },
        Reset { reason: h2::Reason },
        // Only until there is one of the others.
        Nothing,
    }
}

impl Future for RequestFuture {
    type Output = Result<Response<AnswerBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let entered = this.scope.enter();
        let response = match this.state.project() {
            StateProjection::App { future } => {
                match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                    Ok(poll) => match ready!(poll) {
                        Ok(response) => response,
                        Err(never) => match never {},
                    },
                    Err(panic) => {
                        if let Some(running) = this.running {
                            running.failed(panic_message(&*panic));
                        }
                        empty(StatusCode::INTERNAL_SERVER_ERROR)
                    }
                }
            }
            StateProjection::Refused { rejection } => refusal(rejection.reason),
            StateProjection::Answered { status } => empty(*status),
            StateProjection::Reset { reason } => {
                return Poll::Ready(Err(h2::Error::from(*reason).into()));
            }
            StateProjection::Nothing => empty(StatusCode::INTERNAL_SERVER_ERROR),
        };
        drop(entered);
        Poll::Ready(self.as_mut().finish(response, cx))
    }
}

impl RequestFuture {
    /// Makes of the app's response what is sent.
    fn finish(
        self: Pin<&mut Self>,
        mut response: Response<Body>,
        cx: &mut TaskContext<'_>,
    ) -> Result<Response<AnswerBody>, BoxError> {
        let this = self.project();
        let _entered = this.scope.enter();
        let Some(mut running) = this.running.take() else {
            return Err("the answer was made twice".into());
        };
        let activity = running.activity();
        let http1 = activity.is_http1();
        if !response.extensions().is_empty()
            && let Some(outcome) = response.extensions_mut().remove::<Outcome>()
        {
            response = match outcome {
                Outcome::Failed(failure) => failed(&failure, &running),
                Outcome::Aborted => {
                    events::application_aborted(&activity.id(), running.request());
                    return Err(abort(&mut running, h2::Reason::INTERNAL_ERROR));
                }
                Outcome::Reset(ResetStream(code)) => {
                    return Err(abort(&mut running, code.into()));
                }
            };
        }
        let mut left = None;
        let mut first = None;
        let mut tunnel = false;
        let mut broken = false;
        if response.status().is_informational() {
            response = match response.status() {
                StatusCode::SWITCHING_PROTOCOLS if !*this.upgradable => {
                    not_upgraded("Cannot upgrade a non-upgradable request.", &running)
                }
                StatusCode::SWITCHING_PROTOCOLS => upgraded(response, &running),
                status => {
                    not_upgraded(&format!("{} is no final status.", status.as_u16()), &running)
                }
            };
        } else if http1 && *this.method == Method::CONNECT && response.status().is_success() {
            // It is a tunnel from here on (RFC 9110 section 9.3.6).
            response = upgraded(response, &running);
        } else {
            let mut promise = Promise::of(&response, this.method, http1);
            if !http1 {
                promise.strip(response.headers_mut());
                tunnel = *this.method == Method::CONNECT && promise.status.is_success();
            }
            let judgement = match response.body().size_hint().exact() {
                Some(bytes) => promise.judge(bytes, true),
                None => match poll_first(&mut response, cx) {
                    None => promise.judge(0, false),
                    Some(Ok(frame)) => {
                        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                        first = Some(frame);
                        promise.judge(bytes, false)
                    }
                    Some(Err(Some(error))) => Judgement::Fail(error.to_string()),
                    Some(Err(None)) => {
                        *response.body_mut() = Body::empty();
                        promise.judge(0, true)
                    }
                },
            };
            match judgement {
                Judgement::Send { left: rest } => {
                    left = rest;
                    if promise.head && promise.length == Some(0) && !promise.status.is_server_error() {
                        // What a GET would have is not known, only that this has no body.
                        response.headers_mut().remove(CONTENT_LENGTH);
                    }
                    if http1 && promise.status == StatusCode::NOT_MODIFIED {
                        // A length is told without a body (RFC 9110 section 15.4.5); hyper takes
                        // it out of an answer whose body is known to be empty.
                        left = promise.length;
                    }
                }
                Judgement::SendHead => {
                    if !promise.head {
                        running.failed(&format!(
                            "Writing to the response body is invalid for responses with status code {}.",
                            promise.status.as_u16()
                        ));
                        activity.end();
                    }
                    first = None;
                    *response.body_mut() = Body::empty();
                    if promise.status != StatusCode::NOT_MODIFIED {
                        response.headers_mut().remove(CONTENT_LENGTH);
                    }
                }
                Judgement::Fail(error) => {
                    running.failed(&error);
                    let too_much = first.take().is_some();
                    response = empty(StatusCode::INTERNAL_SERVER_ERROR);
                    if too_much && http1 {
                        close(&mut response);
                    }
                }
            }
        }
        if let Some(body) = this.body {
            if let Some(failure) = body.failure() {
                // What an extractor makes of it is a 400 at best.
                if matches!(response.status().as_u16(), 400 | 500) {
                    *response.status_mut() = failure.status();
                }
            }
            if body.ends_connection() && http1 {
                close(&mut response);
            }
            broken = body.is_broken();
        }
        if let Some(kept) = *this.old {
            // The end of such a body is that of the connection.
            let endless = first.is_some() || response.body().size_hint().exact().is_none();
            let framed = response.headers().contains_key(CONTENT_LENGTH);
            if !kept || endless && !framed && *this.method != Method::HEAD {
                response.headers_mut().entry(CONNECTION).or_insert(CLOSE);
                // Or hyper would promise to keep the connection besides.
                *response.version_mut() = Version::HTTP_10;
            }
        }
        if response.status().canonical_reason().is_none() && http1 {
            // hyper writes `<none>` otherwise; an app may have set its own.
            let extensions = response.extensions_mut();
            if extensions.get::<ReasonPhrase>().is_none() {
                extensions.insert(ReasonPhrase::from_static(b""));
            }
        }
        complete(response.headers_mut(), activity.context().options().add_server_header);
        if tunnel {
            running.become_tunnel();
        }
        if broken {
            running.aborted();
        }
        let finish = this.log.take().map(|log| log.finish(&response));
        Ok(response.map(|body| AnswerBody::new(body, first, left, finish, running)))
    }
}

/// The first frame of a body, if it is here already: what is wrong with it can still be told.
/// `None` is a body that has to be waited for; an error without an error is one that is empty.
#[expect(clippy::type_complexity, reason = "it is taken apart where it is made")]
fn poll_first(
    response: &mut Response<Body>,
    cx: &mut TaskContext<'_>,
) -> Option<Result<Frame<bytes::Bytes>, Option<axum::Error>>> {
    match Pin::new(response.body_mut()).poll_frame(cx) {
        Poll::Pending => None,
        Poll::Ready(Some(Ok(frame))) => Some(Ok(frame)),
        Poll::Ready(Some(Err(error))) => Some(Err(Some(error))),
        Poll::Ready(None) => Some(Err(None)),
    }
}

/// The answer to an error the app does not handle.
fn failed(failure: &Unhandled, running: &Running) -> Response<Body> {
    let error = failure.error();
    running.failed(&error.to_string());
    match BadRequest::of(error) {
        None => empty(StatusCode::INTERNAL_SERVER_ERROR),
        Some(bad) => {
            let mut response = empty(bad.status());
            if running.activity().is_http1() {
                close(&mut response);
            }
            response
        }
    }
}

/// Cuts the connection of HTTP/1.1, or resets the stream of HTTP/2.
fn abort(running: &mut Running, reason: h2::Reason) -> BoxError {
    if running.activity().is_http1() {
        running.activity().cut(Cut::Aborted);
    } else {
        running.reset(reason, "The application aborted the stream.");
    }
    h2::Error::from(reason).into()
}

/// The answer that ends HTTP on its connection, if one more may.
fn upgraded(response: Response<Body>, running: &Running) -> Response<Body> {
    let context = running.activity().context();
    let limit = context.options().limits.max_concurrent_upgraded_connections;
    match Slot::take(context.upgraded(), limit) {
        Some(slot) => {
            running.activity().upgrade(Some(slot));
            response
        }
        None => not_upgraded(
            "Request cannot be upgraded because the server has already opened the maximum number of upgraded connections.",
            running,
        ),
    }
}

fn not_upgraded(problem: &str, running: &Running) -> Response<Body> {
    running.failed(problem);
    empty(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The fixed answer to a request that is not served.
fn refusal(reason: Reason) -> Response<Body> {
    let mut response = empty(reason.status());
    close(&mut response);
    if let Some(method) = reason.allow() {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    }
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

fn close(response: &mut Response<Body>) {
    response.headers_mut().insert(CONNECTION, CLOSE);
}

/// Adds the headers every answer has, unless the app set its own.
fn complete(headers: &mut HeaderMap, add_server_header: bool) {
    headers.entry(DATE).or_insert_with(date::header_value);
    if add_server_header {
        headers.entry(SERVER).or_insert(HeaderValue::from_static("Kestrel"));
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the app panicked")
}

/// The two log lines of a request. Only made where they are wanted.
#[derive(Debug)]
struct RequestLog {
    facts: RequestFacts,
    started: Instant,
    head: bool,
    phase: PhaseFlag,
    scope: Span,
}

impl RequestLog {
    fn start(
        request: &Request<Incoming>,
        connection: &Connection,
        phase: PhaseFlag,
        scope: Span,
    ) -> Self {
        let target = RequestTarget::of(request);
        let facts = RequestFacts {
            protocol: protocol_name(request.version()),
            method: request.method().as_str().to_owned(),
            scheme: connection.scheme().as_str(),
            host: target.host().to_owned(),
            path: target.path(),
            query: target.query().to_owned(),
        };
        let headers = request.headers();
        events::request_starting(&facts, text(headers, &CONTENT_TYPE), content_length(headers));
        Self {
            facts,
            started: Instant::now(),
            head: request.method() == Method::HEAD,
            phase,
            scope,
        }
    }

    /// What tells that the request is finished, once the body of its answer is out.
    fn finish(self: Box<Self>, response: &Response<Body>) -> Box<Finish> {
        let headers = response.headers();
        Box::new(Finish {
            status: response.status().as_u16(),
            content_type: text(headers, &CONTENT_TYPE).map(str::to_owned),
            content_length: content_length(headers),
            complete: self.head,
            log: self,
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

fn protocol_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

/// Writes the line when it is dropped: hyper drops the body once the answer is out.
#[derive(Debug)]
pub(super) struct Finish {
    status: u16,
    content_type: Option<String>,
    content_length: Option<u64>,
    complete: bool,
    log: Box<RequestLog>,
}

impl Finish {
    /// The body went out to its end.
    pub(super) fn completed(&mut self) {
        self.complete = true;
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        // As on Kestrel, a request that the stop cut off has no second line.
        if self.complete || self.log.phase.get() != Phase::Aborting {
            let _entered = self.log.scope.enter();
            let elapsed = self.log.started.elapsed();
            let content_type = self.content_type.as_deref();
            events::request_finished(
                &self.log.facts,
                self.status,
                content_type,
                self.content_length,
                elapsed,
            );
        }
    }
}
