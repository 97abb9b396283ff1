//! hyper on a connection of HTTP/1, from a request to a longer wait, and what goes on beside it: the
//! rest of a body nobody reads, the wait for the next request, the stop.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http_body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep};

use super::gate::Gate;
use super::lent_gate::{Home, Loan};
use super::options::Options;
use super::service::Service;
use crate::diagnostics::events;
use crate::features::{Completed, Connection};
use crate::server::activity::{Cut, Http1Activity, Last, Unread};
use crate::server::clock::{Moment, TICK};
use crate::server::drain::{Phase, PhaseFlag, Watch};
use crate::server::io::Socket;
use crate::server::open_requests::Answer;
use crate::server::rejection::Rejection;

/// After how long a wait hyper is dropped, to be made anew for the next request: longer than the
/// pauses of a busy client, short enough that thousands of waiting ones hold little memory.
const RELEASE_AFTER: Duration = Duration::from_millis(200);

/// How long the rest of a body may take, and how long a client that is still sending is listened
/// to after the last answer, so that a reset does not take the answer away from it.
pub(super) const DRAIN: Duration = Duration::from_secs(5);

/// How hyper's part of a connection ended.
pub(super) enum End<S: Socket> {
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
pub(super) async fn busy<S: Socket>(
    mut gate: Box<Gate<S>>,
    service: Service,
    options: &Options,
    watch: &mut Watch,
    answer: &mut Answer,
) -> End<S> {
    let (facts, activity) = (&service.connection().clone(), &Arc::clone(service.activity()));
    let home = Home::new();
    let phase = watch.phase().clone();
    gate.set_answerer(Some(service.answerer()));
    let loan = TokioIo::new(Home::lend(&home, gate));
    let why = {
        let connection = options.builder.serve_connection(loan, service).with_upgrades();
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
    match home.take() {
        Some(gate) => ended(gate, why),
        None => End::Upgraded(home),
    }
}

/// What becomes of a connection whose hyper is gone.
fn ended<S: Socket>(mut gate: Box<Gate<S>>, why: Why) -> End<S> {
    gate.set_answerer(None);
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
