//! Keeps a process running: starts it, sees it end and starts another, and puts a new one in its place.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::board::{Board, Serving, State};
use super::contract::Listens;
use super::environment::Around;
use super::failure::{Cause, ProcessFailure};
use super::offline;
use super::options::{ChildOptions, Listen};
use super::orders::{Grace, Orders, hurried, over};
use super::owner::OfPort;
use super::proc;
use super::process::Process;
use super::ready::{ToProcess, Unready, ready};
use super::restarts::{Next, Restarts};
use crate::diagnostics::{LogContext, events, in_log_boxed};

/// How often it is looked whether another process is due, and whether the app is closed.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked whether a process has answered its last request.
const LAST_ANSWER: Duration = Duration::from_millis(20);

/// Requests wait for a start that is so near.
const WAITED_FOR: Duration = Duration::from_secs(1);

/// After so many starts in a row that came to nothing, requests are told instead of waiting for another.
const IN_VAIN: u32 = 2;

/// What the processes of an app have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: ChildOptions,
    pub(super) around: Arc<Around>,
    pub(super) board: Board,
    /// That others can reach them past this host.
    pub(super) told_open: Once,
}

/// Keeps the process in one place.
pub(super) struct Keeper {
    place: usize,
    shared: Arc<Shared>,
    orders: watch::Receiver<Orders>,
    /// How many replacements were made, or are on their way.
    replaced: u64,
    restarts: Restarts,
    /// Processes that answer their last requests, or end.
    leaving: JoinSet<()>,
}

/// A process that answers requests.
struct Current {
    process: Process,
    serving: Arc<Serving>,
    /// Whose its port is.
    owner: Option<Arc<OfPort>>,
    since: Instant,
}

/// How a process came to be kept no more.
enum Kept {
    /// It ended by itself, after it had answered requests for so long if it ever did.
    Ended(ProcessFailure, Option<Duration>),
    /// Another is to be started.
    Again,
    /// All is over.
    Over,
}

impl Keeper {
    pub(super) fn new(place: usize, shared: Arc<Shared>, orders: watch::Receiver<Orders>) -> Self {
        let replaced = orders.borrow().replacements.0;
        let (restarts, leaving) = (Restarts::default(), JoinSet::new());
        Self { place, shared, orders, replaced, restarts, leaving }
    }

    /// Keeps it, until all is to be over.
    pub(super) async fn run(mut self) {
        while let Some(started) = self.start_when_open().await {
            let goes_on = match started {
                Err(failure) => self.pause(failure, None).await,
                Ok(current) => match self.keep(current).await {
                    Kept::Ended(failure, ready_for) => self.pause(failure, ready_for).await,
                    Kept::Again => true,
                    Kept::Over => false,
                },
            };
            if !goes_on {
                break;
            }
        }
        self.set(State::Ended);
        while self.leaving.join_next().await.is_some() {}
    }

    fn set(&self, state: State) {
        self.shared.board.set(self.place, state);
    }

    /// Starts a process once no file closes the app; `None` if all is to be over.
    async fn start_when_open(&mut self) -> Option<Result<Current, ProcessFailure>> {
        let mut was_closed = false;
        while let Some(page) = offline::page(&self.shared.options.offline_page) {
            if !std::mem::replace(&mut was_closed, true) {
                events::app_offline(&self.shared.options.offline_page.display().to_string());
            }
            self.set(State::Offline(page));
            tokio::select! {
                () = over(self.orders.clone()) => return None,
                () = sleep(LOOK) => {}
            }
        }
        if was_closed {
            events::app_online();
        }
        if self.restarts.never_ready() < IN_VAIN {
            self.set(State::Starting);
        }
        self.replaced = self.orders.borrow().replacements.0;
        self.start().await
    }

    /// Starts a process, and waits until it is ready; `None` if all is to be over.
    async fn start(&mut self) -> Option<Result<Current, ProcessFailure>> {
        let Shared { options, around, .. } = &*self.shared;
        let started = tokio::select! {
            biased;
            () = over(self.orders.clone()) => return None,
            started = Process::start(options, around) => started,
        };
        let mut process = match started {
            Ok(process) => process,
            Err(failure) => return Some(Err(failure)),
        };
        let ready = tokio::select! {
            biased;
            () = over(self.orders.clone()) => None,
            ready = ready(&mut process, options) => Some(ready),
        };
        Some(match ready {
            Some(Ok(way)) => Ok(Current::new(process, way)),
            Some(Err(Unready::Ended(status))) => Err(process.ended_with(&status, false).await),
            Some(Err(Unready::Failed(cause))) => Err(process.failed(cause).await),
            None => {
                // It may have to undo half a start, such as a file that locks others out.
                let grace = self.grace();
                let stop = async move { process.stop(grace, None).await };
                self.leaving.spawn(in_log_boxed(stop));
                return None;
            }
        })
    }

