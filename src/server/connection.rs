//! One connection, from the first byte to the last.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use super::activity::Activity;
use super::drain::{Phase, Watch};
use super::io::{Socket, Stream};
use super::options::ServerOptions;
use super::protocol::{self, FirstBytes};
use super::request::RequestService;
use crate::addresses::HttpProtocols;
use crate::diagnostics::events;
use crate::features::{Connection, ConnectionId};

/// How many headers hyper has room for without an allocation.
const HYPERS_HEADER_COUNT: usize = 100;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    options: ServerOptions,
    app: Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Context {
    pub(super) fn new(options: ServerOptions, app: Router) -> Arc<Self> {
        let limits = &options.limits;
        // The end of the head is counted with it.
        let head = limits.max_request_line_size + limits.max_request_headers_total_size + 4;
        let mut http1 = http1::Builder::new();
        http1
            // Ours is cheaper, see `activity`.
            .header_read_timeout(None)
            .max_header_size(head)
            .title_case_headers(true)
            // Ours stands before the framing headers, where Kestrel has it.
            .auto_date_header(false);
        if limits.max_request_header_count != HYPERS_HEADER_COUNT {
            // Setting it moves hyper's header table to the heap, even for its own default.
            http1.max_headers(limits.max_request_header_count);
        }
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_header_list_size(
                u32::try_from(limits.max_request_headers_total_size).unwrap_or(u32::MAX),
            )
            .max_concurrent_streams(100);
        // Makes the app's handlers into services now, and not again for every request.
        let app = app.with_state(());
        Arc::new(Self { options, app, http1, http2 })
    }

    pub(super) fn options(&self) -> &ServerOptions {
        &self.options
    }

    pub(super) fn app(&self) -> &Router {
        &self.app
    }
}

/// One of the connections an endpoint may have open.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicU64>);

