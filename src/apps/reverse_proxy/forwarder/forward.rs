//! One request on its way to a destination, and its answer on the way back.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use http_body::Body as _;

use super::affinity::Asked;
use super::answer::ForwardedBody;
use super::changed_fields::{self, ChangedFields};
use super::destination::{Destination, UnderWay};
use super::error_answer::{Sent, error_answer, told_answer};
use super::facts::Facts;
use super::fields::{Named, PassedFields, is_of_one_hop};
use super::forwarding::{Forwarding, OTHER_PROTOCOL, TOO_SHORT, remedy, too_slow};
use super::route::Route;
use super::target::{Target, is_plain};
use super::tunnel::{self, Tunnel};
use super::unavailable::Unavailable;
use super::upgrade::Upgrading;
use crate::apps::reverse_proxy::options::BodyLimit;
use crate::apps::reverse_proxy::template::RouteValues;
use crate::apps::reverse_proxy::transform_options::{RequestTransform, Value as Parameter};
use crate::diagnostics::{Telling, events};
use crate::features::{
    BadRequest, Completion, EffectiveRequest, RequestBodyLimits, RequestTarget, Unhandled,
};
use crate::pipeline::{AnswerParts, PreparedHead, Request, Response};
use crate::upstream::{
    Answer, Content, Failure, FailureKind, FieldLines, Fields, Outgoing, ReplyBody,
};

/// Hands a request on, and gives the answer.
pub(super) fn forward(
    route: Arc<Route>,
    request: Request,
) -> impl Future<Output = AnswerParts> + Send + 'static {
    let (mut parts, body) = request.into_parts();
    // An `async fn` would have room for what it is given twice, and all of that room is moved into a box.
    async move {
        let Some(cluster) = route.cluster.clone() else {
            events::route_without_cluster(&route.options.id);
            let telling = route.told[2].happened(Instant::now());
            return (unavailable(&route, &parts, telling, Unavailable::without_cluster), None);
        };
        let asked = cluster.affinity.as_ref().map(|affinity| affinity.asked(&parts.headers));
        let chosen = match &asked {
            Some(Asked::For(name)) => cluster.available(name),
            _ => None,
        };
        let is_new = chosen.is_none();
        if let (None, Some(affinity), Some(asked @ (Asked::For(_) | Asked::Unreadable))) =
            (&chosen, &cluster.affinity, &asked)
        {
            events::affinity_failed(&cluster.options.id);
            if affinity.is_refused() {
                let telling = cluster.told[1].happened(Instant::now());
                let why = || Unavailable::of_affinity(&cluster, asked);
                return (unavailable(&route, &parts, telling, why), None);
            }
        }
        let Some(destination) = chosen.or_else(|| cluster.pick()) else {
            let telling = cluster.told[0].happened(Instant::now());
            events::no_destination(&cluster.options.id, telling);
            return (unavailable(&route, &parts, telling, || Unavailable::of(&cluster)), None);
        };
        let new_of = cluster.affinity.as_ref().filter(|_| is_new);
        let is_https = new_of.is_some() && EffectiveRequest::of_parts(&parts).is_https();
        let takes_lines = route.passes_answers
            && cluster.affinity.is_none()
            && parts.version == Version::HTTP_11
            // The log names headers.
            && !events::requests_are_logged();
        let forwarding =
            Forwarding { route, cluster: Arc::clone(&cluster), destination, takes_lines };
        // Pinned where it is, here and below: to wait for a future otherwise moves all of it.
        let ((mut response, head), destination) = pin!(forwarding.run(&mut parts, body)).await;
        let cookie = new_of.and_then(|it| it.answer(&destination.options.name, is_https));
        if let Some((name, value)) = cookie {
            match name == SET_COOKIE {
                true => drop(response.headers_mut().append(name, value)),
                false => drop(response.headers_mut().insert(name, value)),
            }
        }
        (response, head)
    }
}

