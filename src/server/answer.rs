//! The answer of the app on its way out: whether it can be sent as it is, and whether its body
//! keeps what its head promised (RFC 9110 section 8.6).

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use super::activity::{Cut, Running};
use super::request::Finish;
use crate::diagnostics::events;
use crate::features::{Abort, ResetStream};

type BoxError = Box<dyn Error + Send + Sync>;

/// What is to become of an answer before its head is sent.
#[derive(Debug)]
pub(super) enum Judgement {
    /// It is sent. The body may not hold more than these bytes, and not fewer, if that is not
    /// certain already.
    Send { left: Option<u64> },
    /// The same, but its body cannot be: the status has none.
    SendHead,
    /// It is replaced by a 500, because of this.
    Fail(String),
}

/// What an answer says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    pub(super) status: StatusCode,
    /// The Content-Length the app set.
    pub(super) length: Option<u64>,
    /// The app frames the body itself, in a way that is not ours.
    pub(super) foreign: bool,
    /// There are headers that only HTTP/1 has. (Of an answer of HTTP/2.)
    pub(super) of_connection: bool,
    /// The request was a HEAD: whatever the body is, it is not sent.
    pub(super) head: bool,
}

/// What an answer of HTTP/2 must not have, besides Transfer-Encoding.
const OF_CONNECTION: [HeaderName; 4] = [
    CONNECTION,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

impl Promise {
    pub(super) fn of(response: &Response<Body>, method: &Method, http1: bool) -> Self {
        let head = *method == Method::HEAD;
        let mut promise = Self {
            status: response.status(),
            length: None,
            foreign: false,
            of_connection: false,
            head,
        };
        // Cheaper than to look each of them up.
        for (name, value) in response.headers() {
            if *name == CONTENT_LENGTH {
                promise.length = value.to_str().ok().and_then(|length| length.parse().ok());
            } else if *name == TRANSFER_ENCODING {
                promise.foreign |= !value.as_bytes().eq_ignore_ascii_case(b"chunked");
                promise.of_connection = true;
            } else if !http1 && OF_CONNECTION.contains(name) {
                promise.of_connection = true;
            }
        }
        promise
    }

    /// Takes out what only HTTP/1 has (RFC 9113 section 8.2.2).
    pub(super) fn strip(&mut self, headers: &mut HeaderMap) {
        if std::mem::take(&mut self.of_connection) {
            for name in OF_CONNECTION.iter().chain([&TRANSFER_ENCODING]) {
                headers.remove(name);
            }
            self.foreign = false;
            events::response_headers_removed();
        }
    }

    /// Statuses whose answers end with the head (RFC 9110 section 6.4.1), or have to be empty.
    fn is_without_body(self) -> bool {
        matches!(self.status.as_u16(), 204 | 205 | 304)
    }

    /// Judges an answer with `bytes` in the body, all of it or what comes first.
    pub(super) fn judge(self, bytes: u64, all: bool) -> Judgement {
        if self.foreign {
            return Judgement::Fail(
                "Setting the header Transfer-Encoding is not allowed, the server frames the body."
                    .to_owned(),
            );
        }
        if self.is_without_body() {
            if matches!(self.status.as_u16(), 204 | 205) && self.length.is_some_and(|length| length > 0)
            {
                return match self.head {
                    true => Judgement::SendHead,
                    false => Judgement::Fail(format!(
                        "Setting the header Content-Length is not allowed on responses with status code {}.",
                        self.status.as_u16()
                    )),
                };
            }
            return match bytes > 0 {
                true => Judgement::SendHead,
                false => Judgement::Send { left: None },
            };
        }
        match self.length {
            Some(length) if bytes > length => Judgement::Fail(too_many(bytes, length)),
            Some(length) if all && bytes == 0 && length > 0 && !self.head => {
                Judgement::Fail(too_few(0, length))
            }
            // A HEAD may promise what it does not send.
            Some(length) if self.head || all && bytes == length => Judgement::Send { left: None },
            length => Judgement::Send { left: length },
        }
    }
}

fn too_many(bytes: u64, length: u64) -> String {
    format!("Response Content-Length mismatch: too many bytes written ({bytes} of {length}).")
}

fn too_few(bytes: u64, length: u64) -> String {
    format!("Response Content-Length mismatch: too few bytes written ({bytes} of {length}).")
}

pin_project! {
    /// The body of an answer; when hyper drops it, the answer is out.
    pub(super) struct AnswerBody {
        #[pin]
        body: Body,
        // Only where there is something to watch.
        guard: Option<Box<Guard>>,
        finish: Option<Box<Finish>>,
        running: Running,
    }
}

/// What is watched of a body on its way out.
#[derive(Debug, Default)]
struct Guard {
    /// What was read of it to see how it begins.
    first: Option<Frame<Bytes>>,
    /// What the head promised, and what is left of that.
    length: Option<u64>,
    left: Option<u64>,
    /// What the body ends with, once what came before is out.
    failure: Option<BoxError>,
}

impl AnswerBody {
    pub(super) fn new(
        body: Body,
        first: Option<Frame<Bytes>>,
        left: Option<u64>,
        finish: Option<Box<Finish>>,
        mut running: Running,
    ) -> Self {
        if !running.activity().is_http1()
            && first.is_none()
            && http_body::Body::is_end_stream(&body)
        {
            running.end();
        }
        let guard = (first.is_some() || left.is_some())
            .then(|| Box::new(Guard { first, length: left, left, failure: None }));
        Self { body, guard, finish, running }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        this.running.go_on();
        if let Some(failure) = this.guard.as_mut().and_then(|guard| guard.failure.take()) {
            if this.running.activity().is_http1() && (failure.is::<Abort>() || failure.is::<h2::Error>()) {
                this.running.activity().cut(Cut::Aborted);
            }
            return Poll::Ready(Some(Err(failure)));
        }
        let frame = match this.guard.as_mut().and_then(|guard| guard.first.take()) {
            Some(first) => Some(Ok(first)),
            None => ready!(this.body.as_mut().poll_frame(cx)),
        };
        let failure = match frame {
            Some(Ok(frame)) => {
                let mismatch =
                    this.guard.as_mut().and_then(|guard| guard.take_from_promise(&frame));
                match mismatch {
                    None => {
                        if !this.running.activity().is_http1() {
                            // hyper asks for more when the client's window lets it.
                            this.running.hand_over();
                            if this.body.is_end_stream() {
                                this.running.end();
                            }
                        }
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    Some(mismatch) => fail(mismatch, this.running),
                }
            }
            Some(Err(error)) => cut_off(error, this.running),
            None => match this.guard.as_mut().and_then(|guard| guard.missing()) {
                // Said here, not left to hyper: it goes for HTTP/2 as well.
                Some(mismatch) => fail(mismatch, this.running),
                None => {
                    if let Some(finish) = this.finish {
                        finish.completed();
                    }
                    this.running.end();
                    return Poll::Ready(None);
                }
            },
        };
        // hyper drops what it has not written when a body fails, so it is given time to write.
        this.guard.get_or_insert_default().failure = Some(failure);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.guard.as_ref().is_none_or(|guard| {
            guard.first.is_none() && guard.failure.is_none() && guard.left.is_none_or(|left| left == 0)
        }) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.guard {
            None => self.body.size_hint(),
            // What is here already is not in the body any more; and what the head promised is not
            // what the body knows.
            Some(_) => SizeHint::default(),
        }
    }
}

impl Guard {
    /// Takes a frame from what is left of the promise; what is wrong if it is too much.
    fn take_from_promise(&mut self, frame: &Frame<Bytes>) -> Option<String> {
        let (left, length) = (self.left?, self.length?);
        let bytes = frame.data_ref()?.len() as u64;
        match left.checked_sub(bytes) {
            Some(rest) => {
                self.left = Some(rest);
                None
            }
            None => Some(too_many(length - left + bytes, length)),
        }
    }

    /// What is wrong if the body ends here.
    fn missing(&mut self) -> Option<String> {
        match (self.left.take(), self.length) {
            (Some(left @ 1..), Some(length)) => Some(too_few(length - left, length)),
            _ => None,
        }
    }
}

fn fail(mismatch: String, running: &mut Running) -> BoxError {
    running.failed(&mismatch);
    if !running.activity().is_http1() {
        running.reset(h2::Reason::INTERNAL_ERROR, &mismatch);
    }
    mismatch.into()
}

/// The body of an answer failed when the head was out: the client has to see that it is not whole.
fn cut_off(error: axum::Error, running: &mut Running) -> BoxError {
    let http1 = running.activity().is_http1();
    let error = error.into_inner();
    let mut source: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(current) = source {
        if let Some(ResetStream(code)) = current.downcast_ref() {
            let reason = h2::Reason::from(*code);
            if !http1 {
                running.reset(reason, "The application reset the stream.");
            }
            return h2::Error::from(reason).into();
        }
        if current.is::<Abort>() {
            events::application_aborted(&running.activity().id(), running.request());
            if !http1 {
                running.reset(h2::Reason::INTERNAL_ERROR, "The application aborted the stream.");
            }
            return Abort.into();
        }
        source = current.source();
    }
    fail(error.to_string(), running)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_what_is_known_of_it() {
        #[derive(Debug, PartialEq)]
        enum Is {
            Sent(Option<u64>),
            Headed,
            Failed,
        }
        for (status, length, head, bytes, all, expected) in [
            (200, None, false, 5, true, Is::Sent(None)),
            (200, Some(5), false, 5, true, Is::Sent(None)),
            (200, Some(5), false, 6, true, Is::Failed),
            (200, Some(5), false, 6, false, Is::Failed),
            (200, Some(5), false, 3, true, Is::Sent(Some(5))),
            (200, Some(5), false, 3, false, Is::Sent(Some(5))),
            (200, Some(5), false, 0, true, Is::Failed),
            (200, Some(5), true, 0, true, Is::Sent(None)),
            (200, Some(5), true, 6, false, Is::Failed),
            (204, None, false, 0, true, Is::Sent(None)),
            (204, None, false, 5, true, Is::Headed),
            (204, Some(5), false, 0, true, Is::Failed),
            (204, Some(5), true, 0, true, Is::Headed),
            (205, Some(0), false, 0, true, Is::Sent(None)),
            (304, Some(5), false, 0, true, Is::Sent(None)),
            (304, None, false, 1, false, Is::Headed),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let promise = Promise { status, length, foreign: false, of_connection: false, head };
            let judged = match promise.judge(bytes, all) {
                Judgement::Send { left } => Is::Sent(left),
                Judgement::SendHead => Is::Headed,
                Judgement::Fail(_) => Is::Failed,
            };
            assert_eq!(judged, expected, "{status} {length:?} {head} {bytes} {all}");
        }
    }
}
