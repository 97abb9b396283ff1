//! What a server fulfils towards the host, and what it is told.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::counters::Counters;
use super::options::ServerOptions;
use crate::addresses::{BindError, Difference, EndpointPlan, Network};
use crate::features::{Lifetime, ServerAddresses};
use crate::pipeline::Application;
use crate::tls::EndpointTls;

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

    /// The addresses of the sockets that listen, for
    /// [`RunningHost::socket_addresses`](crate::RunningHost::socket_addresses). It is asked behind a start
    /// and a reload. Default: none.
    fn socket_addresses(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    /// Whether a reload that failed cost it sockets which it could not open again. The next reload is
    /// handed to it then, even if nothing is different. Default: no.
    fn has_lost_endpoints(&self) -> bool {
        false
    }

    /// What it counts, for [`RunningHost::counters`](crate::RunningHost::counters). Default: nothing.
    fn counters(&self) -> Option<Counters> {
        None
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
    /// What answers the requests: at each moment the host's stages and its app of that moment.
    pub application: Application,
    /// The life of the host, for what is to end with it.
    pub lifetime: Lifetime,
    /// What secures each endpoint of the plan, in its order; clear text has none.
    pub(crate) tls: Vec<Option<Arc<EndpointTls>>>,
    /// Whether an endpoint of which a part is missing refuses the start.
    pub(crate) strict: bool,
    /// Where the endpoints are bound.
    pub(crate) network: Network,
    /// Where the addresses are to stand before the first request can ask for them.
    pub(crate) addresses: ServerAddresses,
}

impl ServerStart {
    /// What a host would start a server with that has this plan and this app and no certificates; for
    /// the test of a server of one's own. It has a [`Lifetime`] of its own, see
    /// [`within`](Self::within).
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use kestrel::{Host, Server, ServerStart};
    ///
    /// async fn starts(mut server: impl Server) -> Result<(), Box<dyn std::error::Error>> {
    ///     let host = Host::builder().hermetic().use_urls("http://127.0.0.1:0").build()?;
    ///     let app = Router::new().route("/", get(|| async { "Hello" }));
    ///     let start = ServerStart::new(host.plan().clone(), app.into());
    ///     let addresses = server.start(start).await?;
    ///     // ... whatever its clients send, and then
    ///     server.stop(std::time::Duration::ZERO).await;
    ///     Ok(())
    /// }
    /// ```
    pub fn new(plan: EndpointPlan, application: Application) -> Self {
        let (tls, lifetime) = (Vec::new(), Lifetime::new());
        let (network, addresses) = (Network::default(), ServerAddresses::default());
        Self { plan, application, lifetime, tls, strict: false, network, addresses }
    }

    /// The same, bound elsewhere than on the system's sockets.
    pub(crate) fn on(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The same, with the addresses told there.
    pub(crate) fn published_by(mut self, addresses: ServerAddresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// The same for a host with this life.
    pub fn within(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
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