/// The answer to a request that no destination is asked for, which is told. Why that is, is looked at only then.
fn unavailable(
    route: &Route,
    parts: &Parts,
    telling: Telling,
    why: impl FnOnce() -> Unavailable,
) -> Response {
    let (status, sent) = (StatusCode::SERVICE_UNAVAILABLE, client_of(parts));
    if telling == Telling::Counted && !route.shows_details {
        return error_answer(status, sent);
    }
    let (id, Unavailable { what, remedy }) = (&route.options.id, why());
    if let Telling::Now { more } = telling {
        events::proxy_unavailable(id, &what, remedy, more);
    }
    let details =
        route.shows_details.then(|| format!("Route '{id}' answers 503: {what}.\n{remedy}"));
    told_answer(status, sent, details.as_deref())
}

/// What is sent, but for its fields.
struct Prepared<'a> {
    method: Method,
    target: Cow<'a, [u8]>,
    host: Cow<'a, [u8]>,
    content: Option<Content>,
}

impl Forwarding {
    /// Gives the answer, and the destination that it is of in the end.
    async fn run(mut self, parts: &mut Parts, mut body: Body) -> (AnswerParts, Arc<Destination>) {
        let begun = Instant::now();
        let mut under_way = self.destination.begin();
        let upgrading = match Upgrading::of(parts, self.cluster.version) {
            Ok(upgrading) => upgrading,
            Err(status) => {
                return ((error_answer(status, client_of(parts)), None), self.destination);
            }
        };
        let parts = &*parts;
        self.set_body_limits(parts);
        if upgrading.is_none()
            && let Some(refusal) = pin!(too_large(parts, &mut body)).await
        {
            return ((refusal, None), self.destination);
        }
        let timeout = self.route.options.timeout;
        let is_safe = self.cluster.options.retry && is_safe_to_retry(parts, &body);
        let until = timeout.and_then(|timeout| tokio::time::Instant::now().checked_add(timeout));
        let mut sent = {
            let sending = pin!(self.send(parts, body, upgrading.as_ref()));
            within(until, sending).await
        };
        if let Some(Err(failure)) = &mut sent
            && let Some((other, body)) = self.elsewhere(failure, is_safe)
        {
            self.tell(failure, begun);
            self.cluster.watch(&self.destination, true);
            under_way = other.begin();
            self.destination = other;
            let mut sending = Box::pin(self.send(parts, body, upgrading.as_ref()));
            sent = within(until, sending.as_mut()).await;
        }
        let destination = Arc::clone(&self.destination);
        let all = (sent, upgrading, under_way);
        (pin!(self.finish(parts, all, until, begun)).await, destination)
    }

    /// The same for a request that only this destination can answer.
    ///
    /// # Errors
    ///
    /// It gave no answer, which nobody was told.
    #[cfg(feature = "child-process")]
    pub(super) async fn run_here(
        self,
        parts: &mut Parts,
        mut body: Body,
    ) -> Result<Response, Failure> {
        let begun = Instant::now();
        let under_way = self.destination.begin();
        let upgrading = match Upgrading::of(parts, self.cluster.version) {
            Ok(upgrading) => upgrading,
            Err(status) => return Ok(error_answer(status, client_of(parts))),
        };
        let parts = &*parts;
        if upgrading.is_none()
            && let Some(refusal) = pin!(too_large(parts, &mut body)).await
        {
            return Ok(refusal);
        }
        let sent = pin!(self.send(parts, body, upgrading.as_ref())).await;
        match sent {
            Err(failure) if failure.is_of_server() => Err(failure),
            sent => {
                let all = (Some(sent), upgrading, under_way);
                // Lines are not asked for.
                let (response, _) = pin!(self.finish(parts, all, None, begun)).await;
                Ok(response)
            }
        }
    }

