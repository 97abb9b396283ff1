//! Which policies the routes of requests name, for the stages that go by policies.

use std::sync::Arc;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, Method};

use crate::apps::reverse_proxy::options::ProxyOptions;
use crate::apps::reverse_proxy::route_table::{Asked, Found, RouteTable};
use crate::features::{RequestTarget, RoutePolicies};
use crate::middleware::SiteTable;
use crate::pipeline::{Enter, Request, Stage};

/// Looks up the route of a request before the stages do their part whose policies routes can name. (What routing is to
/// the middleware behind it in ASP.NET Core.)
#[derive(Debug)]
pub(crate) struct PoliciesOfRoutes {
    table: RouteTable,
    /// Of the routes, in their order.
    policies: Box<[Option<Arc<RoutePolicies>>]>,
    /// Sites, whose requests are not for these routes.
    sites: Option<SiteTable>,
}

impl PoliciesOfRoutes {
    /// `None` if no route names a policy.
    pub(crate) fn new(options: &ProxyOptions, sites: Option<SiteTable>) -> Option<Self> {
        let policies = options.routes.iter().map(|route| {
            let policies = RoutePolicies {
                rate_limiter: route.rate_limiter_policy.clone(),
                cors: route.cors_policy.clone(),
                timeout: route.timeout_policy.clone(),
            };
            (!policies.is_empty()).then(|| Arc::new(policies))
        });
        let policies: Box<[_]> = policies.collect();
        let table = RouteTable::new(&options.routes);
        policies.iter().any(Option::is_some).then_some(Self { table, policies, sites })
    }
}

impl Stage for PoliciesOfRoutes {
    fn enter(&self, request: &mut Request) -> Enter {
        // Not those of a host around a site.
        request.extensions_mut().remove::<Arc<RoutePolicies>>();
        if self.sites.as_ref().is_some_and(|sites| sites.site_of(request).is_some()) {
            return Enter::Next;
        }
        // What a browser asks beforehand has the route of what it is going to send.
        let method = to_be_sent(request.method(), request.headers());
        let path = RequestTarget::of(request).lent_path();
        let asked = Asked { method: &method, ..Asked::of(request, &path) };
        let found = self.table.find(asked);
        let Found::Route(place) = found else { return Enter::Next };
        if let Some(policies) = self.policies.get(place).and_then(Option::as_ref) {
            let policies = Arc::clone(policies);
            request.extensions_mut().insert(policies);
        }
        Enter::Next
    }

    /// It never looks at an answer.
    fn knows_files(&self) -> bool {
        true
    }
}

/// The method that a browser wants to send, if it asks before; else that of the request.
fn to_be_sent(method: &Method, headers: &HeaderMap) -> Method {
    let asks = *method == Method::OPTIONS && headers.contains_key(ORIGIN);
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| asks);
    let wanted = wanted.and_then(|it| Method::from_bytes(it.as_bytes()).ok());
    wanted.unwrap_or_else(|| method.clone())
}
