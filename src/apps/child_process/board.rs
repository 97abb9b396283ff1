//! How the processes of an app are doing, at a moment: what requests look at, and wait for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tokio::sync::watch;

use super::failure::ProcessFailure;
use crate::apps::reverse_proxy::OneServer;
use crate::pipeline::Request;

/// What tells a process that a request is from its host.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("ms-aspnetcore-token");

/// How often it is looked whether the last requests have their answers.
const LOOK: Duration = Duration::from_millis(20);

/// A process that answers requests.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) server: OneServer,
    pub(super) token: HeaderValue,
    /// Its number in the system.
    pub(super) process: u32,
    /// How many requests it was given.
    pub(super) requests: AtomicU64,
}

/// What is in the place of a process.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// One that is about to be ready.
    Starting,
    Serving(Arc<Serving>),
    /// None, for a reason, until another is tried.
    Failing(Arc<ProcessFailure>, Instant),
    /// None, for as long as a file is there.
    Offline(Bytes),
    /// None any more.
    Ended,
}

/// The places of the processes of an app.
#[derive(Debug)]
pub(super) struct Board {
    states: Mutex<Box<[State]>>,
    /// Those that answer, of all places.
    serving: ArcSwap<Box<[Arc<Serving>]>>,
    turn: AtomicUsize,
    changed: watch::Sender<()>,
}

/// What a request can do that finds nobody to answer it.
#[derive(Debug)]
pub(super) enum Absent {
    /// Wait: one is about to be ready.
    Starting,
    Failing(Arc<ProcessFailure>, Instant),
    Offline(Bytes),
    Ended,
}

impl Board {
    pub(super) fn new(places: usize) -> Self {
        Self {
            states: Mutex::new((0..places).map(|_| State::Starting).collect()),
            serving: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            changed: watch::Sender::new(()),
        }
    }

    /// The process whose turn it is.
    pub(super) fn next(&self) -> Option<Arc<Serving>> {
        let serving = self.serving.load();
        match &***serving {
            [] => None,
            [one] => Some(Arc::clone(one)),
            all => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                all.get(turn % all.len()).map(Arc::clone)
            }
        }
    }

    /// Puts something into a place.
    pub(super) fn set(&self, place: usize, state: State) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = states.get_mut(place) {
            *known = state;
        }
        let serving = states.iter().filter_map(|state| match state {
            State::Serving(serving) => Some(Arc::clone(serving)),
            _ => None,
        });
        self.serving.store(Arc::new(serving.collect()));
        drop(states);
        self.changed.send_replace(());
    }

    /// Why nobody answers: what is best for whoever waits counts.
    pub(super) fn absent(&self) -> Absent {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let mut absent = Absent::Ended;
        for state in &*states {
            match state {
                State::Starting | State::Serving(_) => return Absent::Starting,
                State::Failing(why, until) => absent = Absent::Failing(Arc::clone(why), *until),
                State::Offline(page) if matches!(absent, Absent::Ended) => {
                    absent = Absent::Offline(page.clone());
                }
                State::Offline(_) | State::Ended => {}
            }
        }
        absent
    }

    /// Whether a process is the one in some place.
    pub(super) fn has(&self, serving: &Arc<Serving>) -> bool {
        self.serving.load().iter().any(|known| Arc::ptr_eq(known, serving))
    }

    /// Waits until the requests of all have their answers, by then at the latest; how many have none then.
    pub(super) async fn drained(&self, until: Instant) -> usize {
        loop {
            // Whoever chose one in this moment has not begun yet.
            tokio::time::sleep(LOOK).await;
            let serving = self.serving.load_full();
            let left = serving.iter().map(|it| it.server.under_way()).sum();
            if left == 0 || Instant::now() >= until {
                return left;
            }
        }
    }

    /// Sees every change from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

impl Serving {
    /// Makes a request one of its host: it has the token, and nothing that only a host may say.
    pub(super) fn stamp(&self, request: &mut Request) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        request.headers_mut().insert(TOKEN, self.token.clone());
    }
}
