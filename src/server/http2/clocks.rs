//! The timeouts of a connection, and since when each of them runs.

use tokio::time::{Duration, Instant};

use super::ending::Ending;
use crate::server::clock::TICK;
use crate::server::limits::Limits;
use crate::server::pace::Pace;

/// What may take too long on a connection.
#[derive(Debug)]
pub(super) struct Clocks {
    keep_alive: Duration,
    request_headers: Duration,
    ping: Duration,
    /// If the client has to take something.
    response: Option<Pace>,
    /// Since when no stream is open, if none is.
    idle_since: Instant,
    block_since: Option<Instant>,
    /// When the PING was sent that nothing has come after.
    ping_since: Option<Instant>,
    /// By when the client has to have taken more of what we want to send.
    stalled: Option<Instant>,
}

impl Clocks {
    /// A connection that begins now.
    pub(super) fn new(limits: &Limits, response: Option<Pace>) -> Self {
        Self {
            keep_alive: limits.keep_alive_timeout,
            request_headers: limits.request_headers_timeout,
            ping: limits.http2.keep_alive_ping_timeout,
            response,
            idle_since: Instant::now(),
            block_since: None,
            ping_since: None,
            stalled: None,
        }
    }

    /// The wait for a request begins, or begins anew.
    pub(super) fn idle(&mut self) {
        self.idle_since = Instant::now();
    }

    /// A header block has begun and is not complete.
    pub(super) fn block_begins(&mut self) {
        self.block_since.get_or_insert_with(Instant::now);
    }

    /// None is.
    pub(super) fn block_ended(&mut self) {
        self.block_since = None;
    }

    /// We have sent a PING.
    pub(super) fn pinged(&mut self) {
        self.ping_since = Some(Instant::now());
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.ping_since = None;
    }

    /// The system takes no more.
    pub(super) fn stalls(&mut self) {
        if let (None, Some(pace)) = (self.stalled, self.response) {
            // It does not tell how much it holds.
            self.stalled = Some(pace.by_when(u64::MAX));
        }
    }

    /// It took so many bytes.
    pub(super) fn took(&mut self, length: u64) {
        if let (Some(by), Some(pace)) = (self.stalled, self.response) {
            self.stalled = Some(pace.earn(by, length, u64::MAX));
        }
    }

    /// It took everything.
    pub(super) fn all_taken(&mut self) {
        self.stalled = None;
    }

    /// When to look at the clock with so many streams open, if ever.
    pub(super) fn due(&self, streams: usize) -> Option<Instant> {
        let idle = self.is_idle(streams).then(|| later(self.idle_since, self.keep_alive));
        let block = self.block_since.map(|since| later(since, self.request_headers));
        let ping = self.ping_since.map(|since| later(since, self.ping));
        let stalled = self.stalled.map(|by| later(by, Duration::ZERO));
        [idle, block, ping, stalled].into_iter().flatten().min()
    }

    /// What has taken too long at `now`.
    pub(super) fn overdue(&self, now: Instant, streams: usize) -> Option<Ending> {
        let over =
            |since: Option<Instant>, limit| since.is_some_and(|since| now >= later(since, limit));
        if over(self.block_since, self.request_headers) {
            Some(Ending::RequestHeaders)
        } else if over(self.ping_since, self.ping) {
            Some(Ending::Ping)
        } else if over(self.stalled, Duration::ZERO) {
            Some(Ending::ResponseRate)
        } else {
            let waits = self.is_idle(streams) && over(Some(self.idle_since), self.keep_alive);
            waits.then_some(Ending::KeepAlive)
        }
    }

    /// Half a head has a time of its own.
    fn is_idle(&self, streams: usize) -> bool {
        streams == 0 && self.block_since.is_none()
    }
}

/// When a timeout fires that began at `since`.
pub(super) fn later(since: Instant, limit: Duration) -> Instant {
    // A limit that is no date is none.
    const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
    since + limit.saturating_add(TICK).min(NEVER)
}
