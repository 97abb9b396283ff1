//! What connections of HTTP/1 have to know besides.
//!
//! hyper has a timeout of its own for the wait between requests, which makes a timer for each of
//! them and takes it out again. Here a request costs a few stores and a look at a coarse clock; one
//! timer per connection wakes up now and then and sees how long it has been.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::common::Common;
use crate::features::{Completed, CompletionSource, ConnectionId, Watch};
use crate::server::clock::Moment;
use crate::server::context::Context;
use crate::server::incoming_body::IncomingBody;
use crate::server::pieces::Pieces;
use crate::server::rejection::{Reason, Rejection};
use crate::server::slot::Slot;

/// What a connection of HTTP/1 is at: one request, or the wait for the next.
#[derive(Debug)]
pub(in crate::server) struct Http1Activity {
    common: Common,
    /// When the last answer was out, or the connection began.
    idle_since: AtomicU64,
    /// Whether there is a note for the next request.
    noted: AtomicBool,
    /// Whether an answer before the answer waits to be sent.
    has_interim: AtomicBool,
    /// Whether the connection's task has something to look at below.
    attention: AtomicBool,
    /// Whether a head has begun and is not complete.
    head_begun: AtomicBool,
    /// How many heads were handed on; of as many requests has it been said that they have come, but for a moment.
    handed: AtomicU32,
    /// Whether hyper has bytes that the client does not take.
    blocked: AtomicBool,
    /// Whether it is time to look if the client is still there.
    look_out: AtomicBool,
    /// Whether the connection may become another protocol's behind the head that was handed on.
    switchable: AtomicBool,
    /// Whether the connection is upgraded: what it carries is HTTP no more.
    upgraded: AtomicBool,
    /// Whether the connection ends behind the answer.
    ends: AtomicBool,
    /// Whether more of the stream is here than the request that is answered.
    ahead: AtomicBool,
    /// What the stop wants of answers, a [`Last`].
    last: AtomicU8,
    /// A [`Cut`], or 0.
    cut: AtomicU8,
    /// The [`Reason`] the body of the request cannot be read further, or 0.
    broken_body: AtomicU8,
    /// What came of a body in chunks and counts towards its limit.
    body_bytes: AtomicU64,
    /// What became of a large piece of an answer, an [`Unwritten`].
    unwritten: AtomicU8,
    /// Whether the system sends files on the connection by itself.
    sends_files: AtomicBool,
    /// What it is to send of them.
    pieces: Pieces,
    rare: Mutex<Rare>,
}

/// What only some requests need.
#[derive(Debug, Default)]
struct Rare {
    note: Option<Note>,
    waker: Option<Waker>,
    unread: Option<Unread>,
    /// Answers before the answer, as they go out.
    interim: Vec<u8>,
    slot: Option<Slot>,
}

/// What the stream tells about a request beside its head.
#[derive(Debug)]
pub(in crate::server) enum Note {
    /// It is not to be served.
    Rejected(Rejection),
    /// Its target as it was sent; hyper was given another.
    RawTarget(Box<str>),
    /// It was answered without hyper, which is to send the answer.
    Answered,
}

/// The rest of a body that the app did not read.
#[derive(Debug)]
pub(in crate::server) struct Unread {
    pub(in crate::server) body: IncomingBody,
    pub(in crate::server) request: u32,
    /// The limit of what may still come of a body in chunks.
    pub(in crate::server) max_size: Option<u64>,
}

/// Which answers the stop makes the last of their connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::server) enum Last {
    /// None: there is no stop.
    No,
    /// Those without a request behind them: what was received is answered.
    Alone,
    /// All: a client that never stops to send must not hold the stop.
    All,
}

/// What of an answer hyper has and has not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Unwritten {
    /// Little.
    Nothing,
    /// A large piece.
    Piece,
    /// A large piece, and the rest of the answer waits for its end.
    Awaited,
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::server) enum Cut {
    /// The app asked for it.
    Aborted = 1,
    /// The client took its answer too slowly.
    ResponseRate,
    /// The client did not send the rest of a body.
    Drain,
    /// The client is gone, and needs no answer.
    Gone,
}

impl Deref for Http1Activity {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl CompletionSource for Http1Activity {
    fn watch(&self, request: u32, watch: Box<dyn Watch>) {
        self.completions().wait(request, watch);
    }

