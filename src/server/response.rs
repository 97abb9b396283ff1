//! The answer of the app before it is sent: whether it can be sent as it is, and what it lacks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRANSFER_ENCODING, UPGRADE};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use http_body::{Body as _, Frame};
use hyper::ext::ReasonPhrase;

use super::activity::Activity;
use super::date;
use super::error::{BoxError, StreamError};
use super::promise::{Judgement, Promise};
use super::rejection::Reason;
use super::request_body::BodyFacts;
use super::request_log::RequestLog;
use super::response_body::{self, Guard, Left, ResponseBody};
use super::running::Running;
use super::sent_file::SentFile;
use super::slot::Slot;
use crate::diagnostics::events;
use crate::features::{BadRequest, HeadersOfFailure, Outcome, ResetStream, SentHead, Unhandled};
use crate::pipeline::{FilePart, PreparedHead};

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// An answer that is not sent yet.
#[derive(Debug)]
pub(super) struct UnsentResponse {
    parts: Parts,
    body: Body,
    guard: Option<Box<Guard>>,
    /// Headers that were made before, and are not in it yet.
    prepared: Option<Arc<PreparedHead>>,
    left: Left,
}

impl UnsentResponse {
    pub(super) fn new(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self { parts, body, guard: None, prepared: None, left: Left::Nothing }
    }

    /// These are its headers, which may be left to whoever writes the head.
    pub(super) fn prepare(&mut self, head: Arc<PreparedHead>, may_be_left: bool) {
        match may_be_left {
            true => self.prepared = Some(head),
            false => head.put_into(&mut self.parts.headers),
        }
    }

    /// Its status, and whether it has a body.
    pub(super) fn status_and_body(&self) -> (StatusCode, bool) {
        (self.status(), !self.body.is_end_stream())
    }

    pub(super) fn status(&self) -> StatusCode {
        self.parts.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The length that its head tells: hyper adds one that is known.
    pub(super) fn content_length(&self) -> Option<u64> {
        let length = self.parts.headers.get(CONTENT_LENGTH);
        match length.map(|length| length.to_str().ok()?.parse().ok()) {
            Some(told) => told,
            None if self.guard.is_some() || self.status().is_informational() => None,
            None if matches!(self.status().as_u16(), 204 | 205 | 304) => None,
            None => self.body.size_hint().exact(),
        }
    }

    /// Does what the app wants instead of an answer.
    ///
    /// # Errors
    ///
    /// There is to be none.
    pub(super) fn settle_outcome(
        &mut self,
        body: Option<&BodyFacts>,
        running: &mut Running,
    ) -> Result<(), BoxError> {
        if self.parts.extensions.is_empty() {
            return Ok(());
        }
        match self.parts.extensions.remove::<Outcome>() {
            None => Ok(()),
            Some(Outcome::Failed(failure)) => {
                let kept = self.parts.extensions.remove::<HeadersOfFailure>();
                *self = Self::new(to_failure(&failure, body, running));
                self.parts.headers.extend(kept.map(|kept| kept.0).unwrap_or_default());
                Ok(())
            }
            Some(Outcome::Aborted) => {
                events::application_aborted(&running.id(), running.request());
                Err(abort(running, StreamError::Internal))
            }
            Some(Outcome::Reset(ResetStream(code))) => Err(abort(running, StreamError::App(code))),
        }
    }

    /// Judges an answer that is none yet: only a change of the protocol can be one.
    pub(super) fn judge_switch(&mut self, upgradable: bool, running: &mut Running) {
        match self.status() {
            StatusCode::SWITCHING_PROTOCOLS if upgradable => self.upgrade(running),
            StatusCode::SWITCHING_PROTOCOLS => {
                self.fail(running, "Cannot upgrade a non-upgradable request.");
            }
            status => self.fail(running, &format!("{} is no final status.", status.as_u16())),
        }
    }

    /// Judges an answer behind which the connection of HTTP/1, the stream of HTTP/2, is a tunnel
    /// (RFC 9110 section 9.3.6).
    pub(super) fn judge_tunnel(&mut self, running: &mut Running) {
        match running.activity() {
            Activity::Http1(_) => self.upgrade(running),
            Activity::Http2(_) => {
                self.strip_connection_headers(running);
                running.become_tunnel();
            }
        }
    }

    /// Ends HTTP on the connection, if one more may. A stream is never asked to.
    fn upgrade(&mut self, running: &mut Running) {
        let context = running.context();
        let limit = context.options().limits.max_concurrent_upgraded_connections;
        match Slot::take(context.upgraded(), limit) {
            Some(slot) => match running.activity() {
                Activity::Http1(http1) => {
                    context.counters().count_upgraded();
                    http1.upgrade(Some(slot));
                    running.end();
                    running.keep_app();
                }
                Activity::Http2(_) => {}
            },
            None => {
                // It is no error of the app, and clients must not fill the log with it.
                let telling = context.told().refused_upgrades.happened(Instant::now());
                events::upgrade_refused(&running.id(), running.request(), limit, telling);
                *self = Self::new(empty(StatusCode::SERVICE_UNAVAILABLE));
            }
        }
    }

    /// Judges what the head says of the body, and the body as far as it is here.
    ///
    /// # Errors
    ///
    /// The body ends the connection, or the stream.
    pub(super) fn judge_body(
        &mut self,
        method: &Method,
        running: &mut Running,
        cx: &mut Context<'_>,
    ) -> Result<(), BoxError> {
        match running.activity() {
            Activity::Http1(_) => {}
            Activity::Http2(_) => self.strip_connection_headers(running),
        }
        let promise = Promise::of(&self.parts, method);
        let mut first = None;
        let judgement = match self.body.size_hint().exact() {
            Some(bytes) => promise.judge(bytes, true),
            // What is wrong with the first piece can still be told, if it is here already.
            None => match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => promise.judge(0, false),
                Poll::Ready(Some(Ok(frame))) => {
                    let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                    first = Some(frame);
                    promise.judge(bytes, false)
                }
                Poll::Ready(Some(Err(error))) => return self.fail_at_once(error, running),
                Poll::Ready(None) => {
                    self.body = Body::empty();
                    promise.judge(0, true)
                }
            },
        };
        match judgement {
            Judgement::Send { left } => self.hold_to(promise, first, left, running),
            Judgement::SendHead => self.drop_body(promise, running),
            Judgement::Fail(error) => {
                self.fail(running, &error);
                if first.is_some() {
                    self.close(running);
                }
            }
        }
        if promise.head || promise.is_without_body() {
            // hyper asks for none of it.
            running.end();
        }
        Ok(())
    }

