//! What every version has to know of a connection.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::features::ConnectionId;
use crate::pipeline::Pipeline;
use crate::server::completions::Completions;
use crate::server::context::Context;
use crate::server::open_requests::OpenRequest;

/// One request more that the app was asked for. The answers that are out reach it after four thousand million of them: for
/// so many HTTP/2 has no ids, and HTTP/1 does not tell when the app is asked.
const ASKED: u64 = 1 << 32;

/// What a connection is at, whatever it speaks.
#[derive(Debug)]
pub(in crate::server) struct Common {
    id: ConnectionId,
    context: Arc<Context>,
    /// How many requests have come; it numbers them, too. One task alone writes it.
    begun: AtomicU32,
    /// How many answers are out, in the lower half; on HTTP/2, handed to hyper as far as they are there. In the upper half
    /// for how many the app was asked: both mostly change together. (What is left of those that have come runs, or is not
    /// asked for: to count that itself would be numbers more that processors share, and change, for each request.)
    finished: AtomicU64,
    /// The requests that take time.
    open: Mutex<Vec<OpenRequest>>,
    /// Who wants to know when answers are out.
    completions: Completions,
    /// What answers for as long as the connection is there.
    in_use: Mutex<Vec<Arc<Pipeline>>>,
}

impl Common {
    pub(super) fn new(id: ConnectionId, context: Arc<Context>) -> Self {
        let (begun, finished) = (AtomicU32::new(0), AtomicU64::new(0));
        Self {
            id,
            context,
            begun,
            finished,
            open: Mutex::default(),
            completions: Completions::default(),
            in_use: Mutex::default(),
        }
    }

    pub(in crate::server) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(in crate::server) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// A request has come, and gets its number.
    pub(in crate::server) fn begin(&self) -> u32 {
        // Only the connection's task begins requests; their ends may be anywhere.
        let request = self.begun().wrapping_add(1);
        self.begun.store(request, Ordering::Relaxed);
        request
    }

    /// How many requests have come.
    pub(in crate::server) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    /// An answer goes on that seemed to be out.
    pub(in crate::server) fn resume(&self) {
        self.finished.fetch_sub(1, Ordering::Release);
    }

    /// One answer more is out, which the app was asked for just now, or before.
    pub(in crate::server) fn finish(&self, just_asked: bool) {
        self.finished.fetch_add(if just_asked { ASKED | 1 } else { 1 }, Ordering::Release);
    }

    /// The app was asked for a request.
    pub(in crate::server) fn asked(&self) {
        self.finished.fetch_add(ASKED, Ordering::Relaxed);
    }

    /// For how many requests the app was asked.
    pub(super) fn count_asked(&self) -> u32 {
        (self.finished.load(Ordering::Relaxed) >> 32) as u32
    }

    /// How many answers are not out yet.
    pub(in crate::server) fn running(&self) -> u32 {
        // First: whoever sees an answer that is out sees that its request has come.
        let finished = self.finished.load(Ordering::Acquire) as u32;
        self.begun().wrapping_sub(finished)
    }

    /// Whether an answer is not out yet.
    pub(in crate::server) fn is_running(&self) -> bool {
        self.running() > 0
    }

    /// The requests that take time.
    pub(in crate::server) fn open_requests(&self) -> Vec<OpenRequest> {
        self.open().clone()
    }

    /// A request takes time.
    pub(in crate::server) fn opened(&self, request: OpenRequest) {
        self.open().push(request);
    }

    /// It may take hours.
    pub(in crate::server) fn lasts(&self, request: u32) {
        let mut open = self.open();
        open.iter_mut().filter(|open| open.number == request).for_each(|it| it.target.let_go());
        // Room for others is none that anybody needs meanwhile.
        open.shrink_to_fit();
    }

    /// It does not any more.
    pub(in crate::server) fn closed(&self, request: u32) {
        self.open().retain(|open| open.number != request);
    }

    /// Who wants to know when answers are out.
    pub(in crate::server) fn completions(&self) -> &Completions {
        &self.completions
    }

    /// What answers is in use until the connection ends.
    pub(in crate::server) fn keep(&self, pipeline: Arc<Pipeline>) {
        let mut kept = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        // Once is enough for a connection of many tunnels.
        if !kept.iter().any(|it| Arc::ptr_eq(it, &pipeline)) {
            kept.push(pipeline);
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<OpenRequest>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
