//! The accept loops. They only accept: everything that could wait happens in the connection's task.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::BoxFuture;
use super::connection;
use super::drain::{Drain, Watch};
use super::endpoint::Serving;
use super::options::ServerOptions;
use super::slot::Slot;
use crate::addresses::bind::Listener;
use crate::addresses::error_reason;
use crate::diagnostics::events;
use crate::features::{Connection, Local, Remote};

/// The pauses after a failed accept: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many connections of each socket of an endpoint are open. Each counts for itself, as on
/// Kestrel, both of `localhost` too.
pub(super) type SlotsTaken = Vec<Arc<AtomicU64>>;

/// Starts one loop per socket. They end, and close their sockets, when `serving` is dropped. What is
/// `taken` goes on counting where the same sockets were open before.
///
/// # Errors
///
/// The runtime cannot watch a socket; none is accepted on then.
pub(super) fn start(
    address: &str,
    listeners: Vec<Listener>,
    serving: &watch::Sender<Arc<Serving>>,
    drain: &Drain,
    taken: &mut SlotsTaken,
) -> io::Result<Vec<JoinHandle<()>>> {
    let mut loops: Vec<BoxFuture<'static, ()>> = Vec::new();
    taken.resize_with(taken.len().max(listeners.len()), Arc::default);
    for (listener, slots) in listeners.into_iter().zip(&*taken) {
        let accept = Accept {
            address: address.to_owned(),
            serving: serving.subscribe(),
            slots: Arc::clone(slots),
            watch: drain.watch(),
        };
        match listener {
            Listener::Tcp(listener) => {
                loops.push(Box::pin(accept.tcp(TcpListener::from_std(listener)?)));
            }
            #[cfg(unix)]
            Listener::Unix { file, listener } => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                loops.push(Box::pin(accept.unix(listener, file)));
            }
        }
    }
    Ok(loops.into_iter().map(tokio::spawn).collect())
}

/// Sets on a listening socket what its connections inherit. Where a system knows no such option,
/// they do without.
fn inherit(listener: &TcpListener, options: &ServerOptions) {
    let socket = SockRef::from(listener);
    // Its absence costs a round trip on every answer of more than one packet.
    let _ = socket.set_tcp_nodelay(true);
    bound_unsent(&socket, options.limits.max_response_buffer_size);
}

/// Bounds what the system holds unsent; it then shows, too, when a client takes some.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn bound_unsent(socket: &SockRef<'_>, most: Option<usize>) {
    // 0 is the bound that the system has for all: a reload may take ours away again.
    let most = most.map_or(0, |most| u32::try_from(most).unwrap_or(u32::MAX).max(1));
    let _ = socket.set_tcp_notsent_lowat(most);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bound_unsent(_: &SockRef<'_>, _: Option<usize>) {}

struct Accept {
    address: String,
    serving: watch::Receiver<Arc<Serving>>,
    /// How many connections of this socket are open.
    slots: Arc<AtomicU64>,
    watch: Watch,
}

/// What an accept loop waited for.
enum Next<T> {
    It(T),
    /// What connections are served with is another now.
    Served,
    /// The loop is to end.
    End,
}

impl Accept {
    async fn tcp(mut self, listener: TcpListener) {
        let mut pause = FIRST_PAUSE;
        inherit(&listener, self.serving.borrow_and_update().context.options());
        loop {
            match self.next(listener.accept()).await {
                Next::It(Ok((socket, remote))) => {
                    pause = FIRST_PAUSE;
                    if !cfg!(target_os = "linux") {
                        // Linux has it from the listening socket.
                        let _ = socket.set_nodelay(true);
                    }
                    let local = socket.local_addr().ok().map(Local);
                    self.spawn(socket, local, Some(Remote(remote)));
                }
                Next::It(Err(error)) => self.failed(&error, &mut pause).await,
                Next::Served => inherit(&listener, self.serving.borrow().context.options()),
                Next::End => return,
            }
        }
    }

    /// `_file` is removed when the loop ends: at the start of the stop, as on Kestrel, and before the
    /// listener is closed.
    #[cfg(unix)]
    async fn unix(
        mut self,
        listener: tokio::net::UnixListener,
        _file: Option<crate::addresses::unix_socket::SocketFile>,
    ) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.next(listener.accept()).await {
                Next::It(Ok((socket, _))) => {
                    pause = FIRST_PAUSE;
                    self.spawn(socket, None, None);
                }
                Next::It(Err(error)) => self.failed(&error, &mut pause).await,
                Next::Served => {}
                Next::End => return,
            }
        }
    }

    /// Waits, unless something else comes up.
    async fn next<T>(&mut self, event: impl Future<Output = T>) -> Next<T> {
        tokio::select! {
            biased;
            changed = self.serving.changed() => match changed {
                Ok(()) => Next::Served,
                Err(_) => Next::End,
            },
            it = event => Next::It(it),
        }
    }

    fn spawn<S: super::io::Socket>(&self, socket: S, local: Option<Local>, remote: Option<Remote>) {
        let serving = Arc::clone(&self.serving.borrow());
        let facts = Connection::new(next_id(), local, remote, serving.scheme);
        events::connection_accepted(&facts.id());
        let counters = serving.context.counters();
        counters.count_accepted();
        let limit = serving.context.options().limits.max_concurrent_connections;
        let Some(slot) = Slot::take(&self.slots, limit) else {
            counters.count_rejected();
            counters.count_closed();
            events::connection_rejected(&facts.id());
            socket.refuse();
            return;
        };
        let watch = self.watch.clone();
        tokio::spawn(connection::serve(socket, facts, serving, watch, slot));
    }

    /// Waits out a failed accept. A connection that died before it was accepted is no failure.
    async fn failed(&mut self, error: &io::Error, pause: &mut Duration) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        ) {
            return;
        }
        events::accept_failed(&self.address, &error_reason(error), *pause);
        // An end is seen again by whoever waits next.
        if let Next::Served = self.next(tokio::time::sleep(*pause)).await {
            self.serving.mark_changed();
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}

/// Ids count up from the time of the start in 100 ns since the year 1, as on Kestrel: they are not
/// used twice by a restarted server.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    const YEAR_1_TO_1970: u64 = 62_135_596_800;
    if NEXT.load(Ordering::Relaxed) == 0 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let first =
            (YEAR_1_TO_1970 + now.as_secs()) * 10_000_000 + u64::from(now.subsec_nanos()) / 100;
        let _ = NEXT.compare_exchange(0, first, Ordering::Relaxed, Ordering::Relaxed);
    }
    NEXT.fetch_add(1, Ordering::Relaxed)
}
