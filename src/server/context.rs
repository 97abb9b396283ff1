//! What all connections of a server share, whatever they speak.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::counters::Counters;
use super::options::ServerOptions;
use super::{date, protocol};
use crate::diagnostics::Repeated;
use crate::features::Lifetime;
use crate::pipeline::Application;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    options: ServerOptions,
    application: Application,
    lifetime: Lifetime,
    counters: Counters,
    /// How many connections are upgraded.
    upgraded: Arc<AtomicU64>,
    told: Arc<Told>,
}

/// What clients can have told again and again.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) refused_upgrades: Repeated,
    pub(super) removed_headers: Repeated,
    pub(super) refused_proxies: Repeated,
}

impl Context {
    pub(super) fn new(
        options: ServerOptions,
        application: Application,
        lifetime: Lifetime,
        counters: Counters,
    ) -> Arc<Self> {
        let (upgraded, told) = Default::default();
        Arc::new(Self { options, application, lifetime, counters, upgraded, told })
    }

    /// The same application with other options; what is counted goes on.
    pub(super) fn with_options(&self, options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            application: self.application.clone(),
            lifetime: self.lifetime.clone(),
            counters: self.counters.clone(),
            upgraded: Arc::clone(&self.upgraded),
            told: Arc::clone(&self.told),
        })
    }

    pub(super) fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// The answer 400 to what is no request that hyper could answer.
    pub(super) fn bad_request(&self, text: &str) -> Vec<u8> {
        protocol::bad_request(text, &date::header_value(), self.options.add_server_header)
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn upgraded(&self) -> &Arc<AtomicU64> {
        &self.upgraded
    }

    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    pub(super) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    pub(super) fn application(&self) -> &Application {
        &self.application
    }
}
