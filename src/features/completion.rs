//! The moment in which the answer to a request is out.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

/// How the answer to a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Completed {
    /// Its last byte was handed to the system.
    Sent,
    /// The client was gone before, or did not want it any more.
    ClientGone,
    /// The client took it more slowly than `MinResponseDataRate` allows.
    TooSlow,
    /// The app cut it off: [`Abort`](super::Abort), or [`ResetStream`](super::ResetStream).
    Aborted,
    /// The app failed in the middle of it.
    Failed,
    /// The stop of the server cut it off.
    Stopped,
}

/// Tells when the answer to a request is out, and how that ended. It costs nothing unless it is asked
/// for. (What `HttpResponse.OnCompleted` is for in ASP.NET Core, with the reason.)
///
/// On HTTP/2 it may come later than the last byte, while another answer on the same connection waits
/// for the client; and where several wait, one that the client resets then may be told as sent.
///
/// ```
/// use kestrel::{Completed, Completion};
///
/// async fn download(completion: Option<Completion>) -> &'static str {
///     if let Some(completion) = completion {
///         completion.on_end(|end| {
///             if end == Completed::Sent { /* count it */ }
///         });
///     }
///     "a large file"
/// }
/// ```
#[derive(Clone)]
pub struct Completion {
    source: Arc<dyn CompletionSource>,
    request: u32,
}

impl Completion {
    pub(crate) fn new(source: Arc<dyn CompletionSource>, request: u32) -> Self {
        Self { source, request }
    }

    /// Calls `tell` once the answer is out. It is called where bytes are written, so it should be quick.
    /// If the answer is out already, it is never called. A panic in it is told in the log.
    pub fn on_end(&self, tell: impl FnOnce(Completed) + Send + 'static) {
        self.source.watch(self.request, Box::new(AtEnd(tell)));
    }

    /// Calls `tell` once the request is over: its answer is out, and the other protocol that it may have turned the
    /// connection into, such as WebSocket, has ended, too. On HTTP/2 that is when so many streams have ended
    /// that one of them must have been it.
    pub(crate) fn when_over(&self, tell: impl FnOnce() + Send + 'static) {
        self.source.watch(self.request, Box::new(WhenOver(tell)));
    }

    /// Sends an answer before the answer, such as 103 (RFC 9110 section 15.2), where that can be: not on HTTP/2,
    /// whose library has no way for it, and not to a client of HTTP/1.0, which is for the caller to see. What comes
    /// together with the answer is left out.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on has them"))]
    pub(crate) fn send_interim(&self, status: StatusCode, headers: &HeaderMap) {
        self.source.send_interim(status, headers);
    }

    /// The number of the request on its connection.
    pub(crate) fn request(&self) -> u32 {
        self.request
    }

    /// Lets `watch` see how the request is answered. The same goes for it.
    pub(crate) fn watch(&self, watch: Box<dyn Watch>) {
        self.source.watch(self.request, watch);
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Who knows when answers are out: a connection of the server.
pub(crate) trait CompletionSource: Send + Sync {
    /// Lets `watch` see the answer to the request of this number.
    fn watch(&self, request: u32, watch: Box<dyn Watch>);

    /// Sends an answer before the answer to the request that is being answered, if the version of HTTP has a way
    /// for it and its time is not over.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on has them"))]
    fn send_interim(&self, status: StatusCode, headers: &HeaderMap) {
        let _ = (status, headers);
    }
}

/// Sees how a request is answered, as far as it is.
pub(crate) trait Watch: Send {
    /// Whether it looks at the headers of the answer: those that every answer has are there only then.
    fn wants_headers(&self) -> bool {
        false
    }

    /// The head of the answer as it is sent, unless there is none.
    fn head(&mut self, _: &SentHead<'_>) {}

    /// Whether it wants to know, of an answer that turns the connection or the stream into another protocol's,
    /// when that is over, and not when the answer is out.
    fn outlasts_answer(&self) -> bool {
        false
    }

    /// The answer is out, or ends like this. So many bytes of its body were sent.
    fn end(self: Box<Self>, end: Completed, bytes: u64);
}

/// The head of an answer as it is sent: what the server makes of an app that fails, or of an answer that
/// cannot be, is in it.
#[derive(Debug)]
pub(crate) struct SentHead<'a> {
    pub(crate) status: StatusCode,
    /// All but what the version of HTTP needs to frame the answer, and what every answer has unless it was asked for.
    pub(crate) headers: &'a HeaderMap,
    /// The length that it tells, whoever has set it, for those who want headers.
    pub(crate) content_length: Option<u64>,
    /// Whether there is something of a body, even if the client has asked for none of it.
    pub(crate) has_body: bool,
}

/// Wants to know of the end alone.
struct AtEnd<F>(F);

impl<F: FnOnce(Completed) + Send> Watch for AtEnd<F> {
    fn end(self: Box<Self>, end: Completed, _: u64) {
        (self.0)(end);
    }
}

/// Wants to know of the end of all that a request has begun.
struct WhenOver<F>(F);

impl<F: FnOnce() + Send> Watch for WhenOver<F> {
    fn outlasts_answer(&self) -> bool {
        true
    }

    fn end(self: Box<Self>, _: Completed, _: u64) {
        (self.0)();
    }
}
