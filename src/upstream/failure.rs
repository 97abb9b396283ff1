//! Why there is no answer, or not all of it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::body::Body;

/// Why a request has no answer, or an answer broke off.
///
/// In a box, so that what may fail stays small where nothing does.
#[derive(Debug)]
pub(crate) struct Failure(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: FailureKind,
    text: String,
    source: Option<axum::Error>,
    is_unsent: bool,
    is_repeatable: bool,
    body: Option<Body>,
}

/// The cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The name of the server could not be resolved.
    Name,
    /// Nobody listens there.
    Refused,
    /// There is no way there, or the system refused the attempt.
    Unreachable,
    /// This process has no file descriptors left, which is not the server's doing.
    NoDescriptors,
    /// There was no connection within the time for it.
    ConnectTimedOut,
    /// The handshake of TLS failed.
    Tls,
    /// The version of HTTP cannot be had, by the policy.
    Version,
    /// The request cannot be said in HTTP: a target or a host with characters that it may not have, or chunks
    /// in HTTP/1.0.
    Request,
    /// A WebSocket goes on over HTTP/2, and the client's `Sec-WebSocket-Key` is none.
    WebSocketKey,
    /// The connection was reset.
    Reset,
    /// The connection ended before there was a head, or before its end.
    Ended,
    /// The head is none, or says what cannot be.
    MalformedHead,
    /// The head is larger than 64 KiB.
    HeadTooLarge,
    /// The server did nothing for the activity timeout.
    TimedOut,
    /// It was the client that sent nothing of its body for the activity timeout.
    ClientTimedOut,
    /// It was the client that took nothing of the answer for the activity timeout.
    ClientStalled,
    /// The body of the request failed: its source says how. It is the client's or our own doing.
    ClientBody,
    /// The body of the answer ended before its end.
    BodyCutOff,
    /// The framing of the answer's body, or its trailers, cannot be read.
    MalformedBody,
    /// The server reset the stream of HTTP/2, or broke its rules.
    Http2,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        let (text, source, body) = (text.into(), None, None);
        Self(Box::new(Details { kind, text, source, is_unsent: false, is_repeatable: false, body }))
    }

    /// The request's body failed.
    pub(super) fn of_client(error: axum::Error) -> Self {
        let mut failure =
            Self::new(FailureKind::ClientBody, "the body of the request could not be read");
        failure.0.source = Some(error);
        failure
    }

    /// The client took nothing of the answer for the activity timeout.
    pub(crate) fn client_stalled(timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        let text = format!(
            "the client took nothing of the answer for the activity timeout of {seconds} s"
        );
        Self::new(FailureKind::ClientStalled, text)
    }

    /// Nothing of the request has left, so that it may be sent elsewhere, whatever it asks for.
    pub(super) fn unsent(mut self, body: Option<Body>) -> Self {
        self.0.is_unsent = true;
        self.with_body(body)
    }

    /// The request has left, and may leave once more; the server that had it accepts no connection any more.
    pub(super) fn repeatable(mut self, body: Option<Body>) -> Self {
        self.0.is_repeatable = true;
        self.with_body(body)
    }

    /// The body, of which nothing was read.
    pub(super) fn with_body(mut self, body: Option<Body>) -> Self {
        self.0.body = body;
        self
    }

    pub(crate) fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// Whether nothing of the request has left: it may be sent elsewhere, whatever its method is.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.is_unsent
    }

    /// Whether the request may be asked of another server: nothing of it has left, or it may be repeated, and the one
    /// that had it is gone. Such a one may be gone for its sake, so that this is for once.
    pub(crate) fn may_go_elsewhere(&self) -> bool {
        self.0.is_unsent || self.0.is_repeatable
    }

    /// The body of the request, if nothing of it was read.
    pub(crate) fn take_body(&mut self) -> Option<Body> {
        self.0.body.take()
    }

    /// The error of the request's body.
    pub(crate) fn client_error(&mut self) -> Option<axum::Error> {
        self.0.source.take()
    }

    /// Whether it is what a server that is in order would not have done: what passive health checks count.
    pub(crate) fn is_of_server(&self) -> bool {
        !matches!(
            self.kind(),
            FailureKind::ClientBody
                | FailureKind::ClientTimedOut
                | FailureKind::ClientStalled
                | FailureKind::Version
                | FailureKind::NoDescriptors
                | FailureKind::Request
                | FailureKind::WebSocketKey
        )
    }

    /// Whether too much time was the cause.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self.kind(), FailureKind::ConnectTimedOut | FailureKind::TimedOut)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|error| error as &(dyn Error + 'static))
    }
}
