//! HTTP/2: hyper speaks it, with Kestrel's settings, timeouts and manners.
//!
//! What goes in is a stream that begins with the preface; what comes out are requests for
//! [`service`] and, once, the end of the connection. hyper's library sees to streams,
//! compression and windows. Around it stand
//!
//! - [`gate`]: the stream that hyper reads and writes, which follows the frames and knows when
//!   something takes too long or is too much; [`incoming`], [`frame_rules`], [`bucket`],
//!   [`outgoing`], [`streams`], [`windows`], [`clocks`], [`block`], [`representation`] and
//!   [`table`] are its parts that know no socket;
//! - [`ending`]: every reason for which a connection ends;
//! - [`request_rules`]: what is wrong with a request that came through.
//!
//! Bodies, their sizes and rates are not looked at here.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use self::ending::Ending;
use self::frame::Code;
use self::gate::{Gate, Rest};
pub(super) use self::options::Options;
pub(super) use self::service::Service;
use crate::diagnostics::events;
use crate::features::{Completed, ConnectionId};
use crate::server::activity::Http2Activity;
use crate::server::drain::{Phase, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::open_requests::Answer;

mod block;
mod bucket;
mod clocks;
mod ending;
mod frame;
mod frame_rules;
mod gate;
mod huffman;
mod incoming;
mod options;
mod outgoing;
mod representation;
mod request_rules;
mod service;
mod streams;
mod table;
mod windows;

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
    service: Service,
    options: &Options,
    watch: &mut Watch,
) {
    let mut aborting = watch.clone();
    let activity = Arc::clone(service.activity());
    let id = &activity.id();
    let gate = Gate::new(stream, &activity.context().options().limits, Arc::clone(&activity));
    let left = drive(&gate, service, options, watch, &activity).await;
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
    service: Service,
    options: &Options,
    watch: &mut Watch,
    activity: &Http2Activity,
) -> Left {
    let stream = TokioIo::new(gate.stream());
    let mut connection = pin!(options.builder.serve_connection(stream, service));
    let phase = watch.phase().clone();
    let mut second = watch.clone();
    let mut stopping = pin!(watch.reached(Phase::Stopping));
    let mut aborting = pin!(second.reached(Phase::Aborting));
    let idle = options.keep_alive_timeout.min(Duration::from_secs(3600));
    let mut timer = pin!(sleep_until(Instant::now() + idle));
    let mut registered = false;
    let mut told = false;
    let mut gave_way = false;
    let mut answer = Answer::default();
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
                activity.completions().ends(Completed::Stopped);
                return Poll::Ready(Left::Aborted);
            }
            if !told && stopping.as_mut().poll(cx).is_ready() {
                told = true;
                gate.stop();
            }
            answer.give(phase.inquiry(), || activity.open_requests());
        }
        let ended = connection.as_mut().poll(cx);
        // A timer that was never asked, or not since it was moved, wakes nobody.
        let ask = !registered;
        registered = true;
        if let Poll::Ready(ending) = poll_timeouts(gate, (timer.as_mut(), idle), ask, cx) {
            return Poll::Ready(Left::Ending(ending));
        }
        ended.map(Left::Done)
    })
    .await
}

/// Looks at the clocks of the gate, and gives the reason to end the connection once there is one.
///
/// The timer is one for all timeouts, and is set to `idle` when none is due. It is moved forward only
/// when something is due earlier, which is rare: a request that comes and goes leaves it alone.
fn poll_timeouts<S: Socket>(
    gate: &Gate<S>,
    (mut timer, idle): (Pin<&mut Sleep>, Duration),
    mut ask: bool,
    cx: &mut Context<'_>,
) -> Poll<Ending> {
    loop {
        if let Poll::Ready(ending) = gate.poll_ending(cx) {
            return Poll::Ready(ending);
        }
        if let Some(due) = gate.due()
            && due < timer.deadline()
        {
            timer.as_mut().reset(due);
            ask = true;
        }
        if !(ask || timer.is_elapsed()) || timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let now = Instant::now();
        if gate.expire(now) {
            cx.waker().wake_by_ref();
        }
        let next = gate.due().unwrap_or(now + idle);
        timer.as_mut().reset(next.max(now + Duration::from_millis(1)));
        ask = true;
    }
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
