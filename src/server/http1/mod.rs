//! HTTP/1.1: hyper speaks it, behind our own rules.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::sleep;

use crate::diagnostics::events;
use crate::features::ConnectionId;
use crate::server::activity::Activity;
use crate::server::connection::Context;
use crate::server::drain::{Phase, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::options::ServerOptions;
use crate::server::request::RequestService;

/// How many headers hyper has room for without an allocation.
const HYPERS_HEADER_COUNT: usize = 100;

/// hyper's side of every HTTP/1 connection.
pub(super) fn builder(options: &ServerOptions) -> http1::Builder {
    let limits = &options.limits;
    // The end of the head is counted with it.
    let head = limits.max_request_line_size + limits.max_request_headers_total_size + 4;
    let mut builder = http1::Builder::new();
    builder
        // Ours is cheaper, see `activity`.
        .header_read_timeout(None)
        .max_header_size(head)
        .title_case_headers(true)
        // Ours stands before the framing headers, where Kestrel has it.
        .auto_date_header(false);
    if limits.max_request_header_count != HYPERS_HEADER_COUNT {
        // Setting it moves hyper's header table to the heap, even for its own default.
        builder.max_headers(limits.max_request_header_count);
    }
    builder
}

/// Runs hyper's connection until it ends, has waited too long for a request, or the stop aborts it.
pub(super) async fn serve<S: Socket>(
    stream: Stream<S>,
    service: RequestService,
    activity: &Activity,
    context: &Context,
    watch: &mut Watch,
    id: &ConnectionId,
) {
    let connection = context.http1.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection.with_upgrades());
    let limit = context.options().limits.keep_alive_timeout;
    let phase = watch.phase().clone();
    let mut second = watch.clone();
    let mut stopping = pin!(watch.reached(Phase::Stopping));
    let mut aborting = pin!(second.reached(Phase::Aborting));
    // Until the end is told, for the wait between requests.
    let mut timer = pin!(sleep(limit));
    let mut registered = false;
    let mut told = false;
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
                let Some(later) = activity.idle_until(limit) else {
                    told = true;
                    connection.as_mut().graceful_shutdown();
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
        // hyper waits for the rest of a first head that was begun, as for any request; the stop
        // does not. After the first, it closes by itself.
        if !activity.has_begun() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    })
    .await;
    if let Err(error) = ended {
        events::connection_ended_abnormally(id, &error);
    }
}
