//! A server that requests are handed to, and what is known of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::health::DestinationHealth;
use super::load_balancing::Candidate;
use crate::apps::reverse_proxy::options::{DestinationAddress, DestinationOptions, Place, Scheme};
use crate::upstream::{self, Client, Server};

/// A server that requests are handed to.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(super) options: DestinationOptions,
    /// The host that requests name.
    pub(super) host: Box<str>,
    weight: u32,
    /// What outlives another configuration.
    pub(super) kept: Arc<Kept>,
}

/// What is kept of a destination for as long as it is the same server.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) server: Arc<Server>,
    pub(super) health: DestinationHealth,
    under_way: AtomicUsize,
}

impl Destination {
    /// One that nothing is known of yet.
    pub(super) fn new(options: DestinationOptions, client: &Arc<Client>) -> Self {
        let server = Server::new(Arc::clone(client), place_of(&options.address));
        let kept =
            Kept { server, health: DestinationHealth::default(), under_way: AtomicUsize::new(0) };
        Self::of(options, Arc::new(kept))
    }

    /// One that was there before.
    pub(super) fn of(options: DestinationOptions, kept: Arc<Kept>) -> Self {
        let host = options.host.clone().unwrap_or_else(|| options.address.authority.clone());
        let weight = options.metadata.get("Weight").and_then(|weight| weight.trim().parse().ok());
        Self { host: host.into(), weight: weight.unwrap_or(1).max(1), options, kept }
    }

    /// Counts a request until what it gives is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.kept.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.kept))
    }
}

/// Where a server is, as the client side knows it.
pub(super) fn place_of(address: &DestinationAddress) -> upstream::Destination {
    let place = match &address.place {
        Place::Tcp(name, port) => upstream::Place::Host { name: name.clone(), port: *port },
        Place::Unix(path) => upstream::Place::Unix(path.clone()),
    };
    upstream::Destination { secure: address.scheme == Scheme::Https, place }
}

impl Candidate for Arc<Destination> {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn load(&self) -> usize {
        self.kept.under_way.load(Ordering::Relaxed)
    }

    fn weight(&self) -> u32 {
        self.weight
    }
}

/// A request that a destination answers.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Kept>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