    /// The body fails before anything of it is there: that can still be told, unless the app wants
    /// the connection, or the stream, to end.
    fn fail_at_once(&mut self, error: axum::Error, running: &mut Running) -> Result<(), BoxError> {
        let failure = response_body::failed(error, running);
        response_body::cut_if_asked(&failure, running);
        let is_cut = match running.activity() {
            Activity::Http1(http1) => http1.is_cut().is_some(),
            Activity::Http2(_) => false,
        };
        if is_cut || failure.is::<StreamError>() {
            return Err(failure);
        }
        *self = Self::new(empty(StatusCode::INTERNAL_SERVER_ERROR));
        Ok(())
    }

    /// Holds the body to what the head promises. `first` of it is here already, and no more than
    /// `left` bytes may go out.
    #[inline]
    fn hold_to(
        &mut self,
        promise: Promise,
        first: Option<Frame<Bytes>>,
        mut left: Option<u64>,
        running: &Running,
    ) {
        if promise.head && promise.length == Some(0) && !promise.status.is_server_error() {
            // What a GET would have is not known, only that this has no body.
            self.parts.headers.remove(CONTENT_LENGTH);
        }
        if promise.status == StatusCode::NOT_MODIFIED {
            match running.activity() {
                // A length is told without a body (RFC 9110 section 15.4.5); hyper takes
                // it out of an answer whose body is known to be empty.
                Activity::Http1(_) => left = promise.length,
                Activity::Http2(_) => {}
            }
        }
        match running.activity() {
            Activity::Http2(_) if promise.head => self.send_head_alone(promise),
            _ if first.is_some() || left.is_some() => {
                self.guard = Some(Guard::new(first, left));
            }
            _ => {}
        }
    }

    /// Leaves the head alone, as the request or the status has no body.
    fn drop_body(&mut self, promise: Promise, running: &mut Running) {
        if !promise.head {
            running.failed(&format!(
                "Writing to the response body is invalid for responses with status code {}.",
                promise.status.as_u16()
            ));
            match running.activity() {
                Activity::Http1(http1) => http1.end(),
                Activity::Http2(_) => {}
            }
        }
        self.body = Body::empty();
        if promise.status != StatusCode::NOT_MODIFIED {
            self.parts.headers.remove(CONTENT_LENGTH);
        }
    }