    /// How long a process may take that ends from now on.
    fn grace(&self) -> Grace {
        let limit = self.shared.options.shutdown_time_limit;
        Grace::begin(limit, &self.orders, &self.shared.around.lifetime)
    }

    /// Tells why there is no process, and waits until another may be started; false if all is to be over.
    async fn pause(&mut self, mut failure: ProcessFailure, ready_for: Option<Duration>) -> bool {
        let limit = self.shared.options.rapid_fails_per_minute;
        let next = self.restarts.ended(ready_for, limit, Instant::now());
        let (Next::After(pause) | Next::Pause(pause)) = next;
        if let Next::Pause(_) = next {
            let last = failure.sentence();
            failure.cause = Cause::TooOften { limit, pause, last };
        }
        let failure = Arc::new(failure);
        let is_told = self.restarts.never_ready() >= IN_VAIN || pause > WAITED_FOR;
        self.set(match is_told {
            true => State::Failing(Arc::clone(&failure), Instant::now() + pause),
            false => State::Starting,
        });
        // Behind it: whoever reads that it is left alone gets no other answer.
        match next {
            Next::After(_) if failure.is_lost_port() && ready_for.is_some() => {
                events::process_lost_its_port(&failure.told(), pause);
            }
            Next::After(_) => events::process_failed(&failure.told(), pause),
            Next::Pause(_) => events::processes_fail_too_often(&failure.told()),
        }
        let (mut orders, replaced) = (self.orders.clone(), self.replaced);
        tokio::select! {
            () = over(self.orders.clone()) => false,
            // Whoever has changed something wants to see it.
            _ = orders.wait_for(|orders| orders.replacements.0 != replaced) => true,
            () = sleep(pause) => true,
        }
    }

