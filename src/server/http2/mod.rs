//! HTTP/2: hyper speaks it, with Kestrel's settings and timeouts.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Duration, Instant, sleep};

use crate::diagnostics::events;
use crate::features::ConnectionId;
use crate::server::activity::Activity;
use crate::server::clock::Moment;
use crate::server::connection::Context;
use crate::server::drain::{Phase, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::options::ServerOptions;
use crate::server::request::RequestService;

/// hyper's side of every HTTP/2 connection.
pub(super) fn builder(options: &ServerOptions) -> http2::Builder<TokioExecutor> {
    let limits = &options.limits;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_header_list_size(
            u32::try_from(limits.max_request_headers_total_size).unwrap_or(u32::MAX),
        )
        .max_concurrent_streams(limits.http2.max_streams_per_connection);
    builder
}

/// How long a client without a running request has to acknowledge the end, so that a request it
/// sent meanwhile is not lost. hyper waits for it without end.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// Runs hyper's connection until it ends, has waited too long for a request, or the stop aborts it.
pub(super) async fn serve<S: Socket>(
    stream: Stream<S>,
    service: RequestService,
    activity: &Activity,
    context: &Context,
    watch: &mut Watch,
    id: &ConnectionId,
) {
    let mut connection = pin!(context.http2.serve_connection(TokioIo::new(stream), service));
    let limit = context.options().limits.keep_alive_timeout;
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
                connection.as_mut().graceful_shutdown();
            }
        }
        if !told && (!registered || timer.is_elapsed()) {
            while timer.as_mut().poll(cx).is_ready() {
                let Some(left) = activity.idle_for(limit, Moment::now()) else {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                    break;
                };
                timer.as_mut().reset(Instant::now() + left);
            }
        }
        registered = true;
        let ended = connection.as_mut().poll(cx);
        if !told || ended.is_ready() {
            return ended;
        }
        if activity.is_running() {
            patient = false;
            return Poll::Pending;
        }
        if !patient {
            patient = true;
            timer.as_mut().reset(Instant::now() + ACKNOWLEDGEMENT);
        }
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    })
    .await;
    if let Err(error) = ended {
        events::request_processing_ended(id, &error);
    }
}