    /// Sends no body to a HEAD, but tells its length (RFC 9110 section 9.3.2): hyper would send it on
    /// HTTP/2.
    fn send_head_alone(&mut self, promise: Promise) {
        let body = std::mem::replace(&mut self.body, Body::empty());
        if let (None, Some(length @ 1..), false) =
            (promise.length, body.size_hint().exact(), promise.is_without_body())
        {
            self.parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }

    /// Takes out of an answer of HTTP/2 what only HTTP/1 has (RFC 9113 section 8.2.2).
    fn strip_connection_headers(&mut self, running: &Running) {
        let headers = &mut self.parts.headers;
        if headers.keys().any(|name| OF_CONNECTION.contains(name)) {
            for name in &OF_CONNECTION {
                headers.remove(name);
            }
            let told = running.context().told();
            events::response_headers_removed(told.removed_headers.happened(Instant::now()));
        }
    }

    /// Tells what became of the request's body.
    pub(super) fn heed_request_body(&mut self, body: &BodyFacts, running: &mut Running) {
        if body.is_broken() {
            running.aborted();
        }
        let too_large = || body.limits.is_exceeded().then_some(StatusCode::PAYLOAD_TOO_LARGE);
        if let Some(status) = body.failure().map(BadRequest::status).or_else(too_large)
            && matches!(self.parts.status.as_u16(), 400 | 500)
        {
            // What an extractor makes of it is a 400 at best.
            self.parts.status = status;
        }
        if body.ends_connection() {
            self.close(running);
        }
    }

    /// Tells a client of HTTP/1.0 whether its connection is kept.
    pub(super) fn fit_http10(&mut self, asked: bool, method: &Method) {
        // The end of a body without a length is that of the connection.
        let endless = self.guard.is_some() || self.body.size_hint().exact().is_none();
        let framed = self.parts.headers.contains_key(CONTENT_LENGTH);
        if !asked || endless && !framed && *method != Method::HEAD {
            self.parts.headers.entry(CONNECTION).or_insert(CLOSE);
            // Or hyper would promise to keep the connection besides.
            self.parts.version = Version::HTTP_10;
        }
    }

    /// Adds what every answer has, unless the app set its own.
    pub(super) fn add_headers(&mut self, running: &Running) {
        if let Some(head) = self.prepared.take() {
            head.put_into(&mut self.parts.headers);
        }
        add_headers(&mut self.parts.headers, running);
    }

    /// Leaves that to whoever writes the head; whether nothing has to stand behind it.
    pub(super) fn leave_headers(&mut self, running: &Running) -> bool {
        let is_left = match running.activity() {
            Activity::Http1(http1) => !http1.is_last(),
            Activity::Http2(_) => false,
        };
        if is_left {
            self.left = self.prepared.take().map_or(Left::OfEvery, Left::All);
        }
        is_left
    }

    /// Says what the stop has to say, and what hyper cannot.
    pub(super) fn complete(&mut self, running: &Running) {
        match running.activity() {
            Activity::Http1(http1) => {
                if http1.is_last() && !self.parts.status.is_informational() && !http1.is_upgraded()
                {
                    self.close(running);
                }
                if self.parts.status.canonical_reason().is_none()
                    && self.parts.extensions.get::<ReasonPhrase>().is_none()
                {
                    // hyper writes `<none>` otherwise.
                    self.parts.extensions.insert(ReasonPhrase::from_static(b""));
                }
            }
            Activity::Http2(_) => {}
        }
    }

    /// Tells those who watch the request what is sent of an answer whose status, and whether it had a
    /// body, was this.
    pub(super) fn tell_head(&self, (status, has_body): (StatusCode, bool), running: &Running) {
        let completions = running.common().completions();
        let head = SentHead {
            status: self.status(),
            headers: self.headers(),
            content_length: completions.want_headers().then(|| self.content_length()).flatten(),
            // One in its place has none.
            has_body: has_body && self.status() == status,
        };
        completions.head(running.request(), &head);
    }

    /// Whether it may go on for long once its head is sent: what waits for a client is larger than
    /// what the system takes at once, is not known yet, or is another protocol.
    pub(super) fn takes_time(&self, method: &Method) -> bool {
        self.may_last(method)
            || self.body.size_hint().exact().is_none_or(|bytes| bytes > LARGEST_AT_ONCE)
    }

    /// Whether nobody knows when it ends: it is a tunnel, or a stream.
    pub(super) fn may_last(&self, method: &Method) -> bool {
        let status = self.status();
        status.is_informational()
            || *method == Method::CONNECT && status.is_success()
            || self.body.size_hint().exact().is_none()
    }

    pub(super) fn send(
        mut self,
        log: Option<Box<RequestLog>>,
        mut running: Running,
    ) -> Response<ResponseBody> {
        if !self.parts.extensions.is_empty() {
            self.leave_file_to_system(&running);
        }
        if running.is_kept() {
            let switches = self.parts.status.is_informational();
            running.set_kept(!switches && !self.parts.headers.contains_key(CONNECTION));
        }
        let mut body = ResponseBody::new(self.body, self.guard, log, running);
        body.leave(self.left);
        Response::from_parts(self.parts, body)
    }

    /// Lets the system send the file that the body reads, where it can.
    fn leave_file_to_system(&mut self, running: &Running) {
        let Some(part) = self.parts.extensions.remove::<FilePart>() else { return };
        // Of a body that was taken away nothing is sent.
        if self.guard.is_some() || self.body.size_hint().exact() != Some(part.length()) {
            return;
        }
        match running.activity() {
            Activity::Http1(http1) if http1.sends_files() => {
                self.body = Body::new(SentFile::new(part, Arc::clone(http1)));
            }
            Activity::Http1(_) | Activity::Http2(_) => {}
        }
    }

    fn fail(&mut self, running: &Running, error: &str) {
        running.failed(error);
        *self = Self::new(empty(StatusCode::INTERNAL_SERVER_ERROR));
    }

    /// Ends the connection behind the answer, where that says so.
    fn close(&mut self, running: &Running) {
        match running.activity() {
            Activity::Http1(_) => drop(self.parts.headers.insert(CONNECTION, CLOSE)),
            Activity::Http2(_) => {}
        }
    }
}

/// The name in the `Server` header.
pub(super) const SERVER_NAME: &str = "Kestrel";

/// Adds what was left to whoever writes the head of an answer, for hyper to write it.
pub(super) fn add_left_headers(response: &mut Response<ResponseBody>) {
    let left = response.body_mut().take_left();
    let mut headers = std::mem::take(response.headers_mut());
    match left {
        Left::Nothing => {}
        Left::OfEvery => add_headers(&mut headers, response.body().running()),
        Left::All(head) => {
            head.put_into(&mut headers);
            add_headers(&mut headers, response.body().running());
        }
    }
    *response.headers_mut() = headers;
}

fn add_headers(headers: &mut HeaderMap, running: &Running) {
    let server = running.context().options().add_server_header;
    // Mostly there are few, and to look at the names takes a fraction of two searches for a place.
    let (mut has_date, mut has_server) = (false, !server);
    for name in headers.keys() {
        has_date |= *name == DATE;
        has_server |= *name == SERVER;
    }
    if !has_date {
        headers.append(DATE, date::header_value());
    }
    if !has_server {
        headers.append(SERVER, HeaderValue::from_static(SERVER_NAME));
    }
}

/// Every system takes as much of an answer whose client reads nothing.
const LARGEST_AT_ONCE: u64 = 64 * 1024;

/// What an answer of HTTP/2 must not have.
const OF_CONNECTION: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The answer to an error the app does not handle. What the client did wrong is not told as an error
/// of the app: a client could fill the log with them.
fn to_failure(failure: &Unhandled, body: Option<&BodyFacts>, running: &Running) -> Response<Body> {
    let error = failure.error();
    // What the body failed with was told of when it did.
    let told = body.is_some_and(BodyFacts::has_failed);
    let Some(bad) = BadRequest::of(error) else {
        if !told {
            running.failed(&error.to_string());
        }
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    if !told {
        events::bad_request(&running.id(), bad);
    }
    refused(bad.status(), running)
}

fn abort(running: &mut Running, error: StreamError) -> BoxError {
    running.abort(error);
    error.into()
}

/// The fixed answer to a request that is not served.
pub(super) fn refusal(reason: Reason, running: &Running) -> Response<Body> {
    let mut response = refused(reason.status(), running);
    if let Some(method) = reason.allow() {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    }
    response
}

/// An answer of nothing but a status, to a request behind which a connection of its own ends.
fn refused(status: StatusCode, running: &Running) -> Response<Body> {
    let mut response = empty(status);
    match running.activity() {
        Activity::Http1(_) => drop(response.headers_mut().insert(CONNECTION, CLOSE)),
        Activity::Http2(_) => {}
    }
    response
}

/// An answer of nothing but a status.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}