    /// Lets a process answer requests for as long as it runs, and others after it.
    async fn keep(&mut self, mut current: Current) -> Kept {
        self.begin(&current);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let why = tokio::select! {
                biased;
                () = over(self.orders.clone()) => {
                    self.set(State::Ended);
                    current.stop(self.grace()).await;
                    return Kept::Over;
                }
                status = current.process.ended() => {
                    // It is told once why; whoever waits goes on waiting.
                    self.set(State::Starting);
                    current.serving.server.close();
                    let ready_for = current.since.elapsed();
                    let failure = current.process.ended_with(&status, true).await;
                    return Kept::Ended(failure, Some(ready_for));
                }
                user = Current::lost(current.owner.clone()) => return self.lost(current, user).await,
                (number, why) = ordered(self.orders.clone(), self.replaced) => {
                    self.replaced = number;
                    why
                }
                _ = looks.tick() => {
                    current.process.guard_again();
                    match self.due(&current) {
                        Some(why) => why,
                        None => continue,
                    }
                }
            };
            if why == CLOSED {
                self.set(State::Starting);
                self.retire(current, self.shared.options.shutdown_time_limit).await;
                return Kept::Again;
            }
            match self.replace(current, why).await {
                Ok(kept) => current = kept,
                Err(kept) => return kept,
            }
        }
    }

    /// Somebody else has the port of a process, which then is of no use any more but for the requests that it has.
    async fn lost(&mut self, current: Current, user: u32) -> Kept {
        self.set(State::Starting);
        let (port, ready_for) = (current.process.listens().port(), current.since.elapsed());
        let failure = current.process.lost(Cause::Stranger { port, user });
        // Nobody waits for it but those whom it answers; or, for its port, the next one.
        let options = &self.shared.options;
        match options.listen {
            Listen::ThisPort(_) => self.retire(current, options.shutdown_time_limit).await,
            Listen::Port | Listen::Socket => {
                let retire = self.retire(current, options.last_answers_limit());
                self.leaving.spawn(in_log_boxed(retire));
            }
        }
        Kept::Ended(failure, Some(ready_for))
    }

    fn begin(&self, current: &Current) {
        let process = &current.process;
        self.set(State::Serving(Arc::clone(&current.serving)));
        let url = process.listens().url();
        events::process_ready((&process.command, process.id), &url, process.age());
        self.look_whether_open(process);
    }

    /// Tells if others can reach a process past this host; once, since each start is as the one before.
    fn look_whether_open(&self, process: &Process) {
        let Listens::Port(port) = *process.listens() else { return };
        if !process.may_be_open {
            return;
        }
        let (id, (group, mark), log) = (process.id, process.family(), LogContext::current());
        let shared = Arc::clone(&self.shared);
        let is_open =
            move |it: &SocketAddr| it.port() == port && !it.ip().to_canonical().is_loopback();
        // All processes of the system are looked at.
        tokio::task::spawn_blocking(move || {
            let all = proc::listening(&proc::members(group, &mark)).unwrap_or_default();
            if let Some(open) = all.into_iter().find(is_open) {
                let tell = || events::process_is_open(id, &open.to_string());
                shared.told_open.call_once(|| log.run(tell));
            }
        });
    }

    /// Why another process is due, if one is.
    fn due(&self, current: &Current) -> Option<&'static str> {
        let options = &self.shared.options;
        if offline::is_there(&options.offline_page) {
            return Some(CLOSED);
        }
        let recycle = &options.recycle;
        let requests = current.serving.requests.load(Ordering::Relaxed);
        if recycle.time.is_some_and(|time| current.since.elapsed() >= time) {
            return Some("Recycle:Time has passed");
        }
        if recycle.requests.is_some_and(|most| requests >= most) {
            return Some("it has answered as many requests as Recycle:Requests says");
        }
        let most = recycle.memory?;
        (proc::memory(&current.process.members()) >= most)
            .then_some("it has as much memory as Recycle:Memory says")
    }

    /// Puts another process in the place of one, and lets that one answer its last requests. What cannot be
    /// started leaves things as they are.
    async fn replace(&mut self, current: Current, why: &'static str) -> Result<Current, Kept> {
        events::process_is_replaced(current.process.id, why);
        if matches!(self.shared.options.listen, Listen::ThisPort(_)) {
            self.set(State::Starting);
            self.retire(current, self.shared.options.shutdown_time_limit).await;
            return Err(Kept::Again);
        }
        match self.start_beside(current).await {
            (Some(Ok(new)), current) => {
                self.begin(&new);
                if let Some(current) = current {
                    let limit = self.shared.options.last_answers_limit();
                    let retire = self.retire(current, limit);
                    self.leaving.spawn(in_log_boxed(retire));
                }
                while self.leaving.try_join_next().is_some() {}
                Ok(new)
            }
            (Some(Err(failure)), Some(current)) => {
                events::replacement_failed(current.process.id, &failure.told());
                Ok(current)
            }
            (Some(Err(failure)), None) => Err(Kept::Ended(failure, None)),
            (None, current) => current.ok_or(Kept::Over),
        }
    }

    /// Starts a process beside one that answers meanwhile, and gives both. Should that one end, requests wait for the new one.
    async fn start_beside(
        &mut self,
        mut current: Current,
    ) -> (Option<Result<Current, ProcessFailure>>, Option<Current>) {
        let (shared, place) = (Arc::clone(&self.shared), self.place);
        let mut start = pin!(self.start());
        let status = tokio::select! {
            biased;
            started = &mut start => return (started, Some(current)),
            status = current.process.ended() => status,
        };
        shared.board.set(place, State::Starting);
        current.serving.server.close();
        let tell = async {
            let failure = current.process.ended_with(&status, true).await;
            events::process_failed(&failure.told(), Duration::ZERO);
        };
        (tokio::join!(start, tell).0, None)
    }

    /// Lets a process answer the requests that it has for so long at most, and ends it. Once a host that stops says by when
    /// all is to be over, it has no requests any more.
    fn retire(
        &self,
        current: Current,
        last_answers: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (limit, orders) = (self.shared.options.shutdown_time_limit, self.orders.clone());
        let lifetime = self.shared.around.lifetime.clone();
        async move {
            tokio::select! {
                () = hurried(orders.clone()) => {}
                () = current.answered(last_answers) => {}
            }
            current.stop(Grace::begin(limit, &orders, &lifetime)).await;
        }
    }
}

/// Why a process is ended when a file closes the app.
const CLOSED: &str = "app_offline.htm is there";

/// Waits until another process is to take the place of one; how often that was ordered then, and why.
async fn ordered(mut orders: watch::Receiver<Orders>, replaced: u64) -> (u64, &'static str) {
    let new = orders.wait_for(|orders| orders.replacements.0 != replaced).await;
    let new = new.map(|orders| orders.replacements);
    match new {
        Ok(new) => new,
        // Nobody is there to order anything.
        Err(_) => std::future::pending().await,
    }
}

impl Current {
    fn new(process: Process, (server, owner): ToProcess) -> Self {
        let serving = Serving {
            server,
            token: process.token.clone(),
            process: process.id,
            requests: AtomicU64::new(0),
        };
        Self { process, serving: Arc::new(serving), owner, since: Instant::now() }
    }

    /// Waits until somebody else has its port.
    async fn lost(owner: Option<Arc<OfPort>>) -> u32 {
        match owner {
            Some(owner) => owner.lost().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until it has answered the requests that it has, for so long at most.
    async fn answered(&self, limit: Duration) {
        let until = Instant::now() + limit;
        // Whoever chose it in this moment has not begun yet.
        sleep(LAST_ANSWER).await;
        loop {
            let left = self.serving.server.under_way();
            if left == 0 {
                return;
            }
            if Instant::now() >= until {
                return events::last_answers_cut_off(left, limit);
            }
            sleep(LAST_ANSWER).await;
        }
    }

    async fn stop(self, grace: Grace) {
        self.serving.server.close();
        self.process.stop(grace, Some(&self.serving.server)).await;
    }
}
