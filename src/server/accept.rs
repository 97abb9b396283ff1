//! The accept loops. They only accept: everything that could wait happens in the connection's task.
//!
//! A connection waits in the system's queue until it is accepted, and its client may have sent a
//! request by then. When a loop ends, it takes what waits there before it closes its socket, which
//! would reset it. On Linux nothing comes behind that: new connections are not begun any more by
//! then, and those whose handshake is on its way have [`HANDSHAKES`] to complete it. A slower one is
//! reset, as is, on other systems, one that comes between the last look and the close.

use std::future::pending;
use std::io;
#[cfg(unix)]
use std::net::Shutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection;
use super::contract::BoxFuture;
use super::drain::{Drain, Phase, Watch};
use super::options::ServerOptions;
use super::serving::Serving;
use super::slot::Slot;
use super::task;
use super::unsent;
#[cfg(unix)]
use crate::addresses::bind::Holders;
use crate::addresses::bind::Listener;
use crate::addresses::error_reason;
use crate::diagnostics::{LogContext, Repeated, Telling, events, in_log};
use crate::features::{Connection, Local, Remote};

/// The pauses after a failed accept: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a socket that is to be closed waits for handshakes that have begun: longer than one takes
/// within a data centre, too short to be noticed. A client that begins one now tries again after a
/// second, by itself, and is refused.
const HANDSHAKES: Duration = Duration::from_millis(50);

/// More than a system lets wait at a socket: whoever sends without end is not accepted without end.
const MOST_WAITING: usize = 16 * 1024;

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
            rejected: Repeated::default(),
            failures: Repeated::default(),
        };
        match listener {
            Listener::Tcp(listener) => {
                let listener = TcpListener::from_std(listener)?;
                // Now, and not when the loop has its first turn: clients may be faster.
                inherit(&listener, serving.borrow().context.options());
                loops.push(Box::pin(accept.tcp(listener)));
            }
            #[cfg(unix)]
            Listener::Unix { file, holders, listener } => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                loops.push(Box::pin(accept.unix(listener, holders, file)));
            }
            #[cfg(feature = "testing")]
            Listener::InMemory(incoming) => loops.push(Box::pin(accept.in_memory(incoming))),
        }
    }
    Ok(loops.into_iter().map(|accept| tokio::spawn(in_log(accept))).collect())
}

/// Sets on a listening socket what its connections inherit. Where a system knows no such option,
/// they do without.
fn inherit(listener: &TcpListener, options: &ServerOptions) {
    let socket = SockRef::from(listener);
    // Its absence costs a round trip on every answer of more than one packet.
    let _ = socket.set_tcp_nodelay(true);
    unsent::bound(&socket, options.limits.max_response_buffer_size);
}

/// Lets no new connections begin, while those that have begun can complete their handshake: packets
/// are dropped that have SYN and no ACK (RFC 9293 section 3.1). False if the system cannot do that.
///
/// It stays until the socket is closed: one that another process listens on, too, must not have it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn begin_no_more(listener: &SockRef<'_>) -> bool {
    use socket2::SockFilter;

    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;

    let program = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    listener.attach_filter(&program).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn begin_no_more(_: &SockRef<'_>) -> bool {
    false
}

struct Accept {
    address: String,
    serving: watch::Receiver<Arc<Serving>>,
    /// How many connections of this socket are open.
    slots: Arc<AtomicU64>,
    watch: Watch,
    /// Connections beyond the limit, and failed accepts.
    rejected: Repeated,
    failures: Repeated,
}

/// What an accept loop waited for.
enum Next<T> {
    It(T),
    /// What connections are served with is another now.
    Served,
    /// It is time to tell how many connections were rejected.
    Due,
    /// The loop is to end.
    End,
}

