//! The processes of an app, and the requests that they answer.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::board::{Absent, Board, Serving};
use super::environment::Around;
use super::keeper::{Keeper, Shared};
use super::options::{ChildOptions, Listen};
use super::orders::{Orders, over};
use super::watched::watch;
use crate::apps::reverse_proxy::{Unanswered, explained_answer};
use crate::diagnostics::{Repeated, events, in_log_boxed};
use crate::pipeline::{Request, Response};
use crate::upstream::{Failure, FailureKind};

/// How long a request waits for news of a process that it could not be sent to.
const NEWS: Duration = Duration::from_secs(1);

/// How long it is looked whether a process that gave no answer has ended.
const END: Duration = Duration::from_millis(100);

/// How often a request is sent on that nothing has left of.
const TRIES: u32 = 10;

/// The processes of an app.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    orders: watch::Sender<Orders>,
    /// How many requests wait.
    waiting: AtomicU32,
    /// Those that answer until one of these does.
    before: Mutex<Option<Arc<Self>>>,
    /// Those that answer when these have ended.
    after: Mutex<Weak<Self>>,
    tasks: Mutex<Option<JoinSet<()>>>,
    /// Of requests that found too many before them, and of those without an answer.
    told: [Repeated; 2],
}

/// What is left of a request that was handed on: what its client asked for, should there be no answer.
struct Asked {
    method: Method,
    headers: HeaderMap,
}

impl Pool {
    /// Processes that are not started yet.
    pub(super) fn new(
        options: ChildOptions,
        around: Arc<Around>,
        before: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let board = Board::new(options.processes.max(1) as usize);
        Arc::new(Self {
            shared: Arc::new(Shared { options, around, board, told_open: Once::new() }),
            orders: watch::Sender::default(),
            waiting: AtomicU32::new(0),
            before: Mutex::new(before),
            after: Mutex::default(),
            tasks: Mutex::default(),
            told: Default::default(),
        })
    }

    pub(super) fn options(&self) -> &ChildOptions {
        &self.shared.options
    }