    /// What a client gets of what came back.
    async fn finish(
        self,
        parts: &Parts,
        (sent, upgrading, under_way): (
            Option<Result<Answer, Failure>>,
            Option<Upgrading>,
            UnderWay,
        ),
        until: Option<tokio::time::Instant>,
        begun: Instant,
    ) -> AnswerParts {
        let response = match sent {
            Some(Ok(Answer::Lines(response, lines))) => return self.passed_on(response, lines),
            Some(Ok(Answer::Response(response)))
                if upgrading.as_ref().is_some_and(|it| it.is_begun_by(response.status())) =>
            {
                self.cluster.watch(&self.destination, false);
                let what = self.tell_no_change(response.status());
                self.failed(StatusCode::BAD_GATEWAY, client_of(parts), (&what, ""))
            }
            Some(Ok(Answer::Response(response))) => {
                pin!(self.answered(response, parts, (under_way, until))).await
            }
            Some(Ok(Answer::Upgraded(head, stream))) => {
                self.upgraded(head, stream, ((&parts.method, &parts.headers), upgrading), under_way)
            }
            Some(Err(failure)) => {
                let is_slow = failure.kind() == FailureKind::ClientTimedOut;
                let response = self.refused(failure, begun, (&parts.method, &parts.headers));
                if is_slow { closing(response, parts) } else { response }
            }
            None => {
                let what = too_slow(self.route.options.timeout.unwrap_or_default());
                self.tell_timeout(begun, &what);
                let status = StatusCode::GATEWAY_TIMEOUT;
                closing(self.failed(status, client_of(parts), (&what, TOO_SHORT)), parts)
            }
        };
        (response, None)
    }

    /// There is an answer, of which nothing has to be looked at.
    fn passed_on(self, response: http::Response<Bytes>, lines: FieldLines) -> AnswerParts {
        let (mut head, body) = response.into_parts();
        events::proxy_answered(head.version, head.status);
        self.cluster.watch_head(&self.destination);
        self.cluster.watch(&self.destination, false);
        head.version = Version::default();
        let FieldLines { bytes, length, has_date, has_server } = lines;
        let prepared = PreparedHead::of_lines(bytes, length, has_date, has_server);
        (Response::from_parts(head, Body::from(body)), Some(Arc::new(prepared)))
    }

    /// Another destination for a request that may go there (see [`Failure::may_go_elsewhere`]), and its body, where
    /// probes say which of them are healthy, or the request itself was to see it: until it is known of this one, nobody is
    /// to suffer from it. Elsewhere only where the cluster says so, and nothing of a safe one has left.
    fn elsewhere(&self, failure: &mut Failure, is_safe: bool) -> Option<(Arc<Destination>, Body)> {
        let is_trial = || self.destination.kept.health.is_on_trial();
        let is_sought = self.cluster.options.active_check.is_some()
            || is_trial()
            || is_safe && failure.is_unsent();
        if !is_sought || !failure.may_go_elsewhere() {
            return None;
        }
        let other = self.cluster.pick_other(&self.destination)?;
        Some((other, failure.take_body().unwrap_or_default()))
    }

    /// There is an answer.
    async fn answered(
        self,
        response: http::Response<ReplyBody>,
        parts: &Parts,
        (under_way, until): (UnderWay, Option<tokio::time::Instant>),
    ) -> Response {
        let (mut head, mut body) = response.into_parts();
        events::proxy_answered(head.version, head.status);
        self.cluster.watch_head(&self.destination);
        if head.status == StatusCode::RESET_CONTENT {
            // It has none (RFC 9110 section 15.3.6), whatever the destination sends.
            body = ReplyBody::empty();
        }
        if parts.method != Method::HEAD && self.method(parts) == Method::HEAD {
            // That of what the destination was not asked for.
            head.headers.remove(CONTENT_LENGTH);
        }
        self.route.change_answer(head.status, &mut head.headers);
        head.version = Version::default();
        let body = match body.into_whole() {
            Ok(bytes) => {
                self.cluster.watch(&self.destination, false);
                Body::from(bytes)
            }
            Err(body) => match ForwardedBody::begin(body, (self, under_way), until).await {
                Ok(body) => body,
                Err((forwarding, failure)) => {
                    let status = StatusCode::BAD_GATEWAY;
                    return forwarding.failed(status, client_of(parts), (&failure, ""));
                }
            },
        };
        Response::from_parts(head, body)
    }

