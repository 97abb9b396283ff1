//! What is served from a start to a stop, whatever a reload changes of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::context::Context;
use super::contract::{ServerError, ServerStart};
use super::counters::Counters;
use super::drain::{self, Drain};
use super::endpoint::Endpoint;
use super::leaving::Leaving;
use super::options::ServerOptions;
use super::serving::Serving;
use crate::addresses::{
    self, BindError, BoundEndpoint, EndpointPlan, Network, PlannedEndpoint, Transport,
};
use crate::diagnostics::events;
use crate::tls::EndpointTls;

/// A server that was started.
#[derive(Debug)]
pub(super) struct RunningServer {
    /// Its options are those of new connections.
    pub(super) context: Arc<Context>,
    /// In the order of the plan.
    pub(super) endpoints: Vec<Endpoint>,
    /// Endpoints that a reload removed and whose last requests run.
    pub(super) leaving: Leaving,
    /// Where endpoints are bound.
    pub(super) network: Network,
}

impl RunningServer {
    /// Binds every endpoint of the plan and starts to accept.
    ///
    /// # Errors
    ///
    /// One could not be served; nothing listens then.
    pub(super) fn start(
        start: ServerStart,
        options: ServerOptions,
        counters: Counters,
    ) -> Result<Self, ServerError> {
        check_secured(&start.plan, &start.tls)?;
        let mut bound = addresses::bind(&start.plan, &start.network)?;
        check_complete(bound.iter_mut(), start.strict)?;
        // Before anything is accepted: the first request may ask where https is.
        let announced = bound.iter().map(|endpoint| endpoint.address.clone()).collect();
        let sockets = bound.iter().flat_map(BoundEndpoint::socket_addresses).collect();
        start.addresses.publish(announced, sockets);
        let context = Context::new(options, start.application, start.lifetime, counters);
        let start_one = |(place, bound): (usize, BoundEndpoint)| {
            let tls = start.tls.get(place).cloned().flatten();
            let serving = Serving::new(&bound.planned, &bound.address, tls, &context);
            Endpoint::start(bound, serving)
        };
        // Those before a failure are dropped, which closes them.
        let endpoints: io::Result<Vec<_>> = bound.into_iter().enumerate().map(start_one).collect();
        let endpoints = endpoints.map_err(|error| ServerError::Other(Box::new(error)))?;
        Ok(Self { context, endpoints, leaving: Leaving::default(), network: start.network })
    }

    /// The addresses that are announced, in the order of the plan.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.endpoints.iter().map(|endpoint| endpoint.address.clone()).collect()
    }

    /// The addresses of the sockets that listen.
    pub(super) fn socket_addresses(&self) -> Vec<SocketAddr> {
        self.endpoints.iter().flat_map(Endpoint::sockets).collect()
    }

    /// Whether one could not be opened again that was closed for another.
    pub(super) fn has_lost_endpoints(&self) -> bool {
        self.endpoints.iter().any(|endpoint| !endpoint.is_listening())
    }

    /// Stops: running requests have `grace` to end.
    pub(super) async fn stop(&mut self, grace: Duration) {
        let begun = Instant::now();
        // First of all: what is accepted from now on is to know.
        for endpoint in &self.endpoints {
            endpoint.drain.begin(grace);
        }
        let closing: Vec<_> = self.endpoints.iter_mut().map(Endpoint::close).collect();
        for closed in closing {
            closed.await;
        }
        let grace = grace.saturating_sub(begun.elapsed());
        let leaving = self.leaving.drains();
        let running = self.endpoints.iter().map(|endpoint| &*endpoint.drain);
        let drains: Vec<&Drain> = running.chain(leaving.iter().map(|drain| &**drain)).collect();
        let outlived = |connections| {
            self.context.counters().count_cut_off(connections);
            events::connections_did_not_close(connections);
        };
        drain::stop(&drains, grace, outlived).await;
    }
}

/// Whether every endpoint that is to be secured is.
///
/// # Errors
///
/// One is not, and would be served in clear text under the name of https.
pub(super) fn check_secured(
    plan: &EndpointPlan,
    tls: &[Option<Arc<EndpointTls>>],
) -> Result<(), ServerError> {
    let is_open = |(place, endpoint): &(usize, &PlannedEndpoint)| {
        endpoint.transport == Transport::Https && !matches!(tls.get(*place), Some(Some(_)))
    };
    match plan.endpoints.iter().enumerate().find(is_open) {
        None => Ok(()),
        Some((_, endpoint)) => Err(ServerError::Other(
            format!(
                "The endpoint {} has no certificate, and is not served in clear text.",
                endpoint.written
            )
            .into(),
        )),
    }
}

/// Tells what is missing of endpoints that are served all the same.
///
/// # Errors
///
/// They are not, because warnings are errors.
pub(super) fn check_complete<'a>(
    bound: impl Iterator<Item = &'a mut BoundEndpoint>,
    strict: bool,
) -> Result<(), Vec<BindError>> {
    let missing: Vec<_> = bound.filter_map(|endpoint| endpoint.missing.take()).collect();
    if strict && !missing.is_empty() {
        return Err(missing);
    }
    missing.iter().filter_map(BindError::notice).for_each(|notice| notice.log());
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;
    use crate::addresses::{EndpointSettings, plan};
    use crate::features::ServerAddresses;

    /// Nothing ran beside the start when it returns: no loop had a turn to accept.
    #[tokio::test]
    async fn addresses_are_known_before_the_first_request() {
        let addresses = ServerAddresses::default();
        let plan = plan(&EndpointSettings::of_urls("http://127.0.0.1:0;http://127.0.0.1:0"));
        let start = ServerStart::new(plan, Router::new().into()).published_by(addresses.clone());
        let (options, counters) = (ServerOptions::default(), Counters::default());
        let server = RunningServer::start(start, options, counters).unwrap();
        assert_eq!(addresses.list().len(), 2);
        assert_eq!(addresses.list(), server.addresses());
        assert_eq!(addresses.sockets(), server.socket_addresses());
    }

    #[test]
    fn nothing_is_served_in_clear_text_where_https_is_announced() {
        let of = |urls| plan(&EndpointSettings::of_urls(urls));
        assert!(check_secured(&of("http://127.0.0.1:0"), &[]).is_ok());
        for tls in [&[][..], &[None]] {
            let error = check_secured(&of("https://127.0.0.1:0"), tls).unwrap_err().to_string();
            assert!(error.contains("https://127.0.0.1:0 has no certificate"), "{error}");
        }
    }
}
