//! What connections of HTTP/2 have to know besides.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::common::Common;
use crate::diagnostics::events;
use crate::features::{CompletionSource, ConnectionId, Watch};
use crate::server::context::Context;
use crate::server::error::StreamError;
use crate::server::http2_code::Code;

/// What a connection of HTTP/2 is at.
#[derive(Debug)]
pub(in crate::server) struct Http2Activity {
    common: Common,
    /// How many resets of streams were told of before they are sent.
    told_resets: AtomicU32,
    /// How many requests are over: hyper's library has all of their answers.
    over: AtomicU32,
}

impl Deref for Http2Activity {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl CompletionSource for Http2Activity {
    fn watch(&self, request: u32, watch: Box<dyn Watch>) {
        self.completions().wait(request, watch);
    }
}

impl Http2Activity {
    /// A connection that waits for its first request.
    pub(in crate::server) fn new(id: ConnectionId, context: Arc<Context>) -> Arc<Self> {
        let common = Common::new(id, context);
        let [told_resets, over] = [0; 2].map(AtomicU32::new);
        Arc::new(Self { common, told_resets, over })
    }

    /// A request is over.
    pub(in crate::server) fn over(&self) {
        self.over.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests have come and are not over.
    pub(in crate::server) fn alive(&self) -> u32 {
        self.begun().wrapping_sub(self.over.load(Ordering::Relaxed))
    }

    /// Whether there are requests that the app was not asked for yet: they wait for the first turn of their tasks, which
    /// is about to come.
    pub(in crate::server) fn has_unasked(&self) -> bool {
        self.count_asked() != self.begun()
    }

    /// The stream of a request is going to be reset, which is told here.
    pub(in crate::server) fn reset(&self, request: u32, error: StreamError, why: &str) {
        let code = Code::from(error);
        // One without an error is not told of when it is sent.
        let told = u32::from(code != Code::NO_ERROR);
        self.told_resets.fetch_add(told, Ordering::Relaxed);
        events::http2_stream_reset(&self.id(), request, &code.to_string(), why);
    }

    /// Whether a reset that is sent was told of by whoever asked for it.
    pub(in crate::server) fn take_told_reset(&self) -> bool {
        let less = |told: u32| told.checked_sub(1);
        self.told_resets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}