    async fn send(
        &self,
        parts: &Parts,
        body: Body,
        upgrading: Option<&Upgrading>,
    ) -> Result<Answer, Failure> {
        let path = match self.route.uses_values {
            true => RequestTarget::of_parts(parts).lent_path(),
            false => Cow::Borrowed(""),
        };
        let values = self.route.values(&path);
        let facts = Facts::of(parts);
        let named = Named::of(&parts.headers);
        let takes_trailers = parts.version >= Version::HTTP_2 && asks_for_trailers(&parts.headers);
        let content = content_of(parts, body, upgrading.is_some());
        let key = upgrading.and_then(|it| it.key());
        let key = key.as_deref();
        if self.route.is_plain {
            let fields = PassedFields {
                headers: &parts.headers,
                named: &named,
                facts: &facts,
                takes_trailers,
                key,
            };
            let method = upgrading.map_or_else(|| usual(&parts.method), |_| Method::GET);
            let target = self.target(parts, &values);
            let host = match self.route.options.transforms.original_host {
                true if !facts.host.is_empty() => facts.host.as_bytes().into(),
                _ => self.destination.host.as_bytes().into(),
            };
            let mut prepared = Prepared { method, target, host, content };
            return pin!(self.send_with(parts, &mut prepared, &fields, upgrading)).await;
        }
        let certificate = self.route.certificate(parts);
        let sent = changed_fields::Sent {
            headers: &parts.headers,
            named: &named,
            facts: &facts,
            takes_trailers,
            key,
            certificate,
        };
        let transforms = &self.route.options.transforms;
        let mut fields =
            ChangedFields::copied(&sent, &transforms.request_headers, transforms.original_host);
        for change in &transforms.request {
            fields.change(&sent, change, &values);
        }
        let method = match upgrading {
            Some(_) => self.changed(Method::GET),
            None => self.method(parts),
        };
        let host = match fields.take_host() {
            Some(host) => host.into_vec().into(),
            None => self.destination.host.as_bytes().into(),
        };
        let content = fields.reframed(content, &transforms.request_headers);
        let target = self.target(parts, &values);
        let mut prepared = Prepared { method, target, host, content };
        pin!(self.send_with(parts, &mut prepared, &fields.headers, upgrading)).await
    }

    async fn send_with(
        &self,
        parts: &Parts,
        prepared: &mut Prepared<'_>,
        fields: &dyn Fields,
        upgrading: Option<&Upgrading>,
    ) -> Result<Answer, Failure> {
        let options = &self.cluster.options.request;
        events::proxying(&self.place(), &prepared.target);
        let copied = &self.route.options.transforms.response_headers;
        let mut outgoing = Outgoing {
            method: &prepared.method,
            target: &prepared.target,
            host: &prepared.host,
            fields,
            content: prepared.content.take(),
            upgrade: upgrading.map(Upgrading::protocol),
            version: upgrading.map_or(self.cluster.version, |it| it.version(self.cluster.version)),
            activity_timeout: options.activity_timeout,
            takes: &|name| {
                // That of a change of protocol is the only Upgrade that is ever asked for.
                let passes = copied.all && !is_of_one_hop(name.as_str()) || name == UPGRADE;
                passes || copied.allowed.contains(name)
            },
            leaves_lines: if self.takes_lines { Some(&is_of_one_hop) } else { None },
        };
        let mut relay = |status, headers: HeaderMap| {
            // The server itself gives leave to send a body, once that is asked for.
            if status != StatusCode::CONTINUE
                && parts.version >= Version::HTTP_11
                && let Some(completion) = Completion::of_parts(parts)
            {
                completion.send_interim(status, &headers);
            }
        };
        pin!(self.destination.server.send(&mut outgoing, &mut relay)).await
    }

