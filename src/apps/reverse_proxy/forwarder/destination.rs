//! A server that requests are handed to, and what is known of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::health::DestinationHealth;
use super::load_balancing::Candidate;
use super::slow_start::Presence;
use crate::apps::reverse_proxy::options::{
    DestinationAddress, DestinationOptions, Place, Scheme, WebProxy,
};
use crate::upstream::{self, Client, Server};

/// A server that requests are handed to.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(super) options: DestinationOptions,
    /// The host that requests name.
    pub(super) host: Box<str>,
    /// What stands before the path of every request: its base path; behind a proxy all of its address
    /// (RFC 9112 section 3.2.2).
    pub(super) before_path: Box<str>,
    weight: u32,
    /// How long its share takes to become whole.
    slow_start: Option<Duration>,
    /// Its connections, which outlive another configuration that makes them in the same way.
    pub(super) server: Arc<Server>,
    /// What outlives every other configuration.
    pub(super) kept: Arc<Kept>,
}

/// What is kept of a destination for as long as it is the same one, however it is connected to.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) health: DestinationHealth,
    pub(super) presence: Presence,
    pub(super) under_way: AtomicUsize,
}

impl Destination {
    /// One that nothing is known of yet.
    pub(super) fn new(
        options: DestinationOptions,
        client: &Arc<Client>,
        proxy: Option<&WebProxy>,
    ) -> Self {
        let server = Server::new(Arc::clone(client), way_to(&options.address, proxy));
        Self::of(options, (server, Arc::default()), proxy)
    }

    /// The same, whose share takes so long to become whole once it is there.
    pub(super) fn slowly(self, slow_start: Option<Duration>) -> Self {
        Self { slow_start, ..self }
    }

    /// One that was there before.
    pub(super) fn of(
        options: DestinationOptions,
        (server, kept): (Arc<Server>, Arc<Kept>),
        proxy: Option<&WebProxy>,
    ) -> Self {
        let address = &options.address;
        let host = options.host.clone().unwrap_or_else(|| address.authority.clone());
        let weight = options.metadata.get("Weight").and_then(|weight| weight.trim().parse().ok());
        let weight = weight.unwrap_or(1).max(1);
        // A proxy that is asked for requests in clear text itself is told where they go.
        let is_clear = address.scheme == Scheme::Http;
        let proxy = gone_through(proxy, address).filter(|_| is_clear);
        let origin = proxy.map(|_| format!("http://{}", address.authority));
        let before_path = format!("{}{}", origin.unwrap_or_default(), address.base_path).into();
        Self { host: host.into(), before_path, weight, slow_start: None, server, options, kept }
    }

    /// Counts a request until what it gives is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.kept.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.kept))
    }
}

/// Where connections for an address lead to: that of a proxy in between, if there is one.
pub(super) fn way_to(
    address: &DestinationAddress,
    proxy: Option<&WebProxy>,
) -> upstream::Destination {
    let place = place_of(address);
    match (gone_through(proxy, address).map(|it| place_of(&it.address)), place) {
        (None, place) => place,
        (Some(proxy), upstream::Destination { secure: false, .. }) => proxy,
        (Some(proxy), place) => match (proxy.place, place.place) {
            (
                upstream::Place::Host { name: proxy, port: its_port },
                upstream::Place::Host { name, port },
            ) => {
                let proxy = (proxy, its_port);
                let place = upstream::Place::Through { name, port, proxy };
                upstream::Destination { secure: true, place }
            }
            (_, place) => upstream::Destination { secure: true, place },
        },
    }
}

/// The proxy that connections to an address go through, if they do: those to other machines.
fn gone_through<'a>(
    proxy: Option<&'a WebProxy>,
    address: &DestinationAddress,
) -> Option<&'a WebProxy> {
    let Place::Tcp(name, _) = &address.place else { return None };
    let is_local = || match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => !name.contains('.'),
    };
    proxy.filter(|proxy| !(proxy.bypass_on_local && is_local()))
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

    fn weight(&self) -> u64 {
        u64::from(self.weight) * self.kept.presence.share(self.slow_start, Instant::now())
    }
}

/// A request that a destination answers.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Kept>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.health.gives_back_trial();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::reverse_proxy::options::Metadata;

    #[test]
    fn what_goes_to_other_machines_goes_through_a_proxy() {
        let proxy = |bypass_on_local| WebProxy {
            address: DestinationAddress::parse("http://proxy.test:3128").unwrap(),
            bypass_on_local,
        };
        for (address, bypass_on_local, place, before_path) in [
            ("http://inner.test/base", false, "http://proxy.test:3128", "http://inner.test/base"),
            ("http://127.0.0.1:81", false, "http://proxy.test:3128", "http://127.0.0.1:81"),
            ("http://127.0.0.1:81/x", true, "http://127.0.0.1:81", "/x"),
            ("http://intranet", true, "http://intranet:80", ""),
            ("https://inner.test/base", false, "https://inner.test:443", "/base"),
        ] {
            let options = DestinationOptions {
                name: "d1".to_owned(),
                address: DestinationAddress::parse(address).unwrap(),
                health: None,
                host: None,
                metadata: Metadata::default(),
            };
            let client = Client::new(upstream::ClientSettings::default(), Arc::default());
            let destination = Destination::new(options, &client, Some(&proxy(bypass_on_local)));
            let there = destination.server.destination().to_string();
            assert_eq!((&*there, &*destination.before_path), (place, before_path), "{address}");
            let by_tunnel = address.starts_with("https:");
            let place = &destination.server.destination().place;
            let is_through =
                matches!(place, upstream::Place::Through { proxy, .. } if proxy.0 == "proxy.test");
            assert_eq!(is_through, by_tunnel, "{address}");
        }
    }
}
