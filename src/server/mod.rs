//! What happens to a connection, and where a limit is enforced.
//!
//! In goes an [`EndpointPlan`] and the app; [`KestrelServer`] binds the plan, accepts on every
//! socket and runs each connection through `connection`: the version of HTTP is told apart by its
//! first bytes, hyper speaks it, `request` hands each request to the app with its facts. Each
//! `endpoint` starts and stops on its own, which is what a `reload` does with some of them; its
//! stop is a phase that every connection watches, see `drain`.
//!
//! [`Server`] is the contract a server fulfils towards the host, so that another one can stand in.
//!
//! What it does not do: read configuration, decide what to bind, or answer requests.

mod accept;
mod activity;
mod answer;
mod answer_body;
mod body;
mod clock;
mod connection;
mod context;
mod counters;
mod date;
mod drain;
mod endpoint;
mod handshake;
mod host;
mod http1;
mod http2;
mod io;
pub(crate) mod limits;
mod open_requests;
mod options;
mod protocol;
mod rejection;
mod reload;
mod request;
mod request_log;
mod scope;
mod serving;
mod slot;

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::time::Instant;

pub use counters::Counters;
#[cfg(fuzzing)]
pub(crate) use http1::checks;
pub use limits::{Http2Limits, InvalidLimit, Limits};
pub use options::ServerOptions;

use crate::addresses::{
    self, BindError, BoundEndpoint, Difference, EndpointPlan, PlannedEndpoint, Transport,
};
use crate::diagnostics::events;
use crate::tls::EndpointTls;
use context::Context;
use drain::Drain;
use endpoint::Endpoint;
use reload::Leaving;
use serving::Serving;

/// What a server fulfils towards the host: it starts on a plan of endpoints, tells the addresses it
/// really has, and stops within a time. (What `IServer` is in ASP.NET Core.)
///
/// ```
/// use std::time::Duration;
///
/// use kestrel::{BoxFuture, Server, ServerError, ServerStart};
///
/// /// A server that answers nobody.
/// struct Silent;
///
/// impl Server for Silent {
///     fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
///         let names = start.plan.endpoints.into_iter().map(|endpoint| endpoint.name).collect();
///         Box::pin(async { Ok(names) })
///     }
///
///     fn stop(&mut self, _grace: Duration) -> BoxFuture<'_, ()> {
///         Box::pin(async {})
///     }
/// }
/// ```
pub trait Server: Send {
    /// Starts to serve and returns the addresses to announce, with their real ports.
    ///
    /// # Errors
    ///
    /// Nothing may be left listening after an error.
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>>;

    /// Goes over to another plan while it runs, and returns the addresses it has then, in the order
    /// of the new plan.
    ///
    /// # Errors
    ///
    /// Everything is as it was before. A server that does not implement this cannot be reloaded.
    fn reload(&mut self, reload: ServerReload) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        drop(reload);
        Box::pin(async { Err(ServerError::Other("this server cannot be reloaded".into())) })
    }

    /// Whether a reload that failed cost it sockets which it could not open again. The next reload is
    /// handed to it then, even if nothing is different. Default: no.
    fn has_lost_endpoints(&self) -> bool {
        false
    }

    /// Stops: takes no more connections, lets running requests end within `grace`, then ends them.
    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()>;
}

/// A future whose type has no name.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a server is started with.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerStart {
    /// Which endpoints to listen on.
    pub plan: EndpointPlan,
    /// What answers the requests.
    pub app: Router,
    /// What secures each endpoint of the plan, in its order; clear text has none.
    pub(crate) tls: Vec<Option<Arc<EndpointTls>>>,
    /// Whether an endpoint of which a part is missing refuses the start.
    pub(crate) strict: bool,
}

impl ServerStart {
    pub(crate) fn new(plan: EndpointPlan, app: Router) -> Self {
        Self { plan, app, tls: Vec::new(), strict: false }
    }

    /// The same, refused on what would only be warned about.
    pub(crate) fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The same with what secures the endpoints.
    pub(crate) fn secured(mut self, tls: Vec<Option<Arc<EndpointTls>>>) -> Self {
        self.tls = tls;
        self
    }
}

