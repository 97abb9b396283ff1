//! HTTP/1.1: hyper speaks it, behind our own rules.
//!
//! A connection goes through a [`gate`], which looks at every head before hyper does (`head`,
//! `target`) and follows every body (`chunks`). While it waits for a request it needs no hyper at
//! all: after a moment without one, hyper is dropped, and made anew when a byte comes.

mod chunks;
mod gate;
mod head;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod lent_gate;
mod options;
mod service;
mod target;

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http_body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::diagnostics::events;
use crate::features::{Completed, Connection};
use crate::server::activity::{Cut, Http1Activity, Last, Unread};
use crate::server::clock::{Moment, TICK};
use crate::server::drain::{Phase, PhaseFlag, Watch};
use crate::server::io::{Socket, Stream};
use crate::server::open_requests::Answer;
use crate::server::rejection::Rejection;
use crate::server::slot::Slot;
use gate::Gate;
use lent_gate::{Home, Loan};
pub(super) use options::Options;
pub(super) use service::Service;

/// After how long a wait hyper is dropped, to be made anew for the next request: longer than the
/// pauses of a busy client, short enough that thousands of waiting ones hold little memory.
const RELEASE_AFTER: Duration = Duration::from_millis(200);

/// How long the rest of a body may take, and how long a client that is still sending is listened
/// to after the last answer, so that a reset does not take the answer away from it.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves a connection until it ends.
pub(super) async fn serve<S: Socket>(
    stream: Stream<S>,
    service: Service,
    options: Arc<Options>,
    mut watch: Watch,
    slot: Slot,
) {
    let (facts, activity) = (service.connection(), service.activity());
    let mut gate = Box::new(Gate::new(stream, Arc::clone(activity), Arc::clone(&options)));
    // How many requests there were when the stop last looked for one more.
    let mut looked = None;
    // Whether the stop was told what it waits for here.
    let mut answer = Answer::default();
    loop {
        let run = busy(gate, &service, &options, &mut watch, &mut answer);
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

/// How hyper's part of a connection ended.
enum End<S: Socket> {
    /// It waits for a request.
    Idle(Box<Gate<S>>),
    /// It goes on.
    Busy(Box<Gate<S>>),
    /// The stop has waited for a request long enough.
    Lingered(Box<Gate<S>>),
    /// It is over.
    Closed(Box<Gate<S>>),
    /// It is to be cut off.
    Cut(Box<Gate<S>>, Option<Cut>),
    /// It is another protocol's, until the gate comes home.
    Upgraded(Arc<Home<S>>),
}

type HyperConnection<S> = http1::UpgradeableConnection<TokioIo<Loan<S>>, Service>;

/// Runs hyper on a connection until it waits for a request for some time, or ends.
async fn busy<S: Socket>(
    gate: Box<Gate<S>>,
    service: &Service,
    options: &Options,
    watch: &mut Watch,
    answer: &mut Answer,
) -> End<S> {
    let (facts, activity) = (service.connection(), service.activity());
    let home = Home::new();
    let phase = watch.phase().clone();
    let loan = TokioIo::new(Home::lend(&home, gate));
    let why = {
        let connection = options.builder.serve_connection(loan, service.clone()).with_upgrades();
        let mut second = watch.clone();
        let mut stopping = pin!(watch.reached(Phase::Stopping));
        let mut aborting = pin!(second.reached(Phase::Aborting));
        let mut run = Run {
            connection: pin!(connection),
            timer: pin!(sleep(RELEASE_AFTER)),
            draining: None,
            told: false,
            ends: false,
            stopping: None,
            activity,
            facts,
            limit: options.keep_alive_timeout + TICK,
        };
        let mut registered = false;
        poll_fn(|cx| {
            // A task's waker stays the same, so one registration is enough: from then on the flag
            // tells whether there is anything to ask.
            if !registered || phase.get() != Phase::Running {
                if aborting.as_mut().poll(cx).is_ready() {
                    activity.completions().ends(Completed::Stopped);
                    return Poll::Ready(Why::Cut(None));
                }
                if run.stopping.is_none() && stopping.as_mut().poll(cx).is_ready() {
                    run.stop(&phase, cx);
                }
                answer.give(phase.inquiry(), || activity.open_requests());
            }
            if !registered {
                activity.set_waker(cx.waker());
                registered = true;
                let _ = run.timer.as_mut().poll(cx);
            }
            run.poll(cx)
        })
        .await
    };
    let Some(mut gate) = home.take() else {
        return End::Upgraded(home);
    };
    match why {
        Why::Cut(cut) => End::Cut(gate, cut),
        Why::Idle if gate.settle() => End::Idle(gate),
        // Something came in the last moment.
        Why::Idle if !gate.is_over() => End::Busy(gate),
        Why::Lingered => End::Lingered(gate),
        Why::Idle | Why::Closed => End::Closed(gate),
    }
}

/// Why hyper's connection is given up.
enum Why {
    Idle,
    /// The stop has waited for a request long enough.
    Lingered,
    Closed,
    Cut(Option<Cut>),
}

/// hyper's connection, and what goes on beside it.
struct Run<'a, S: Socket> {
    connection: Pin<&'a mut HyperConnection<S>>,
    /// For the wait between requests, and for the rest of a body.
    timer: Pin<&'a mut Sleep>,
    draining: Option<Draining>,
    /// hyper was told to end.
    told: bool,
    /// It is to be told behind the answer.
    ends: bool,
    /// Once the stop has begun.
    stopping: Option<&'a PhaseFlag>,
    activity: &'a Http1Activity,
    facts: &'a Connection,
    limit: Duration,
}

/// The rest of a body that is read and dropped.
struct Draining {
    unread: Unread,
    /// Once the answer is out.
    until: Option<Instant>,
}

impl<'a, S: Socket> Run<'a, S> {
    fn end(&mut self) {
        if !self.told {
            self.told = true;
            self.connection.as_mut().graceful_shutdown();
        }
    }

    /// The stop has begun: answers say which of them is the last, and a connection that waits for a
    /// request does not do so for long.
    fn stop(&mut self, phase: &'a PhaseFlag, cx: &mut TaskContext<'_>) {
        self.stopping = Some(phase);
        self.activity.set_last(Last::Alone);
        if self.draining.is_none() {
            self.timer.as_mut().reset(Instant::now());
            let _ = self.timer.as_mut().poll(cx);
        }
    }

    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Why> {
        let mut lingered = false;
        loop {
            if self.timer.is_elapsed()
                && let Some(why) = self.poll_timer(cx)
            {
                // What is here is still read.
                lingered = matches!(why, Why::Lingered);
                if !lingered {
                    return Poll::Ready(why);
                }
            }
            if let Poll::Ready(ended) = self.connection.as_mut().poll(cx) {
                return Poll::Ready(self.closed(&ended));
            }
            if !self.activity.take_attention() {
                break;
            }
            if let Some(cut) = self.activity.is_cut() {
                return Poll::Ready(Why::Cut(Some(cut)));
            }
            self.ends = self.activity.ends();
            if let Some(unread) = self.activity.take_unread() {
                self.draining = Some(Draining { unread, until: None });
            }
        }
        if lingered && !self.activity.is_running() && !self.activity.is_blocked() {
            return Poll::Ready(Why::Lingered);
        }
        if self.ends && !self.activity.is_running() && !self.told {
            self.end();
            cx.waker().wake_by_ref();
        }
        if self.draining.is_some() {
            self.poll_drain(cx);
        }
        Poll::Pending
    }

    fn closed(&self, ended: &Result<(), hyper::Error>) -> Why {
        if let Some(cut) = self.activity.is_cut() {
            return Why::Cut(Some(cut));
        }
        if let Err(error) = ended {
            if error.is_incomplete_message() {
                events::request_aborted(&self.facts.id(), self.activity.begun());
            } else {
                events::request_processing_ended(&self.facts.id(), error);
            }
        }
        Why::Closed
    }

    /// Reads what the app left of a body and drops it.
    fn poll_drain(&mut self, cx: &mut TaskContext<'_>) {
        let Some(draining) = &mut self.draining else {
            return;
        };
        let request = draining.unread.request;
        while let Poll::Ready(frame) = Pin::new(&mut draining.unread.body).poll_frame(cx) {
            let too_large =
                draining.unread.max_size.is_some_and(|most| self.activity.body_bytes() > most);
            if !too_large && matches!(frame, Some(Ok(_))) {
                continue;
            }
            // hyper goes on behind a complete body, and closes behind a broken one.
            self.draining = None;
            // Until now it was set for the end of the drain.
            self.timer.as_mut().reset(Instant::now() + RELEASE_AFTER);
            let _ = self.timer.as_mut().poll(cx);
            if too_large {
                self.end();
            } else if let Some(reason) = self.activity.broken_body() {
                events::bad_request(&self.facts.id(), &Rejection::from(reason));
            }
            cx.waker().wake_by_ref();
            return;
        }
        if draining.until.is_none() && !self.activity.is_running() {
            events::request_body_not_read(&self.facts.id(), request);
            let until = Instant::now() + DRAIN + TICK;
            draining.until = Some(until);
            self.timer.as_mut().reset(until);
            let _ = self.timer.as_mut().poll(cx);
        }
    }

    /// Whether the connection has waited for a request long enough, in a stop, and when to look
    /// again.
    fn linger(&self, phase: &PhaseFlag, now: Moment) -> (bool, Duration) {
        let instant = Instant::now();
        if phase.has_lingered(instant) {
            self.activity.set_last(Last::All);
        }
        match self.activity.waited(now) {
            Some(waited) if !self.activity.is_blocked() => {
                let since = instant.checked_sub(waited).unwrap_or(instant);
                match phase.lingers_until(since).saturating_duration_since(instant) {
                    Duration::ZERO => (true, RELEASE_AFTER),
                    left => (false, left.min(RELEASE_AFTER)),
                }
            }
            _ => (false, RELEASE_AFTER),
        }
    }

    /// Looks how long what has been going on.
    fn poll_timer(&mut self, cx: &mut TaskContext<'_>) -> Option<Why> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Moment::now();
            self.activity.look_out();
            if let Some(draining) = &self.draining {
                if draining.until.is_some_and(|until| until <= Instant::now()) {
                    events::request_body_drain_timed_out(&self.facts.id(), draining.unread.request);
                    return Some(Why::Cut(Some(Cut::Drain)));
                }
                let until = draining.until.unwrap_or_else(|| Instant::now() + RELEASE_AFTER);
                self.timer.as_mut().reset(until);
                continue;
            }
            if let Some(phase) = self.stopping {
                let (lingered, next) = self.linger(phase, now);
                self.timer.as_mut().reset(Instant::now() + next);
                if lingered {
                    // If something comes in the last moment, it goes on.
                    let _ = self.timer.as_mut().poll(cx);
                    return Some(Why::Lingered);
                }
                continue;
            }
            let next = match self.activity.idle_for(self.limit.min(RELEASE_AFTER), now) {
                Some(left) => left,
                None if self.activity.is_blocked() => RELEASE_AFTER,
                None => return Some(Why::Idle),
            };
            self.timer.as_mut().reset(Instant::now() + next);
        }
        None
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