    /// Lets a body be as large as the route says; one of gRPC, which is a conversation, as large and as slow as it is.
    fn set_body_limits(&self, parts: &Parts) {
        let Some(limits) = parts.extensions.get::<RequestBodyLimits>() else { return };
        // It fails only once somebody has read of it.
        let set = |size| {
            let _ = limits.set_max_size(size);
        };
        match self.route.options.max_request_body_size {
            None => {}
            Some(BodyLimit::Bytes(bytes)) => set(Some(bytes)),
            Some(BodyLimit::Unlimited) => set(None),
        }
        if parts.version >= Version::HTTP_2 && is_grpc(&parts.headers) {
            set(None);
            limits.set_min_data_rate(None);
        }
    }

    /// The method as it is sent, if the protocol is not to be another one.
    fn method(&self, parts: &Parts) -> Method {
        self.changed(usual(&parts.method))
    }

    fn changed(&self, mut method: Method) -> Method {
        for change in &self.route.options.transforms.request {
            if let RequestTransform::Method { from, to } = change
                && method.as_str().eq_ignore_ascii_case(from.as_str())
            {
                method = to.clone();
            }
        }
        method
    }

    /// Path and query as they are sent.
    fn target<'a>(&self, parts: &'a Parts, values: &RouteValues<'_>) -> Cow<'a, [u8]> {
        let sent = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let before_path = &self.destination.before_path;
        if before_path.is_empty() && !self.route.changes_target && is_plain(sent) {
            return sent.as_bytes().into();
        }
        let mut target = Target::of(sent);
        for change in &self.route.options.transforms.request {
            match change {
                RequestTransform::PathPrefix(prefix) => target.add_prefix(prefix),
                RequestTransform::PathRemovePrefix(prefix) => target.remove_prefix(prefix),
                RequestTransform::PathSet(path) => target.set_path(path),
                RequestTransform::PathPattern(pattern) => {
                    target.set_path(&pattern.build(values));
                }
                RequestTransform::Query { name, value, how } => match value {
                    Parameter::Text(value) => target.set_parameter(name, value, *how),
                    Parameter::Route(parameter) => {
                        if let Some(value) = values.get(parameter.place) {
                            target.set_parameter(name, value, *how);
                        }
                    }
                },
                RequestTransform::QueryRemove(name) => target.remove_parameter(name),
                _ => {}
            }
        }
        let mut written = Vec::with_capacity(64);
        target.write(before_path, &mut written);
        written.into()
    }
}

/// What becomes of a request that was sent.
impl Forwarding {
    /// The protocol is another one now, on both sides.
    fn upgraded(
        self,
        head: http::Response<()>,
        stream: crate::upstream::UpgradedStream,
        (sent, upgrading): (Sent<'_>, Option<Upgrading>),
        under_way: UnderWay,
    ) -> Response {
        let Some(upgrading) = upgrading else {
            // Nobody asked for it.
            return self.failed(StatusCode::BAD_GATEWAY, sent, (&OTHER_PROTOCOL, ""));
        };
        let (mut head, ()) = head.into_parts();
        if !upgrading.is_granted_by(&head) {
            self.tell_other_protocol();
            return self.failed(StatusCode::BAD_GATEWAY, sent, (&OTHER_PROTOCOL, ""));
        }
        self.cluster.watch(&self.destination, false);
        events::proxy_answered(head.version, head.status);
        self.route.change_answer(head.status, &mut head.headers);
        upgrading.fit_answer(&mut head);
        let idle = self.cluster.options.request.activity_timeout;
        let names = (self.route.options.id.clone(), self.destination.options.name.clone());
        let tunnel = Tunnel { client: upgrading.into_client(), stream, idle, under_way };
        tunnel::spawn(tunnel, names);
        Response::from_parts(head, Body::empty())
    }

    /// There is no answer.
    fn refused(self, mut failure: Failure, begun: Instant, sent: Sent<'_>) -> Response {
        self.cluster.watch(&self.destination, failure.is_of_server());
        match failure.kind() {
            FailureKind::ClientBody => {
                let error = failure.client_error();
                match error.filter(|error| BadRequest::of(error).is_some()) {
                    // The server has words for it.
                    Some(error) => Unhandled::from(error).into_response(),
                    // It went away, and nobody sees the answer.
                    None => self.failed(StatusCode::BAD_REQUEST, sent, (&failure, "")),
                }
            }
            kind => {
                self.tell(&failure, begun);
                let status = match kind {
                    FailureKind::ClientTimedOut => StatusCode::REQUEST_TIMEOUT,
                    FailureKind::WebSocketKey => StatusCode::BAD_REQUEST,
                    _ if failure.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
                    _ => StatusCode::BAD_GATEWAY,
                };
                self.failed(status, sent, (&failure, remedy(kind)))
            }
        }
    }
}

/// Waits for an answer, as long as there is time for it.
async fn within<T>(
    until: Option<tokio::time::Instant>,
    sending: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    match until {
        None => Some(sending.await),
        Some(until) => tokio::time::timeout_at(until, sending).await.ok(),
    }
}

/// What of a request says how its client is told.
fn client_of(parts: &Parts) -> Sent<'_> {
    (&parts.method, &parts.headers)
}

