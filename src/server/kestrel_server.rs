//! The built-in server.

use std::net::SocketAddr;
use std::time::Duration;

use super::contract::{BoxFuture, Server, ServerError, ServerReload, ServerStart};
use super::counters::Counters;
use super::options::ServerOptions;
use super::running_server::RunningServer;

/// The built-in server: axum on hyper, with Kestrel's rules at the edge.
#[derive(Debug)]
pub(crate) struct KestrelServer {
    /// What it is started with.
    options: ServerOptions,
    counters: Counters,
    /// Set by the start.
    running: Option<RunningServer>,
}

impl KestrelServer {
    /// A server that is not started yet.
    pub(crate) fn new(mut options: ServerOptions) -> Self {
        options.limits = options.limits.bounded();
        Self { options, counters: Counters::default(), running: None }
    }
}

impl Server for KestrelServer {
    fn start(&mut self, start: ServerStart) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(async move {
            let running = RunningServer::start(start, self.options.clone(), self.counters.clone())?;
            Ok(self.running.insert(running).addresses())
        })
    }

    fn reload(&mut self, reload: ServerReload) -> BoxFuture<'_, Result<Vec<String>, ServerError>> {
        Box::pin(async move {
            match &mut self.running {
                Some(running) => running.go_over_to(reload).await,
                None => Err(ServerError::Other("the server is not started".into())),
            }
        })
    }

    fn socket_addresses(&self) -> Vec<SocketAddr> {
        self.running.as_ref().map(RunningServer::socket_addresses).unwrap_or_default()
    }

    fn has_lost_endpoints(&self) -> bool {
        self.running.as_ref().is_some_and(RunningServer::has_lost_endpoints)
    }

    fn counters(&self) -> Option<Counters> {
        Some(self.counters.clone())
    }

    fn stop(&mut self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(running) = &mut self.running {
                running.stop(grace).await;
            }
        })
    }
}