    /// Those that answer in their place, until they do.
    pub(super) fn before(&self) -> Option<Arc<Self>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes from them those that answer in their place, which somebody else has now.
    pub(super) fn let_go_of_those_before(&self) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets others answer what these have not when they end.
    pub(super) fn hand_over_to(&self, next: &Arc<Self>) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(next);
    }

    /// Whether one of them answers.
    pub(super) fn is_serving(&self) -> bool {
        self.shared.board.next().is_some()
    }

    /// Starts them, unless that was done.
    pub(super) fn begin(self: &Arc<Self>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_some() {
            return;
        }
        let mut begun = JoinSet::new();
        for place in 0..self.options().processes.max(1) as usize {
            let keeper = Keeper::new(place, Arc::clone(&self.shared), self.orders.subscribe());
            let before =
                self.before().filter(|_| matches!(self.options().listen, Listen::ThisPort(_)));
            let orders = self.orders.subscribe();
            begun.spawn(in_log_boxed(async move {
                if let Some(before) = before {
                    // There is no room for two.
                    before.following(orders, before.end(None)).await;
                }
                keeper.run().await;
            }));
        }
        if self.before().is_some() {
            let pool = Arc::clone(self);
            begun.spawn(in_log_boxed(async move { pool.take_over().await }));
        }
        if !self.options().watch.is_empty() {
            begun.spawn(in_log_boxed(watch_for(self)));
        }
        *tasks = Some(begun);
    }

    /// Ends those before once one of these answers.
    async fn take_over(&self) {
        let mut changes = self.shared.board.changes();
        while !self.is_serving() {
            tokio::select! {
                _ = changes.changed() => {}
                () = over(self.orders.subscribe()) => break,
            }
        }
        // Or others have them meanwhile, for whom they go on.
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = before {
            before.leave(self.orders.subscribe()).await;
        }
    }

    /// Lets them answer the requests that they have, and ends them. What is ordered of others by when all is to be over is for
    /// them, too.
    pub(super) async fn leave(&self, others: watch::Receiver<Orders>) {
        let leaving = async {
            let limit = self.options().last_answers_limit();
            tokio::select! {
                () = over(self.orders.subscribe()) => {}
                left = self.shared.board.drained(Instant::now() + limit) => {
                    if left > 0 {
                        events::last_answers_cut_off(left, limit);
                    }
                }
            }
            self.end(None).await;
        };
        self.following(others, leaving).await;
    }

    /// Goes on with what ends them, and hurries once others are to.
    async fn following(
        &self,
        mut others: watch::Receiver<Orders>,
        ending: impl Future<Output = ()>,
    ) {
        let mut ending = pin!(ending);
        loop {
            if let Some(by) = others.borrow_and_update().by() {
                self.orders.send_modify(|orders| orders.end(Some(by)));
            }
            tokio::select! {
                () = &mut ending => return,
                changed = others.changed() => if changed.is_err() {
                    return ending.await;
                }
            }
        }
    }

    /// Ends them, by then at the latest if that is said; with those before.
    pub(super) async fn end(&self, by: Option<Instant>) {
        self.orders.send_modify(|orders| orders.end(by));
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut tasks) = tasks {
            while tasks.join_next().await.is_some() {}
        }
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = before {
            Box::pin(before.end(by)).await;
        }
    }

    /// Puts new processes in the place of those that run.
    fn replace(&self, why: &'static str) {
        self.orders.send_modify(|orders| orders.replacements = (orders.replacements.0 + 1, why));
    }

    /// Answers a request.
    pub(super) async fn answer(self: Arc<Self>, mut request: Request) -> Response {
        let asked = Asked::of(&request);
        let until = tokio::time::Instant::now() + self.options().startup_time_limit;
        let (mut pool, mut tries, mut is_repeated) = (self, 0, false);
        loop {
            let serving = match pool.serving(until).await {
                Ok(serving) => serving,
                Err(absent) => match pool.after().filter(|_| matches!(absent, Absent::Ended)) {
                    Some(next) => {
                        pool = next;
                        continue;
                    }
                    None => return pool.told_absent(absent, &asked),
                },
            };
            serving.stamp(&mut request);
            let failed = match serving.server.forward(request).await {
                Ok(response) => return response,
                Err(failed) => failed,
            };
            let Unanswered { failure, request: again, is_unsent } = failed;
            let is_free = is_unsent || !is_repeated;
            tries += 1;
            let has_ended = pool.has_ended(&serving, if is_unsent { NEWS } else { END }).await;
            // Who lives on and gives no answer would give none to the next one either.
            let is_sensible = is_unsent || has_ended;
            match again.filter(|_| is_free && is_sensible && tries < TRIES) {
                Some(again) => {
                    is_repeated |= !is_unsent;
                    request = again;
                }
                None => {
                    let telling = pool.told[1].happened(Instant::now());
                    events::process_gave_no_answer(serving.process, &failure, telling);
                    return pool.no_answer(&failure, has_ended, &asked);
                }
            }
        }
    }

    /// Those that answer when these have ended.
    fn after(&self) -> Option<Arc<Self>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// A process that answers, as soon as there is one.
    async fn serving(&self, until: tokio::time::Instant) -> Result<Arc<Serving>, Absent> {
        if let Some(serving) = self.shared.board.next() {
            return Ok(serving);
        }
        let mut changes = self.shared.board.changes();
        let mut waiting = None;
        loop {
            let before = || self.before().and_then(|before| before.shared.board.next());
            if let Some(serving) = self.shared.board.next().or_else(before) {
                return Ok(serving);
            }
            match self.shared.board.absent() {
                Absent::Starting => {}
                absent => return Err(absent),
            }
            if waiting.is_none() {
                waiting = Some(Waiting::begin(self)?);
            }
            tokio::select! {
                // A process that is not ready when the stop begins will not be.
                () = self.shared.around.lifetime.stopping() => return Err(Absent::Ended),
                changed = timeout_at(until, changes.changed()) => {
                    changed.map_err(|_| Absent::Starting)?.ok();
                }
            }
        }
    }

    /// Waits until something else is known of a process than that it answers; whether it is, within this time.
    async fn has_ended(&self, serving: &Arc<Serving>, patience: Duration) -> bool {
        let until = tokio::time::Instant::now() + patience;
        let mut changes = self.shared.board.changes();
        while self.shared.board.has(serving) {
            if !matches!(timeout_at(until, changes.changed()).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }

    fn told_absent(&self, absent: Absent, asked: &Asked) -> Response {
        let shows = |details: String| self.options().shows_details.then_some(details);
        match absent {
            Absent::Offline(page) => offline(page),
            Absent::Failing(why, until) => {
                let details = shows(why.details());
                let words = ("The app behind this server does not run.", details.as_deref());
                let left = until.saturating_duration_since(Instant::now());
                let status = match why.is_pause() {
                    true => StatusCode::SERVICE_UNAVAILABLE,
                    false => StatusCode::BAD_GATEWAY,
                };
                later(explained_answer(status, asked.sent(), words), left)
            }
            Absent::Starting => {
                let words = ("The app behind this server is being started.", None);
                let response =
                    explained_answer(StatusCode::SERVICE_UNAVAILABLE, asked.sent(), words);
                later(response, Duration::ZERO)
            }
            Absent::Ended => {
                let words = ("The app behind this server has been stopped.", None);
                let response =
                    explained_answer(StatusCode::SERVICE_UNAVAILABLE, asked.sent(), words);
                later(response, Duration::ZERO)
            }
        }
    }

    fn no_answer(&self, failure: &Failure, has_ended: bool, asked: &Asked) -> Response {
        let details = self.options().shows_details.then(|| failure.to_string());
        let details = details.as_deref();
        if failure.is_timeout() {
            let words = ("The app behind this server took too long to answer.", details);
            return explained_answer(StatusCode::GATEWAY_TIMEOUT, asked.sent(), words);
        }
        let (status, sentence) = match failure.kind() {
            // It is there no more, and another will be.
            FailureKind::Reset | FailureKind::Ended | FailureKind::Refused if has_ended => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The app behind this server ended before it answered.",
            ),
            _ => (StatusCode::BAD_GATEWAY, "The app behind this server gave no proper answer."),
        };
        let words = (sentence, details);
        later(explained_answer(status, asked.sent(), words), Duration::ZERO)
    }
}