impl Slot {
    /// Takes a slot, if one is free.
    pub(super) fn take(open: &Arc<AtomicU64>, limit: Option<u64>) -> Option<Self> {
        let before = open.fetch_add(1, Ordering::Relaxed);
        let slot = Self(Arc::clone(open));
        limit.is_none_or(|limit| before < limit).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection until it ends. The stop waits for `watch`, the endpoint's limit for `_slot`.
pub(super) async fn serve<S: Socket>(
    socket: S,
    facts: Connection,
    protocols: HttpProtocols,
    context: Arc<Context>,
    mut watch: Watch,
    _slot: Slot,
) {
    let id = facts.id();
    events::connection_started(&id);
    let mut stream = Stream::new(socket, watch.clone());
    // A connection that has not said what it wants yet is idle: the stop ends it at once.
    let spoken = tokio::select! {
        biased;
        () = watch.reached(Phase::Stopping) => None,
        spoken = spoken(&mut stream, protocols, &context) => spoken,
    };
    match spoken {
        Some(Spoken::Http1) => {
            let (service, activity) = service(facts, &context, &watch);
            let connection = context.http1.serve_connection(TokioIo::new(stream), service);
            drive(pin!(connection.with_upgrades()), &activity, &context, &mut watch, &id).await;
        }
        Some(Spoken::Http2) => {
            let (service, activity) = service(facts, &context, &watch);
            let connection = context.http2.serve_connection(TokioIo::new(stream), service);
            drive(pin!(connection), &activity, &context, &mut watch, &id).await;
        }
        Some(Spoken::Wrong(answer)) => {
            if answer == protocol::GOAWAY_HTTP_1_1_REQUIRED {
                events::wrong_version(&id, "HTTP/1.x", "HTTP/2");
            } else {
                events::wrong_version(&id, "HTTP/2", "HTTP/1.x");
            }
            let written = async {
                stream.socket().write_all(answer).await?;
                stream.socket().shutdown().await
            };
            // The peer may be gone; there is nobody else to tell.
            let _ = timeout(context.options.limits.request_headers_timeout, written).await;
        }
        None => {}
    }
    events::connection_stopped(&id);
}

fn service(
    facts: Connection,
    context: &Arc<Context>,
    watch: &Watch,
) -> (RequestService, Arc<Activity>) {
    let activity = Activity::new();
    let phase = watch.phase().clone();
    let service = RequestService::new(facts, Arc::clone(context), phase, Arc::clone(&activity));
    (service, activity)
}

/// What a connection speaks.
enum Spoken {
    Http1,
    Http2,
    /// The wrong version for this endpoint, and what to answer.
    Wrong(&'static [u8]),
}

/// Finds out what a connection speaks, or `None` if it ended, or took too long to say.
async fn spoken<S: Socket>(
    stream: &mut Stream<S>,
    protocols: HttpProtocols,
    context: &Context,
) -> Option<Spoken> {
    if protocols == HttpProtocols::None {
        events::no_protocol();
        return None;
    }
    let limits = &context.options.limits;
    if !timeout(limits.keep_alive_timeout, stream.read_first()).await.ok()?.ok()? {
        return None;
    }
    timeout(limits.request_headers_timeout, async {
        loop {
            if let Some(spoken) = decide(stream.first(), protocols) {
                return Some(spoken);
            }
            if !stream.read_first().await.ok()? {
                // The peer sent no more: what is there is for hyper to refuse.
                return Some(if protocols == HttpProtocols::Http2 {
                    Spoken::Http2
                } else {
                    Spoken::Http1
                });
            }
        }
    })
    .await
    .ok()?
}

/// What the first bytes say, or `None` until they are enough.
fn decide(first: &[u8], protocols: HttpProtocols) -> Option<Spoken> {
    match (protocols, protocol::first_bytes(first)) {
        (HttpProtocols::Http1, _) if protocol::is_preface_line(first) => {
            Some(Spoken::Wrong(protocol::GOAWAY_HTTP_1_1_REQUIRED))
        }
        (_, FirstBytes::Undecided) => None,
        (HttpProtocols::Http1, _) => Some(Spoken::Http1),
        (_, FirstBytes::Http2) => Some(Spoken::Http2),
        (HttpProtocols::Http2, FirstBytes::Other) => {
            protocol::is_http1_request(first).map(|is_http1| match is_http1 {
                true => Spoken::Wrong(protocol::HTTP1_ON_HTTP2),
                false => Spoken::Http2,
            })
        }
        (_, FirstBytes::Other) => Some(Spoken::Http1),
    }
}

/// How long an HTTP/2 client without a running request has to acknowledge the end, so that a
/// request it sent meanwhile is not lost.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// A connection of hyper's that can be told to end after the request it is at.
trait Graceful: Future<Output = Result<(), hyper::Error>> {
    fn end_after_request(self: Pin<&mut Self>);

    /// How long a connection that was told to end may stay open without a running request, or
    /// `None` if it is not for us to say.
    fn patience(activity: &Activity) -> Option<Duration>;
}

type Io<S> = TokioIo<Stream<S>>;

impl<S: Socket> Graceful for http1::UpgradeableConnection<Io<S>, RequestService> {
    fn end_after_request(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }

    /// hyper waits for the rest of a first head that was begun, as for any request; the stop does
    /// not. After the first, it closes by itself.
    fn patience(activity: &Activity) -> Option<Duration> {
        (!activity.has_begun()).then_some(Duration::ZERO)
    }
}

impl<S: Socket> Graceful for http2::Connection<Io<S>, RequestService, TokioExecutor> {
    fn end_after_request(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }

    /// hyper waits for the client to acknowledge, without end.
    fn patience(activity: &Activity) -> Option<Duration> {
        (!activity.is_running()).then_some(ACKNOWLEDGEMENT)
    }
}

/// Runs hyper's connection until it ends, has waited too long for a request, or the stop aborts it.
async fn drive<C: Graceful>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    context: &Context,
    watch: &mut Watch,
    id: &ConnectionId,
) {
    let limit = context.options.limits.keep_alive_timeout;
    let phase = watch.phase().clone();
    let mut second = watch.clone();
    let mut stopping = pin!(watch.reached(Phase::Stopping));
    let mut aborting = pin!(second.reached(Phase::Aborting));
    // Until the end is told, for the wait between requests; then for the client to acknowledge it.
    let mut timer = pin!(sleep(limit));
    let mut registered = false;
    let mut told = false;
    let mut patient = false;
    let ended = poll_fn(|cx| {
        // A task's waker stays the same, so one registration is enough: from then on the flag
        // tells whether there is anything to ask.
        if !registered || phase.get() != Phase::Running {
            if aborting.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if !told && stopping.as_mut().poll(cx).is_ready() {
                told = true;
                connection.as_mut().end_after_request();
            }
        }
        if !told && (!registered || timer.is_elapsed()) {
            while timer.as_mut().poll(cx).is_ready() {
                let Some(later) = activity.idle_until(limit) else {
                    told = true;
                    connection.as_mut().end_after_request();
                    break;
                };
                timer.as_mut().reset(later);
            }
        }
        registered = true;
        let ended = connection.as_mut().poll(cx);
        if !told || ended.is_ready() {
            return ended;
        }
        match C::patience(activity) {
            None => patient = false,
            Some(Duration::ZERO) => return Poll::Ready(Ok(())),
            Some(span) => {
                if !patient {
                    patient = true;
                    timer.as_mut().reset(Instant::now() + span);
                }
                if timer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Poll::Pending
    })
    .await;
    if let Err(error) = ended {
        events::connection_ended_abnormally(id, &error);
    }
}
