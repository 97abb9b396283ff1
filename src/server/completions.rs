//! Who wants to know when answers are out, and when they are.
//!
//! A request is over when hyper has all of its answer; the answer is out when hyper's buffers, and
//! those of the gate, are written. Between the two it is due. Where nobody asks, a request costs a
//! look or two at a flag.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::diagnostics::{events, panic_message};
use crate::features::{Completed, SentHead, Watch};

/// Those who wait for answers of one connection.
#[derive(Default)]
pub(super) struct Completions {
    /// How many wait.
    count: AtomicUsize,
    /// One of them looks at headers, or did.
    want_headers: AtomicBool,
    waiting: Mutex<Vec<Waiting>>,
    /// How the connection ends, one more than the place in [`ENDS`]; 0 as long as nobody knows.
    end: AtomicU8,
    /// How much of what was handed on is not written. On HTTP/1 the gate sees what hyper has left; on HTTP/2
    /// it is counted, as answers share a connection.
    unwritten: AtomicU64,
}

struct Waiting {
    request: u32,
    watch: Box<dyn Watch>,
    /// All of the answer is hyper's, or the gate's, to write.
    due: bool,
    /// It waits for the end of the other protocol that the answer has begun.
    stays: bool,
    handed: Handed,
}

/// How much of the body of an answer was handed on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handed {
    pub(super) bytes: u64,
    /// How much of it is written at least.
    pub(super) written: u64,
}

const ENDS: [Completed; 5] = [
    Completed::ClientGone,
    Completed::TooSlow,
    Completed::Aborted,
    Completed::Failed,
    Completed::Stopped,
];

impl Completions {
    pub(super) fn wait(&self, request: u32, watch: Box<dyn Watch>) {
        if watch.wants_headers() {
            self.want_headers.store(true, Ordering::Relaxed);
        }
        let mut waiting = self.waiting();
        waiting.push(Waiting {
            request,
            watch,
            due: false,
            stays: false,
            handed: Handed::default(),
        });
        self.count.store(waiting.len(), Ordering::Release);
    }

