//! An endpoint that is served: its accept loops, and its own drain.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accept::{self, SlotsTaken};
use super::context::Context;
use super::drain::Drain;
use super::serving::Serving;
use crate::addresses::bind::{Listener, change_socket_file};
use crate::addresses::unix_socket::SocketIdentity;
use crate::addresses::{BindError, BoundEndpoint, PlannedEndpoint, readdressed};
use crate::tls::EndpointTls;

/// An endpoint that is served. Dropping it closes its sockets and cuts its connections off.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// What was planned.
    pub(super) planned: PlannedEndpoint,
    /// The address to publish.
    pub(super) address: String,
    listening: Option<Listening>,
    /// The file of its socket, if it has one and listens.
    socket_file: Option<SocketIdentity>,
    /// Of connections that may outlive their sockets.
    slots: SlotsTaken,
    pub(super) drain: Arc<Drain>,
}

/// The open sockets of an endpoint.
#[derive(Debug)]
struct Listening {
    /// Its end is the end of the loops.
    serving: watch::Sender<Arc<Serving>>,
    loops: Vec<JoinHandle<()>>,
    sockets: Vec<SocketAddr>,
}

impl Listening {
    fn start(
        address: &str,
        listeners: Vec<Listener>,
        serving: Arc<Serving>,
        drain: &Drain,
        slots: &mut SlotsTaken,
    ) -> io::Result<Self> {
        let serving = watch::Sender::new(serving);
        let sockets = listeners.iter().filter_map(Listener::socket_address).collect();
        let loops = accept::start(address, listeners, &serving, drain, slots)?;
        Ok(Self { serving, loops, sockets })
    }
}

impl Endpoint {
    /// Starts to accept on every socket of an endpoint.
    ///
    /// # Errors
    ///
    /// The runtime cannot watch a socket; none is accepted on then.
    pub(super) fn start(bound: BoundEndpoint, serving: Arc<Serving>) -> io::Result<Self> {
        let drain = Arc::new(Drain::new());
        let mut slots = SlotsTaken::new();
        let socket_file = bound.socket_file();
        let listening =
            Listening::start(&bound.address, bound.listeners, serving, &drain, &mut slots)?;
        let (planned, address) = (bound.planned, bound.address);
        Ok(Self { planned, address, listening: Some(listening), socket_file, slots, drain })
    }

    /// The same for an endpoint that has lost its sockets: its connections are those of the new
    /// value, too.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub(super) fn start_again(
        &self,
        bound: BoundEndpoint,
        serving: Arc<Serving>,
    ) -> io::Result<Self> {
        let mut again = Self {
            planned: bound.planned.clone(),
            address: bound.address.clone(),
            listening: None,
            socket_file: None,
            slots: self.slots.clone(),
            drain: Arc::clone(&self.drain),
        };
        again.listen_again(bound, serving)?;
        Ok(again)
    }

    /// Takes the place of what was planned before, on the same sockets. If it is `served_anew`, new
    /// connections are served as it says; those that are open keep what they began with.
    pub(super) fn go_over_to(
        &mut self,
        planned: &PlannedEndpoint,
        tls: Option<Arc<EndpointTls>>,
        served_anew: bool,
        context: &Arc<Context>,
    ) {
        self.address = readdressed(&self.address, planned);
        self.planned = planned.clone();
        if let Some(listening) = self.listening.as_ref().filter(|_| served_anew) {
            listening.serving.send_replace(Serving::new(planned, &self.address, tls, context));
        }
    }

    /// The addresses of its open sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = SocketAddr> {
        self.listening.iter().flat_map(|listening| listening.sockets.iter().copied())
    }

    /// Whether it has open sockets.
    pub(super) fn is_listening(&self) -> bool {
        self.listening.is_some()
    }

    /// How new connections are served, unless it does not listen.
    pub(super) fn serving(&self) -> Option<Arc<Serving>> {
        self.listening.as_ref().map(|listening| Arc::clone(&listening.serving.borrow()))
    }

    /// Takes over the sockets and the loops of the same endpoint, bound again. Connections go on.
    pub(super) fn listen_again(
        &mut self,
        bound: BoundEndpoint,
        serving: Arc<Serving>,
    ) -> io::Result<()> {
        let (drain, slots) = (&self.drain, &mut self.slots);
        let socket_file = bound.socket_file();
        self.listening =
            Some(Listening::start(&bound.address, bound.listeners, serving, drain, slots)?);
        self.socket_file = socket_file;
        Ok(())
    }

    /// Makes the file of its socket what another plan says.
    ///
    /// # Errors
    ///
    /// The system does not allow it; nothing has changed.
    pub(super) fn change_socket_file(&self, planned: &PlannedEndpoint) -> Result<(), BindError> {
        match &self.socket_file {
            Some(file) => change_socket_file(file, &self.planned, planned),
            None => Ok(()),
        }
    }

    /// Closes the listening sockets, and returns when they are closed. Connections go on, those that
    /// were waiting to be accepted, too.
    pub(super) async fn stop_listening(&mut self) {
        self.close().await;
    }

    /// Lets the accept loops end, all at once; the result is ready when the sockets are closed.
    pub(super) fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.socket_file = None;
        let listening = self.listening.take();
        let loops = listening.map_or_else(Vec::new, |Listening { loops, .. }| loops);
        async move {
            for accept in loops {
                // One that panicked has closed its socket, too.
                let _ = accept.await;
            }
        }
    }
}