impl Accept {
    async fn tcp(mut self, listener: TcpListener) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.next(listener.accept()).await {
                Next::It(Ok((socket, remote))) => {
                    pause = FIRST_PAUSE;
                    self.spawn_tcp(socket, remote);
                }
                Next::It(Err(error)) => self.failed(&error, &mut pause).await,
                Next::Served => inherit(&listener, self.serving.borrow().context.options()),
                Next::Due => self.tell_rejected(),
                Next::End => return self.close_tcp(listener).await,
            }
        }
    }

    /// Accepts what waits, and closes the socket.
    async fn close_tcp(self, listener: TcpListener) {
        self.tell_rejected();
        // Without a stop there are others to wait for the place.
        let wait = HANDSHAKES.min(self.watch.phase().linger());
        if begin_no_more(&SockRef::from(&listener)) && !wait.is_zero() {
            let mut aborting = self.watch.clone();
            let accepting = async {
                // Whatever fails is for the last look below.
                while let Ok((socket, remote)) = listener.accept().await {
                    self.spawn_tcp(socket, remote);
                }
            };
            let _ = tokio::select! {
                biased;
                () = aborting.reached(Phase::Aborting) => Ok(()),
                accepted = timeout(wait, accepting) => accepted,
            };
        }
        // The runtime may not have heard of all that is there; the system has.
        let Ok(listener) = listener.into_std() else {
            return;
        };
        for (socket, remote) in waiting(|| listener.accept()) {
            if socket.set_nonblocking(true).is_ok()
                && let Ok(socket) = TcpStream::from_std(socket)
            {
                self.spawn_tcp(socket, remote);
            }
        }
    }

    fn spawn_tcp(&self, socket: TcpStream, remote: SocketAddr) {
        if !cfg!(target_os = "linux") {
            // Linux has it from the listening socket.
            let _ = socket.set_nodelay(true);
        }
        let local = socket.local_addr().ok().map(Local);
        self.spawn(socket, local, Some(Remote(remote)));
    }

    /// `file` is removed when the loop ends: at the start of the stop, as on Kestrel, and before the
    /// listener is closed.
    #[cfg(unix)]
    async fn unix(
        mut self,
        listener: tokio::net::UnixListener,
        holders: Holders,
        file: Option<crate::addresses::unix_socket::SocketFile>,
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
                Next::Due => self.tell_rejected(),
                Next::End => break,
            }
        }
        self.tell_rejected();
        // Nobody finds it any more, or is let in; who is in the queue already stays there.
        drop(file);
        if holders == Holders::Nobody {
            let _ = SockRef::from(&listener).shutdown(Shutdown::Read);
        }
        let Ok(listener) = listener.into_std() else {
            return;
        };
        for (socket, _) in waiting(|| listener.accept()) {
            if socket.set_nonblocking(true).is_ok()
                && let Ok(socket) = tokio::net::UnixStream::from_std(socket)
            {
                self.spawn(socket, None, None);
            }
        }
    }

    /// Nothing is lost here: what waits at the end is accepted as ever.
    #[cfg(feature = "testing")]
    async fn in_memory(mut self, mut incoming: crate::addresses::in_memory::MemoryListener) {
        let spawn = |accept: &Self, it: crate::addresses::in_memory::Incoming| {
            accept.spawn(it.stream, it.local.map(Local), it.remote.map(Remote));
        };
        loop {
            match self.next(incoming.recv()).await {
                Next::It(Some(it)) => spawn(&self, it),
                Next::Served => {}
                Next::Due => self.tell_rejected(),
                Next::It(None) | Next::End => break,
            }
        }
        self.tell_rejected();
        incoming.close();
        while let Ok(it) = incoming.try_recv() {
            spawn(&self, it);
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
            () = reached(self.rejected.due().map(Instant::from_std)) => Next::Due,
            it = event => Next::It(it),
        }
    }

    /// Tells how many connections were rejected and only counted.
    fn tell_rejected(&self) {
        match self.rejected.take(Instant::now().into_std()) {
            0 => {}
            count => events::more_connections_rejected(&self.address, count),
        }
    }

    fn spawn<S: super::io::Socket>(&self, socket: S, local: Option<Local>, remote: Option<Remote>) {
        let serving = Arc::clone(&self.serving.borrow());
        let facts = Connection::new(next_id(), local, remote, serving.scheme)
            .within(serving.context.lifetime().clone());
        events::connection_accepted(&facts.id());
        let counters = serving.context.counters();
        counters.count_accepted();
        let limit = serving.context.options().limits.max_concurrent_connections;
        let Some(slot) = Slot::take(&self.slots, limit) else {
            counters.count_rejected();
            counters.count_closed();
            let telling = self.rejected.happened(Instant::now().into_std());
            if let Telling::Now { more: count @ 1.. } = telling {
                events::more_connections_rejected(&self.address, count);
            }
            events::connection_rejected(&facts.id(), telling);
            socket.refuse();
            return;
        };
        let watch = self.watch.clone();
        let serve = connection::serve(socket, facts, serving, watch, slot);
        task::spawn(&LogContext::current(), serve);
    }

    /// Waits out a failed accept. A connection that died before it was accepted is no failure.
    async fn failed(&mut self, error: &io::Error, pause: &mut Duration) {
        if is_no_failure(error) {
            return;
        }
        let telling = self.failures.happened(Instant::now().into_std());
        events::accept_failed(&self.address, &error_reason(error), *pause, telling);
        // An end is seen again by whoever waits next.
        match self.next(tokio::time::sleep(*pause)).await {
            Next::Served => self.serving.mark_changed(),
            Next::Due => self.tell_rejected(),
            Next::It(()) | Next::End => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until a moment, if there is one.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

/// The connections that wait at a socket. One that died there is passed over.
fn waiting<T>(mut accept: impl FnMut() -> io::Result<T>) -> impl Iterator<Item = T> {
    let next = move || loop {
        match accept() {
            Ok(connection) => return Some(connection),
            Err(error) if is_no_failure(&error) => {}
            Err(_) => return None,
        }
    };
    std::iter::from_fn(next).take(MOST_WAITING)
}

/// Whether a connection died before it was accepted.
fn is_no_failure(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
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