    /// Whether anybody waits.
    #[inline]
    pub(super) fn are_wanted(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Whether somebody who waits may look at the headers of answers.
    pub(super) fn want_headers(&self) -> bool {
        self.are_wanted() && self.want_headers.load(Ordering::Relaxed)
    }

    /// This is the head of the answer to a request.
    pub(super) fn head(&self, request: u32, head: &SentHead<'_>) {
        let mut waiting = self.waiting();
        let mine = waiting.iter_mut().filter(|it| it.request == request);
        mine.for_each(|it| it.watch.head(head));
    }

    /// hyper has the answer to a request, and so much of its body: all of it, or what there was before it
    /// broke off.
    pub(super) fn over(&self, request: u32, handed: Handed, broken: Option<Completed>) {
        let mut waiting = self.waiting();
        for mine in waiting.iter_mut().filter(|it| it.request == request) {
            (mine.due, mine.handed) = (broken.is_none(), handed);
        }
        drop(waiting);
        if let Some(end) = broken {
            self.tell(end, |it| it.request == request);
        }
    }

    /// Everything that hyper and the gate had is written.
    #[inline]
    pub(super) fn written(&self) {
        if self.are_wanted() {
            self.tell_due();
        }
    }

    fn tell_due(&self) {
        self.tell(Completed::Sent, |it| it.due && !it.stays);
    }

    /// The answer to a request turns its connection, or its stream, into another protocol's.
    pub(super) fn switches(&self, request: u32) {
        let mut waiting = self.waiting();
        for mine in waiting.iter_mut().filter(|it| it.request == request) {
            mine.stays = mine.watch.outlasts_answer();
        }
    }

    /// So many streams are open: of those that carry other protocols no more can be.
    pub(super) fn streams_left(&self, open: usize) {
        let beyond = self.waiting().iter().filter(|it| it.stays).count().saturating_sub(open);
        let left = Cell::new(beyond);
        self.tell(Completed::Sent, |it| {
            let ends = it.stays && left.get() > 0;
            left.set(left.get() - usize::from(ends));
            ends
        });
    }

    /// The client resets a stream on which something was left to send. If one answer alone is due, it
    /// is that one.
    pub(super) fn reset(&self) {
        if !self.are_wanted() {
            return;
        }
        let is_due = |it: &Waiting| it.due && !it.stays;
        let mut due: Vec<_> =
            self.waiting().iter().filter(|it| is_due(it)).map(|it| it.request).collect();
        // Several may watch one.
        due.dedup();
        if due.len() == 1 {
            self.tell(Completed::ClientGone, is_due);
        }
    }

    /// So much of what was handed on is not written.
    #[inline]
    pub(super) fn set_unwritten(&self, bytes: usize) {
        self.unwritten.store(bytes as u64, Ordering::Relaxed);
    }

    /// So much more was handed on.
    #[inline]
    pub(super) fn hand_on(&self, bytes: usize) {
        self.unwritten.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So much more of it was written, or never will be.
    pub(super) fn wrote(&self, bytes: u64) {
        let less = |unwritten: u64| Some(unwritten.saturating_sub(bytes));
        let _ = self.unwritten.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// The connection is going to end like this; the first reason stays.
    pub(super) fn ends(&self, end: Completed) {
        let place = ENDS.iter().position(|it| *it == end).unwrap_or(0);
        let end = u8::try_from(place + 1).unwrap_or(1);
        let _ = self.end.compare_exchange(0, end, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// How the connection ends: unless we know better, the client has gone.
    pub(super) fn end(&self) -> Completed {
        let place = usize::from(self.end.load(Ordering::Acquire)).saturating_sub(1);
        ENDS.get(place).copied().unwrap_or(Completed::ClientGone)
    }

    fn tell(&self, end: Completed, whom: impl Fn(&Waiting) -> bool) {
        let mut waiting = self.waiting();
        // Mostly one waits for one answer, and nothing has to be made for it.
        let (alone, mut told) = match waiting.len() {
            1 if end == Completed::Sent => (waiting.pop_if(|it| whom(it)), Vec::new()),
            _ => (None, waiting.extract_if(.., |it| whom(it)).collect()),
        };
        self.count.store(waiting.len(), Ordering::Release);
        // Not under the lock: whoever is told may ask again.
        drop(waiting);
        if end != Completed::Sent {
            leave_out(&mut told, self.unwritten.load(Ordering::Relaxed));
        }
        for Waiting { watch, handed, .. } in alone.into_iter().chain(told) {
            // It is the app's code, in the middle of a connection that may have other requests.
            let tell = AssertUnwindSafe(|| watch.end(end, handed.bytes));
            if let Err(panic) = catch_unwind(tell) {
                events::completion_panicked(panic_message(&*panic));
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out of answers what is not written of them: the last ones were the last to be handed on.
fn leave_out(told: &mut [Waiting], unwritten: u64) {
    let mut left = unwritten;
    // Several may watch one.
    for answer in told.chunk_by_mut(|one, next| one.request == next.request).rev() {
        let missing = answer.iter().map(|it| it.handed.bytes - it.handed.written).max();
        let missing = missing.unwrap_or_default().min(left);
        left -= missing;
        answer.iter_mut().for_each(|it| it.handed.bytes -= missing);
    }
}

impl Drop for Completions {
    /// The connection is gone, and with it what was due.
    fn drop(&mut self) {
        self.tell(self.end(), |_| true);
    }
}

impl std::fmt::Debug for Completions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Completions").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Told = Arc<Mutex<Vec<(u32, Completed)>>>;

    /// Tells of the end of a request.
    struct Watching(u32, Told);

    impl Watch for Watching {
        fn head(&mut self, head: &SentHead<'_>) {
            self.0 += u32::from(head.status.as_u16());
        }

        fn end(self: Box<Self>, end: Completed, bytes: u64) {
            let number = self.0 + u32::try_from(bytes).unwrap();
            self.1.lock().unwrap().push((number, end));
        }
    }

    fn waited_for(requests: &[u32]) -> (Completions, Told) {
        let (completions, told) = (Completions::default(), Told::default());
        for request in requests {
            completions.wait(*request, Box::new(Watching(*request, Arc::clone(&told))));
        }
        (completions, told)
    }

    fn of(bytes: u64) -> Handed {
        Handed { bytes, written: 0 }
    }

    fn taken(told: &Told) -> Vec<(u32, Completed)> {
        std::mem::take(&mut told.lock().unwrap())
    }

    #[test]
    fn an_answer_is_out_once_it_is_written() {
        let (completions, told) = waited_for(&[1, 2]);
        completions.written();
        completions.over(1, of(0), None);
        assert_eq!(taken(&told), [], "it is in a buffer");
        completions.written();
        assert_eq!(taken(&told), [(1, Completed::Sent)]);
        assert!(completions.are_wanted());
        completions.over(2, of(0), None);
        completions.written();
        assert_eq!(taken(&told), [(2, Completed::Sent)]);
        assert!(!completions.are_wanted());
    }

    #[test]
    fn an_answer_that_breaks_off_is_told_at_once() {
        let (completions, told) = waited_for(&[1, 2]);
        completions.over(2, of(0), Some(Completed::Failed));
        assert_eq!(taken(&told), [(2, Completed::Failed)]);
        completions.over(3, of(0), None);
        assert_eq!(taken(&told), [], "nobody asked");
    }

    #[test]
    fn it_is_told_of_the_head_and_how_much_followed_it() {
        let (completions, told) = waited_for(&[1, 2]);
        let headers = http::HeaderMap::new();
        let status = http::StatusCode::NOT_FOUND;
        completions
            .head(1, &SentHead { status, headers: &headers, content_length: None, has_body: true });
        completions.over(1, of(20), None);
        completions.over(2, of(30), Some(Completed::Aborted));
        completions.written();
        assert_eq!(taken(&told), [(32, Completed::Aborted), (425, Completed::Sent)]);
    }

    #[test]
    fn what_is_not_written_ends_with_the_connection() {
        for end in ENDS {
            let (completions, told) = waited_for(&[1, 2]);
            completions.over(1, of(0), None);
            completions.ends(end);
            completions.ends(Completed::ClientGone);
            drop(completions);
            assert_eq!(taken(&told), [(1, end), (2, end)]);
        }
        let (completions, told) = waited_for(&[1]);
        drop(completions);
        assert_eq!(taken(&told), [(1, Completed::ClientGone)]);
    }

    #[test]
    fn what_is_not_written_of_an_answer_that_breaks_off_is_not_told() {
        let (completions, told) = waited_for(&[0]);
        completions.set_unwritten(30);
        completions.over(0, of(100), Some(Completed::ClientGone));
        assert_eq!(taken(&told), [(70, Completed::ClientGone)]);

        let (completions, told) = waited_for(&[0]);
        completions.hand_on(100);
        completions.wrote(20);
        completions.over(0, Handed { bytes: 100, written: 60 }, Some(Completed::Failed));
        assert_eq!(taken(&told), [(60, Completed::Failed)], "as much as is known");

        // Those that wait for company, and the head of the last one.
        let (completions, told) = waited_for(&[1000, 2000, 2000]);
        for request in [1000, 2000] {
            completions.over(request, of(100), None);
        }
        completions.set_unwritten(150);
        drop(completions);
        let gone = |bytes| (bytes, Completed::ClientGone);
        assert_eq!(taken(&told), [gone(1050), gone(2000), gone(2000)]);
    }

    #[test]
    fn a_reset_is_of_the_one_answer_that_is_due_however_many_watch_it() {
        let (completions, told) = waited_for(&[1, 2, 2]);
        completions.over(2, of(0), None);
        completions.reset();
        assert_eq!(taken(&told), [(2, Completed::ClientGone); 2]);
        completions.wait(3, Box::new(Watching(3, Arc::clone(&told))));
        for request in [1, 3] {
            completions.over(request, of(0), None);
        }
        completions.reset();
        assert_eq!(taken(&told), [], "it may be either");
    }

    /// Waits for the end of what an answer begins.
    struct Outlasting(Watching);

    impl Watch for Outlasting {
        fn outlasts_answer(&self) -> bool {
            true
        }

        fn end(self: Box<Self>, end: Completed, bytes: u64) {
            Box::new(self.0).end(end, bytes);
        }
    }

    #[test]
    fn what_an_answer_begins_is_over_with_its_connection_or_as_soon_as_one_of_its_streams_must_be()
    {
        let (completions, told) = waited_for(&[1, 2, 3]);
        for request in [1, 2, 3] {
            let watching = Watching(10 * request, Arc::clone(&told));
            completions.wait(request, Box::new(Outlasting(watching)));
        }
        completions.switches(1);
        completions.switches(3);
        for request in [1, 2, 3] {
            completions.over(request, of(0), None);
        }
        completions.written();
        let sent = |request| (request, Completed::Sent);
        assert_eq!(taken(&told), [sent(1), sent(2), sent(3), sent(20)]);
        completions.streams_left(3);
        completions.streams_left(2);
        assert_eq!(taken(&told), []);
        completions.streams_left(1);
        assert_eq!(taken(&told), [sent(10)]);
        drop(completions);
        assert_eq!(taken(&told), [(30, Completed::ClientGone)]);
    }
}
