//! The host: from a plan to a running server, and back.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use tokio::sync::Notify;

use super::certificates::{self, Certificates, Surroundings};
use super::error::HostError;
use super::explain;
use super::lifetime::Signals;
use super::logging::Logging;
use super::settings::SharedCertificates;
use crate::addresses::{EndpointPlan, also_reachable};
use crate::configuration::{Configuration, Loaded};
use crate::diagnostics::events;
use crate::features::ServerAddresses;
use crate::server::{KestrelServer, Server, ServerError, ServerOptions, ServerStart};

/// A host that is configured but not started: nothing is bound yet.
pub struct Host {
    pub(super) loaded: Loaded,
    pub(super) plan: EndpointPlan,
    pub(super) shared_certificates: SharedCertificates,
    pub(super) surroundings: Surroundings,
    pub(super) server_options: ServerOptions,
    pub(super) shutdown_timeout: Duration,
    pub(super) addresses: ServerAddresses,
    pub(super) stop: StopHandle,
    pub(super) app: Router,
    pub(super) server: Option<Box<dyn Server>>,
    pub(super) logging: Option<Logging>,
}

impl Host {
    /// A builder with the settings of the process: its variables and its current directory. The
    /// command line counts only if it is given to [`args`](super::HostBuilder::args).
    pub fn builder() -> super::HostBuilder {
        super::HostBuilder::default()
    }

    /// What will be bound, and who said so. It prints as a table.
    pub fn plan(&self) -> &EndpointPlan {
        &self.plan
    }

    /// The merged configuration, with the origin of every value.
    pub fn configuration(&self) -> &Configuration {
        &self.loaded.configuration
    }

    /// The environment, such as `Production`.
    pub fn environment(&self) -> &str {
        &self.loaded.environment.value
    }

    /// The folder that files are looked up in.
    pub fn content_root(&self) -> &Path {
        &self.loaded.content_root.value
    }

    /// The name of the application.
    pub fn application_name(&self) -> &str {
        &self.loaded.application_name.value
    }

    /// Binds the endpoints, announces them and starts to serve.
    ///
    /// # Errors
    ///
    /// An endpoint cannot be bound, or an https endpoint has no certificate. Nothing is left bound.
    pub async fn start(mut self) -> Result<RunningHost, HostError> {
        events::hosting_starting();
        let result = self.start_server().await;
        match result {
            Ok(server) => {
                self.announce();
                Ok(RunningHost {
                    server,
                    addresses: self.addresses,
                    shutdown_timeout: self.shutdown_timeout,
                    stop: self.stop,
                    logging: self.logging,
                })
            }
            Err(error) => {
                events::hosting_failed_to_start(&first_line(&error));
                if let Some(logging) = &self.logging {
                    logging.flush();
                }
                Err(error)
            }
        }
    }

    async fn start_server(&mut self) -> Result<Box<dyn Server>, HostError> {
        explain::before_binding(&self.plan);
        // Another server has certificates of its own, if it has any.
        let certificates = match &self.server {
            Some(_) => Certificates::default(),
            None => certificates::load(
                &self.plan,
                &self.shared_certificates,
                self.configuration(),
                &self.surroundings,
                SystemTime::now(),
            )
            .map_err(HostError::Certificate)?,
        };
        let options = self.server_options.clone();
        let mut server =
            self.server.take().unwrap_or_else(|| Box::new(KestrelServer::new(options)));
        let start = ServerStart::new(self.plan.clone(), std::mem::take(&mut self.app))
            .secured(certificates.endpoints);
        let addresses = server.start(start).await.map_err(|error| match error {
            ServerError::Bind(error) => HostError::Bind(error),
            ServerError::Other(error) => HostError::Server(error),
        })?;
        self.addresses.publish(addresses);
        Ok(server)
    }

    fn announce(&self) {
        explain::after_binding(&self.plan);
        for address in self.addresses.list() {
            events::listening(address);
            if let Some(also) = also_reachable(address) {
                events::listening(&also);
            }
        }
        events::application_started();
        events::hosting_environment(self.environment());
        events::content_root_path(&self.content_root().display().to_string());
        events::hosting_started();
    }
}

pub(super) fn first_line(error: &HostError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("environment", &self.environment())
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// A host that serves. Dropping it cuts off whatever it serves: call [`stop`](Self::stop) for a clean
/// end.
pub struct RunningHost {
    server: Box<dyn Server>,
    addresses: ServerAddresses,
    shutdown_timeout: Duration,
    stop: StopHandle,
    logging: Option<Logging>,
}

impl RunningHost {
    /// The addresses that are bound, with the ports the system chose (what
    /// `IServerAddressesFeature` tells).
    pub fn addresses(&self) -> &[String] {
        self.addresses.list()
    }

    /// A handle that asks this host to stop, from anywhere.
    pub fn handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Waits until somebody asks for the stop by a [`StopHandle`]. Signals are not listened to.
    pub async fn stop_requested(&self) {
        self.stop.0.notified().await;
    }

    /// Stops: no new connections, idle ones closed, running requests finished within the shutdown
    /// timeout and then aborted.
    pub async fn stop(mut self) {
        events::application_stopping();
        events::hosting_stopping();
        self.server.stop(self.shutdown_timeout).await;
        events::hosting_stopped();
        if let Some(logging) = &self.logging {
            logging.flush();
        }
    }

    /// Serves until a signal or a [`StopHandle`] asks for the stop, and stops. A second signal
    /// ends at once, with 128 and its number as the exit code.
    pub(super) async fn run(self, mut signals: Signals) -> ExitCode {
        tokio::select! {
            _ = signals.next() => {}
            () = self.stop_requested() => {}
        }
        tokio::select! {
            () = self.stop() => ExitCode::SUCCESS,
            again = signals.next() => {
                events::stop_forced();
                ExitCode::from(again.exit_code())
            }
        }
    }
}

impl fmt::Debug for RunningHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningHost").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

/// Asks a host to stop.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<Notify>);

impl StopHandle {
    /// Asks for the stop; more than once is no harm, and so is asking before the start.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}
