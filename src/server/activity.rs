//! What a connection is at, shared by its task, its stream, its requests and their bodies.
//!
//! hyper has a timeout of its own for the wait between requests, which makes a timer for each of
//! them and takes it out again. Here a request costs a few stores and a look at a coarse clock; one
//! timer per connection wakes up now and then and sees how long it has been.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use http::Method;
use hyper::body::Incoming;

use super::clock::Moment;
use super::context::Context;
use super::http2::Code;
use super::open_requests::{OpenRequest, Target};
use super::rejection::{Reason, Rejection};
use super::slot::Slot;
use crate::diagnostics::events;
use crate::features::ConnectionId;

/// Shared by a connection and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    id: ConnectionId,
    http1: bool,
    context: Arc<Context>,
    /// How many requests have come; it numbers them, too.
    begun: AtomicU32,
    /// How many answers are not out yet; on HTTP/2, not handed to hyper as far as they are there.
    running: AtomicU32,
    /// How many requests of HTTP/2 the app was not asked for yet: each waits for the first turn of
    /// its task, which is about to come.
    unasked: AtomicU32,
    /// How many resets of streams were told of before they are sent.
    told_resets: AtomicU32,
    /// When the last answer was out, or the connection began.
    idle_since: AtomicU64,
    /// Whether there is a note for the next request.
    noted: AtomicBool,
    /// Whether the connection's task has something to look at below.
    attention: AtomicBool,
    /// Whether a head has begun and is not complete.
    head_begun: AtomicBool,
    /// Whether hyper has bytes that the client does not take.
    blocked: AtomicBool,
    /// Whether it is time to look if the client is still there.
    look_out: AtomicBool,
    /// Whether the connection is upgraded: what it carries is HTTP no more.
    upgraded: AtomicBool,
    /// Whether the connection ends behind the answer.
    ends: AtomicBool,
    /// Whether more of the stream is here than the request that is answered. (Of HTTP/1.)
    ahead: AtomicBool,
    /// What the stop wants of answers, a [`Last`]. (Of HTTP/1.)
    last: AtomicU8,
    /// A [`Cut`], or 0.
    cut: AtomicU8,
    /// The [`Reason`] the body of the request cannot be read further, or 0.
    broken_body: AtomicU8,
    /// What came of a body in chunks and counts towards its limit.
    body_bytes: AtomicU64,
    rare: Mutex<Rare>,
}

/// What only some requests need.
#[derive(Debug, Default)]
struct Rare {
    note: Option<Note>,
    waker: Option<Waker>,
    unread: Option<Unread>,
    slot: Option<Slot>,
    /// The requests that take time.
    open: Vec<OpenRequest>,
}

/// What the stream tells about a request beside its head.
#[derive(Debug)]
pub(super) enum Note {
    /// It is not to be served.
    Rejected(Rejection),
    /// Its target as it was sent; hyper was given another.
    RawTarget(Box<str>),
}

/// The rest of a body that the app did not read.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) body: Incoming,
    pub(super) request: u32,
    /// The limit of what may still come of a body in chunks.
    pub(super) max_size: Option<u64>,
}

/// Which answers the stop makes the last of their connection. (On HTTP/1.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Last {
    /// None: there is no stop.
    No,
    /// Those without a request behind them: what was received is answered.
    Alone,
    /// All: a client that never stops to send must not hold the stop.
    All,
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Cut {
    /// The app asked for it.
    Aborted = 1,
    /// The client took its answer too slowly.
    ResponseRate,
    /// The client did not send the rest of a body.
    Drain,
    /// The client is gone, and needs no answer.
    Gone,
}

