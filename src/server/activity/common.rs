//! What every version has to know of a connection.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::features::ConnectionId;
use crate::pipeline::Pipeline;
use crate::server::completions::Completions;
use crate::server::context::Context;
use crate::server::open_requests::OpenRequest;

/// What a connection is at, whatever it speaks.
#[derive(Debug)]
pub(in crate::server) struct Common {
    id: ConnectionId,
    context: Arc<Context>,
    /// How many requests have come; it numbers them, too.
    begun: AtomicU32,
    /// How many answers are not out yet; on HTTP/2, not handed to hyper as far as they are there.
    running: AtomicU32,
    /// The requests that take time.
    open: Mutex<Vec<OpenRequest>>,
    /// Who wants to know when answers are out.
    completions: Completions,
    /// What answers for as long as the connection is there.
    in_use: Mutex<Vec<Arc<Pipeline>>>,
}

impl Common {
    pub(super) fn new(id: ConnectionId, context: Arc<Context>) -> Self {
        let (begun, running) = (AtomicU32::new(0), AtomicU32::new(0));
        Self {
            id,
            context,
            begun,
            running,
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
        self.start();
        request
    }

    /// How many requests have come.
    pub(in crate::server) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    /// One more answer is not out.
    pub(in crate::server) fn start(&self) {
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// One answer less is not out.
    pub(in crate::server) fn finish(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many answers are not out yet.
    pub(in crate::server) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
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
