//! What happens to a connection, and where a limit is enforced.
//!
//! In goes an [`EndpointPlan`] and the app; [`KestrelServer`] binds the plan, accepts on every
//! socket and runs each connection through `connection`: the version of HTTP is told apart by its
//! first bytes, hyper speaks it, `request` hands each request to the app with its facts. The stop
//! is a phase that every connection watches, see `drain`.
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
mod counters;
mod date;
mod drain;
mod handshake;
mod host;
mod http1;
mod http2;
mod io;
pub(crate) mod limits;
mod options;
mod protocol;
mod rejection;
mod request;
mod request_log;
mod scope;
mod slot;

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

pub use counters::Counters;
#[cfg(fuzzing)]
pub(crate) use http1::checks;
pub use limits::{Http2Limits, InvalidLimit, Limits};
pub use options::ServerOptions;

use crate::addresses::{self, BindError, EndpointPlan};
use crate::tls::EndpointTls;
use drain::Drain;

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
}

impl ServerStart {
    pub(crate) fn new(plan: EndpointPlan, app: Router) -> Self {
        Self { plan, app, tls: Vec::new() }
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
    /// An endpoint could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Box<dyn Error + Send + Sync>),
}

/// The built-in server: axum on hyper, with Kestrel's rules at the edge.
#[derive(Debug)]
pub struct KestrelServer {
    options: ServerOptions,
    counters: Counters,
    drain: Drain,
}

impl KestrelServer {
    /// A server that is not started yet.
    pub fn new(mut options: ServerOptions) -> Self {
        options.limits = options.limits.bounded();
        Self { options, counters: Counters::default(), drain: Drain::new() }
    }

    /// What this server counts.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }
}

impl Server for KestrelServer {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(async move {
            let bound = addresses::bind(&start.plan)?;
            let addresses = bound.iter().map(|endpoint| endpoint.address.clone()).collect();
            let context =
                connection::Context::new(self.options.clone(), start.app, self.counters.clone());
            accept::start(bound, &start.tls, &context, &self.drain)
                .map_err(|error| ServerError::Other(Box::new(error)))?;
            Ok(addresses)
        })
    }

    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.drain.run(grace))
    }
}