impl Activity {
    /// A connection that waits for its first request.
    pub(super) fn new(id: ConnectionId, http1: bool, context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self {
            id,
            http1,
            context,
            begun: AtomicU32::new(0),
            running: AtomicU32::new(0),
            unasked: AtomicU32::new(0),
            told_resets: AtomicU32::new(0),
            idle_since: AtomicU64::new(Moment::now().as_millis()),
            noted: AtomicBool::new(false),
            attention: AtomicBool::new(false),
            head_begun: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            look_out: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            ahead: AtomicBool::new(false),
            last: AtomicU8::new(Last::No as u8),
            cut: AtomicU8::new(0),
            broken_body: AtomicU8::new(0),
            body_bytes: AtomicU64::new(0),
            rare: Mutex::default(),
        })
    }

    /// A request has come, and gets its number. Its answer is out when the result is dropped.
    pub(super) fn begin(activity: &Arc<Self>) -> Running {
        // Only the connection's task begins requests; their ends may be anywhere.
        let request = activity.begun().wrapping_add(1);
        activity.begun.store(request, Ordering::Relaxed);
        activity.running.fetch_add(1, Ordering::Relaxed);
        let unasked = !activity.http1;
        if unasked {
            activity.unasked.fetch_add(1, Ordering::Relaxed);
        }
        let activity = Arc::clone(activity);
        Running {
            activity,
            request,
            unasked,
            kept: false,
            handed_over: false,
            ended: false,
            open: false,
        }
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whether the connection speaks HTTP/1: a request then has it for itself.
    pub(super) fn is_http1(&self) -> bool {
        self.http1
    }

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// How many requests have come.
    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether an answer is not out yet.
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// How many answers are not out yet.
    pub(super) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// Whether there are requests of HTTP/2 that the app was not asked for yet.
    pub(super) fn has_unasked(&self) -> bool {
        self.unasked.load(Ordering::Relaxed) > 0
    }

    /// Whether a reset that is sent was told of by whoever asked for it.
    pub(super) fn take_told_reset(&self) -> bool {
        let less = |told: u32| told.checked_sub(1);
        self.told_resets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// When the connection began to wait, or `None` if it does not.
    pub(super) fn idle_since(&self) -> Option<Moment> {
        (!self.is_running() && !self.head_begun.load(Ordering::Relaxed))
            .then(|| Moment::from_millis(self.idle_since.load(Ordering::Relaxed)))
    }

    /// How long no request has been answered at `now`, or `None` if one is.
    pub(super) fn waited(&self, now: Moment) -> Option<Duration> {
        let since = Moment::from_millis(self.idle_since.load(Ordering::Relaxed));
        (!self.is_running()).then(|| since.until(now))
    }

    /// How much longer the connection may wait at `now`, or `None` if it has waited for `limit`.
    pub(super) fn idle_for(&self, limit: Duration, now: Moment) -> Option<Duration> {
        let left = match self.idle_since() {
            None => return Some(limit),
            Some(since) => now.until(since + limit),
        };
        (!left.is_zero()).then_some(left)
    }

    /// A head has begun, or is complete.
    pub(super) fn set_head_begun(&self, begun: bool) {
        self.head_begun.store(begun, Ordering::Relaxed);
    }

    /// Whether hyper has bytes that the client does not take.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub(super) fn set_blocked(&self, blocked: bool) {
        if !blocked {
            // An answer is made long before it is out where the client takes it slowly.
            self.idle_since.store(Moment::now().as_millis(), Ordering::Relaxed);
        }
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// An answer takes time: it is time to look if the client is still there.
    pub(super) fn look_out(&self) {
        self.look_out.store(true, Ordering::Relaxed);
    }

    /// Whether it is time to look if the client is still there.
    pub(super) fn take_look_out(&self) -> bool {
        self.look_out.load(Ordering::Relaxed) && self.look_out.swap(false, Ordering::Relaxed)
    }

    /// Tells the next request something.
    pub(super) fn note(&self, note: Note) {
        self.rare().note = Some(note);
        self.noted.store(true, Ordering::Release);
    }

    /// What the stream told about this request.
    pub(super) fn take_note(&self) -> Option<Note> {
        if !self.noted.load(Ordering::Acquire) {
            return None;
        }
        self.noted.store(false, Ordering::Relaxed);
        self.rare().note.take()
    }

    /// Sets what wakes the connection's task.
    pub(super) fn set_waker(&self, waker: &Waker) {
        self.rare().waker = Some(waker.clone());
    }

    /// Whether something came up since it was last asked.
    pub(super) fn take_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire) && self.attention.swap(false, Ordering::AcqRel)
    }

    fn call_attention(&self) {
        self.attention.store(true, Ordering::Release);
        self.wake();
    }

    /// Wakes the connection's task, or what reads an upgraded connection.
    pub(super) fn wake(&self) {
        let waker = self.rare().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Cuts the connection; the first reason stays.
    pub(super) fn cut(&self, cut: Cut) {
        let _ = self.cut.compare_exchange(0, cut as u8, Ordering::AcqRel, Ordering::Relaxed);
        self.call_attention();
    }

    /// Why the connection is to be cut, if it is.
    pub(super) fn is_cut(&self) -> Option<Cut> {
        match self.cut.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Cut::Aborted),
            2 => Some(Cut::ResponseRate),
            3 => Some(Cut::Drain),
            _ => Some(Cut::Gone),
        }
    }

    /// Lets the connection end behind the answer, without a word.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::Release);
        self.call_attention();
    }

    /// Whether the connection ends behind the answer.
    pub(super) fn ends(&self) -> bool {
        self.ends.load(Ordering::Acquire)
    }

    /// Whether more of the stream is here than the request that is answered.
    pub(super) fn set_ahead(&self, ahead: bool) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// Sets which answers are the last of the connection.
    pub(super) fn set_last(&self, last: Last) {
        self.last.store(last as u8, Ordering::Relaxed);
    }

    /// Whether an answer that is made now is the last of the connection, because of the stop.
    pub(super) fn is_last(&self) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            1 => !self.ahead.load(Ordering::Relaxed),
            _ => true,
        }
    }

    /// Gives the connection the rest of a body to read and drop.
    pub(super) fn leave_unread(&self, unread: Unread) {
        self.rare().unread = Some(unread);
        self.call_attention();
    }

    /// The rest of a body to read and drop.
    pub(super) fn take_unread(&self) -> Option<Unread> {
        self.rare().unread.take()
    }

    /// The stream found the body broken.
    pub(super) fn break_body(&self, reason: Reason) {
        self.broken_body.store(reason as u8, Ordering::Release);
    }

    /// Why the body is broken.
    pub(super) fn broken_body(&self) -> Option<Reason> {
        let broken = self.broken_body.load(Ordering::Acquire);
        [
            Reason::BadChunkSizeData,
            Reason::BadChunkExtension,
            Reason::BadChunkSuffix,
            Reason::ChunkTooLarge,
            Reason::ChunkExtensionsTooLarge,
            Reason::UnexpectedEndOfRequestContent,
            Reason::InvalidRequestHeader,
            Reason::InvalidRequestHeadersNoCrLf,
            Reason::InvalidCharactersInHeaderName,
            Reason::MalformedRequestInvalidHeaders,
            Reason::TooManyHeaders,
            Reason::HeadersExceedMaxTotalSize,
        ]
        .into_iter()
        .find(|reason| *reason as u8 == broken)
    }

    /// Sets what came of a body in chunks and counts towards its limit.
    pub(super) fn set_body_bytes(&self, bytes: u64) {
        self.body_bytes.store(bytes, Ordering::Release);
    }

    /// What came of a body in chunks and counts towards its limit.
    pub(super) fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Acquire)
    }

    /// The requests that take time.
    pub(super) fn open_requests(&self) -> Vec<OpenRequest> {
        self.rare().open.clone()
    }

    /// Whether what the connection carries is HTTP no more.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Acquire)
    }

    /// The connection is upgraded, and takes `slot` instead of its own.
    pub(super) fn upgrade(&self, slot: Option<Slot>) {
        self.rare().slot = slot;
        self.upgraded.store(true, Ordering::Release);
    }

    fn rare(&self) -> MutexGuard<'_, Rare> {
        self.rare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    request: u32,
    /// The app was not asked for it yet. (On HTTP/2.)
    unasked: bool,
    /// The log wants to know that the connection goes on behind the answer.
    kept: bool,
    /// It does not count as running: what there is of the answer waits for the client.
    handed_over: bool,
    /// Whatever comes now, the client has not aborted it. (Of HTTP/2.)
    ended: bool,
    /// It takes time, which a stop may want to know.
    open: bool,
}