    fn send_interim(&self, status: StatusCode, headers: &HeaderMap) {
        let mut rare = self.rare();
        write_interim(status, headers, &mut rare.interim);
        self.has_interim.store(true, Ordering::Release);
    }
}

/// The most bytes of such answers that wait to be sent: nobody needs more, and each is an offer.
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on has them"))]
const MOST_INTERIM: usize = 64 * 1024;

/// Writes an answer before the answer.
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on has them"))]
fn write_interim(status: StatusCode, headers: &HeaderMap, out: &mut Vec<u8>) {
    // One of those behind which another protocol is spoken is none.
    if out.len() > MOST_INTERIM || status == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let reason = status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).as_bytes());
    for (name, value) in headers {
        let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
        line.iter().for_each(|part| out.extend_from_slice(part));
    }
    out.extend_from_slice(b"\r\n");
}

impl Http1Activity {
    /// A connection that waits for its first request.
    pub(in crate::server) fn new(id: ConnectionId, context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self {
            common: Common::new(id, context),
            idle_since: AtomicU64::new(Moment::now().as_millis()),
            noted: AtomicBool::new(false),
            has_interim: AtomicBool::new(false),
            attention: AtomicBool::new(false),
            head_begun: AtomicBool::new(false),
            handed: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            look_out: AtomicBool::new(false),
            switchable: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            ahead: AtomicBool::new(false),
            last: AtomicU8::new(Last::No as u8),
            cut: AtomicU8::new(0),
            broken_body: AtomicU8::new(0),
            body_bytes: AtomicU64::new(0),
            unwritten: AtomicU8::new(Unwritten::Nothing as u8),
            sends_files: AtomicBool::new(false),
            pieces: Pieces::default(),
            rare: Mutex::default(),
        })
    }

    /// An answer is out: the wait for the next request begins.
    pub(in crate::server) fn wait_begins(&self) {
        self.idle_since.store(Moment::now().as_millis(), Ordering::Relaxed);
    }

    /// Whether the connection may become another protocol's behind the head that is handed on.
    pub(in crate::server) fn set_switchable(&self, switchable: bool) {
        self.switchable.store(switchable, Ordering::Relaxed);
    }

    /// Whether it may behind the request that has come.
    pub(in crate::server) fn is_switchable(&self) -> bool {
        self.switchable.load(Ordering::Relaxed)
    }

    /// When the connection began to wait, or `None` if it does not.
    pub(in crate::server) fn idle_since(&self) -> Option<Moment> {
        (self.has_nothing_to_answer() && !self.head_begun.load(Ordering::Relaxed))
            .then(|| Moment::from_millis(self.idle_since.load(Ordering::Relaxed)))
    }

    /// How long no request has been answered at `now`, or `None` if one is.
    pub(in crate::server) fn waited(&self, now: Moment) -> Option<Duration> {
        let since = Moment::from_millis(self.idle_since.load(Ordering::Relaxed));
        self.has_nothing_to_answer().then(|| since.until(now))
    }

    /// Whether no request is answered, and none is on its way through hyper: who gives hyper up then, gives up nothing
    /// that it has read.
    fn has_nothing_to_answer(&self) -> bool {
        let ahead = self.handed.load(Ordering::Relaxed).wrapping_sub(self.begun()).cast_signed();
        !self.is_running() && ahead <= 0
    }

    /// So many heads were handed on by now.
    pub(in crate::server) fn set_handed(&self, handed: u32) {
        self.handed.store(handed, Ordering::Relaxed);
    }

    /// How much longer the connection may wait at `now`, or `None` if it has waited for `limit`.
    pub(in crate::server) fn idle_for(&self, limit: Duration, now: Moment) -> Option<Duration> {
        let left = match self.idle_since() {
            None => return Some(limit),
            Some(since) => now.until(since + limit),
        };
        (!left.is_zero()).then_some(left)
    }

    /// A head has begun, or is complete.
    pub(in crate::server) fn set_head_begun(&self, begun: bool) {
        self.head_begun.store(begun, Ordering::Relaxed);
    }

    /// Whether hyper has bytes that the client does not take.
    pub(in crate::server) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub(in crate::server) fn set_blocked(&self, blocked: bool) {
        if !blocked {
            // An answer is made long before it is out where the client takes it slowly.
            self.idle_since.store(Moment::now().as_millis(), Ordering::Relaxed);
        }
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// An answer takes time: it is time to look if the client is still there.
    pub(in crate::server) fn look_out(&self) {
        self.look_out.store(true, Ordering::Relaxed);
    }

    /// Whether it is time to look if the client is still there.
    pub(in crate::server) fn take_look_out(&self) -> bool {
        self.look_out.load(Ordering::Relaxed) && self.look_out.swap(false, Ordering::Relaxed)
    }

    /// Tells the next request something.
    pub(in crate::server) fn note(&self, note: Note) {
        self.rare().note = Some(note);
        self.noted.store(true, Ordering::Release);
    }

    /// What the stream told about this request.
    pub(in crate::server) fn take_note(&self) -> Option<Note> {
        if !self.noted.load(Ordering::Acquire) {
            return None;
        }
        self.noted.store(false, Ordering::Relaxed);
        self.rare().note.take()
    }

    /// What is to be sent before the answer, if there is something.
    #[inline]
    pub(in crate::server) fn take_interim(&self) -> Option<Vec<u8>> {
        if !self.has_interim.load(Ordering::Acquire) {
            return None;
        }
        self.has_interim.store(false, Ordering::Relaxed);
        Some(std::mem::take(&mut self.rare().interim))
    }

    /// Sets what wakes the connection's task.
    pub(in crate::server) fn set_waker(&self, waker: &Waker) {
        // Mostly it is the same, which is not cloned then.
        match &mut self.rare().waker {
            Some(known) => known.clone_from(waker),
            unknown => *unknown = Some(waker.clone()),
        }
    }

    /// Whether something came up since it was last asked.
    pub(in crate::server) fn take_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire) && self.attention.swap(false, Ordering::AcqRel)
    }

    fn call_attention(&self) {
        self.attention.store(true, Ordering::Release);
        self.wake();
    }

    /// Wakes the connection's task, or what reads an upgraded connection.
    pub(in crate::server) fn wake(&self) {
        let waker = self.rare().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Cuts the connection; the first reason stays.
    pub(in crate::server) fn cut(&self, cut: Cut) {
        self.completions().ends(match cut {
            Cut::Aborted => Completed::Aborted,
            Cut::ResponseRate => Completed::TooSlow,
            Cut::Drain | Cut::Gone => Completed::ClientGone,
        });
        let _ = self.cut.compare_exchange(0, cut as u8, Ordering::AcqRel, Ordering::Relaxed);
        self.call_attention();
    }

    /// Why the connection is to be cut, if it is.
    pub(in crate::server) fn is_cut(&self) -> Option<Cut> {
        match self.cut.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Cut::Aborted),
            2 => Some(Cut::ResponseRate),
            3 => Some(Cut::Drain),
            _ => Some(Cut::Gone),
        }
    }

    /// Lets the connection end behind the answer, without a word.
    pub(in crate::server) fn end(&self) {
        self.ends.store(true, Ordering::Release);
        self.call_attention();
    }

    /// Whether the connection ends behind the answer.
    pub(in crate::server) fn ends(&self) -> bool {
        self.ends.load(Ordering::Acquire)
    }

    /// Whether more of the stream is here than the request that is answered.
    pub(in crate::server) fn set_ahead(&self, ahead: bool) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// Sets which answers are the last of the connection.
    pub(in crate::server) fn set_last(&self, last: Last) {
        self.last.store(last as u8, Ordering::Relaxed);
    }

    /// Whether an answer that is made now is the last of the connection, because of the stop.
    pub(in crate::server) fn is_last(&self) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            1 => !self.ahead.load(Ordering::Relaxed),
            _ => true,
        }
    }

    /// Gives the connection the rest of a body to read and drop.
    pub(in crate::server) fn leave_unread(&self, unread: Unread) {
        self.rare().unread = Some(unread);
        self.call_attention();
    }

    /// The rest of a body to read and drop.
    pub(in crate::server) fn take_unread(&self) -> Option<Unread> {
        self.rare().unread.take()
    }

    /// The stream found the body broken.
    pub(in crate::server) fn break_body(&self, reason: Reason) {
        self.broken_body.store(reason as u8, Ordering::Release);
    }

    /// Why the body is broken.
    pub(in crate::server) fn broken_body(&self) -> Option<Reason> {
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
    pub(in crate::server) fn set_body_bytes(&self, bytes: u64) {
        self.body_bytes.store(bytes, Ordering::Release);
    }

    /// What came of a body in chunks and counts towards its limit.
    pub(in crate::server) fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Acquire)
    }

    /// hyper has a large piece of an answer, and the next one comes behind it.
    pub(in crate::server) fn has_piece(&self) {
        self.unwritten.store(Unwritten::Piece as u8, Ordering::Relaxed);
    }

    /// Whether the rest of an answer has to wait until a large piece is written: hyper would queue sixteen of
    /// them for a client that takes none.
    pub(in crate::server) fn awaits_piece(&self) -> bool {
        let awaits = self.unwritten.load(Ordering::Relaxed) != Unwritten::Nothing as u8;
        if awaits {
            self.unwritten.store(Unwritten::Awaited as u8, Ordering::Relaxed);
        }
        awaits
    }

    /// hyper has written all that it had. Whether the rest of an answer has waited for that.
    pub(in crate::server) fn piece_is_written(&self) -> bool {
        self.unwritten.load(Ordering::Relaxed) != Unwritten::Nothing as u8
            && self.unwritten.swap(Unwritten::Nothing as u8, Ordering::Relaxed)
                == Unwritten::Awaited as u8
    }

    /// The system sends files on the connection by itself.
    pub(in crate::server) fn set_sends_files(&self) {
        self.sends_files.store(true, Ordering::Relaxed);
    }

    /// Whether the system sends files on the connection by itself.
    pub(in crate::server) fn sends_files(&self) -> bool {
        self.sends_files.load(Ordering::Relaxed)
    }

    /// What the system is to send of files.
    pub(in crate::server) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Whether what the connection carries is HTTP no more.
    pub(in crate::server) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Acquire)
    }

    /// The connection is upgraded, and takes `slot` instead of its own.
    pub(in crate::server) fn upgrade(&self, slot: Option<Slot>) {
        self.rare().slot = slot;
        self.upgraded.store(true, Ordering::Release);
    }

    fn rare(&self) -> MutexGuard<'_, Rare> {
        self.rare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;
    use crate::features::{Connection, Scheme};
    use crate::server::counters::Counters;
    use crate::server::options::ServerOptions;

    fn activity() -> Arc<Http1Activity> {
        let connection = Connection::new(1, None, None, Scheme::Http);
        let context = Context::new(
            ServerOptions::default(),
            Router::new().into(),
            Default::default(),
            Counters::default(),
        );
        Http1Activity::new(connection.id(), context)
    }

    const LIMIT: Duration = Duration::from_secs(10);

    fn after(activity: &Http1Activity, seconds: u64) -> Option<Duration> {
        let since = activity.idle_since.load(Ordering::Relaxed);
        activity.idle_for(LIMIT, Moment::from_millis(since) + Duration::from_secs(seconds))
    }

    #[test]
    fn the_wait_counts_from_the_last_answer() {
        let activity = activity();
        assert_eq!(after(&activity, 9), Some(Duration::from_secs(1)));
        assert_eq!(after(&activity, 10), None);
        activity.set_handed(1);
        assert_eq!(after(&activity, 60), Some(LIMIT), "hyper has it");
        assert_eq!(activity.begin(), 1);
        assert_eq!(after(&activity, 60), Some(LIMIT));
        activity.finish(false);
        activity.wait_begins();
        assert_eq!(after(&activity, 4), Some(Duration::from_secs(6)));
    }

    #[test]
    fn the_wait_counts_from_when_the_client_has_taken_the_answer() {
        let activity = activity();
        activity.set_blocked(true);
        activity.idle_since.store(0, Ordering::Relaxed);
        assert_eq!(activity.idle_for(LIMIT, Moment::now()), None);
        activity.set_blocked(false);
        assert!(activity.idle_for(LIMIT, Moment::now()).is_some());
    }

    #[test]
    fn the_rest_of_an_answer_waits_for_a_large_piece() {
        let activity = activity();
        assert!(!activity.awaits_piece() && !activity.piece_is_written());
        activity.has_piece();
        assert!(!activity.piece_is_written(), "nobody waits");
        assert!(!activity.awaits_piece());
        activity.has_piece();
        assert!(activity.awaits_piece() && activity.awaits_piece());
        assert!(activity.piece_is_written());
        assert!(!activity.awaits_piece() && !activity.piece_is_written());
    }

    #[test]
    fn a_note_is_for_one_request() {
        let activity = activity();
        activity.note(Note::RawTarget("/a#b".into()));
        assert!(
            matches!(activity.take_note(), Some(Note::RawTarget(target)) if &*target == "/a#b")
        );
        assert!(activity.take_note().is_none());
    }
}
