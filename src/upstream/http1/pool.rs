//! The connections of HTTP/1.1 to a server that are not used now.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::Connection;
use crate::server::Moment;

/// How often what the server ended, and what was idle for too long, is closed.
const SWEEP: Duration = Duration::from_secs(1);

/// An answer that says how long the server keeps the connection is believed, less this: a request must not
/// leave when it ends.
const MARGIN: Duration = Duration::from_secs(1);

/// The connections to a server that are not used now: the last that was used is the next. The lock is held
/// for a push or a pop.
#[derive(Debug)]
pub(in crate::upstream) struct Pool {
    state: Mutex<State>,
    idle_timeout: Duration,
}

#[derive(Debug, Default)]
struct State {
    #[expect(clippy::vec_box, reason = "whoever takes one moves a pointer")]
    idle: Vec<Box<Connection>>,
    /// Nothing is kept any more.
    closed: bool,
    /// Somebody looks after them.
    swept: bool,
    /// The addresses that the server's name has, once it was looked up again.
    listed: Option<Arc<[SocketAddr]>>,
}

impl Pool {
    pub(in crate::upstream) fn new(idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), idle_timeout })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing in there can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that can be used, whose certificate is that of `name`.
    pub(in crate::upstream) fn take(&self, name: Option<&str>) -> Option<Box<Connection>> {
        loop {
            let mut connection = {
                let idle = &mut self.state().idle;
                match name {
                    None => idle.pop()?,
                    Some(_) => {
                        let at = idle.iter().rposition(|one| one.name.as_deref() == name)?;
                        idle.remove(at)
                    }
                }
            };
            if connection.is_fit() {
                return Some(connection);
            }
        }
    }

    /// Closes the connection that was used the longest time ago, for one of another name.
    pub(in crate::upstream) fn drop_oldest(&self) {
        let oldest = {
            let idle = &mut self.state().idle;
            (!idle.is_empty()).then(|| idle.remove(0))
        };
        drop(oldest);
    }

    /// Closes the half that was used the longest time ago; how many these were.
    pub(in crate::upstream) fn drop_older_half(&self) -> usize {
        let older: Vec<_> = {
            let idle = &mut self.state().idle;
            let half = idle.len().div_ceil(2);
            idle.drain(..half).collect()
        };
        older.len()
    }

    /// Keeps nothing but connections to these addresses from now on.
    pub(in crate::upstream) fn keep_only(&self, listed: &Arc<[SocketAddr]>) {
        let gone: Vec<_> = {
            let mut state = self.state();
            state.listed = Some(Arc::clone(listed));
            state.idle.extract_if(.., |it| !it.is_listed(listed)).collect()
        };
        drop(gone);
    }

    /// Keeps a connection. `keeps_for` is for how many seconds the server does.
    pub(super) fn put(self: &Arc<Self>, mut connection: Box<Connection>, keeps_for: Option<u64>) {
        let server = keeps_for.map(|seconds| Duration::from_secs(seconds).saturating_sub(MARGIN));
        let keep = server.map_or(self.idle_timeout, |server| server.min(self.idle_timeout));
        if keep.is_zero() {
            return;
        }
        connection.rest();
        connection.until = connection.activity.last() + keep;
        let is_first = {
            let mut state = self.state();
            let is_listed = state.listed.as_ref().is_none_or(|it| connection.is_listed(it));
            if state.closed || !is_listed {
                return;
            }
            state.idle.push(connection);
            !std::mem::replace(&mut state.swept, true)
        };
        if is_first {
            match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(sweep(Arc::downgrade(self)))),
                // A body that is dropped when all ends. The next one tries again.
                Err(_) => self.state().swept = false,
            }
        }
    }

    /// Closes what is idle, and keeps nothing from now on.
    pub(in crate::upstream) fn close(&self) {
        let idle = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.idle)
        };
        drop(idle);
    }

    /// Drops what is of no use any more; whether anything is left.
    fn sweep(&self) -> bool {
        let now = Moment::now();
        let mut gone = Vec::new();
        let mut state = self.state();
        let mut at = 0;
        while at < state.idle.len() {
            let connection = &mut state.idle[at];
            if connection.until <= now || !connection.is_fit() {
                gone.push(state.idle.remove(at));
            } else {
                at += 1;
            }
        }
        if state.idle.is_empty() {
            state.swept = false;
            state.idle = Vec::new();
        }
        let is_left = state.swept;
        // Closing takes system calls, and is not done under the lock.
        drop(state);
        drop(gone);
        is_left
    }
}

/// Looks after the connections for as long as there are any.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        match pool.upgrade() {
            Some(pool) if pool.sweep() => {}
            _ => return,
        }
    }
}
