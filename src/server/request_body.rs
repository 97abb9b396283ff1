//! The body of a request on its way to the app: how large it may be, how slow, and what becomes of
//! the rest that nobody reads.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE, HOST,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, Version};
use http_body::{Body, Frame, SizeHint};

use super::activity::{Activity, Unread};
use super::error::BoxError;
use super::incoming_body::{BrokenOff, IncomingBody, Stopped};
use super::pace::BodyClock;
use super::rejection::{Reason, Rejection};
use crate::diagnostics::events;
use crate::features::{BadRequest, RequestBodyLimits};

/// The body of a request, guarded.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// `None` once it was read to its end, or failed.
    incoming: Option<IncomingBody>,
    facts: Arc<BodyFacts>,
    /// What came, as the app sees it.
    bytes: u64,
    clock: BodyClock,
}

/// No status: the body failed, and nobody is to be answered.
const BROKEN: u16 = 1;

/// What the answer has to know of the body.
#[derive(Debug)]
pub(super) struct BodyFacts {
    pub(super) limits: RequestBodyLimits,
    activity: Activity,
    request: u32,
    /// The length the client announced.
    length: Option<u64>,
    /// The client waits for leave to send it (`Expect: 100-continue`).
    expected: bool,
    finished: AtomicBool,
    /// The status the body failed with, [`BROKEN`], or 0.
    failed: AtomicU16,
    failure: OnceLock<BadRequest>,
}

impl BodyFacts {
    pub(super) fn new(
        limits: RequestBodyLimits,
        activity: Activity,
        request: u32,
        version: Version,
        headers: &HeaderMap,
    ) -> Arc<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Arc::new(Self {
            limits,
            activity,
            request,
            length: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            expected: version == Version::HTTP_11
                && text(http::header::EXPECT)
                    .is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")),
            finished: AtomicBool::new(false),
            failed: AtomicU16::new(0),
            failure: OnceLock::new(),
        })
    }

    /// What the body failed with, if it did.
    pub(super) fn failure(&self) -> Option<&BadRequest> {
        (self.failed.load(Ordering::Acquire) != 0).then(|| self.failure.get()).flatten()
    }

    /// Whether the client, or the end of its connection, broke the body off.
    pub(super) fn is_broken(&self) -> bool {
        self.failed.load(Ordering::Acquire) == BROKEN
    }

    /// Whether the body could not be read to its end.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire) != 0
    }

    /// Whether the connection cannot go on behind the answer: what comes next on it would be the
    /// rest of the body, or nobody knows what.
    pub(super) fn ends_connection(&self) -> bool {
        self.failure().is_some()
            || self.expected
                && !self.limits.is_read_only()
                && !self.finished.load(Ordering::Acquire)
    }

    /// What came and counts towards the limit: on HTTP/1.1 the framing of chunks does.
    fn counted(&self, bytes: u64) -> u64 {
        match (&self.activity, self.length) {
            // The next request may have begun to count by then.
            (Activity::Http1(http1), None) => http1.body_bytes().max(bytes),
            (Activity::Http1(_) | Activity::Http2(_), _) => bytes,
        }
    }

    fn is_too_large(&self, bytes: u64) -> Option<u64> {
        self.limits.max_size().filter(|max| self.counted(bytes) > *max)
    }

    fn fail(&self, rejection: &Rejection) -> BadRequest {
        let failure = self.failure.get_or_init(|| rejection.into()).clone();
        self.failed.store(failure.status().as_u16(), Ordering::Release);
        self.activity.common().context().counters().count_rejection(rejection.reason);
        events::bad_request(&self.activity.common().id(), &failure);
        failure
    }
}

impl RequestBody {
    pub(super) fn new(incoming: IncomingBody, facts: Arc<BodyFacts>) -> Self {
        Self { incoming: Some(incoming), facts, bytes: 0, clock: BodyClock::default() }
    }

    fn fail(&mut self, rejection: &Rejection) -> BoxError {
        self.incoming = None;
        self.facts.fail(rejection).into()
    }

    fn too_large(&mut self, max: u64) -> BoxError {
        self.fail(&Reason::RequestBodyTooLarge.with(max.to_string().as_bytes()))
    }