/// The method as it is sent: names of the usual ones are written in capitals, as ASP.NET Core does. (Not that of HEAD:
/// its client would wait for a body.)
fn usual(method: &Method) -> Method {
    let name = method.as_str();
    if !name.as_bytes().first().is_some_and(u8::is_ascii_lowercase) {
        return method.clone();
    }
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
        Method::TRACE,
    ];
    let meant = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
    meant.unwrap_or_else(|| method.clone())
}

/// An answer behind which the connection ends if the request has a body: whoever was too slow with it is not waited
/// for.
fn closing(mut response: Response, parts: &Parts) -> Response {
    let headers = &parts.headers;
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_body && parts.version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The answer to a request whose body is announced to be larger than it may be: it would not be read, and so no
/// destination is to hear of it, nor to be connected to.
async fn too_large(parts: &Parts, body: &mut Body) -> Option<Response> {
    let limits = parts.extensions.get::<RequestBodyLimits>()?;
    let (length, max) = (length_of(&parts.headers)?, limits.max_size()?);
    if length <= max || limits.is_read_only() {
        return None;
    }
    // The body itself says so when it is read, and the log is told.
    let read = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
    Some(match read {
        Poll::Ready(Some(Err(error))) => Unhandled::from(error).into_response(),
        _ => error_answer(StatusCode::PAYLOAD_TOO_LARGE, client_of(parts)),
    })
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

/// Whether a request may be sent twice by its method, and has no body.
fn is_safe_to_retry(parts: &Parts, body: &Body) -> bool {
    parts.method.is_idempotent() && !has_body(&parts.headers, body)
}

fn has_body(headers: &HeaderMap, body: &Body) -> bool {
    length_of(headers).is_some_and(|length| length > 0)
        || headers.contains_key(TRANSFER_ENCODING)
        || !http_body::Body::is_end_stream(body)
}

/// The body of a request, if it has one.
fn content_of(parts: &Parts, body: Body, is_upgrading: bool) -> Option<Content> {
    let headers = &parts.headers;
    let length = length_of(headers);
    let has_one = length.is_some()
        || headers.contains_key(TRANSFER_ENCODING)
        || !http_body::Body::is_end_stream(&body);
    if !has_one || is_upgrading {
        return None;
    }
    let expects_continue = headers.get(EXPECT).is_some_and(is_continue);
    Some(Content { body, length, expects_continue })
}

fn is_continue(expected: &HeaderValue) -> bool {
    expected.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

/// Whether a request is one of gRPC.
fn is_grpc(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    media_type.is_some_and(|it| {
        it.get(..16).is_some_and(|it| it.eq_ignore_ascii_case(b"application/grpc"))
    })
}

/// Whether whoever asked takes trailers (RFC 9110 section 10.1.4).
fn asks_for_trailers(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(TE).iter();
    values.any(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"))
}
