//! How a running server goes over to another plan.
//!
//! What is new is bound first; if that fails, nothing else has happened. Then changed endpoints are
//! switched, and those that go stop to listen and drain in the background. A new endpoint may want
//! an address that an old one holds (`*:5000` after `127.0.0.1:5000`): then the old one's sockets
//! are closed just before, and opened again if the new ones cannot be.

use std::sync::Arc;

use super::context::Context;
use super::contract::{ServerError, ServerReload};
use super::endpoint::Endpoint;
use super::leaving::GRACE;
use super::running_server::{RunningServer, check_complete, check_secured};
use super::serving::Serving;
use crate::addresses::bind::{Binding, all_or_none, bind_endpoint};
use crate::addresses::{Aspect, BindError, Change, EndpointPlan, Network, PlannedEndpoint, clash};
use crate::diagnostics::events;
use crate::tls::EndpointTls;

impl RunningServer {
    pub(super) async fn go_over_to(
        &mut self,
        mut reload: ServerReload,
    ) -> Result<Vec<String>, ServerError> {
        check_secured(&reload.plan, &reload.tls)?;
        reload.options.limits = reload.options.limits.bounded();
        let other_options = reload.options != *self.context.options();
        let context = match other_options {
            true => self.context.with_options(reload.options.clone()),
            false => Arc::clone(&self.context),
        };
        let planned = &reload.plan.endpoints;
        let changes = &reload.difference.endpoints;
        let files = self.change_socket_files(planned, changes)?;
        let opened = self.open_new(&reload, &context).await;
        let mut opened = opened.inspect_err(|_| self.change_back(&files))?;

        // Nothing can fail from here on.
        self.context = Arc::clone(&context);
        let mut old: Vec<_> = std::mem::take(&mut self.endpoints).into_iter().map(Some).collect();
        for (place, (planned, change)) in planned.iter().zip(changes).enumerate() {
            let fresh = opened.iter().position(|(opened, _)| *opened == place);
            let endpoint = match fresh {
                Some(fresh) => Some(opened.swap_remove(fresh).1),
                None => change.old().and_then(|place| old.get_mut(place).and_then(Option::take)),
            };
            if let (true, Some(found), Some(place)) = (fresh.is_some(), &endpoint, change.old()) {
                // Its connections are the new one's.
                old.get_mut(place).map(Option::take);
                events::endpoint_found(&found.address);
            }
            self.endpoints.extend(endpoint.map(|mut endpoint| {
                let changed = matches!(change, Change::Changed { .. });
                let tls = reload.tls.get(place).cloned().flatten();
                endpoint.go_over_to(planned, tls, changed || other_options, &context);
                endpoint
            }));
        }
        let mut old: Vec<Endpoint> = old.into_iter().flatten().collect();
        let close = |endpoint: &mut Endpoint| {
            endpoint.drain.begin(GRACE);
            endpoint.close()
        };
        let closing: Vec<_> = old.iter_mut().map(close).collect();
        for closed in closing {
            closed.await;
        }
        old.into_iter().for_each(|endpoint| self.leaving.add(endpoint));
        Ok(self.addresses())
    }

    /// Makes the files of sockets that stay what the new plan says, and returns the places of their
    /// endpoints in the old plan.
    ///
    /// # Errors
    ///
    /// The first that cannot be changed; the others are as before.
    fn change_socket_files(
        &self,
        planned: &[PlannedEndpoint],
        changes: &[Change],
    ) -> Result<Vec<usize>, BindError> {
        let mut changed = Vec::new();
        for (planned, change) in planned.iter().zip(changes) {
            if let Change::Changed { old, aspects } = change
                && aspects.contains(&Aspect::SocketFile)
                && let Some(endpoint) = self.endpoints.get(*old)
            {
                let done = endpoint.change_socket_file(planned);
                done.inspect_err(|_| self.change_back(&changed))?;
                changed.push(*old);
            }
        }
        Ok(changed)
    }

    /// Makes the files of the sockets of these endpoints what they were planned to be.
    fn change_back(&self, places: &[usize]) {
        for endpoint in places.iter().filter_map(|place| self.endpoints.get(*place)) {
            // What could be changed before can be changed back; who changes the system's accounts
            // in between is told by the reload that failed.
            let _ = endpoint.change_socket_file(&endpoint.planned);
        }
    }

    /// Opens what is added, each with its place in the plan.
    ///
    /// # Errors
    ///
    /// What cannot be opened; everything listens that listened before.
    async fn open_new(
        &mut self,
        ServerReload { plan, difference, tls, strict, .. }: &ServerReload,
        context: &Arc<Context>,
    ) -> Result<Vec<(usize, Endpoint)>, ServerError> {
        // One that does not listen was lost by a failure to take it back: this is the next attempt.
        let lost = |change: &Change| {
            let old = change.old().and_then(|place| self.endpoints.get(place));
            old.is_some_and(|endpoint| !endpoint.is_listening())
        };
        let to_open: Vec<ToOpen<'_>> = plan
            .endpoints
            .iter()
            .zip(&difference.endpoints)
            .enumerate()
            .filter(|(_, (_, change))| **change == Change::Added || lost(change))
            .map(|(place, (planned, change))| ToOpen { place, planned, lost: change.old() })
            .collect();
        let mut released = Vec::new();
        for place in &difference.removed {
            if let Some(old) = self.endpoints.get_mut(*place)
                && to_open.iter().any(|new| clash(&old.planned, new.planned))
            {
                let serving = old.serving();
                old.stop_listening().await;
                released.extend(serving.map(|serving| (*place, serving)));
            }
        }
        let (old, network) = (&*self.endpoints, &self.network);
        let to_open = Opening { plan, endpoints: to_open, old, network, strict: *strict };
        let opened = to_open.open(tls, context).await;
        if opened.is_err() {
            for (place, serving) in released {
                if let Some(old) = self.endpoints.get_mut(place) {
                    take_back(old, serving, &self.network);
                }
            }
        }
        opened
    }
}

