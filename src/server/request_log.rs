//! The two log lines of a request: that it starts, and how it was answered.

use std::time::Instant;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode, Version};
use hyper::body::Incoming;
use tracing::Span;

use super::drain::{Phase, PhaseFlag};
use crate::diagnostics::events::{self, RequestFacts};
use crate::features::{Connection, RequestTarget};

/// The two log lines of a request. Only made where they are wanted.
#[derive(Debug)]
pub(super) struct RequestLog {
    facts: RequestFacts,
    started: Instant,
    head: bool,
    phase: PhaseFlag,
    scope: Span,
}

impl RequestLog {
    pub(super) fn start(
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
    pub(super) fn finish(self: Box<Self>, status: StatusCode, headers: &HeaderMap) -> Box<Finish> {
        Box::new(Finish {
            status: status.as_u16(),
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
