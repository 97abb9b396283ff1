//! The servers behind the proxy: each does what the case says, and takes note of what it gets.
//!
//! ```text
//! {}                       answers 200 with its name
//! do, seq, paths           steps for all requests, for the n-th, or by the path (script)
//! accept                   what becomes of a connection before anything is read of it
//! kind                     `refuse`: nobody listens; `blackhole`: nobody accepts; `h2`: HTTP/2 (http2, by `answer`)
//! tls, alpn, tls_max       by TLS (secure)
//! ```

mod got;
mod http1;
mod http2;
mod script;
mod secure;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::ports;
use super::wire::{Came, Wire};
use crate::http1::latin1;
pub(super) use got::Got;

/// How long a server waits for more before it gives up: longer than any case lasts.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a server that answers with a text whatever comes leaves its connection open.
const LINGER: Duration = Duration::from_millis(200);

/// What a server may be told.
pub(super) const WORDS: &[&str] = &[
    "accept",
    "alpn",
    "answer",
    "connect_protocol",
    "do",
    "kind",
    "name",
    "paths",
    "seq",
    "tls",
    "tls_max",
];

/// One server, until it is dropped.
pub(super) struct Upstream {
    shared: Arc<Shared>,
    address: SocketAddr,
    name: &'static str,
    secure: bool,
    /// What keeps the port, if nobody serves it.
    _held: Vec<socket2::Socket>,
}

/// What the threads of a server know.
struct Shared {
    number: usize,
    script: Mutex<Value>,
    got: Arc<Got>,
    requests: AtomicUsize,
    stopped: AtomicBool,
}

impl Shared {
    fn script(&self) -> Value {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request, and says how many came before it.
    fn request(&self) -> usize {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

impl Upstream {
    /// Opens server `number` of a case.
    pub(super) fn open(number: usize, script: &Value, got: &Arc<Got>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            number,
            script: Mutex::new(script.clone()),
            got: Arc::clone(got),
            requests: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let (address, held) = match script["kind"].as_str() {
            Some("refuse") => {
                let socket = ports::held()?;
                (ports::address(&socket)?, vec![socket])
            }
            Some("blackhole") => ports::blackhole()?,
            _ => {
                let listener = ports::listener()?;
                let address = listener.local_addr()?;
                let shared = Arc::clone(&shared);
                thread::spawn(move || accept(&listener, &shared));
                (address, Vec::new())
            }
        };
        let name = if script["name"] == "localhost" { "localhost" } else { "127.0.0.1" };
        let secure = !script["tls"].is_null();
        Ok(Self { shared, address, name, secure, _held: held })
    }

    /// Its URL.
    pub(super) fn base(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.name, self.port())
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Gives it another script.
    pub(super) fn set(&self, script: &Value) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = script.clone();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Its thread sees that it is over when it has accepted one more.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = 0;
    while let Ok((socket, _)) = listener.accept() {
        if shared.stopped.load(Ordering::Acquire) {
            return;
        }
        connections += 1;
        let (shared, number) = (Arc::clone(shared), connections);
        shared.got.opened();
        thread::spawn(move || {
            // A connection that ends in the middle is what many cases are about.
            let _ = serve(&shared, socket, number);
            shared.got.closed();
        });
    }
}

fn serve(shared: &Shared, socket: TcpStream, number: usize) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let script = shared.script();
    if let Some(how) = script["accept"].as_str() {
        return accepted(shared, Wire::plain(socket), number, how);
    }
    let (wire, protocol) = match script["tls"].is_null() {
        true => (Wire::plain(socket), None),
        false => match secure::accept(socket, &script) {
            Ok(secured) => secured,
            Err(why) => {
                let entry = shared.got.note(shared.number, number);
                entry.set("tls_failed", why.to_string());
                return Ok(());
            }
        },
    };
    let secure = !script["tls"].is_null();
    match script["kind"] == "h2" || secure && protocol.as_deref() == Some(b"h2") {
        true => http2::serve(shared, wire, number),
        false => http1::serve(shared, wire, number),
    }
}

/// What becomes of a connection of which nothing is read as a request.
fn accepted(shared: &Shared, mut wire: Wire, number: usize, how: &str) -> io::Result<()> {
    let entry = shared.got.note(shared.number, number);
    entry.set("accepted", if matches!(how, "reset" | "close" | "hang") { how } else { "text" });
    match how {
        "reset" => wire.reset(),
        "close" => {}
        "hang" => hang(&mut wire),
        text => {
            wire.read(PATIENCE);
            wire.send(&latin1(text))?;
            thread::sleep(LINGER);
        }
    }
    Ok(())
}

/// Reads until the other side ends it.
fn hang(wire: &mut Wire) {
    while matches!(wire.read(PATIENCE), Came::Bytes(_)) {}
}

/// The harness's tests of this folder.
pub(super) fn check() {
    script::check();
}