/// An endpoint that is to be opened.
struct ToOpen<'a> {
    /// Its place in the new plan.
    place: usize,
    planned: &'a PlannedEndpoint,
    /// Its place in the old plan, of one that has lost its sockets.
    lost: Option<usize>,
}

/// Endpoints that are to be opened together, or not at all.
struct Opening<'a> {
    /// All that is to be served, with what listens already.
    plan: &'a EndpointPlan,
    endpoints: Vec<ToOpen<'a>>,
    /// Those of the old plan.
    old: &'a [Endpoint],
    network: &'a Network,
    strict: bool,
}

impl Opening<'_> {
    /// Binds them and starts to accept.
    ///
    /// # Errors
    ///
    /// Those that cannot be had; the others are closed again.
    async fn open(
        &self,
        tls: &[Option<Arc<EndpointTls>>],
        context: &Arc<Context>,
    ) -> Result<Vec<(usize, Endpoint)>, ServerError> {
        let mut binding = Binding::of(self.plan, self.network);
        let bound = self.endpoints.iter().map(|new| Ok((new, binding.bind(new.planned)?)));
        let mut bound = all_or_none(bound)?;
        check_complete(bound.iter_mut().map(|(_, bound)| bound), self.strict)?;
        let mut opened: Vec<(usize, Endpoint)> = Vec::new();
        for (new, bound) in bound {
            let tls = tls.get(new.place).cloned().flatten();
            let serving = Serving::new(&bound.planned, &bound.address, tls, context);
            let started = match new.lost.and_then(|place| self.old.get(place)) {
                Some(lost) => lost.start_again(bound, serving),
                None => Endpoint::start(bound, serving),
            };
            match started {
                Ok(endpoint) => opened.push((new.place, endpoint)),
                Err(error) => {
                    for (_, mut endpoint) in opened {
                        endpoint.stop_listening().await;
                    }
                    return Err(ServerError::Other(Box::new(error)));
                }
            }
        }
        Ok(opened)
    }
}

/// Opens the sockets of an endpoint again that were closed for a new one.
fn take_back(endpoint: &mut Endpoint, serving: Arc<Serving>, network: &Network) {
    // Why one socket could not be had is enough.
    let bound = bind_endpoint(&endpoint.planned, network)
        .map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default());
    let again = bound
        .inspect(|bound| {
            bound.missing.iter().filter_map(BindError::notice).for_each(|it| it.log());
        })
        .and_then(|bound| endpoint.listen_again(bound, serving).map_err(|error| error.to_string()));
    if let Err(error) = again {
        events::endpoint_lost(&endpoint.address, &error);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::addresses::{EndpointSettings, difference, plan};
    use crate::server::contract::ServerStart;
    use crate::server::counters::Counters;
    use crate::server::options::ServerOptions;

    fn planned(urls: &str) -> EndpointPlan {
        plan(&EndpointSettings::of_urls(urls))
    }

    async fn is_served(connection: &mut TcpStream) {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            assert!(connection.read_buf(&mut answer).await.unwrap() > 0, "it is closed");
        }
        assert!(answer.starts_with(b"HTTP/1.1 404 "));
    }

    /// Sockets that were closed for a new endpoint and could not be opened again are the one thing
    /// that a refused reload may cost: every later one tries to have them back.
    #[tokio::test]
    async fn what_was_lost_is_opened_again_by_the_next_reload() {
        let old = planned("http://127.0.0.1:0;http://127.0.0.1:0");
        let start = ServerStart::new(old.clone(), Router::new().into());
        let (options, counters) = (ServerOptions::default(), Counters::default());
        let mut server = RunningServer::start(start, options, counters).unwrap();
        let addresses = server.addresses();
        let authority = |address: &str| address.replace("http://", "");
        let mut open = TcpStream::connect(authority(&addresses[0])).await.unwrap();
        is_served(&mut open).await;
        server.endpoints[0].stop_listening().await;
        TcpStream::connect(authority(&addresses[0])).await.unwrap_err();

        // Nothing else is different, and the other endpoint is left alone.
        let same = difference(&old.endpoints, &old.endpoints, |_, _| false);
        assert!(same.is_empty());
        let reload = ServerReload::new(old, same, ServerOptions::default());
        assert!(server.has_lost_endpoints());
        let again = server.go_over_to(reload).await.unwrap();
        assert!(!server.has_lost_endpoints());
        assert_eq!(again[1], addresses[1]);
        for address in again {
            is_served(&mut TcpStream::connect(authority(&address)).await.unwrap()).await;
        }
        // What was connected goes on, as ever.
        is_served(&mut open).await;
        server.stop(Duration::ZERO).await;
        assert_eq!(open.read(&mut [0]).await.unwrap_or_default(), 0, "the stop reaches it, too");
    }
}
