//! What the route of a request says of policies.

use std::sync::Arc;

use http::Request;

/// A policy that a route names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoutePolicy {
    /// That of everything else.
    Default,
    /// None.
    Disable,
    /// One with a name.
    Named(String),
}

/// The policies that a route names, each in the place of what would count for its requests. It is an extension of
/// a request that has such a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoutePolicies {
    pub(crate) rate_limiter: Option<RoutePolicy>,
    pub(crate) cors: Option<RoutePolicy>,
    pub(crate) timeout: Option<RoutePolicy>,
}

impl RoutePolicies {
    /// Whether it names none.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who has routes asks"))]
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those of the route of a request.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get::<Arc<Self>>().map(|it| &**it)
    }
}
