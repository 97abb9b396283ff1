//! What the connections of an endpoint are served with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::Context;
use super::{http1, http2};
use crate::addresses::{PlannedEndpoint, Transport};
use crate::features::{HttpProtocols, Proxies, Scheme};
use crate::tls::EndpointTls;

/// What a connection is served with. An accept loop looks at it once per connection, so that it can
/// be replaced while the loop runs: connections that are open keep what they began with.
#[derive(Debug)]
pub(super) struct Serving {
    /// The address that is published.
    address: String,
    pub(super) protocols: HttpProtocols,
    pub(super) scheme: Scheme,
    /// Who begins connections with the PROXY protocol; `None` if nobody does.
    pub(super) proxies: Option<Proxies>,
    /// How connections are secured; clear text is not.
    pub(super) tls: Option<Arc<EndpointTls>>,
    /// The server's options and its app.
    pub(super) context: Arc<Context>,
    /// The same options, ready for each version.
    pub(super) http1: Arc<http1::Options>,
    pub(super) http2: http2::Options,
    /// Somebody spoke clear text where TLS is spoken, or the other way round.
    mixed_up: AtomicBool,
    /// A client could not be served because of how the endpoint is set up.
    failed: AtomicBool,
}

impl Serving {
    /// How an endpoint that was planned like this, and has this address, is served.
    pub(super) fn new(
        planned: &PlannedEndpoint,
        address: &str,
        tls: Option<Arc<EndpointTls>>,
        context: &Arc<Context>,
    ) -> Arc<Self> {
        Arc::new(Self {
            address: address.to_owned(),
            protocols: planned.protocols,
            scheme: match planned.transport {
                Transport::Http => Scheme::Http,
                Transport::Https => Scheme::Https,
            },
            proxies: planned.proxy_protocol.clone().map(Proxies::Of),
            tls,
            http1: Arc::new(http1::Options::from(context.options())),
            http2: http2::Options::from(context.options()),
            context: Arc::clone(context),
            mixed_up: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        })
    }

    /// The address that is published.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether this is the first client that cannot be served because of how the endpoint is set up:
    /// an error is told once, or clients could fill the log with it.
    pub(super) fn is_first_failure(&self) -> bool {
        !self.failed.swap(true, Ordering::Relaxed)
    }

    /// Tells once that clients mix up clear text and TLS: who does it does it often.
    pub(super) fn tell_mix_up(&self, tell: impl FnOnce(&str)) {
        if !self.mixed_up.swap(true, Ordering::Relaxed) {
            tell(&self.address);
        }
    }
}
