//! HTTP/2: hyper speaks it, with Kestrel's settings, timeouts and manners.
//!
//! What goes in is a stream that begins with the preface; what comes out are requests for
//! [`RequestService`] and, once, the end of the connection. hyper's library sees to streams,
//! compression and windows. Around it stand
//!
//! - [`gate`]: the stream that hyper reads and writes, which follows the frames and knows when
//!   something takes too long or is too much; [`incoming`], [`outgoing`], [`streams`], [`windows`],
//!   [`block`] and [`table`] are its parts that know no socket;
//! - [`ending`]: every reason for which a connection ends;
//! - [`check`]: what is wrong with a request that came through.
//!
//! Bodies, their sizes and rates are not looked at here.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Duration, Instant, sleep_until};

use self::ending::Ending;
pub(super) use self::frame::Code;
use self::gate::{Gate, Rest};
use crate::diagnostics::events;
use crate::features::ConnectionId;
use crate::server::activity::Activity;
use crate::server::connection::Context;
use crate::server::drain::{Phase, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::options::ServerOptions;
use crate::server::request::RequestService;

mod block;
pub(super) mod check;
mod ending;
mod frame;
mod gate;
mod huffman;
mod incoming;
mod outgoing;
mod streams;
mod table;
mod windows;

/// What a PING of the server waits beyond its delay. Kestrel looks once a second and adds one:
/// this is the middle.
const PING_TICK: Duration = Duration::from_millis(1500);

/// hyper's side of every HTTP/2 connection.
pub(super) fn builder(options: &ServerOptions) -> http2::Builder<TokioExecutor> {
    // The values of the specification.
    const MAX_FRAME_SIZE: usize = 16 * 1024;
    const HEADER_TABLE_SIZE: u32 = 4096;
    // Unlike zero, no limit is none.
    const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

    let limits = &options.limits;
    let own = &limits.http2;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .enable_connect_protocol()
        .max_concurrent_streams(own.max_streams_per_connection)
        .initial_stream_window_size(own.initial_stream_window_size)
        .initial_connection_window_size(own.initial_connection_window_size)
        // The gate measures, and tells the client the limit: the library's answer to a list that is
        // too long is none of ours, and ends the connection soon after.
        .max_header_list_size(u32::MAX)
        // As many as Kestrel keeps track of; the gate counts resets over time.
        .max_pending_accept_reset_streams(
            (own.max_streams_per_connection as usize).saturating_mul(2).max(100),
        )
        // hyper takes the PINGs out; how long to wait for an answer is the gate's to know.
        .keep_alive_interval(
            own.keep_alive_ping_delay.map(|delay| delay.saturating_add(PING_TICK).min(NEVER)),
        )
        .keep_alive_timeout(NEVER);
    builder.max_frame_size(own.max_frame_size);
    if own.header_table_size != HEADER_TABLE_SIZE {
        builder.header_table_size(own.header_table_size);
    }
    if let Some(size) = limits.max_response_buffer_size {
        // With less than a frame, hyper's library would cut answers into tiny ones, or never send.
        builder.max_send_buf_size(size.clamp(MAX_FRAME_SIZE, u32::MAX as usize));
    }
    builder
}

/// How a connection was left.
enum Left {
    /// We end it.
    Ending(Ending),
    /// hyper has nothing more to do: the client is gone.
    Done(Result<(), hyper::Error>),
    /// The stop has no more patience.
    Aborted,
}

/// Runs hyper's connection until it ends, has waited too long, or the stop aborts it.
pub(super) async fn serve<S: Socket>(
    stream: Stream<S>,
    service: RequestService,
    context: &Context,
    watch: &mut Watch,
    activity: Arc<Activity>,
) {
    let mut aborting = watch.clone();
    let id = &activity.id();
    let gate = Gate::new(stream, &context.options().limits, Arc::clone(&activity));
    let left = drive(&gate, service, context, watch, &activity).await;
    // hyper's end is gone with its connection.
    let Some(rest) = gate.into_rest() else {
        return;
    };
    match left {
        Left::Ending(ending) => {
            tell(id, ending, rest.begun);
            events::http2_connection_closed(id, rest.highest);
            tokio::select! {
                biased;
                () = aborting.reached(Phase::Aborting) => {}
                () = say_goodbye(rest, ending) => {}
            }
        }
        Left::Done(ended) => {
            if let Err(error) = ended {
                events::request_processing_ended(id, &error);
            }
            events::http2_connection_closed(id, rest.highest);
        }
        Left::Aborted => {
            if rest.busy {
                events::request_processing_ended(
                    id,
                    &"The server stops, and the time for that is over.",
                );
            }
        }
    }
}

async fn drive<S: Socket>(
    gate: &Gate<S>,
    service: RequestService,
    context: &Context,
    watch: &mut Watch,
    activity: &Activity,
) -> Left {
    let mut connection = pin!(context.http2.serve_connection(TokioIo::new(gate.stream()), service));
    let phase = watch.phase().clone();
    let mut second = watch.clone();
    let mut stopping = pin!(watch.reached(Phase::Stopping));
    let mut aborting = pin!(second.reached(Phase::Aborting));
    // One for all timeouts. It is moved forward only when something is due earlier, which is rare:
    // a request that comes and goes leaves it alone.
    let idle = context.options().limits.keep_alive_timeout.min(Duration::from_secs(3600));
    let mut timer = pin!(sleep_until(Instant::now() + idle));
    let mut registered = false;
    let mut told = false;
    let mut gave_way = false;
    let mut answered = false;
    poll_fn(|cx| {
        // A task's waker stays the same, so one registration is enough: from then on the flag
        // tells whether there is anything to ask.
        if registered && phase.get() == Phase::Running {
            // tokio gives the next turn to the task that was woken last: this one, behind each of
            // its requests. At the back of the queue it finds the answers of all that came at once,
            // and they are one write, and one record of TLS. Once only, because one of them may keep
            // its thread busy for long.
            gave_way = !gave_way && activity.has_unasked();
            if gave_way {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        } else {
            if aborting.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Left::Aborted);
            }
            if !told && stopping.as_mut().poll(cx).is_ready() {
                told = true;
                gate.stop();
            }
            if !answered && phase.inquiry().is_asked() {
                answered = true;
                phase.inquiry().answer(activity.open_requests());
            }
        }
        let ended = connection.as_mut().poll(cx);
        // A timer that was never asked, or not since it was moved, wakes nobody.
        let mut ask = !registered;
        registered = true;
        loop {
            if let Poll::Ready(ending) = gate.poll_ending(cx) {
                return Poll::Ready(Left::Ending(ending));
            }
            if let Some(due) = gate.due()
                && due < timer.deadline()
            {
                timer.as_mut().reset(due);
                ask = true;
            }
            if !(ask || timer.is_elapsed()) || timer.as_mut().poll(cx).is_pending() {
                break;
            }
            let now = Instant::now();
            if gate.expire(now) {
                cx.waker().wake_by_ref();
            }
            let next = gate.due().unwrap_or(now + idle);
            timer.as_mut().reset(next.max(now + Duration::from_millis(1)));
            ask = true;
        }
        ended.map(Left::Done)
    })
    .await
}

fn tell(id: &ConnectionId, ending: Ending, highest: u32) {
    match ending {
        Ending::RequestHeaders => events::bad_request(id, &ending),
        Ending::ResponseRate => events::http2_response_too_slow(id),
        Ending::Protocol(Code::COMPRESSION_ERROR) | Ending::Library(Code::COMPRESSION_ERROR) => {
            events::http2_compression_error(id, highest, &ending);
        }
        _ if ending.is_error() => events::http2_connection_error(id, &ending),
        _ => {}
    }
}

async fn say_goodbye<S: Socket>(mut rest: Rest<S>, ending: Ending) {
    if !rest.at_boundary {
        rest.stream.socket().reset_on_close();
        return;
    }
    let last = if ending.is_error() { rest.begun } else { rest.highest };
    let goaway = frame::goaway(ending.last_stream(last), ending.code());
    rest.stream.end_with(&goaway).await;
}
