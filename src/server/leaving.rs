//! Endpoints that a reload removed, until their last requests have ended.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinSet;

use super::drain::{self, Drain};
use super::endpoint::Endpoint;
use crate::diagnostics::{events, in_log_boxed};

/// How long the running requests of an endpoint that goes have, as on Kestrel.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Endpoints that a reload removed, until their last requests have ended. Dropping them cuts those
/// off.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    stops: JoinSet<()>,
    drains: Vec<Weak<Drain>>,
}

impl Leaving {
    pub(super) fn add(&mut self, endpoint: Endpoint) {
        while self.stops.try_join_next().is_some() {}
        self.drains.retain(|drain| drain.strong_count() > 0);
        self.drains.push(Arc::downgrade(&endpoint.drain));
        self.stops.spawn(in_log_boxed(async move {
            let outlived = |count| events::removed_endpoint_did_not_drain(&endpoint.address, count);
            drain::stop(&[&endpoint.drain], GRACE, outlived).await;
        }));
    }

    /// The stops that are not complete.
    pub(super) fn drains(&self) -> Vec<Arc<Drain>> {
        self.drains.iter().filter_map(Weak::upgrade).collect()
    }
}
