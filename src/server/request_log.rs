//! The two log lines of a request: that it starts, and how it was answered.

use std::borrow::Cow;
use std::time::Instant;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use tracing::Span;

use crate::diagnostics::events::{self, RequestFacts};
use crate::features::{Connection, Overlay, RequestTarget, without_secrets};

/// The status of a request whose client was gone before it had an answer, as Kestrel tells it.
const ABANDONED: u16 = 499;

/// The two log lines of a request, of which it writes the second when it is dropped: hyper drops the
/// body of an answer once it is out, and everything with the request that nobody waits for any more.
/// Only made where they are wanted.
#[derive(Debug)]
pub(super) struct RequestLog {
    facts: RequestFacts,
    started: Instant,
    scope: Span,
    status: u16,
    content_type: Option<String>,
    content_length: Option<u64>,
}

impl RequestLog {
    pub(super) fn start<B>(request: &Request<B>, connection: &Connection, scope: Span) -> Self {
        let target = RequestTarget::of(request);
        let facts = RequestFacts {
            protocol: events::protocol_name(request.version()),
            method: request.method().as_str().to_owned(),
            scheme: scheme(request, connection),
            host: target.host().to_owned(),
            path: target.path(),
            query: without_secrets(target.query()).into_owned(),
        };
        let headers = request.headers();
        events::request_starting(&facts, text(headers, &CONTENT_TYPE), content_length(headers));
        Self {
            facts,
            started: Instant::now(),
            scope,
            status: ABANDONED,
            content_type: None,
            content_length: None,
        }
    }

    /// There is an answer.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        content_length: Option<u64>,
    ) {
        self.status = status.as_u16();
        self.content_type = text(headers, &CONTENT_TYPE).map(str::to_owned);
        self.content_length = content_length;
    }

    /// So much of the answer's body was sent, and no more comes: what the head has promised is not true.
    pub(super) fn cut_off_after(&mut self, bytes: u64) {
        self.content_length = self.content_length.map(|promised| promised.min(bytes));
    }
}

/// The scheme that the request names, if it may name another one than its connection has.
fn scheme<B>(request: &Request<B>, connection: &Connection) -> Cow<'static, str> {
    let named = request.extensions().get().and_then(|overlay: &Overlay| overlay.scheme.clone());
    named.unwrap_or(Cow::Borrowed(connection.scheme().as_str()))
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        let _entered = self.scope.enter();
        events::request_finished(
            &self.facts,
            self.status,
            self.content_type.as_deref(),
            self.content_length,
            self.started.elapsed(),
        );
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}
