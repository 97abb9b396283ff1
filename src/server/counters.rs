//! What the server has counted: for those who watch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::rejection::Reason;

/// What a server has counted since it was made. Cloning it gives the same counters.
///
/// Each is a number of its own: two that are read one after the other may not fit together. (They
/// are what the meter `Microsoft.AspNetCore.Server.Kestrel` has in ASP.NET Core.)
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    accepted: AtomicU64,
    closed: AtomicU64,
    rejected: AtomicU64,
    upgraded: AtomicU64,
    bad_requests: AtomicU64,
    headers_timed_out: AtomicU64,
    bodies_timed_out: AtomicU64,
    bodies_too_large: AtomicU64,
    answers_timed_out: AtomicU64,
    drains_timed_out: AtomicU64,
    cut_off: AtomicU64,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident, $count:ident;)+) => {
        impl Counters {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> u64 {
                    self.0.$name.load(Ordering::Relaxed)
                }

                pub(super) fn $count(&self) {
                    self.0.$name.fetch_add(1, Ordering::Relaxed);
                }
            )+
        }
    };
}

counters! {
    /// Connections that were accepted, whatever became of them.
    accepted, count_accepted;
    /// Accepted connections that are over, the rejected ones among them.
    closed, count_closed;
    /// Connections beyond `MaxConcurrentConnections` (`kestrel.rejected_connections`).
    rejected, count_rejected;
    /// Connections that were upgraded.
    upgraded, count_upgraded;
    /// Requests that were not served because of what they are, the following ones among them.
    bad_requests, count_bad_request;
    /// Heads that took longer than `RequestHeadersTimeout` (`request_headers_timeout`).
    headers_timed_out, count_headers_timed_out;
    /// Bodies slower than `MinRequestBodyDataRate` (`min_request_body_data_rate`).
    bodies_timed_out, count_body_timed_out;
    /// Bodies larger than `MaxRequestBodySize` (`max_request_body_size_exceeded`).
    bodies_too_large, count_body_too_large;
    /// Answers taken slower than `MinResponseDataRate` (`min_response_data_rate`).
    answers_timed_out, count_answer_timed_out;
    /// Unread bodies whose rest did not come in time.
    drains_timed_out, count_drain_timed_out;
}

impl Counters {
    /// Connections that are open (`kestrel.active_connections`).
    pub fn open(&self) -> u64 {
        // Read in this order, it is never less than none.
        let closed = self.closed();
        self.accepted().saturating_sub(closed)
    }

    /// Connections that the stop had to cut off, because they did not end within the shutdown timeout.
    pub fn cut_off(&self) -> u64 {
        self.0.cut_off.load(Ordering::Relaxed)
    }

    pub(super) fn count_cut_off(&self, connections: usize) {
        self.0.cut_off.fetch_add(connections as u64, Ordering::Relaxed);
    }

    /// Counts a request that is not served.
    pub(super) fn count_rejection(&self, reason: Reason) {
        self.count_bad_request();
        match reason {
            Reason::RequestHeadersTimeout => self.count_headers_timed_out(),
            Reason::RequestBodyTimeout => self.count_body_timed_out(),
            Reason::RequestBodyTooLarge | Reason::ChunkTooLarge => self.count_body_too_large(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_counts_as_what_it_is() {
        let counters = Counters::default();
        counters.count_rejection(Reason::InvalidRequestLine);
        counters.count_rejection(Reason::RequestHeadersTimeout);
        assert_eq!((counters.bad_requests(), counters.headers_timed_out()), (2, 1));
        counters.clone().count_accepted();
        assert_eq!(counters.open(), 1);
        counters.count_closed();
        assert_eq!(counters.open(), 0);
    }
}
