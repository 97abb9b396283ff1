//! HTTP/1.1: hyper speaks it, behind our own rules.
//!
//! A connection goes through a [`gate`], which looks at every head before hyper does (`head`,
//! `target`) and follows every body (`chunks`). While it waits for a request it needs no hyper at
//! all: after a moment without one, hyper is dropped, and made anew when a byte comes.

mod answerer;
mod chunks;
mod gate;
mod handover;
mod head;
mod hot_answers;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod lent_gate;
mod options;
mod read_head;
mod run;
mod service;
mod target;
mod write_head;

use std::future::{pending, poll_fn};
use std::sync::Arc;

use tokio::time::{Instant, timeout};

#[cfg(feature = "proxy")]
pub(crate) use chunks::Chunks;
#[cfg(feature = "proxy")]
pub(crate) use head::{is_token, plain_length, trimmed};
pub(super) use options::Options;
pub(super) use service::Service;

use crate::diagnostics::events;
use crate::features::Connection;
use crate::server::activity::{Cut, Http1Activity};
use crate::server::clock::{Moment, TICK};
use crate::server::drain::{Phase, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::open_requests::Answer;
use crate::server::slot::Slot;
use gate::Gate;
use lent_gate::Home;
use run::{DRAIN, End, busy};

/// Serves a connection until it ends.
pub(super) fn serve<S: Socket>(
    stream: Stream<S>,
    service: Service,
    options: Arc<Options>,
    watch: Watch,
    slot: Slot,
) -> impl Future<Output = ()> + Send {
    let gate = Gate::new(stream, Arc::clone(service.activity()), Arc::clone(&options));
    serve_gate(Box::new(gate), service, options, watch, slot)
}

/// The same, of whose future each connection has the room.
#[expect(clippy::manual_async_fn, reason = "an `async fn` has room for what it is given twice")]
fn serve_gate<S: Socket>(
    mut gate: Box<Gate<S>>,
    service: Service,
    options: Arc<Options>,
    mut watch: Watch,
    slot: Slot,
) -> impl Future<Output = ()> + Send {
    async move {
        let (facts, activity) = (service.connection(), service.activity());
        // How many requests there were when the stop last looked for one more.
        let mut looked = None;
        // Whether the stop was told what it waits for here.
        let mut answer = Answer::default();
        loop {
            let run = busy(gate, service.clone(), &options, &mut watch, &mut answer);
            match Box::pin(run).await {
                End::Idle(idle) => gate = idle,
                End::Busy(busy) => {
                    gate = busy;
                    continue;
                }
                End::Lingered(lingering) => {
                    gate = lingering;
                    // Empty lines are no request: a client that sends nothing else is idle.
                    let begun = Some(activity.begun());
                    let only_lines = looked.replace(activity.begun()) == begun && !gate.has_begun();
                    if !only_lines && has_more(&mut gate, &mut watch).await {
                        continue;
                    }
                    return Box::pin(close(gate, facts, &mut watch)).await;
                }
                End::Closed(gate) => return Box::pin(close(gate, facts, &mut watch)).await,
                End::Cut(mut gate, cut) => return reset(gate.stream(), facts, activity, cut),
                End::Upgraded(home) => {
                    drop(slot);
                    return upgraded(&home, activity, &mut watch, answer).await;
                }
            }
            let limit = options.keep_alive_timeout + TICK;
            // Empty lines are no request: a client that sends nothing else has no more time for it.
            let Some(left) = activity.idle_for(limit, Moment::now()) else {
                return Box::pin(close(gate, facts, &mut watch)).await;
            };
            let now = Instant::now();
            let since = now.checked_sub(limit.saturating_sub(left)).unwrap_or(now);
            let readable = tokio::select! {
                biased;
                readable = timeout(left, poll_fn(|cx| gate.stream().poll_readable(cx))) => {
                    matches!(readable, Ok(Ok(())))
                }
                () = watch.lingered(since) => false,
            };
            if !readable && !has_more(&mut gate, &mut watch).await {
                return Box::pin(close(gate, facts, &mut watch)).await;
            }
        }
    }
}

/// Whether a connection that has waited long enough has something to read all the same, in the last
/// moment. Waits until the runtime has heard of it, too.
async fn has_more<S: Socket>(gate: &mut Gate<S>, watch: &mut Watch) -> bool {
    gate.stream().has_unread()
        && tokio::select! {
            biased;
            () = watch.reached(Phase::Aborting) => false,
            readable = poll_fn(|cx| gate.stream().poll_readable(cx)) => readable.is_ok(),
        }
}

/// Ends a connection: tells the client, and listens for a while to one that is still sending.
async fn close<S: Socket>(mut gate: Box<Gate<S>>, facts: &Connection, watch: &mut Watch) {
    let unfinished = gate.is_unfinished();
    if gate.has_ended() {
        events::connection_disconnecting(&facts.id());
    }
    events::sending_end(&facts.id());
    let ended = tokio::select! {
        biased;
        () = watch.reached(Phase::Aborting) => return,
        ended = gate.end_sending() => ended,
    };
    // The stop ends connections that nobody has read to the end: what is unread would make a reset of
    // the close, and that could take the answer away.
    let unfinished =
        unfinished || watch.phase().get() != Phase::Running && gate.stream().has_unread();
    // The client may be gone; there is nobody else to tell.
    if ended.is_err() || !unfinished {
        return;
    }
    let since = Instant::now();
    tokio::select! {
        biased;
        _ = timeout(DRAIN, gate.stream().pass_over()) => {}
        () = watch.lingered(since) => {}
    }
}

/// Cuts a connection off, so that the client sees it.
fn reset<S: Socket>(
    stream: &mut Stream<S>,
    facts: &Connection,
    activity: &Http1Activity,
    cut: Option<Cut>,
) {
    let reason = match cut {
        None => return,
        Some(Cut::Gone) => {
            events::request_aborted(&facts.id(), activity.begun());
            return;
        }
        Some(Cut::Aborted) => "The connection was aborted by the application.",
        Some(Cut::Drain) => {
            activity.context().counters().count_drain_timed_out();
            "The connection was timed out by the server."
        }
        Some(Cut::ResponseRate) => {
            activity.context().counters().count_answer_timed_out();
            events::response_too_slow(&facts.id(), activity.begun());
            "The connection was timed out by the server because the response was not read by the client at the specified minimum data rate."
        }
    };
    events::sending_reset(&facts.id(), reason);
    events::request_processing_ended(&facts.id(), &reason);
    stream.reset_on_close();
}

/// Waits for the end of an upgraded connection, which the stop cuts off with all others.
async fn upgraded<S: Socket>(
    home: &Home<S>,
    activity: &Http1Activity,
    watch: &mut Watch,
    mut answer: Answer,
) {
    let mut question = watch.clone();
    let answer = async {
        question.asked().await;
        answer.give(question.phase().inquiry(), || activity.open_requests());
        pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = answer => return,
        _ = home.returned() => return,
        () = watch.reached(Phase::Aborting) => {
            events::request_aborted(&activity.id(), activity.begun());
            activity.wake();
        }
    }
    // Until then the stop has something to wait for.
    drop(home.returned().await);
}