/// What a server goes over to in a reload.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerReload {
    /// Which endpoints to listen on from now on.
    pub plan: EndpointPlan,
    /// What that changes. The old plan is the one of the last reload, or of the start.
    pub difference: Difference,
    /// How new connections are served from now on.
    pub options: ServerOptions,
    /// What secures each endpoint of the plan, in its order; clear text has none.
    pub(crate) tls: Vec<Option<Arc<EndpointTls>>>,
    /// Whether a new endpoint of which a part is missing refuses the reload.
    pub(crate) strict: bool,
}

impl ServerReload {
    pub(crate) fn new(plan: EndpointPlan, difference: Difference, options: ServerOptions) -> Self {
        Self { plan, difference, options, tls: Vec::new(), strict: false }
    }

    /// The same, refused on what would only be warned about.
    pub(crate) fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The same with what secures the endpoints.
    pub(crate) fn secured(mut self, tls: Vec<Option<Arc<EndpointTls>>>) -> Self {
        self.tls = tls;
        self
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Endpoints could not be bound: every one of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Bind(Vec<BindError>),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}

impl From<BindError> for ServerError {
    fn from(error: BindError) -> Self {
        Self::Bind(vec![error])
    }
}

impl From<Vec<BindError>> for ServerError {
    fn from(errors: Vec<BindError>) -> Self {
        Self::Bind(errors)
    }
}

/// Tells what is missing of endpoints that are served all the same.
///
/// # Errors
///
/// They are not, because warnings are errors.
fn check_complete<'a>(
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

/// The built-in server: axum on hyper, with Kestrel's rules at the edge.
#[derive(Debug)]
pub struct KestrelServer {
    options: ServerOptions,
    counters: Counters,
    /// Set by the start.
    context: Option<Arc<Context>>,
    /// In the order of the plan.
    endpoints: Vec<Endpoint>,
    /// Endpoints that a reload removed and whose last requests run.
    leaving: Leaving,
}

impl KestrelServer {
    /// A server that is not started yet.
    pub fn new(mut options: ServerOptions) -> Self {
        options.limits = options.limits.bounded();
        Self {
            options,
            counters: Counters::default(),
            context: None,
            endpoints: Vec::new(),
            leaving: Leaving::default(),
        }
    }

    /// What this server counts.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }
}

/// Whether every endpoint that is to be secured is.
///
/// # Errors
///
/// One is not, and would be served in clear text under the name of https.
fn check_secured(plan: &EndpointPlan, tls: &[Option<Arc<EndpointTls>>]) -> Result<(), ServerError> {
    let is_open = |(place, endpoint): &(usize, &PlannedEndpoint)| {
        endpoint.transport == Transport::Https && !matches!(tls.get(*place), Some(Some(_)))
    };
    match plan.endpoints.iter().enumerate().find(is_open) {
        None => Ok(()),
        Some((_, endpoint)) => Err(ServerError::Other(
            format!(
                "The endpoint {} has no certificate: a host loads certificates only for the server it makes itself.\n  fix: change that server's options with configure_kestrel, instead of giving the host another server",
                endpoint.written
            )
            .into(),
        )),
    }
}

impl Server for KestrelServer {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(async move {
            check_secured(&start.plan, &start.tls)?;
            let mut bound = addresses::bind(&start.plan)?;
            check_complete(bound.iter_mut(), start.strict)?;
            let context = Context::new(self.options.clone(), start.app, self.counters.clone());
            self.context = Some(Arc::clone(&context));
            let start_one = |(place, bound): (usize, BoundEndpoint)| {
                let tls = start.tls.get(place).cloned().flatten();
                let serving = Serving::new(&bound.planned, &bound.address, tls, &context);
                Endpoint::start(bound, serving)
            };
            // Those before a failure are dropped, which closes them.
            let endpoints: std::io::Result<Vec<_>> =
                bound.into_iter().enumerate().map(start_one).collect();
            self.endpoints = endpoints.map_err(|error| ServerError::Other(Box::new(error)))?;
            Ok(self.addresses())
        })
    }

    fn reload(&mut self, reload: ServerReload) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(self.go_over_to(reload))
    }

    fn has_lost_endpoints(&self) -> bool {
        self.endpoints.iter().any(|endpoint| !endpoint.is_listening())
    }

    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
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
            drain::stop(&drains, grace, events::connections_did_not_close).await;
        })
    }
}