/// Puts others in the place of processes whose files change, until they are to end.
fn watch_for(pool: &Arc<Pool>) -> impl Future<Output = ()> + use<> {
    let (paths, orders) = (pool.options().watch.clone(), pool.orders.subscribe());
    let pool = Arc::downgrade(pool);
    let changed = move || {
        if let Some(pool) = pool.upgrade() {
            pool.replace("a file that is watched has changed");
        }
    };
    async move {
        tokio::select! {
            () = watch(paths, changed) => {}
            () = over(orders) => {}
        }
    }
}

/// A request that waits for a process.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn begin(pool: &'a Pool) -> Result<Self, Absent> {
        let (most, before) =
            (pool.options().request_queue_limit, pool.waiting.fetch_add(1, Ordering::Relaxed));
        let waiting = Self(&pool.waiting);
        if before < most {
            return Ok(waiting);
        }
        events::too_many_wait(most, pool.told[0].happened(Instant::now()));
        Err(Absent::Starting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(accept) = request.headers().get(ACCEPT) {
            headers.insert(ACCEPT, accept.clone());
        }
        Self { method: request.method().clone(), headers }
    }

    fn sent(&self) -> (&Method, &HeaderMap) {
        (&self.method, &self.headers)
    }
}

/// An answer to somebody who may ask again.
fn later(mut response: Response, after: Duration) -> Response {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// The page of an app that is closed.
fn offline(page: bytes::Bytes) -> Response {
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