    /// The error of hyper's body, told in our words where the stream knows better.
    fn broken(&mut self, error: BrokenOff) -> BoxError {
        let reason = match &self.facts.activity {
            Activity::Http1(http1) => http1.broken_body(),
            Activity::Http2(_) => None,
        };
        match reason {
            Some(Reason::ChunkTooLarge) => match self.facts.limits.max_size() {
                Some(max) => self.too_large(max),
                None => self.fail(&Reason::BadChunkSizeData.into()),
            },
            Some(reason) => self.fail(&reason.into()),
            None => {
                self.incoming = None;
                self.facts.failed.store(BROKEN, Ordering::Release);
                error.into()
            }
        }
    }

    /// Times the wait for more; ready when it is too long.
    fn poll_rate(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rate = self.facts.limits.min_data_rate();
        ready!(self.clock.poll_waiting(self.bytes, rate, cx));
        if let Some(rate) = rate {
            let (id, request) = (self.facts.activity.common().id(), self.facts.request);
            events::request_body_too_slow(&id, request, rate.bytes_per_second());
        }
        Poll::Ready(())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(failure) = this.facts.failure() {
            return Poll::Ready(Some(Err(failure.clone().into())));
        }
        if !this.facts.limits.is_read_only() {
            this.facts.limits.reading_starts();
            events::request_body_start(&this.facts.activity.common().id(), this.facts.request);
            if let (Some(length), Some(max)) = (this.facts.length, this.facts.limits.max_size())
                && length > max
            {
                return Poll::Ready(Some(Err(this.too_large(max))));
            }
        }
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) else {
            if let Some(max) = this.facts.is_too_large(this.bytes) {
                return Poll::Ready(Some(Err(this.too_large(max))));
            }
            if this.poll_rate(cx).is_ready() {
                return Poll::Ready(Some(Err(this.fail(&Reason::RequestBodyTimeout.into()))));
            }
            return Poll::Pending;
        };
        this.clock.came();
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(Stopped::Broken(error))) => return Poll::Ready(Some(Err(this.broken(error)))),
            Some(Err(Stopped::Refused(reason))) => {
                return Poll::Ready(Some(Err(this.fail(&reason.into()))));
            }
            None => {
                if let Some(max) = this.facts.is_too_large(this.bytes) {
                    return Poll::Ready(Some(Err(this.too_large(max))));
                }
                this.incoming = None;
                this.facts.finished.store(true, Ordering::Release);
                events::request_body_done(&this.facts.activity.common().id(), this.facts.request);
                return Poll::Ready(None);
            }
        };
        if let Some(data) = frame.data_ref() {
            this.bytes += data.len() as u64;
        }
        if let Some(max) = this.facts.is_too_large(this.bytes) {
            return Poll::Ready(Some(Err(this.too_large(max))));
        }
        if this.incoming.as_ref().is_some_and(IncomingBody::is_end_stream) {
            this.facts.finished.store(true, Ordering::Release);
        }
        Poll::Ready(Some(Ok(without_framing_trailers(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(IncomingBody::is_end_stream)
            && self.facts.failure().is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), IncomingBody::size_hint)
    }
}

impl Drop for RequestBody {
    /// The rest of a body is read and dropped, so that the connection can go on behind it.
    fn drop(&mut self) {
        let facts = &self.facts;
        let body = self.incoming.take();
        let http1 = match &facts.activity {
            Activity::Http1(http1) => http1,
            Activity::Http2(http2) => {
                // hyper resets the stream behind the answer.
                let ended = body.as_ref().is_some_and(IncomingBody::is_end_stream);
                if !ended && !facts.finished.load(Ordering::Acquire) {
                    events::request_body_not_read(&http2.id(), facts.request);
                }
                return;
            }
        };
        let Some(body) = body else {
            return;
        };
        if facts.finished.load(Ordering::Acquire) || facts.ends_connection() {
            return;
        }
        if facts.length.zip(facts.limits.max_size()).is_some_and(|(length, max)| length > max) {
            // It would not be read if the app asked for it.
            http1.end();
            return;
        }
        let max_size = facts.limits.max_size().filter(|_| facts.length.is_none());
        http1.leave_unread(Unread { body, request: facts.request, max_size });
    }
}

/// Trailers that would mean something else if they stood in the head are dropped
/// (RFC 9110 section 6.5.1): an app that merges them must not be told another length or user.
fn without_framing_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    const NEVER: [HeaderName; 12] = [
        AUTHORIZATION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        COOKIE,
        HOST,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        http::header::CONNECTION,
    ];
    match frame.into_trailers() {
        Ok(mut trailers) => {
            for name in &NEVER {
                trailers.remove(name);
            }
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}
