//! The connections of HTTP/2 to a server, each shared by many requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::Ping;
use h2::client::SendRequest;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::failure::of_error;
use crate::server::Moment;
use crate::upstream::failure::Failure;
use crate::upstream::stream::Io;

/// How much of an answer may be on its way that nobody has read.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The same of all answers of a connection: enough that one client that does not read holds up no other.
const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;

/// The largest list of fields, as a head of HTTP/1.1 may be.
const LARGEST_HEAD: u32 = 64 * 1024;

/// How often it is looked for connections that nobody uses.
const SWEEP: Duration = Duration::from_secs(1);

/// The connections of HTTP/2 to a server.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Connections {
    open: Mutex<Vec<Arc<Shared>>>,
}

/// A connection that requests share. Dropped, it ends once the last of them has.
struct Shared {
    requests: SendRequest<Bytes>,
    /// The name that its certificate was judged by.
    name: Option<Arc<str>>,
    /// The address that it leads to.
    address: Option<SocketAddr>,
    /// How many requests it carries.
    active: AtomicUsize,
    /// When it last had one.
    used: AtomicU64,
    /// Whether the server has said what it takes.
    settled: watch::Receiver<bool>,
    /// Ends once its descriptor is given back.
    open: watch::Receiver<()>,
    /// That there may be this connection.
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("active", &self.active).finish_non_exhaustive()
    }
}

/// The place of one request on a connection.
#[derive(Debug)]
pub(in crate::upstream) struct Place {
    shared: Arc<Shared>,
}

impl Place {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.active.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(shared) }
    }

    /// Whether the server takes requests for tunnels (RFC 8441 section 3). It waits for it to say so.
    pub(super) async fn takes_tunnels(&self) -> bool {
        let mut settled = self.shared.settled.clone();
        // Without its word there is none.
        let _ = settled.wait_for(|settled| *settled).await;
        self.shared.requests.is_extended_connect_protocol_enabled()
    }

    /// What sends the request.
    pub(super) fn requests(&self) -> SendRequest<Bytes> {
        self.shared.requests.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.used.store(Moment::now().as_millis(), Ordering::Relaxed);
        self.shared.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connections {
    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Shared>>> {
        // Nothing in there can be half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place on a connection for `name`. With `waits` that may be one whose streams are all used: the
    /// request waits for the first that ends.
    pub(in crate::upstream) fn place(&self, name: Option<&str>, waits: bool) -> Option<Place> {
        let mut open = self.open();
        if open.is_empty() {
            return None;
        }
        open.retain(|shared| is_usable(&shared.requests));
        let mut fitting = open.iter().filter(|shared| shared.name.as_deref() == name);
        let free = fitting.clone().find(|shared| {
            shared.active.load(Ordering::Relaxed) < shared.requests.current_max_send_streams()
        });
        let shared = match waits {
            false => free,
            true => free.or_else(|| {
                fitting.by_ref().min_by_key(|shared| shared.active.load(Ordering::Relaxed))
            }),
        };
        shared.map(Place::new)
    }

    /// Begins HTTP/2 on a connection, which is kept until nobody has used it for `idle_timeout`.
    ///
    /// # Errors
    ///
    /// It is gone already.
    pub(in crate::upstream) async fn add(
        self: &Arc<Self>,
        io: Io,
        name: Option<Arc<str>>,
        permit: Option<OwnedSemaphorePermit>,
        idle_timeout: Duration,
    ) -> Result<Place, Failure> {
        let address = io.peer();
        let (requests, mut connection) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(LARGEST_HEAD)
            .enable_push(false)
            .handshake(io)
            .await
            .map_err(|error| of_error(&error))?;
        let (settling, settled) = watch::channel(false);
        let (closing, open) = watch::channel(());
        if let Some(mut pings) = connection.ping_pong() {
            // What comes first is what the server takes; then the answer to this can.
            tokio::spawn(async move {
                if pings.ping(Ping::opaque()).await.is_ok() {
                    settling.send_replace(true);
                }
            });
        }
        let shared = Arc::new(Shared {
            requests,
            settled,
            open,
            name,
            address,
            active: AtomicUsize::new(0),
            used: AtomicU64::new(Moment::now().as_millis()),
            _permit: permit,
        });
        let place = Place::new(&shared);
        let (home, known) = (Arc::downgrade(self), Arc::downgrade(&shared));
        self.open().push(shared);
        tokio::spawn(async move {
            // Behind the connection, which is dropped before it.
            let _closing = closing;
            tokio::pin!(connection);
            // What went wrong, each of its requests is told.
            while timeout(SWEEP, &mut connection).await.is_err() {
                drop_if_idle(&home, &known, idle_timeout);
            }
            remove(&home, &known);
        });
        Ok(place)
    }

    /// Closes the half of those without a request that was used the longest time ago; what tells of each that its
    /// descriptor is given back.
    pub(in crate::upstream) fn drop_older_half(&self) -> Vec<watch::Receiver<()>> {
        let mut open = self.open();
        // Nobody gets a place meanwhile.
        let is_idle = |shared: &Arc<Shared>| shared.active.load(Ordering::Relaxed) == 0;
        let mut idle: Vec<_> = open.iter().filter(|it| is_idle(it)).cloned().collect();
        idle.sort_by_key(|shared| shared.used.load(Ordering::Relaxed));
        idle.truncate(idle.len().div_ceil(2));
        open.retain(|shared| !idle.iter().any(|it| Arc::ptr_eq(it, shared)));
        idle.iter().map(|shared| shared.open.clone()).collect()
    }

    /// Ends connections to other addresses than these, once their requests have.
    pub(in crate::upstream) fn keep_only(&self, listed: &[SocketAddr]) {
        let is_listed = |it: &Arc<Shared>| it.address.is_none_or(|it| listed.contains(&it));
        self.open().retain(is_listed);
    }

    /// Ends the connections, once their requests have.
    pub(in crate::upstream) fn close(&self) {
        self.open().clear();
    }
}

/// Whether requests can be sent: neither side has ended it.
fn is_usable(requests: &SendRequest<Bytes>) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    !matches!(requests.clone().poll_ready(cx), Poll::Ready(Err(_)))
}

fn drop_if_idle(home: &Weak<Connections>, known: &Weak<Shared>, idle_timeout: Duration) {
    let Some(shared) = known.upgrade() else {
        return;
    };
    let used = Moment::from_millis(shared.used.load(Ordering::Relaxed));
    if shared.active.load(Ordering::Relaxed) == 0 && used.until(Moment::now()) >= idle_timeout {
        remove(home, known);
    }
}

fn remove(home: &Weak<Connections>, known: &Weak<Shared>) {
    if let Some(home) = home.upgrade() {
        home.open().retain(|shared| !std::ptr::eq(Arc::as_ptr(shared), known.as_ptr()));
    }
}