impl Running {
    /// What its connection is at.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// The app failed to answer it.
    pub(super) fn failed(&self, error: &str) {
        events::application_failed(&self.activity.id, self.request, error);
    }

    /// Whether the log is to know that the connection goes on behind the answer.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    pub(super) fn set_kept(&mut self, kept: bool) {
        self.kept = kept;
    }

    /// Its number on the connection.
    pub(super) fn request(&self) -> u32 {
        self.request
    }

    /// The app was asked for it: the answer is there, or takes time.
    pub(super) fn asked(&mut self) {
        if std::mem::take(&mut self.unasked) {
            self.activity.unasked.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// It takes time.
    pub(super) fn takes_time(&mut self, method: &Method, target: &Target) {
        self.open = true;
        let open = OpenRequest::new(self.request, method.clone(), target);
        self.activity.rare().open.push(open);
    }

    /// The app has no part in it any more.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The client gave it up, or the stop did. (On HTTP/2.)
    pub(super) fn aborted(&mut self) {
        self.ended = true;
        events::request_aborted(&self.activity.id, self.request);
    }

    /// The stream of a request of HTTP/2 is going to be reset, which is told here.
    pub(super) fn reset(&mut self, code: h2::Reason, why: &str) {
        self.ended = true;
        // One without an error is not told of when it is sent.
        let told = u32::from(code != h2::Reason::NO_ERROR);
        self.activity.told_resets.fetch_add(told, Ordering::Relaxed);
        let name = Code::from(code).to_string();
        events::http2_stream_reset(&self.activity.id, self.request, &name, why);
    }

    /// What there is of an answer of HTTP/2 is hyper's to send.
    pub(super) fn hand_over(&mut self) {
        if !std::mem::replace(&mut self.handed_over, true) {
            self.activity.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// hyper wants more of the answer.
    pub(super) fn go_on(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            self.activity.running.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The stream of HTTP/2 carries something else than HTTP from here on, at its own pace: it
    /// counts as running to the end of the connection.
    pub(super) fn become_tunnel(&mut self) {
        self.handed_over = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.asked();
        if self.kept {
            events::connection_kept_alive(&self.activity.id);
        }
        if self.activity.http1 {
            self.activity.idle_since.store(Moment::now().as_millis(), Ordering::Relaxed);
        } else if !self.ended {
            self.aborted();
        }
        // One that ended in another protocol is what its connection is for from there on.
        if self.open && !self.activity.is_upgraded() {
            self.activity.rare().open.retain(|open| open.number != self.request);
        }
        if !self.handed_over {
            self.activity.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;
    use crate::features::{Connection, Scheme};
    use crate::server::counters::Counters;
    use crate::server::options::ServerOptions;

    fn activity(http1: bool) -> Arc<Activity> {
        let connection = Connection::new(1, None, None, Scheme::Http);
        let context = Context::new(ServerOptions::default(), Router::new(), Counters::default());
        Activity::new(connection.id(), http1, context)
    }

    const LIMIT: Duration = Duration::from_secs(10);

    fn after(activity: &Activity, seconds: u64) -> Option<Duration> {
        let since = activity.idle_since.load(Ordering::Relaxed);
        activity.idle_for(LIMIT, Moment::from_millis(since) + Duration::from_secs(seconds))
    }

    #[test]
    fn the_wait_counts_from_the_last_answer() {
        let activity = activity(true);
        assert_eq!(after(&activity, 9), Some(Duration::from_secs(1)));
        assert_eq!(after(&activity, 10), None);
        let running = Activity::begin(&activity);
        assert_eq!(running.request(), 1);
        assert_eq!(after(&activity, 60), Some(LIMIT));
        drop(running);
        assert_eq!(after(&activity, 4), Some(Duration::from_secs(6)));
    }

    #[test]
    fn the_wait_counts_from_when_the_client_has_taken_the_answer() {
        let activity = activity(true);
        activity.set_blocked(true);
        activity.idle_since.store(0, Ordering::Relaxed);
        assert_eq!(activity.idle_for(LIMIT, Moment::now()), None);
        activity.set_blocked(false);
        assert!(activity.idle_for(LIMIT, Moment::now()).is_some());
    }

    #[test]
    fn a_request_is_unasked_until_the_app_was_asked_or_it_is_gone() {
        let activity = activity(false);
        assert!(!activity.has_unasked(), "nothing has come");
        let mut both = [Activity::begin(&activity), Activity::begin(&activity)];
        both[0].asked();
        both[0].asked();
        assert!(activity.has_unasked(), "a request is asked for once");
        both[1].asked();
        assert!(!activity.has_unasked());
        let third = Activity::begin(&activity);
        assert!(activity.has_unasked());
        drop(third);
        drop(both);
        assert!(!activity.has_unasked());
    }

    #[test]
    fn requests_of_http1_have_no_task_of_their_own_to_wait_for() {
        let activity = activity(true);
        let _running = Activity::begin(&activity);
        assert!(!activity.has_unasked());
    }

    #[test]
    fn a_note_is_for_one_request() {
        let activity = activity(true);
        activity.note(Note::RawTarget("/a#b".into()));
        assert!(
            matches!(activity.take_note(), Some(Note::RawTarget(target)) if &*target == "/a#b")
        );
        assert!(activity.take_note().is_none());
    }
}
