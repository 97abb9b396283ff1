//! One request on its way to the app and its answer on the way back.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::routing::future::RouteFuture;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, SERVER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use pin_project_lite::pin_project;
use tower_service::Service as TowerService;
use tracing::Span;

use super::activity::{Activity, Running};
use super::connection::Context;
use super::date;
use super::drain::{Phase, PhaseFlag};
use super::http2::check::{self, Refusal};
use super::scope;
use crate::diagnostics::events::{self, RequestFacts};
use crate::features::{Connection, ConnectionId, decoded_path};

/// Hands the requests of one connection to the app.
#[derive(Debug)]
pub(super) struct RequestService {
    connection: Connection,
    context: Arc<Context>,
    phase: PhaseFlag,
    /// The log scope of the connection.
    scope: Span,
    activity: Arc<Activity>,
}

impl RequestService {
    pub(super) fn new(
        connection: Connection,
        context: Arc<Context>,
        phase: PhaseFlag,
        activity: Arc<Activity>,
    ) -> Self {
        let scope = events::connection_scope(&connection.id());
        Self { connection, context, phase, scope, activity }
    }

    /// The answer to a request that the app is not to see, if this is one.
    fn refuse(&self, request: &Request<Incoming>) -> Option<StatusCode> {
        let limits = &self.context.options().limits;
        let target = request.uri();
        // Method, blank, target, blank, version, line end. The target as hyper keeps it has lost
        // nothing but a fragment, which no request line may have.
        let authority = target.authority().map_or(0, |authority| authority.as_str().len());
        let scheme = target.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
        let path = target.path_and_query().map_or(0, |path| path.as_str().len());
        let line =
            request.method().as_str().len() + scheme + authority + path + " HTTP/1.1 \r\n".len();
        (line > limits.max_request_line_size).then_some(StatusCode::URI_TOO_LONG)
    }
}

impl Service<Request<Incoming>> for RequestService {
    type Response = Response<AnswerBody>;
    /// The stream of the request is reset; only on HTTP/2.
    type Error = h2::Error;
    type Future = RequestFuture;

    fn call(&self, mut request: Request<Incoming>) -> RequestFuture {
        let (running, number) = Activity::begin(&self.activity);
        let scope = scope::of_request(&self.scope, &request, &self.connection, number);
        let entered = scope.enter();
        let http2 = request.version() == Version::HTTP_2;
        let refusal = if http2 {
            let (options, scheme) = (self.context.options(), self.connection.scheme());
            check::check(&mut request, options, scheme).err()
        } else {
            self.refuse(&request).map(Refusal::Status)
        };
        if let Some(Refusal::Reset(_, why)) = refusal {
            events::http2_stream_refused(&self.connection.id(), number, why);
        }
        // As on Kestrel, a request that is no request is not told of.
        let told = !matches!(refusal, Some(Refusal::Reset(..)));
        let log = (told && events::requests_are_logged()).then(|| {
            let phase = self.phase.clone();
            Box::new(RequestLog::start(&request, &self.connection, phase, scope.clone()))
        });
        let state = match refusal {
            Some(refusal) => State::Refused { refusal, closes: !http2 },
            None => {
                request.extensions_mut().insert(self.connection.clone());
                State::App { future: self.context.app().clone().call(request) }
            }
        };
        drop(entered);
        RequestFuture {
            state,
            scope,
            running: Some(running),
            number,
            connection: self.connection.id(),
            add_server_header: self.context.options().add_server_header,
            log,
        }
    }
}

pin_project! {
    /// The answer of the app, guarded and completed.
    pub(super) struct RequestFuture {
        #[pin]
        state: State,
        scope: Span,
        running: Option<Running>,
        number: u32,
        connection: ConnectionId,
        add_server_header: bool,
        log: Option<Box<RequestLog>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State {
        App { #[pin] future: RouteFuture<Infallible> },
        Refused { refusal: Refusal, closes: bool },
    }
}

impl Future for RequestFuture {
    type Output = Result<Response<AnswerBody>, h2::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.scope.enter();
        let mut response = match this.state.project() {
            StateProjection::App { future } => {
                match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                    Ok(poll) => match ready!(poll) {
                        Ok(response) => response,
                        Err(never) => match never {},
                    },
                    Err(panic) => {
                        let id = this.connection;
                        let request_id = format!("{id}:{:08X}", this.number);
                        events::application_failed(id, &request_id, panic_message(&*panic));
                        empty(StatusCode::INTERNAL_SERVER_ERROR)
                    }
                }
            }
            StateProjection::Refused { refusal: Refusal::Reset(reason, _), .. } => {
                return Poll::Ready(Err((*reason).into()));
            }
            StateProjection::Refused { refusal: Refusal::Status(status), closes } => {
                let mut response = empty(*status);
                if *closes {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                response
            }
        };
        complete(response.headers_mut(), *this.add_server_header);
        let finish = this.log.take().map(|log| log.finish(&response));
        let running = this.running.take();
        Poll::Ready(Ok(response.map(|body| AnswerBody { body, finish, running })))
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
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
        let target = request.uri();
        let host = match target.authority() {
            Some(authority) => authority.as_str().to_owned(),
            None => text(request.headers(), &HOST).unwrap_or_default().to_owned(),
        };
        let facts = RequestFacts {
            protocol: protocol_name(request.version()),
            method: request.method().as_str().to_owned(),
            scheme: connection.scheme().as_str(),
            host,
            path: decoded_path(target.path()),
            query: target.query().map(|query| format!("?{query}")).unwrap_or_default(),
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
struct Finish {
    status: u16,
    content_type: Option<String>,
    content_length: Option<u64>,
    complete: bool,
    log: Box<RequestLog>,
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

pin_project! {
    /// The body of an answer; when hyper drops it, the answer is out.
    pub(super) struct AnswerBody {
        #[pin]
        body: Body,
        finish: Option<Box<Finish>>,
        running: Option<Running>,
    }
}

impl http_body::Body for AnswerBody {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let (None, Some(finish)) = (&frame, this.finish) {
            finish.complete = true;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
