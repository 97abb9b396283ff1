//! What all connections of a server share, whatever they speak.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;

use super::counters::Counters;
use super::options::ServerOptions;
use super::{date, protocol};
use crate::diagnostics::Repeated;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    options: ServerOptions,
    app: Router,
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
}

impl Context {
    pub(super) fn new(options: ServerOptions, app: Router, counters: Counters) -> Arc<Self> {
        // Makes the app's handlers into services now, and not again for every request.
        let app = app.with_state(());
        Arc::new(Self { options, app, counters, upgraded: Arc::default(), told: Arc::default() })
    }

    /// The same app with other options; what is counted goes on.
    pub(super) fn with_options(&self, options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            app: self.app.clone(),
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

    pub(super) fn app(&self) -> &Router {
        &self.app
    }
}
